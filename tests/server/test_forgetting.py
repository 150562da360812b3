"""Old callbacks are deleted where the settings ask for it, but none that an action is still to be settled by."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import text
from sqlalchemy.engine import Connection

from server.store.store import Store, open_store
from server.webhooks.retention import Retention
from tests.connecting import Person
from tests.server.webhook_sender import TO, Inbox, answer_of, opened
from tools.routee.webhooks import read_callback

START = datetime.now(UTC)


class _Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Return the time that was set."""
        return self.at


def _report(message: str, state: str = "Delivered", **more: Any) -> dict[str, Any]:
    return {"messageId": message, "smsId": message, "to": TO, "status": {"name": state}, **more}


async def _age(record: Store, days: int) -> None:
    """Make everything that is there older."""
    then = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")

    def age(connection: Connection) -> None:
        connection.execute(text("UPDATE events SET received_at = :then"), {"then": then})
        connection.execute(text("UPDATE tracked SET settled_at = :then WHERE settled_at IS NOT NULL"), {"then": then})

    await record.database.write(age)


async def _messages(record: Store) -> set[str]:
    return {event.callback.subject for event in await record.events.find()}


@asynccontextmanager
async def _store_beside(inbox: Inbox) -> AsyncGenerator[Store]:
    """Open the store of a server, as another process does."""
    record = open_store(inbox.settings.store_address, inbox.folder)
    try:
        yield record
    finally:
        await record.database.close()


async def _until(record: Store, messages: set[str]) -> None:
    """Wait until only these messages are left: the server deletes after it answers."""
    with anyio.fail_after(5):
        while await _messages(record) != messages:  # noqa: ASYNC110 - in a task of the server
            await anyio.sleep(0.01)


async def test_what_is_old_and_settled_is_deleted_and_what_is_open_stays(tmp_path: Path) -> None:
    async with (
        opened(tmp_path, keep_days=30) as (inbox, _),
        inbox.client(person=Person()) as client,
        _store_beside(inbox) as record,
    ):
        words = {"sender": "Harbor", "to": TO}
        settled = str((await answer_of(client, "routee_send_sms", **words, text="One"))["tracking_id"])
        unsettled = str((await answer_of(client, "routee_send_sms", **words, text="Two"))["tracking_id"])
        for body in (_report(settled, price=0.03), _report(unsettled, "Sent"), _report("m-unknown")):
            await record.events.take_in(read_callback("sms", body))
        await inbox.post("sms", _report(settled, price=0.03))
        await _age(record, 40)
        await record.events.take_in(read_callback("sms", _report("m-new")))
        fresh = Retention(record.events, 30)
        await fresh.run()
        assert await _messages(record) == {unsettled, "m-new"}
        assert await inbox.post("sms", _report(unsettled, price=0.03)) == 200
        await _age(record, 40)
        await fresh.run()
        assert unsettled in await _messages(record), "not twice within an hour"


async def test_a_callback_that_comes_in_has_the_old_ones_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path, keep_days=1) as (inbox, _), _store_beside(inbox) as record:
        await record.events.take_in(read_callback("sms", _report("m-old")))
        await _age(record, 2)
        assert await inbox.post("sms", _report("m-new")) == 200
        await _until(record, {"m-new"})


async def test_without_the_setting_nothing_is_ever_deleted(tmp_path: Path) -> None:
    record = open_store(f"sqlite:///{tmp_path / 'ringfence.db'}", tmp_path)
    try:
        await record.events.take_in(read_callback("sms", _report("m-old")))
        await _age(record, 4000)
        await Retention(record.events, None).run()
        assert await _messages(record) == {"m-old"}
    finally:
        await record.database.close()


async def test_it_runs_once_an_hour(tmp_path: Path) -> None:
    clock = _Clock()
    record = open_store(f"sqlite:///{tmp_path / 'ringfence.db'}", tmp_path)
    retention = Retention(record.events, 1, clock)
    try:
        for hour, expected in ((0, set[str]()), (0.9, {"m-0.9"}), (1.1, set[str]())):
            clock.at = START + timedelta(hours=hour)
            await record.events.take_in(read_callback("sms", _report(f"m-{hour}")))
            await _age(record, 2)
            await retention.run()
            assert await _messages(record) == expected
    finally:
        await record.database.close()
