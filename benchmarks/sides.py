"""The servers that are measured side by side, and the rig that starts them against one simulated provider."""

import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_connection, socket
from typing import Any, Final

import httpx2

from benchmarks.processes import environment
from benchmarks.raw import Call, Caller, Era, HttpCaller, StdioCaller
from sandbox.voicetel.seed import USERNAME

READ: Final = "read"
WRITE: Final = "write"
"""Kinds of call. Every side makes the same request of the provider for it."""

DOCUMENT: Final = Path("../shared/providers/voicetel-openapi-2.2.10.json")
"""The provider's published document, beside the project; what is generated from it is left out where it is absent."""

SENDER: Final = "2015550142"
FIRST_RECIPIENT: Final = 2125550100
"""Each caller texts a number of its own."""

PRICES_AN_HOUR: Final = 6
"""So often the provider shows an account its prices, to all servers with one key together."""

CASH: Final = "1000000"
"""Dollars on the simulated account, so that no run uses them up."""


@dataclass(frozen=True, slots=True)
class Side:
    """A server to measure: how it is started, and what its tools are called."""

    name: str
    arguments: tuple[str, ...]
    """Arguments of the interpreter, to serve over stdio."""

    listening: tuple[str, ...] = ()
    """Further arguments, to serve over HTTP; `{port}` is filled in."""

    python: str = sys.executable
    read: str = ""
    write: str = ""
    names: tuple[str, str, str] = ("tn_mask", "from_number", "to_number")
    """What the tools call the pattern of a number, the sender and the recipient."""

    asks: Mapping[Era, str] | None = None
    """Tools that ask before they write, by era; None where no tool asks."""

    def call_of(self, caller: Caller, kind: str, *, number: int = 0, asked_in: Era | None = None) -> Call:
        """Return a call of the caller with this number; `asked_in` names the era whose question it answers."""
        pattern, sender, recipient = self.names
        if kind == READ:
            return Call(caller, self.read, {pattern: "201", "quantity": 3}, proof="201")
        message = {sender: SENDER, recipient: str(FIRST_RECIPIENT + number), "text": "Your order is ready."}
        tool = self.asks[asked_in] if self.asks and asked_in else self.write
        return Call(caller, tool, message, proof='"id"')


_SEND: Final = "voicetel_send_message"

RINGFENCE: Final = Side(
    "Ringfence",
    ("-m", "ringfence", "serve"),
    ("--http", "127.0.0.1:{port}"),
    read="voicetel_search_inventory",
    write=_SEND,
    asks={Era.HANDSHAKE: _SEND, Era.MODERN: _SEND},
)
EMPTY: Final = Side("empty", ("-m", "benchmarks.bare", "empty"))
BY_HAND: Final = Side(
    "by hand",
    ("-m", "benchmarks.bare", "tool"),
    ("{port}",),
    read="search_inventory",
    write="send_message",
    asks={Era.HANDSHAKE: "send_message_with_yes", Era.MODERN: "send_message_with_answer"},
)
_GENERATED: Final = Side(
    "fastmcp",
    (),
    ("{port}",),
    read="inventorySearch",
    write="messageSend",
    names=("tnMask", "fromNumber", "toNumber"),
)
NAMES: Final = (RINGFENCE.name, BY_HAND.name, EMPTY.name, _GENERATED.name)
"""The columns of the table, in order."""


