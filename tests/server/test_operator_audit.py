"""What the operator does is on the audit with who did it, in one transaction; no secret goes with it."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from guard.errors import JournalUnavailable
from server.cli.app import command_line
from server.console.passcode import BadPasscode, check, set_passcode
from server.store.store import Store, open_store
from tests.operator_side import CHEAP_HASH, PASSCODE

OLD, NEW = PASSCODE, "battery staple"
SECRET = "Harbor2026"
NUMBER, LISTED = "+12015550123", "+12015550124"
OPERATOR = "the operator, on the command line"


async def test_every_command_that_changes_or_opens_something_leaves_a_row_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "asked.txt"
    file.write_text(f"{LISTED}\n{NUMBER}\n", encoding="utf-8")
    async with _opened(tmp_path / "state") as record:
        await record.vault.keep("act_abcdefgh", "port_out_pin", SECRET)
        await _ringfence("approvals", "passcode", typed=f"{OLD}\n")
        await _ringfence("approvals", "passcode", typed=f"{OLD}\n{NEW}\n")
        await _ringfence("optouts", "add", NUMBER)
        await _ringfence("optouts", "import", str(file))
        await _ringfence("optouts", "remove", NUMBER, typed=f"{NEW}\n")
        shown = await _ringfence("secrets", "act_abcdefgh", typed=f"{NEW}\n")
        await _ringfence("freeze")
        await _ringfence("unfreeze", typed=f"{NEW}\n")
        rows = [row async for row in record.audit.rows()]
        assert (await record.audit.verify()).is_whole
    assert SECRET in shown.stdout
    assert [(row["event"], json.loads(row["detail"])) for row in rows] == [
        ("passcode set", {}),
        ("passcode changed", {}),
        ("opted out", {"numbers": [NUMBER], "source": OPERATOR}),
        ("opted out", {"numbers": [LISTED], "source": "imported from asked.txt"}),
        ("opt-out removed", {"number": NUMBER}),
        ("secrets read", {"names": ["port_out_pin"]}),
        ("frozen", {}),
        ("unfrozen", {}),
    ]
    assert {row["principal"] for row in rows} == {OPERATOR}
    assert rows[5]["action_id"] == "act_abcdefgh"


async def test_what_changes_nothing_leaves_no_row(tmp_path: Path) -> None:
    async with _opened(tmp_path) as record:
        await set_passcode(record, OLD, old=None)
        await record.optouts.add([NUMBER], source=OPERATOR)
        before = (await record.audit.verify()).rows
        await record.optouts.add([NUMBER], source=OPERATOR)
        await record.optouts.remove(LISTED, by=OPERATOR)
        await record.vault.secrets_of("act_abcdefgh", by=OPERATOR)
        with pytest.raises(BadPasscode):
            await set_passcode(record, NEW, old="not this one")
        with pytest.raises(BadPasscode):
            await set_passcode(record, "short", old=OLD)
        assert (await record.audit.verify()).rows == before


ACTS: dict[str, Callable[[Store], Awaitable[Any]]] = {
    "freeze": lambda record: record.freeze.freeze(OPERATOR),
    "unfreeze": lambda record: record.freeze.unfreeze(OPERATOR),
    "opt out": lambda record: record.optouts.add([NUMBER], source=OPERATOR),
    "remove an opt-out": lambda record: record.optouts.remove(LISTED, by=OPERATOR),
    "change the passcode": lambda record: set_passcode(record, NEW, old=OLD),
    "read secrets": lambda record: record.vault.secrets_of("act_abcdefgh", by=OPERATOR),
}


@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
async def test_what_cannot_be_put_on_the_audit_is_not_done(
    act: Callable[[Store], Awaitable[Any]], is_frozen: bool, tmp_path: Path
) -> None:
    async with _opened(tmp_path) as record:
        await record.key_values.put("passcode", CHEAP_HASH)
        await record.optouts.add([LISTED], source=OPERATOR)
        await record.vault.keep("act_abcdefgh", "port_out_pin", SECRET)
        if is_frozen:
            await record.freeze.freeze(OPERATOR)
        failing = text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
        await record.database.write(lambda connection: connection.execute(failing))
        with pytest.raises(JournalUnavailable):
            await act(record)
        assert await record.freeze.is_on() is is_frozen
        assert [number for number, _ in await record.optouts.all()] == [LISTED]
        await check(record.key_values, OLD)


async def test_a_first_passcode_is_set_once_however_many_try(tmp_path: Path) -> None:
    async with _opened(tmp_path) as one, _opened(tmp_path) as other:
        await one.key_values.get("passcode")
        results: list[str] = []

        async def attempt(record: Store, new: str) -> None:
            try:
                await set_passcode(record, new, old=None)
                results.append(new)
            except BadPasscode:
                pass

        async with anyio.create_task_group() as group:
            group.start_soon(attempt, one, OLD)
            group.start_soon(attempt, other, NEW)
        assert len(results) == 1
        await check(one.key_values, results[0])


@pytest.mark.parametrize(
    "sender",
    [
        "BANK",
        "12345",
        "[/b]",
        "\x1b]0;pw\x07+1",
        "+1",
        "+1201",
        "²",
        f"or {NUMBER}",
        f"{NUMBER};ext=5",
        "",
        "+120155501230001",
    ],
)
async def test_only_a_telephone_number_stands_among_the_opt_outs(sender: str, tmp_path: Path) -> None:
    async with _opened(tmp_path / "state") as record:
        assert await record.optouts.add([sender], source="texted routee") == 0
        refused = await _ringfence("optouts", "add", "--", sender)
        assert await record.optouts.all() == []
    assert refused.exit_code == 2
    assert "Write it in E.164" in refused.output


@pytest.mark.parametrize("written", ["+1 (201) 555-0123", "+1.201.555.0123", "+1\u2011201\u2011555\u20110123", NUMBER])
async def test_a_number_is_listed_as_it_is_compared(written: str, tmp_path: Path) -> None:
    async with _opened(tmp_path) as record:
        assert await record.optouts.add([written, NUMBER], source=OPERATOR) == 1
        assert await record.optouts.among([NUMBER]) == [NUMBER]


@asynccontextmanager
async def _opened(folder: Path) -> AsyncGenerator[Store]:
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        yield record
    finally:
        await record.database.close()


async def _ringfence(*arguments: str, typed: str = "") -> Result:
    run = CliRunner()
    return await anyio.to_thread.run_sync(lambda: run.invoke(command_line(list(arguments)), list(arguments), typed))
