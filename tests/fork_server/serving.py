"""The fork server: has loaded what Ringfence and the programs of the tests import, and forks itself for each request.

It has neither threads nor an event loop nor an open file, so that a child has them from no one. It ends when its
standard input does.
"""

import atexit
import gc
import marshal
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fork_server.loaded import load
from tests.fork_server.starter import NUMBER_BYTES

STREAMS: Final = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Request:
    """A program to start, as a starter asks for it."""

    arguments: Sequence[str]
    """What stands behind `python`: `-m` and a module, `-c` and code, or the path of a script; then what it is given."""

    environment: dict[bytes, bytes]
    folder: str
    streams: Sequence[int]
    """Its standard input, output and error."""

    @classmethod
    def receive(cls, starter: socket.socket) -> "Request":
        """Read what a starter sends at first.

        Raises:
            EOFError: It ended before it had asked.
        """
        length, streams, _, _ = socket.recv_fds(starter, NUMBER_BYTES, len(STREAMS))
        asked = b""
        while not length or len(asked) < int.from_bytes(length, "big"):
            part = starter.recv(65536)
            if not part:
                raise EOFError
            asked += part
        arguments, environment, folder = marshal.loads(asked)  # noqa: S302 - from a starter of the same run
        return cls(arguments, environment, folder, streams)


class ForkServer:
    """Forks a process for each starter that asks, and tells the starter how its process ended."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._start)
        self._selector.register(sys.stdin, selectors.EVENT_READ, self._end)
        self._is_open = True

    def serve(self) -> Request | None:
        """Serve until the tests are over; return a request in the process that was forked for it."""
        while self._is_open:
            key, _ = self._selector.select()[0]  # one at a time: what it closes may be the next
            react: Callable[[], Request | None] = key.data
            if request := react():
                self._leave()
                return request
        return None

    def _end(self) -> None:
        self._is_open = False

    def _start(self) -> Request | None:
        starter, _ = self._listener.accept()
        try:
            request = Request.receive(starter)
        except EOFError:
            starter.close()
            return None
        process = os.fork()
        if process == 0:
            starter.close()
            return request
        for stream in request.streams:
            os.close(stream)
        child = _Child(process, starter, os.pidfd_open(process))
        starter.sendall(process.to_bytes(NUMBER_BYTES, "big"))
        self._selector.register(child.ended, selectors.EVENT_READ, lambda: self._tell(child))
        self._selector.register(starter, selectors.EVENT_READ, lambda: self._kill(child))
        return None

    def _kill(self, child: "_Child") -> None:
        """Kill a child whose starter was killed: nothing else ends a starter before its program."""
        self._selector.unregister(child.starter)
        os.kill(child.process, signal.SIGKILL)

    def _tell(self, child: "_Child") -> None:
        """Tell how a child ended."""
        self._selector.unregister(child.ended)
        with suppress(KeyError):  # the starter was killed
            self._selector.unregister(child.starter)
        _, status = os.waitpid(child.process, 0)
        with suppress(OSError):
            child.starter.sendall(os.waitstatus_to_exitcode(status).to_bytes(NUMBER_BYTES, "big", signed=True))
        child.starter.close()
        os.close(child.ended)

    def _leave(self) -> None:
        """Close in a child what belongs to the server, and other children."""
        watched = [key.fileobj for key in self._selector.get_map().values()]
        self._selector.close()
        for one in watched:
            if isinstance(one, socket.socket):
                one.close()
            elif isinstance(one, int):
                os.close(one)


@dataclass(frozen=True, slots=True)
class _Child:
    """What was forked for a starter."""

    process: int
    starter: socket.socket
    ended: int
    """Becomes readable when the process ends."""


def become(request: Request, leaving: "Leaving") -> None:
    """Run the program of a request in this process."""
    os.setpgid(0, 0)
    for stream, standard in zip(request.streams, STREAMS, strict=True):
        os.dup2(stream, standard)
        os.close(stream)
    os.chdir(request.folder)
    os.environb.clear()
    os.environb.update(request.environment)
    gc.enable()
    try:
        run_program(*request.arguments)
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        leaving.code = ended.code or 0
    else:
        leaving.code = 0


def run_program(first: str, *words: str) -> None:
    """Run a module (`-m`), code (`-c`) or a script with its arguments, as Python does that is started with them."""
    if first == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = list(words)
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *words[1:]]
        exec(compile(words[0], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as Python does
    else:
        sys.path.insert(0, str(Path(first).parent))
        sys.argv = [first, *words]
        runpy.run_path(first, run_name="__main__")


class Leaving:
    """Ends a child when all else that is done at the end is done: taking every module apart takes five times as long.

    What is registered first is done last, so this is registered before anything is imported.
    """

    code: int | None = None
    """The exit code; None where Python itself must say what went wrong."""

    def __call__(self) -> None:
        """Write what is left to write, and end."""
        if self.code is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.code)


def main() -> None:
    """Load, say so, and serve; in a child, run the program that was asked for."""
    leaving = Leaving()
    atexit.register(leaving)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        load()
        assert threading.active_count() == 1, threading.enumerate()
        gc.collect()
        gc.freeze()  # what is never collected is never written to, and so shared with the children
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        request = ForkServer(listener).serve()
    if request is not None:
        become(request, leaving)


if __name__ == "__main__":
    main()
