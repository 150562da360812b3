"""The operator's passcode: typed twice in a terminal, replaced with the old one or by the machine's administrator."""

import os
import select
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio.to_thread
import pytest

from server.cli.ownership import is_administrator
from tests.operator_side import OperatorSide
from tests.server.console.browsing import PASSCODE, browser, opened_record, page_over
from tests.server.operating import audit_rows

NEW = "battery staple"
NOBODY = 65534
PATIENCE_SECONDS = 60


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are those of POSIX")
async def test_a_terminal_asks_twice_and_takes_only_the_same_twice(tmp_path: Path) -> None:
    code, told = await _in_a_terminal(tmp_path, NEW, PASSCODE)
    assert code == 2
    assert "not the same; nothing was changed" in told
    code, told = await _in_a_terminal(tmp_path, NEW, NEW)
    assert code == 0, told
    assert NEW not in told


@pytest.mark.skipif(not is_administrator(), reason="only an administrator may reset a passcode")
async def test_the_administrator_replaces_a_forgotten_passcode_and_every_session_of_the_old_one_ends(
    tmp_path: Path,
) -> None:
    address = f"sqlite+aiosqlite:///{tmp_path / 'page.db'}"
    side = OperatorSide(tmp_path, RINGFENCE_STORE_URL=address)
    async with opened_record(tmp_path) as record, browser(page_over(record)) as page:
        await page.sign_in()
        assert (await page.open()).status_code == 200
        assert (await side.run("approvals", "passcode", "--reset", typed="short\n")).exit_code == 2
        assert (await page.open()).status_code == 200
        assert (await side.run("approvals", "passcode", "--reset", typed=f"{NEW}\n")).exit_code == 0
        assert (await page.open()).status_code == 401
        assert (await page.sign_in()).status_code == 401
        assert (await page.sign_in(NEW)).status_code == 303
    events = [row["event"] for row in await audit_rows(tmp_path, more={"RINGFENCE_STORE_URL": address})]
    assert "passcode reset" in events


@pytest.mark.skipif(os.name == "nt", reason="users are those of POSIX")
def test_nobody_else_resets_it_and_the_command_for_the_administrator_is_printed() -> None:
    """An assistant that runs commands as the operator's own user gets no passcode of its own by this."""
    with TemporaryDirectory() as name:  # those of pytest are closed to other users
        Path(name).chmod(0o755)
        file, folder = Path(name) / "ring fence.toml", Path(name) / "the state"
        file.write_text("approval_minutes = 5\n", encoding="utf-8")
        more = ["--config", str(file), "--state-folder", str(folder), "--sandbox"]
        done = _as_another_user(["approvals", "passcode", "--reset", *more])
        assert not folder.exists()
    assert done.returncode == 2, done.stderr
    assert "Only an administrator of this machine" in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"sudo {sys.executable} /nowhere/ringfence approvals passcode --reset ")
    assert line.endswith(f" --config '{file}' --state-folder '{folder}' --sandbox")


@pytest.mark.skipif(not is_administrator(), reason="only an administrator may give files away")
async def test_what_the_administrator_writes_stays_the_users(tmp_path: Path) -> None:
    async with opened_record(tmp_path):
        pass
    _give_away(tmp_path)
    address = f"sqlite+aiosqlite:///{tmp_path / 'page.db'}"
    side = OperatorSide(tmp_path, RINGFENCE_STORE_URL=address)
    assert (await side.run("approvals", "passcode", "--reset", typed=f"{NEW}\n")).exit_code == 0
    assert _owners(tmp_path) == {"audit.anchor": NOBODY, "page.db": NOBODY, "vault.key": NOBODY}


def _give_away(folder: Path) -> None:
    for file in (folder, *folder.iterdir()):
        os.chown(file, NOBODY, NOBODY)


def _owners(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_uid for file in folder.iterdir() if file.is_file()}


async def _in_a_terminal(folder: Path, first: str, second: str) -> tuple[int, str]:
    """Run `ringfence approvals passcode` at a pseudo-terminal; return its exit code and what it printed."""

    def run() -> tuple[int, str]:
        ours, theirs = os.openpty()
        command = [sys.executable, "-m", "ringfence", "approvals", "passcode"]
        child = subprocess.Popen(  # noqa: S603 - this project's own command
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "RINGFENCE_STATE_FOLDER": str(folder)},
            start_new_session=True,
        )
        os.close(theirs)
        try:
            told = _read_until(ours, b"New passcode: ")
            os.write(ours, f"{first}\n".encode())
            told += _read_until(ours, b"again: ")
            os.write(ours, f"{second}\n".encode())
            told += _read_until(ours, b"")
            return child.wait(PATIENCE_SECONDS), told.decode()
        finally:
            child.kill()
            child.wait()
            os.close(ours)

    return await anyio.to_thread.run_sync(run)


def _read_until(terminal: int, end: bytes) -> bytes:
    """Read what a terminal shows until it ends so; without an end, until the program has ended."""
    told = b""
    while not end or end not in told:
        if not select.select([terminal], [], [], PATIENCE_SECONDS)[0]:
            raise TimeoutError(told)
        try:
            more = os.read(terminal, 1024)
        except OSError:  # Linux says so once the other side is closed
            break
        if not more:
            break
        told += more
    return told


AS_ANOTHER_USER = """
import os, sys
from server.cli.app import command_line
from server.settings.load import read_settings

sys.argv[0] = "/nowhere/ringfence"
app = command_line(["approvals"])
read_settings()
if os.geteuid() == 0:
    os.setuid(65534)  # after the imports: such a user may not be able to read this installation
app()
"""


def _as_another_user(words: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user who is no administrator."""
    return subprocess.run(  # noqa: S603 - this project's own command
        [sys.executable, "-c", AS_ANOTHER_USER, *words],
        cwd=Path(__file__).parents[2],
        input=f"{NEW}\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE_SECONDS,
    )
