"""A program that the fork server starts is, to whoever started it, as if Python had."""

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.fork_server import COLD, forking_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Programs start as they are on other systems.")

TELLS: Final = """
import os, sys
print(sys.argv, sys.stdin.read(), os.getcwd(), sorted(os.environ))
print("wrong", file=sys.stderr)
sys.exit(3)
"""
FAILS: Final = "raise ValueError('no such thing')"
WAITS: Final = "import sys; print('here', flush=True); sys.stdin.read()"
SAYS_NO_MORE: Final = "import os, sys; os.close(1); sys.stdin.read(); os._exit(0)"


@pytest.mark.parametrize("python", [lambda: COLD, forking_python], ids=["cold", "forked"])
def test_its_arguments_input_folder_environment_and_exit_code_are_its_own(
    python: Callable[[], Sequence[str]], tmp_path: Path
) -> None:
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *python(), "-c", TELLS, "one", "--two"],
        input="typed",
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={"LC_ALL": "C.UTF-8", "OWN": "1"},
        check=False,
    )
    told = f"['-c', 'one', '--two'] typed {tmp_path} ['LC_ALL', 'OWN']\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, told, "wrong\n")


def test_what_it_does_not_catch_is_told_and_ends_it_with_1() -> None:
    with _forked(FAILS) as program:
        _, told = program.communicate()
    assert program.returncode == 1
    assert told.endswith("ValueError: no such thing\n")


def test_a_signal_reaches_it_and_ends_both() -> None:
    with _forked(WAITS) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "here\n"
        program.terminate()
        assert program.wait() == -signal.SIGTERM


def test_it_is_killed_when_what_stands_in_for_it_is_killed() -> None:
    with _forked(WAITS) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "here\n"
        program.kill()
        assert program.stdout.read() == ""  # nobody holds the other end any more
        assert program.wait() == -signal.SIGKILL


def test_the_output_that_it_closes_has_ended_though_it_runs() -> None:
    with _forked(SAYS_NO_MORE) as program:
        assert program.stdout is not None
        assert program.stdout.read() == ""
        assert program.poll() is None
        program.communicate()
    assert program.returncode == 0


def _forked(code: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    command = [sys.executable, *forking_python(), "-c", code]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8")  # noqa: S603 - ours
