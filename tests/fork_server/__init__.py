"""Python programs as processes of their own that start with everything loaded.

Starting Python and importing Ringfence takes a second or more of a processor; forking a process that has done so takes
a few hundredths. `forking_python()` stands where a test gives Python its arguments: the program, its arguments,
environment, folder and standard streams are the test's own, as are its exit code and the signals that reach it.

A process that is started this way has modules loaded that a cold one loads later. So a test whose point is the start
itself, what is loaded, or the very process that is killed starts Python as it is: `COLD`.
"""

import atexit
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
STARTER: Final = Path(__file__).with_name("starter.py")

COLD: Final[tuple[str, ...]] = ()
"""The arguments of Python in place of `forking_python()`, for a process that loads everything itself."""


def forking_python() -> Sequence[str]:
    """Return the arguments that stand before a program's own, after `sys.executable`.

    The first call starts the fork server of this process, which ends with it. Only Linux tells when a process that
    somebody else started ends; elsewhere, programs start as they are.
    """
    return ("-I", "-S", str(STARTER), _address()) if sys.platform == "linux" else COLD


@cache
def _address() -> str:
    """Start the fork server, and return the path of its socket."""
    folder = tempfile.TemporaryDirectory(prefix="ringfence-forks-")
    address = str(Path(folder.name) / "socket")
    server = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.fork_server.serving", address],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the tests, which then end it
    )
    assert server.stdin is not None
    assert server.stdout is not None
    ends = server.stdin

    def end() -> None:
        ends.close()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    with server.stdout as ready:
        assert ready.readline() == b"ready\n", "The fork server did not start; its error stands above."
    return address
