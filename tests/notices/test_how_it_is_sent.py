"""A notice reaches its channel once, late rather than never, and costs no call anything."""

import logging
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, Final

import anyio
import pytest

from server.mcp.server import build_server
from server.notices.channel import Channel
from server.notices.delivery import LEASE
from server.notices.not_taken import NotTaken
from server.notices.on_demand import send_notices
from server.services import Services
from server.settings.sections.notify import ChannelSettings
from tests.clocks import StoppedClock
from tests.connecting import Person, connect, content_of
from tests.notices.receivers import KEY, SECRET, receiver
from tests.notices.telling import BASE, NOWHERE, Telling, text_to, told_to
from tests.operator_side import OperatorSide
from tests.sandbox_control import sandboxes

NOW: Final = datetime.now(UTC)


async def test_a_channel_that_fails_is_tried_again_with_growing_pauses_and_holds_up_no_other(
    tmp_path: Path, operator: OperatorSide, caplog: pytest.LogCaptureFixture
) -> None:
    clock = StoppedClock(NOW)
    async with receiver() as failing, receiver() as ops:
        services = Services(told_to(tmp_path / "state", NOWHERE, failing=failing.url, ops=ops.url), clock=clock)
        telling = Telling(services)
        failing.status = 500
        await operator.freeze()
        attempts = {0: 1, 29: 1, 31: 2, 149: 2, 152: 3, 750: 3, 753: 4}
        for seconds, expected in attempts.items():
            clock.moment = NOW + timedelta(seconds=seconds)
            await telling.look()
            assert failing.attempts == expected, seconds
        failing.status = 200
        clock.moment = NOW + timedelta(hours=1)
        await telling.look()
        clock.moment = NOW + timedelta(hours=3)
        await telling.look()
        await services.close()
    assert failing.titles() == ops.titles() == ["Frozen: every guarded call is refused"]
    assert ops.attempts == 1
    waits = [record.getMessage() for record in caplog.records if record.name.startswith("server.notices")]
    assert waits == [
        f"Channel failing: answered 500. Its notices wait for {seconds} seconds." for seconds in (30, 120, 600, 1800)
    ]


async def test_a_channel_that_fails_holds_up_no_call_and_is_given_up_after_a_day(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = StoppedClock(NOW)
    async with sandboxes() as sandbox:
        settings = told_to(tmp_path, sandbox.voicetel, gone=f"{NOWHERE}/{SECRET}", chat={"url": f"slack://{SECRET}"})
        services = Services(settings, clock=clock)
        telling = Telling(services)
        async with connect(build_server(services), person=Person("cancel")) as client:
            asked = content_of(await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]}))
            await services.store.freeze.freeze("the operator")
            await telling.look()
            await services.store.freeze.unfreeze("the operator")
            assert (await client.call_tool("voicetel_list_numbers", {})).is_error is False
            for hours in (1, 12, 23, 25, 27, 29):
                clock.moment = NOW + timedelta(hours=hours)
                await telling.look()
            assert await telling.send() == 0
        await services.close()
    assert asked
    said = caplog.text
    assert "Channel gone: could not be reached. A notice is given up after a day." in said
    assert "Channel chat: apprise knows no service of this URL" in said
    assert SECRET not in said


