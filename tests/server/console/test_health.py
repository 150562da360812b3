"""The page of health: what is open, what is left of limits, the audit log, and who runs on the record."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clients.shared.limits import Limit
from guard.action import State
from guard.rules.budget import Hold
from server.console.health.verification import verify_record
from server.console.pages import PageOptions
from server.services import Services
from server.store.store import Store
from tests.clocks import StoppedClock
from tests.connecting import settings_for
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import (
    START,
    hashed_passcode,
    opened_record,
    operator,
    proposed,
    state_of,
    token_in,
    words_of,
)
from tests.server.operating import ringfence
from tools.voicetel.client import HOURLY


async def _unknown(record: Store, **changes: object) -> str:
    action = await proposed(record, **changes)
    await record.journal.move(action.id, {State.PROPOSED}, State.APPROVED)
    await record.journal.begin(action.id, hold=Hold("voicetel", action.quote.most), caps=[], at=START)
    await record.journal.move(action.id, {State.SENDING}, State.UNKNOWN)
    return action.id


async def test_an_unknown_outcome_is_closed_as_the_operator_found_it(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        done, refused = await _unknown(record), await _unknown(record, digest="b" * 64)
        shown = words_of(await page.open("/health"))
        assert "I checked it at the provider" in shown
        token = token_in(shown)
        for action_id, outcome in ((done, "done"), (refused, "refused")):
            sent = await page.send("/health/resolve", token=token, action=action_id, outcome=outcome)
            assert sent.headers["location"] == f"/approvals/{action_id}"
        found = [await record.journal.find(one) for one in (done, refused)]
        assert [one.state for one in found if one] == [State.DONE, State.REFUSED]
        assert "Closed by the operator, on the approval page." in words_of(await page.open(f"/{done}"))
        again = await page.send("/health/resolve", token=token, action=done, outcome="refused")
        assert (again.status_code, "is known by now" in again.text) == (409, True)
        assert (await page.send("/health/resolve", token=token, action=done, outcome="maybe")).status_code == 400
        assert "Every call that was sent has an outcome." in words_of(await page.open("/health"))


async def test_a_waiting_call_is_not_closed_as_if_it_had_been_sent(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        token = token_in((await page.open()).text)
        assert (await page.send("/health/resolve", token=token, action=action.id, outcome="done")).status_code == 409
        assert await state_of(record, action) is State.PROPOSED


async def test_looking_again_reads_the_provider_and_sends_nothing(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        services = Services(settings_for(tmp_path, sandbox.voicetel))
        record, options = services.store, PageOptions.of(services.settings, services)
        try:
            await record.key_values.put("passcode", hashed_passcode())
            async with operator(record, options=options) as page:
                assert "Look again" not in words_of(await page.open("/health"))
                account = services.clients["voicetel"].account
                one, other = [await _unknown(record, account=account, digest=letter * 64) for letter in "ab"]
                text = words_of(await page.open("/health"))
                assert "Look again at all of them" in text
                sent = await page.send("/health/check", token=token_in(text), action=one)
                assert sent.headers["location"] == f"/approvals/{one}"
                assert "Checked at the provider: it was not done." in words_of(await page.open(f"/{one}"))
                assert (await page.send("/health/check", token=token_in(text))).status_code == 303
                assert "Checked at the provider: it was not done." in words_of(await page.open(f"/{other}"))
            assert await sandbox.writes() == []
        finally:
            await services.close()


async def test_without_clients_the_page_names_the_command(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await _unknown(record)
        text = words_of(await page.open("/health"))
        assert "ringfence actions reconcile" in text
        assert "Look again" not in text
        assert (await page.send("/health/check", token=token_in(text))).status_code == 409


async def test_the_audit_log_is_verified_and_the_result_remembered(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await proposed(record)
        before = words_of(await page.open("/health"))
        assert "It was not verified yet" in before
        assert (await page.send("/health/verify", token=token_in(before))).status_code == 303
        after = words_of(await page.open("/health"))
        assert "Intact: all 2 rows" in after.replace("<strong>", "").replace("</strong>", "")
        assert "Verified 2026-11-21 12:00 UTC by the operator, on the approval page." in after


async def test_tampering_is_named_and_the_memory_of_a_verification_cannot_be_forged(
    tmp_path: Path,
) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await proposed(record)
        await verify_record(record, by="a test", at=START)
        with sqlite3.connect(tmp_path / "page.db") as database:
            database.execute("UPDATE audit SET principal = 'nobody' WHERE number = 1")
        database.close()
        await page.send("/health/verify", token=token_in((await page.open()).text))
        assert "Tampered with: row 1 was changed." in words_of(await page.open("/health"))
        with sqlite3.connect(tmp_path / "page.db") as database:
            database.execute("UPDATE facts SET value = '{\"fault\": \"\"}' WHERE name = 'audit verification'")
        database.close()
        assert "It was not verified yet" in words_of(await page.open("/health"))


async def test_verifying_on_the_command_line_is_remembered_too(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await proposed(record)
        address = {"RINGFENCE_STORE_URL": f"sqlite:///{tmp_path / 'page.db'}"}
        assert "intact" in await ringfence(tmp_path, "audit", "verify", more=address)
        assert "by the operator, on the command line" in words_of(await page.open("/health"))


async def test_accounts_are_shown_with_what_is_left_of_their_limits_and_where_they_are_set(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with opened_record(tmp_path) as record, operator(record, options=PageOptions.of(settings)) as page:
        for _ in range(HOURLY.calls):
            await record.limits.take(HOURLY)
        text = words_of(await page.open("/health"))
        left = await record.limits.left(HOURLY)
        other = await record.limits.left(Limit("nothing counted", calls=3, seconds=60))
    assert f"0 of {HOURLY.calls} an hour left; the next is possible in" in text
    assert left.calls == 0
    assert 0 < left.wait <= HOURLY.seconds
    assert (other.calls, other.wait) == (3, 0)


async def test_servers_and_workers_show_their_last_sign_of_life(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with opened_record(tmp_path) as record, operator(record, clock=StoppedClock(now)) as page:
        assert "No server gave a sign of life" in words_of(await page.open("/health"))
        await record.processes.beat("server", now)
        await record.processes.beat("worker", now - timedelta(days=2))
        text = words_of(await page.open("/health"))
        assert "which shows this page" in text
        assert "Worker" not in text
        await record.processes.forget_old(now)
        assert await record.key_values.get("frozen") is None
        await record.freeze.freeze("anna")
        assert "Stopped by anna." in words_of(await page.open("/health"))
