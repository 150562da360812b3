"""The processes of a soak: PostgreSQL, the servers as a user starts them, and the commands of the operator."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, Final

import anyio
import psycopg
from anyio.abc import Process

NOBODY: Final = 65534
START_SECONDS: Final = 60.0


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Postgres:
    """A PostgreSQL server of the run's own, which can be restarted as a crash would."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._port = free_port()
        self.restarts = 0

    @property
    def url(self) -> str:
        """Address of the database as `store_url` has it."""
        return f"postgresql+psycopg://operator@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it; it is ready on return."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self._port} -c unix_socket_directories="
        self.run("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", options)

    def restart(self) -> None:
        """Stop it without letting anything finish, and start it again."""
        self.run("pg_ctl", "stop", "-m", "immediate")
        self.start()
        self.restarts += 1

    def connections(self) -> int:
        """Count the connections of servers and commands; this one is not among them."""
        with psycopg.connect(host="127.0.0.1", port=self._port, user="operator", dbname="postgres") as connection:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> %s"
            [number] = connection.execute(asked, (connection.info.backend_pid,)).fetchone() or (0,)
        return int(number)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs on its data. None of them may run as root."""
        as_user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=DEVNULL, cwd=self._folder, **as_user)  # noqa: S603


@contextmanager
def running_postgres() -> Generator[Postgres]:
    """Run a PostgreSQL server until the block is left.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
    """
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: initdb was not found. Nothing was started.")
    folder = Path(tempfile.mkdtemp(prefix="ringfence-soak-"))  # not in the run's folder, which nobody else may enter
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    postgres = Postgres(found[-1], folder)
    try:
        postgres.run("initdb", "-U", "operator", "--auth=trust", "-E", "UTF8")
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@dataclass(slots=True)
class Server:
    """One `ringfence serve --http`, started again after each kill."""

    port: int
    environment: Mapping[str, str]
    log: Path
    process: Process | None = None
    kills: list[float] = field(default_factory=list[float])

    async def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            RuntimeError: It ended, or took too long.
        """
        command = [sys.executable, "-m", "ringfence", "serve", "--toolsets", "all", "--http", f"127.0.0.1:{self.port}"]
        with self.log.open("a", encoding="utf-8") as errors:
            self.process = await anyio.open_process(
                command, stdin=DEVNULL, stdout=DEVNULL, stderr=errors, env=self.environment
            )
        with anyio.move_on_after(START_SECONDS):
            while self.process.returncode is None:
                try:
                    stream = await anyio.connect_tcp("127.0.0.1", self.port)
                except OSError:
                    await anyio.sleep(0.05)
                else:
                    await stream.aclose()
                    return
        raise RuntimeError(f"The server does not listen (exit code {self.process.returncode}); see {self.log}.")

    async def kill(self, at: float) -> None:
        """End it as a power cut would, at this second of the run."""
        if self.process is not None:
            self.process.kill()
            await self.process.wait()
            self.kills.append(at)


@asynccontextmanager
async def running(*servers: Server) -> AsyncGenerator[None]:
    """Run servers until the block is left."""
    try:
        for server in servers:
            await server.start()
        yield
    finally:
        with anyio.CancelScope(shield=True):
            for server in servers:
                if server.process is not None and server.process.returncode is None:
                    server.process.kill()
                    await server.process.wait()


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The operator's `ringfence ...`, in a process of its own each time."""

    environment: Mapping[str, str]

    async def run(self, *words: str, typed: str = "") -> str:
        """Run a command with what is typed at it; return what it prints.

        Raises:
            RuntimeError: It failed.
        """
        command = [sys.executable, "-m", "ringfence", *words]
        done = await anyio.run_process(command, input=typed.encode("utf-8"), env=self.environment, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).decode("utf-8")
            raise RuntimeError(f"ringfence {' '.join(words)} failed ({done.returncode}): {said}")
        return done.stdout.decode("utf-8")

    async def actions(self) -> list[dict[str, Any]]:
        """Return every action on the record."""
        return [json.loads(line) for line in (await self.run("actions", "list", "--jsonl")).splitlines()]
