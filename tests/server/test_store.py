"""The record keeps what it is given, in every way it can be opened."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.engine import URL, Inspector

from guard.action import State
from guard.errors import JournalUnavailable
from server.settings.model import settings_class
from server.store import migrations, schema
from server.store.engine import Database
from server.store.processes import is_gone, this_process
from server.store.sealed.audit import Entry
from server.store.store import open_store
from tests.server.console.browsing import proposed


def test_the_migrations_make_the_tables_that_the_code_expects(tmp_path: Path) -> None:
    migrated, created = make_url(f"sqlite:///{tmp_path / 'a.db'}"), make_url(f"sqlite:///{tmp_path / 'b.db'}")
    migrate(migrated)
    engine = create_engine(created)
    with engine.begin() as connection:
        for statement in schema.creating_statements(connection.dialect.name):
            connection.exec_driver_sql(statement)
    assert shape(migrated) == shape(created)
    engine.dispose()


async def test_a_migrated_store_is_opened_as_it_is(tmp_path: Path) -> None:
    migrate(make_url(f"sqlite:///{tmp_path / 'ringfence.db'}"))
    record = open_store(f"sqlite:///{tmp_path / 'ringfence.db'}", tmp_path)
    await record.key_values.put("name", "value")
    assert await record.key_values.get("name") == "value"
    await record.database.close()


async def test_several_openers_of_a_new_store_all_succeed(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'ringfence.db'}"
    records = [open_store(address, tmp_path) for _ in range(8)]
    async with anyio.create_task_group() as group:
        for number, record in enumerate(records):
            group.start_soon(record.key_values.put, f"name {number}", "value")
    assert [await records[0].key_values.get(f"name {number}") for number in range(8)] == ["value"] * 8
    for record in records:
        await record.database.close()


async def test_the_store_and_its_key_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    await record.vault.keep("act_1", "password", "Harbor2026")
    modes = {
        file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir() if file.suffix in {".db", ".key"}
    }
    assert modes == {"ringfence.db": 0o600, "vault.key": 0o600}
    assert b"Harbor2026" not in (folder / "ringfence.db").read_bytes()
    assert [secret.value for secret in await record.vault.secrets_of("act_1", by="a test")] == ["Harbor2026"]
    await record.database.close()


async def test_what_stood_open_in_an_existing_state_folder_is_closed(tmp_path: Path) -> None:
    real, folder = tmp_path / "real", tmp_path / "state"
    real.mkdir(mode=0o755)
    folder.symlink_to(real)  # an operator may put the state elsewhere
    names = ["vault.key", "audit.anchor", "audit.anchor.99", "ringfence.db-journal", "listings/a.json", "notes.txt"]
    (folder / "listings").mkdir(mode=0o755)
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    await record.audit.note("noted", principal="a test")  # makes the key, too
    await record.database.close()
    (folder / "audit.anchor").chmod(0o644)
    for name in names:
        if not (folder / name).exists():
            (folder / name).touch()
    for file in real.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    real.chmod(0o755)
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    await record.audit.note("noted", principal="a test")
    modes = {str(file.relative_to(real)): stat.S_IMODE(file.stat().st_mode) for file in real.rglob("*")}
    await record.database.close()
    assert stat.S_IMODE(real.stat().st_mode) == 0o700
    assert modes.pop("listings") == 0o700
    assert modes.pop("notes.txt") == 0o644  # nobody knows whose that is
    assert {"ringfence.db", "ringfence.db-wal", "ringfence.db-shm"} <= modes.keys()
    assert set(modes.values()) == {0o600}


async def test_a_folder_of_everybody_stays_open_and_the_files_in_it_are_closed(tmp_path: Path) -> None:
    folder = tmp_path / "everybody"
    folder.mkdir()
    folder.chmod(0o1777)
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    await record.audit.note("noted", principal="a test")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    await record.database.close()
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o1777, {0o600})


async def test_a_store_that_cannot_be_opened_says_so_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    database = Database(f"sqlite:///{tmp_path / 'file' / 'ringfence.db'}")
    with pytest.raises(JournalUnavailable, match="The store cannot be written"):
        await database.write(lambda _: None)


async def test_the_address_of_0_1_opens_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.db"
    for address in (f"sqlite:///{file}", f"sqlite+aiosqlite:///{file}"):
        settings = settings_class().model_validate({"store_url": address})
        assert settings.store_url
        record = open_store(settings.store_url.get_secret_value(), tmp_path)
        await record.key_values.change("name", lambda value: f"{value or ''}x")
        kept = await record.key_values.get("name")
        await record.database.close()
    assert kept == "xx"


async def test_an_older_store_is_brought_up_to_date_and_a_newer_one_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.db"
    migrate(make_url(f"sqlite:///{file}"), to="0001")
    record = open_store(f"sqlite:///{file}", tmp_path)
    await record.key_values.put("name", "value")
    await record.database.close()
    made = make_url(f"sqlite:///{tmp_path / 'made.db'}")
    migrate(made)
    assert shape(make_url(f"sqlite:///{file}")) == shape(made)

    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(JournalUnavailable, match="by a newer Ringfence"):
        await record.key_values.get("name")
    await record.database.close()


async def test_a_store_that_was_begun_with_another_key_takes_no_entry_and_says_why(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'ringfence.db'}"
    first, other = open_store(address, tmp_path / "first"), open_store(address, tmp_path / "other")
    await first.audit.note("noted", principal="first")
    with pytest.raises(JournalUnavailable, match="created with another key"):
        await other.audit.note("noted", principal="other")
    with pytest.raises(JournalUnavailable, match="needs the same key"):
        await other.audit.verify()
    verdict = await first.audit.verify()
    assert (verdict.is_whole, verdict.rows) == (True, 1)
    for record in (first, other):
        await record.database.close()


async def test_what_is_committed_stays_so_where_the_anchor_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    (folder / "audit.anchor").mkdir(parents=True)
    await record.audit.note("noted", principal="a test")
    verdict = await record.audit.verify()
    assert (verdict.is_whole, verdict.rows) == (True, 1)
    (folder / "audit.anchor").rmdir()
    await record.audit.note("noted", principal="a test")
    assert (folder / "audit.anchor").read_text(encoding="utf-8").startswith("2 ")
    await record.database.close()


async def test_a_long_audit_is_read_in_parts_and_checked_to_its_end(tmp_path: Path) -> None:
    record = open_store(f"sqlite:///{tmp_path / 'ringfence.db'}", tmp_path)

    def note(entry: Entry) -> None:
        for _ in range(1001):
            record.audit.append(entry, "noted", principal="a test")

    await record.audit.write(note)
    assert (await record.audit.verify()).rows == 1001
    changing = text("UPDATE audit SET principal = 'nobody' WHERE number = 1001")
    await record.database.write(lambda connection: connection.execute(changing))
    assert (await record.audit.verify()).broken_at == 1001
    await record.database.close()


async def test_an_answer_with_half_an_emoji_and_a_nul_is_written_down(tmp_path: Path) -> None:
    record = open_store(f"sqlite:///{tmp_path / 'ringfence.db'}", tmp_path)
    action = await proposed(record)
    cut = "Thanks \ud83d and\0 bye \U0001f600"
    done = await record.journal.move(action.id, {State.PROPOSED}, State.DONE, outcome=cut, answer=cut)
    assert done is not None
    assert done.answer == done.outcome == "Thanks \ufffd and\ufffd bye \U0001f600"
    assert (await record.audit.verify()).is_whole
    await record.database.close()


def test_only_a_process_that_can_be_seen_is_known_to_have_ended() -> None:
    place, pid, started = this_process().rsplit(" ", 2)
    assert not is_gone(this_process())
    assert is_gone(f"{place} {pid} {started}0")
    assert not is_gone(f"{place}0 {pid} {started}0")  # another container of the same name
    assert not is_gone(None)


def test_a_process_that_ended_and_was_not_waited_for_is_known_to_have_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        facts = Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8")
        place, started = this_process().rsplit(" ", 2)[0], facts.rpartition(")")[2].split()[19]
        assert is_gone(f"{place} {child.pid} {started}") is False
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(f"{place} {child.pid} {started}")


def migrate(url: URL, *, to: str = "head") -> None:
    """Run the migrations on an empty store, as a server of that time did."""
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.attributes["url"] = url
    command.upgrade(config, to)


def shape(url: URL) -> dict[str, object]:
    """Return tables, columns, keys and indexes."""
    engine = create_engine(url)
    try:
        inspector: Inspector = inspect(engine)
        return {
            name: (
                [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)],
                sorted(
                    (str(index["name"]), str(index["column_names"]), index["unique"])
                    for index in inspector.get_indexes(name)
                ),
                inspector.get_pk_constraint(name)["constrained_columns"],
            )
            for name in inspector.get_table_names()
            if name != "alembic_version"
        }
    finally:
        engine.dispose()
