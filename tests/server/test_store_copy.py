"""A record moves from SQLite to PostgreSQL and back: whole, and never open in two places."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import anyio
import pytest

from guard.errors import JournalUnavailable
from server.store import schema
from server.store.moving.address import Address, CannotCopy
from server.store.moving.copying import copy_rows
from server.store.moving.move import close_for_move, open_copy
from server.store.processes import this_process
from tests.connecting import connect, content_of, server_for, settings_for
from tests.plans.jobs import customers, texts
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import proposed
from tests.server.console.full_record import served_full_record
from tests.server.console.test_every_page import paths_of
from tests.server.copying.pages import words_of_pages
from tests.server.copying.records import (
    NOW,
    digests_of,
    facts_of,
    fill_empty_tables,
    forget_processes,
    insert_numbered,
    keep_quiet,
    move,
    opened,
    refusal,
    run,
    small_record,
    unlike,
)
from tests.server.operating import PASSCODE
from tests.server.postgres import PASSWORD, Postgres
from tests.server.test_postgres import postgres as postgres

CHANGING: Final = ("/enrol", "/operators")
"""Pages that name the port that they are served on, or the sessions of those who looked."""

TEXT: Final = {"from_number": "+12015550142", "to_number": "+12125550142", "text": "Your table is ready."}


async def test_a_full_record_is_the_same_after_postgresql_and_back_and_servers_go_on_with_it(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with served_full_record(tmp_path) as record:
        await forget_processes(record.store)
        for name in ("sending", "later"):
            await proposed(record.store, digest=name)
        paths = [path for path in await paths_of(record) if not path.endswith(CHANGING)]
        looked_at = datetime.now(UTC)
        read = await words_of_pages(record.store, paths, looked_at)
    url = postgres.database()
    before = digests_of(f"sqlite:///{tmp_path / 'ringfence.db'}")

    out = await run(tmp_path, "store", "copy", "settings", "env:NEW_STORE", NEW_STORE=url)
    assert "Every value is the same on both sides" in out
    assert "The audit log is intact" in out
    assert PASSWORD not in out
    assert unlike(before, digests_of(url)) <= {"audit", "facts"}  # the move stands on the audit log
    there = digests_of(url)
    assert there["audit"].rows == before["audit"].rows + 1
    async with opened(tmp_path, url) as copied:
        assert await words_of_pages(copied, paths, looked_at) == read

    async with sandboxes() as sandbox:
        settings = settings_for(
            tmp_path, sandbox.voicetel, store_url=url, policy={"paid": "allow"}, budget=[{"per": "day", "limit": "25"}]
        )
        settings = settings.model_copy(update={"state_folder": tmp_path})  # in place of that of the environment
        services, server = server_for(settings)
        async with connect(server) as client:
            sent = await client.call_tool("voicetel_send_message", TEXT)
            assert not sent.is_error, content_of(sent)
            assert content_of(await client.call_tool("propose_plan", texts(customers(2))))["plan"]
        await services.close()
    there = digests_of(url)

    back = tmp_path / "back.db"
    await run(tmp_path, "store", "copy", "settings", str(back), RINGFENCE_STORE_URL=url)
    assert unlike(there, digests_of(f"sqlite:///{back}")) <= {"audit", "facts"}
    assert "intact" in await run(tmp_path, "audit", "verify", RINGFENCE_STORE_URL=f"sqlite:///{back}")
    refused = await refusal(tmp_path, "audit", "verify")
    assert "was moved to another store" in refused


async def test_every_table_is_copied_both_ways_with_every_value(postgres: Postgres, tmp_path: Path) -> None:
    async with served_full_record(tmp_path) as record:
        await record.store.database.write(fill_empty_tables)
    stores = [f"sqlite:///{tmp_path / 'ringfence.db'}", postgres.database(), f"sqlite:///{tmp_path / 'back.db'}"]
    for one, other in pairwise(stores):
        await move(tmp_path, one, other)
        before, after = digests_of(one), digests_of(other)
        assert all(digest.rows for digest in before.values()), "put a row of this table on the record"
        assert unlike(before, after) == {"facts"}
        assert facts_of(one).items() - facts_of(other).items() == set()
        insert_numbered(other)


async def test_a_server_that_runs_writes_nothing_more_into_a_store_that_is_moved(tmp_path: Path) -> None:
    old = await small_record(tmp_path)
    async with opened(tmp_path) as running:
        await proposed(running, digest="before")
        await run(tmp_path, "store", "copy", str(old), str(tmp_path / "new.db"))
        with pytest.raises(JournalUnavailable, match="was moved to another store"):
            await proposed(running, digest="after")


async def test_no_copy_begins_while_a_server_gives_signs_of_life_or_a_call_is_sent(tmp_path: Path) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    async with opened(tmp_path) as running:
        await running.processes.beat("server", datetime.now(UTC))
        assert "A server runs on" in await refusal(tmp_path, "store", "copy", str(old), str(new))
        await forget_processes(running)
        action = await proposed(running, digest="sending")
        await running.database.write(lambda connection: _send(connection, action.id))
        assert f"are being sent, and their outcomes would be lost: {action.id}" in await refusal(
            tmp_path, "store", "copy", str(old), str(new)
        )
        await proposed(running, digest="still open")
    assert not new.exists()


async def test_a_copy_that_is_given_up_can_never_be_opened(tmp_path: Path) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    source, to = Address.of(f"sqlite:///{old}"), Address.of(f"sqlite:///{new}")
    async with opened(tmp_path) as record:
        copy_id = await close_for_move(record, to, by="a test", now=NOW)
    copy_rows(source, to, copy_id, tell=keep_quiet)
    assert "is open again" in await run(tmp_path, "store", "reopen", str(old), str(new))
    with pytest.raises(CannotCopy):
        open_copy(to, source, copy_id)
    assert "is not empty" in await refusal(tmp_path, "store", "copy", str(old), str(new))
    async with opened(tmp_path) as record:
        await proposed(record, digest="goes on")


async def test_a_finished_copy_keeps_the_old_store_closed_unless_it_is_lost(tmp_path: Path) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    reopen = ("store", "reopen", str(old), str(new))
    await run(tmp_path, "approvals", "passcode", typed=f"{PASSCODE}\n")
    await run(tmp_path, "store", "copy", str(old), str(new))
    assert "is finished" in await refusal(tmp_path, *reopen)
    assert "is finished" in await refusal(tmp_path, *reopen, "--lost", typed=f"{PASSCODE}\n")
    await anyio.Path(new).unlink()
    assert "is finished" in await refusal(tmp_path, *reopen)
    await refusal(tmp_path, *reopen, "--lost", typed="wrong\n")
    assert "is open again" in await run(tmp_path, *reopen, "--lost", typed=f"{PASSCODE}\n")


async def test_nothing_is_written_into_a_store_that_holds_something(tmp_path: Path) -> None:
    old = await small_record(tmp_path)
    other = tmp_path / "other"
    await run(other, "freeze")
    held = digests_of(f"sqlite:///{other / 'ringfence.db'}")
    refused = await refusal(tmp_path, "store", "copy", str(old), str(other / "ringfence.db"))
    assert "is not empty" in refused
    assert digests_of(f"sqlite:///{other / 'ringfence.db'}") == held
    assert "the same store" in await refusal(tmp_path, "store", "copy", "settings", str(old))
    missing = await refusal(tmp_path, "store", "copy", str(tmp_path / "none.db"), str(tmp_path / "new.db"))
    assert "There is no record" in missing
    assert not (tmp_path / "none.db").exists()


async def test_a_password_is_never_taken_from_an_argument(tmp_path: Path) -> None:
    for url in ("postgresql+psycopg://me:Harbor2026@db/x", "postgresql+psycopg://me@db/x?password=Harbor2026"):
        refused = await refusal(tmp_path, "store", "copy", "settings", url)
        assert "env:NEW_STORE" in refused
        assert "Harbor2026" not in refused


def _send(connection: Any, action_id: str) -> None:
    connection.execute(
        schema.actions.update().where(schema.actions.c.id == action_id).values(state="sending", owner=this_process())
    )
