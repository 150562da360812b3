"""Every migration runs on a record of 0.1 with rows in it, there and back, and what stood in it is read afterwards."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, create_engine, insert, make_url, select
from sqlalchemy.engine import Connection

from guard.action import Principal, State
from guard.money import Money
from guard.rules.budget import Cap, Hold
from server.console.passcode import check
from server.store import migrations, schema
from server.store.store import Store, open_store
from tests.server.console.browsing import PASSCODE, START, opened_record, proposed

OF_0_1: Final = {"amount", "per", "item", "quantity", "source", "unknown", "balance", "warnings"}
"""What a quote of 0.1 holds."""

OPTED_OUT_IN_0_1: Final = ("+5215562000000", "+525562000000", "+12015550199", "Harbor")
"""Numbers as 0.1 took them: two forms of one telephone, and a name."""

OPTED_OUT: Final = ["+12015550199", "+525562000000", "Harbor"]


async def test_every_migration_keeps_what_stands_in_a_record_of_0_1(tmp_path: Path) -> None:
    """Each new table gets a row as soon as it is there, so that the migrations after it meet one, too."""
    old = tmp_path / "old.db"
    async with opened_record(tmp_path) as record:
        actions = await fill_as_0_1(record)
        rows = (await record.audit.verify()).rows
    await anyio.to_thread.run_sync(write_as_0_1, tmp_path / "page.db", f"sqlite:///{old}")
    await anyio.to_thread.run_sync(_migrate_step_by_step, old)

    record = open_store(f"sqlite+aiosqlite:///{old}", tmp_path)
    try:
        found = {action.id: action for action in await record.journal.latest(100)}
        assert {action: found[action].state for action in actions} == actions
        assert found[next(iter(actions))].quote.up_to is None
        [spent] = await record.journal.spent([Cap("month", Money(Decimal(100)))], START)
        assert spent.amount == Decimal("4.00")  # what is settled and what is held; what was released is not
        own = [Cap("month", Money(Decimal(100)), account=name) for name in ("voicetel", "clinic")]
        assert [one.amount for one in await record.journal.spent(own, START)] == [Decimal("4.00"), Decimal(0)]
        assert {action.made_on for action in found.values() if action.provider == "voicetel"} == {"voicetel"}
        verdict = await record.audit.verify()
        assert verdict.is_whole
        assert verdict.rows >= rows
        await check(record.key_values, PASSCODE)
        assert await record.freeze.is_on()
        [secret] = await record.vault.secrets_of(next(iter(actions)), by="a test")
        assert secret.value == "4711"
        assert [number for number, _ in await record.optouts.all() if number in OPTED_OUT] == OPTED_OUT
        assert await record.optouts.among(["+5215562000000"]) == ["+5215562000000"]
        known = await record.taint.found_in(Principal("local:alice"), {"to": "+12015550188"}, ours=())
        assert [source.tool for source in known.values()] == ["a read"]
        new = await proposed(record, digest="new")
        assert await record.journal.find(new.id) == new
    finally:
        await record.database.close()


async def fill_as_0_1(record: Store) -> dict[str, State]:
    """Fill every table that 0.1 has; return the actions with their states."""
    ends = (State.DONE, State.REFUSED, State.UNKNOWN, State.PROPOSED, State.DECLINED)
    actions: dict[str, State] = {}
    for number, end in enumerate(ends):
        made = START + timedelta(seconds=number)
        action = await proposed(record, created_at=made, expires_at=START + timedelta(days=1))
        if end in {State.DONE, State.REFUSED, State.UNKNOWN}:
            await record.journal.move(action.id, {State.PROPOSED}, State.APPROVED, decided_by="local:alice")
            await record.journal.begin(action.id, hold=Hold("voicetel", Money(Decimal(2))), caps=[], at=START)
        if end is not State.PROPOSED:
            await record.journal.move(action.id, {State.PROPOSED, State.SENDING}, end, finished_at=START)
        actions[action.id] = end
    await record.vault.keep(next(iter(actions)), "pin", "4711")
    await record.taint.remember(Principal("local:alice"), ["Call +12015550188."], source="a read")
    await record.freeze.freeze("the operator")
    return actions


def write_as_0_1(file: Path, old: str) -> None:
    """Copy a store into tables of 0.1, as far as these hold it, and add opt-outs as 0.1 took them."""
    command.upgrade(config_of(old), "0001")
    source, target = create_engine(f"sqlite:///{file}"), create_engine(old)
    with source.begin() as reading, target.begin() as writing:
        for name, table in _tables(writing).items():
            held = {column.name for column in table.columns}
            for row in reading.execute(select(schema.metadata.tables[name])).mappings():
                values = {column: _raw(value) for column, value in row.items() if column in held}
                if name == "actions":
                    values["quote"] = {key: value for key, value in values["quote"].items() if key in OF_0_1}
                writing.execute(insert(table).values(**values))
        optouts = _tables(writing)["optouts"]
        for number in OPTED_OUT_IN_0_1:
            writing.execute(insert(optouts).values(number=number, at=START.isoformat(), source="the operator"))
    source.dispose()
    target.dispose()


def _migrate_step_by_step(file: Path) -> None:
    url = f"sqlite:///{file}"
    steps = [script.revision for script in ScriptDirectory.from_config(config_of(url)).walk_revisions()][::-1]
    assert steps[0] == "0001"
    assert steps[-1] == schema.HEAD
    engine = create_engine(url)
    for step in steps[1:]:
        command.upgrade(config_of(url), step)
        before = _count(engine.connect())
        command.downgrade(config_of(url), "-1")
        command.upgrade(config_of(url), step)
        with engine.begin() as connection:
            kept = {name: count for name, count in _rows(connection).items() if count or not before[name]}
            assert {name: before[name] for name in kept} == kept, step
            for table in _tables(connection).values():
                if not _rows(connection)[table.name] and table.name not in {"facts", "alembic_version"}:
                    connection.execute(insert(table).values(**{one.name: _some(one) for one in table.columns}))
    engine.dispose()


def _count(connection: Connection) -> dict[str, int]:
    with connection:
        return _rows(connection)


def _rows(connection: Connection) -> dict[str, int]:
    return {name: len(connection.execute(select(table)).all()) for name, table in _tables(connection).items()}


def _tables(connection: Connection) -> dict[str, Table]:
    """Return the tables as they are in the store."""
    found = MetaData()
    found.reflect(connection)
    return {name: table for name, table in found.tables.items() if name != "alembic_version"}


def _some(column: Column[Any]) -> Any:
    """Return a value for a column of a table that 0.1 does not have."""
    kind = column.type.python_type
    if column.name == "at" or column.name.endswith("_at"):
        return START.isoformat() if kind is str else 1.0
    return {str: "x", int: 1, float: 1.0, bytes: b"x", bool: False}.get(kind, json.loads("{}"))


def _raw(value: Any) -> Any:
    """Return a time as 0.1 wrote it."""
    return value.isoformat(timespec="microseconds") if hasattr(value, "isoformat") else value


def config_of(url: str) -> Config:
    """Return what alembic needs to change the tables of a store."""
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.attributes["url"] = make_url(url)
    return config
