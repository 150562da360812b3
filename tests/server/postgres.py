"""A PostgreSQL server of our own for a test run, where its programs are installed."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.ports import free_port

PASSWORD = "pa:ss@w/ord Harbor2026"
NOBODY = 65534


class Postgres:
    """A server on loopback whose user logs in with a password."""

    def __init__(self, port: int, log: Path) -> None:
        self._port = port
        self.log = log

    def database(self) -> str:
        """Create a new, empty database and return its address."""
        name = f"test_{secrets.token_hex(6)}"
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url(name).render_as_string(hide_password=False)

    def _url(self, database: str) -> URL:
        return URL.create("postgresql+psycopg", "operator", PASSWORD, "127.0.0.1", self._port, database)


def programs() -> Path | None:
    """Return the folder of `initdb` and `pg_ctl`; None if there is none."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def running_postgres(where: Path, *settings: str) -> Generator[Postgres]:
    """Run a server until the block is left, with settings such as `fsync=on`; without any, a crash may lose data.

    It refuses to run as root, and then runs as nobody.
    """
    as_user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="ringfence-postgres-"))  # not tmp_path, which nobody else may enter
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    if as_user:
        for path in (folder, folder / "password"):
            os.chown(path, NOBODY, NOBODY)

    def run(program: str, *arguments: str) -> None:
        command = [str(where / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)  # noqa: S603

    port = free_port()
    own = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=")
    options = " ".join(f"-c {setting}" for setting in (*own, *(settings or ("fsync=off",))))
    try:
        run("initdb", "-U", "operator", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8")
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield Postgres(port, folder / "log")
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