class Rig:
    """Starts servers with settings of their own, and ends all of them when it is closed."""

    def __init__(self, provider: str, folder: Path, generated: Side | None) -> None:
        self._provider = provider
        self.folder = folder
        self.generated = generated
        self._folders = 0

    def renew_provider(self) -> None:
        """Put the provider back to its start: it shows its prices to an account six times an hour."""
        httpx2.post(f"{self._provider}/_control/reset").raise_for_status()
        httpx2.put(f"{self._provider}/_control/voicetel/cash/{USERNAME}", json={"cash": CASH}).raise_for_status()

    def new_folder(self) -> Path:
        """Return the path of an empty state folder."""
        self._folders += 1
        return self.folder / f"state-{self._folders}"

    def calling(self) -> tuple[Side, ...]:
        """Return the sides that call the provider."""
        return tuple(side for side in (RINGFENCE, BY_HAND, self.generated) if side)

    def environment(self, state: Path, **settings: str) -> dict[str, str]:
        """Return the environment of a server: the same for all, with settings that only Ringfence reads."""
        fixed = {
            "RINGFENCE_COMPLIANCE__DUPLICATE_MINUTES": "0",
            "RINGFENCE_TOOLSETS": "default",
            "RINGFENCE_TOOLS": RINGFENCE.read,
        }
        return environment(self._provider, state, **(fixed | settings))

    @contextmanager
    def over_stdio(self, side: Side, env: dict[str, str], era: Era) -> Generator[tuple[StdioCaller, int]]:
        """Start a server; yield a caller that is ready, and the server's process id."""
        pipe = subprocess.PIPE
        with (
            (self.folder / "log").open("ab") as log,
            subprocess.Popen([side.python, *side.arguments], stdin=pipe, stdout=pipe, stderr=log, env=env) as process,  # noqa: S603 - our own programs
        ):
            try:
                assert process.stdin is not None  # noqa: S101 - they are pipes
                assert process.stdout is not None  # noqa: S101
                yield StdioCaller(process.stdin, process.stdout, era), process.pid
            finally:
                process.kill()

    @contextmanager
    def over_http(self, side: Side, env: dict[str, str]) -> Generator[tuple[int, int]]:
        """Start a server; yield its port and process id once it listens."""
        port = free_port()
        command = [side.python, *side.arguments, *(word.format(port=port) for word in side.listening)]
        with (self.folder / "log").open("ab") as log, _listening(command, port, env=env, log=log) as process:
            yield port, process.pid


@contextmanager
def open_rig(folder: Path) -> Generator[Rig]:
    """Start the simulated provider in a process of its own, and make ready what is generated."""
    port = free_port()
    command = [sys.executable, "-m", "ringfence", "sandbox", "--port", str(port)]
    with ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("ab"))
        stack.enter_context(_listening(command, port, env=None, log=log))
        yield Rig(f"http://127.0.0.1:{port}", folder, _generated_side(folder))


def callers(stack: ExitStack, port: int, era: Era, count: int) -> list[HttpCaller]:
    """Connect callers to a server; they are closed with the stack."""
    connected = [HttpCaller(port, era) for _ in range(count)]
    for caller in connected:
        stack.callback(caller.close)
    return connected


def learn_prices(rig: Rig, call: Call) -> None:
    """Call a server as often as it may read its prices, and once more; from then on it goes by the last ones."""
    rig.renew_provider()
    for _ in range(PRICES_AN_HOUR + 1):
        call()


def resident_mebibytes(pid: int) -> float:
    """Return the memory of a process that is resident (RSS)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    [kibibytes] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(kibibytes) / 1024


def free_port() -> int:
    """Return a port on loopback that nothing listens on."""
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _generated_side(folder: Path) -> Side | None:
    """Install fastmcp in an environment that ends with the run; None without uv, the document or the package."""
    uv = shutil.which("uv")
    if uv is None or not DOCUMENT.is_file():
        return None
    python = folder / "fastmcp" / "bin" / "python"
    for arguments in (
        ("venv", "-q", "--python", sys.executable, str(folder / "fastmcp")),
        ("pip", "install", "-q", "--compile-bytecode", "--python", str(python), "fastmcp"),
    ):
        if subprocess.run([uv, *arguments], check=False).returncode:  # noqa: S603 - uv, as found on the path
            return None
    return replace(_GENERATED, python=str(python), arguments=("-m", "benchmarks.generated", str(DOCUMENT.resolve())))


@contextmanager
def _listening(
    command: list[str], port: int, *, env: dict[str, str] | None, log: Any
) -> Generator[subprocess.Popen[bytes]]:
    """Start a process; yield it once its port takes connections, and end it afterwards."""
    with subprocess.Popen(command, env=env, stdout=log, stderr=log) as process:  # noqa: S603 - our own programs
        try:
            _wait_until_listening(process, port)
            yield process
        finally:
            process.kill()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"{process.args!r} does not listen")