async def test_two_processes_on_one_store_send_each_notice_once(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox, receiver() as ops:
        settings = told_to(tmp_path / "state", sandbox.voicetel, ops=ops.url)
        processes = [Telling(Services(settings)) for _ in range(2)]
        async with connect(build_server(Services(settings))) as client:
            for place in range(3):
                await client.call_tool("voicetel_send_message", text_to(place))
        await operator.freeze()
        for _ in range(3):
            async with anyio.create_task_group() as group:
                for process in processes:
                    group.start_soon(process.look)
        for process in processes:
            await process.services.close()
    assert sorted(ops.titles()) == ["3 calls wait for approval, $0.03 in all", "Frozen: every guarded call is refused"]


async def test_what_a_process_had_begun_to_send_when_it_ended_is_sent_by_another(
    tmp_path: Path, operator: OperatorSide
) -> None:
    clock = StoppedClock(NOW)
    async with receiver() as ops:
        settings = told_to(tmp_path / "state", NOWHERE, ops=ops.url)
        ended, other = (Telling(Services(settings, clock=clock)) for _ in range(2))
        await operator.freeze()
        await ended.gather_now()
        taken = await ended.services.store.notices.take_due("ops", now=clock.now(), lease=LEASE)
        assert taken is not None
        await ended.services.close()
        await other.look()
        assert ops.got == []
        clock.moment = NOW + LEASE + timedelta(seconds=1)
        await other.look()
        await other.services.close()
    assert ops.titles() == ["Frozen: every guarded call is refused"]
    assert ops.got[0]["id"] == f"notice_{taken.number}"


async def test_what_was_answered_while_a_channel_failed_is_not_told_any_more(
    tmp_path: Path, operator: OperatorSide
) -> None:
    clock = StoppedClock(NOW)
    async with sandboxes() as sandbox, receiver() as ops:
        services = Services(told_to(tmp_path / "state", sandbox.voicetel, ops=ops.url), clock=clock)
        telling = Telling(services)
        ops.status = 503
        async with connect(build_server(services)) as client:
            first, second = [
                content_of(await client.call_tool("voicetel_send_message", text_to(place)))["action"]
                for place in range(2)
            ]
            await telling.look()
            await operator.approve(first)
            ops.status, clock.moment = 200, NOW + timedelta(seconds=40)
            await telling.look()
        await services.close()
    assert [notice["ids"] for notice in ops.got] == [[second]]


async def test_a_freeze_that_is_over_is_not_told_as_one(tmp_path: Path, operator: OperatorSide) -> None:
    """Nobody hears in the wrong order what was switched on, off and on again; unrelated rows lie before it."""
    async with receiver() as ops:
        services = Services(told_to(tmp_path / "state", NOWHERE, ops=ops.url))
        telling = Telling(services)
        for _ in range(60):
            await services.store.audit.note("passcode refused", principal="someone on the command line")
        await telling.look()
        await operator.freeze()
        await operator.unfreeze()
        await operator.freeze()
        await telling.look()
        await operator.unfreeze()
        await telling.look()
        await services.close()
    assert ops.titles() == ["Frozen: every guarded call is refused", "Resumed: guarded calls can be made again"]


async def test_a_signed_notice_goes_nowhere_but_where_the_settings_say(
    tmp_path: Path, operator: OperatorSide, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiver() as ops:
        services = Services(told_to(tmp_path / "state", NOWHERE, ops=ops.url))
        ops.status = 307
        await operator.freeze()
        await Telling(services).look()
        await services.close()
    assert (ops.attempts, ops.got) == (1, [])
    assert "Channel ops: answered 307." in caplog.text


async def test_a_server_tells_what_happens_while_it_serves(tmp_path: Path) -> None:
    async with receiver() as ops:
        services = Services(told_to(tmp_path, NOWHERE, ops=ops.url))
        async with anyio.create_task_group() as group:
            group.start_soon(send_notices, services, BASE)
            await services.store.freeze.freeze("the operator, on the command line")
            with anyio.fail_after(30):
                await ops.took_one.wait()
            group.cancel_scope.cancel()
        await services.close()
    assert ops.titles() == ["Frozen: every guarded call is refused"]


async def test_without_channels_nothing_runs_beside_the_server(tmp_path: Path) -> None:
    services = Services(told_to(tmp_path, NOWHERE))
    with anyio.fail_after(5):
        await send_notices(services, BASE)
    assert not services.door.is_open


@pytest.mark.parametrize(
    ("channel", "status", "expected"),
    [
        ("ops", 200, "ops: sent"),
        ("ops", 410, "ops: answered 410"),
        ("chat", 200, "chat: sent"),
        ("chat", 503, "chat: answered 503"),
        ("wrong", 200, "wrong: apprise knows no service of this URL; docs/notices.md has examples"),
        ("nobody", 200, "There is no channel nobody. There are: ops, chat, wrong."),
    ],
)
async def test_the_operator_tries_a_channel(
    channel: str, status: int, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver() as ops:
        ops.status, host = status, ops.url.removeprefix("http://").partition("/")[0]
        for name, value in _variables(ops.url, f"json://{host}/chat").items():
            monkeypatch.setenv(f"RINGFENCE_NOTIFY__CHANNELS__{name}", value)
        result = await OperatorSide(tmp_path / "state").run("notify", "test", channel)
    assert expected in result.output
    assert result.exit_code == (0 if "sent" in expected else 2 if channel == "nobody" else 1)
    assert SECRET not in result.output


async def test_doctor_names_a_channel_that_nobody_can_send_to_and_one_that_fails(
    tmp_path: Path, operator: OperatorSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver() as ops:
        services = Services(told_to(tmp_path / "state", NOWHERE, ops=ops.url))
        ops.status = 403
        await operator.freeze()
        await Telling(services).look()
        await services.close()
        for name, value in _variables(ops.url, "json://127.0.0.1:9").items():
            monkeypatch.setenv(f"RINGFENCE_NOTIFY__CHANNELS__{name}", value)
        printed = (await operator.run("doctor")).output
    assert "ok    channel chat: gets waits, not_picked_up, unknown, cap, frozen, resumed, sign_in" in printed
    assert "fail  channel wrong: apprise knows no service of this URL" in printed
    assert "warn  channel ops: answered 403; a notice of " in printed
    assert "waits. Try it with `ringfence notify test ops" in printed
    assert SECRET not in printed


def _variables(webhook: str, chat: str) -> dict[str, Any]:
    """Return the channels of an environment, by the ends of its variables."""
    return {
        "OPS__WEBHOOK": webhook,
        "OPS__SIGNING_KEY": KEY,
        "CHAT__URL": chat,
        "WRONG__URL": f"slack://{SECRET}",
    }


def test_what_apprise_logs_stays_out_of_the_log() -> None:
    channel = Channel("wrong", ChannelSettings.model_validate({"url": f"slack://{SECRET}"}))
    log = logging.StreamHandler(StringIO())
    logging.getLogger().addHandler(log)
    try:
        with pytest.raises(NotTaken) as refused:
            channel.transport()
    finally:
        logging.getLogger().removeHandler(log)
    assert SECRET not in f"{log.stream.getvalue()}{refused.value}"
