"""Has the fork server start a program, and stands in for its process: `python -I -S starter.py SOCKET ARGUMENTS`.

It starts in a hundredth of a second, since it imports only what is built into Python, and behaves as the program does:
it passes signals on, and ends as the program ended. Where it is killed, the fork server kills the program.
"""

import marshal
import os
import signal
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket  # `socket` itself takes twice as long
from types import FrameType

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
NUMBER_BYTES = 8


def main() -> None:
    """Ask for the program, wait until it ended, and end the same way."""
    server = socket(AF_UNIX, SOCK_STREAM)
    server.connect(sys.argv[1])
    asked = marshal.dumps((sys.argv[2:], dict(os.environb), os.getcwd()))
    streams = b"".join(stream.to_bytes(4, sys.byteorder) for stream in (0, 1, 2))
    server.sendmsg([len(asked).to_bytes(NUMBER_BYTES, "big")], [(SOL_SOCKET, SCM_RIGHTS, streams)])
    server.sendall(asked)
    program = _number(server)

    def pass_on(number: int, _: FrameType | None) -> None:
        os.kill(program, number)

    for number in PASSED_ON:
        signal.signal(number, pass_on)
    for stream in (0, 1, 2):  # whoever reads the program's output sees its end when the program closes it
        os.close(stream)
    code = _number(server)
    if code < 0:
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _number(server: socket) -> int:
    received = b""
    while len(received) < NUMBER_BYTES:
        part = server.recv(NUMBER_BYTES - len(received))
        if not part:
            os._exit(os.EX_UNAVAILABLE)
        received += part
    return int.from_bytes(received, "big", signed=True)


if __name__ == "__main__":
    main()
