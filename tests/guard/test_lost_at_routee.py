"""What looking finds at Routee where something else is there than what the lost call would have made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.evidence import Evidence
from clients.operation import Verification
from guard.action import State
from sandbox.routee.seed import BRITISH_NUMBER, VIBER_SENDER
from tests.guard.lost_answers import Bench, Lost, open_bench
from tests.guard.lost_calls import GREEK, POOL, TEXT, WAITING
from tests.tools.routee_session import text_of
from tools.routee.operations.campaigns import Campaign, SendCampaign, UpdateCampaign
from tools.routee.operations.failover import Failovers, SendFailover
from tools.routee.operations.lookups import LookUpNumber, Lookups
from tools.routee.operations.phone_numbers import Number, RentNumber
from tools.routee.operations.pool_messages import SendPoolSms
from tools.routee.operations.pools import Pool, PoolNumbers
from tools.routee.operations.sms import Messages, SendSms

YES, NO, UNKNOWN = Evidence

AT = datetime(2026, 11, 21, 10, 0, 0, 400_000, UTC)
IN_A_MINUTE = (AT + timedelta(minutes=1)).isoformat()
WHEN = AT + timedelta(days=2)


async def _never_came(bench: Bench, tool: str, **arguments: Any) -> State:
    """Return the state that a check finds for a call that did not reach the provider; if it is unknown, close it."""
    lost = await bench.lose(Lost(tool=f"routee_{tool}", arguments=arguments), "drop_before")
    found = await bench.look(lost)
    if found is State.UNKNOWN:
        await bench.close(lost)
    return found


def _steps(text: str) -> list[dict[str, Any]]:
    return [{"channel": "Viber", "sender_id": VIBER_SENDER, "to": GREEK, "text": text}]


async def test_what_somebody_else_sent_meanwhile_is_not_taken_for_the_lost_call(tmp_path: Path) -> None:
    pairs: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("send_sms", {**TEXT, "to": GREEK}, {**TEXT, "to": GREEK, "sender": "Other"}),
        ("send_sms", {**TEXT, "to": GREEK, "label": "one"}, {**TEXT, "to": GREEK}),
        ("send_failover", {"steps": _steps("A")}, {"steps": _steps("B")}),
        ("look_up_number", {"to": GREEK, "label": "one"}, {"to": GREEK, "label": "two"}),
        (
            "send_sms",
            {**TEXT, "to": GREEK, "text": "Hi"},
            {"tool": "send_pool_sms", "pool_id": POOL, "to": GREEK, "text": "Hi", "strategy": "Numeric"},
        ),
    ]
    async with open_bench(tmp_path, "routee") as bench:
        for tool, others, ours in pairs:
            lost = {"tool": tool} | ours
            name = lost.pop("tool")
            await bench.sandbox.break_with("drop_before", provider="routee", path=_path_of(name), times=1)
            await bench.call(f"routee_{name}", lost)
            action = await bench.newest()
            assert action["state"] == State.UNKNOWN
            done = await bench.call(f"routee_{tool}", others)
            assert not done.is_error
            assert await bench.look(action) is State.UNKNOWN, (tool, others)
            await bench.close(action)


def _path_of(name: str) -> str:
    paths = {"send_sms": "/sms$", "send_pool_sms": "/pools/my/.+/sms$", "send_failover": "/failover$"}
    return paths.get(name, "/lookup$")


async def test_a_change_of_a_campaign_that_never_came_is_not_found_done(tmp_path: Path) -> None:
    async with open_bench(tmp_path, "routee") as bench:
        shown: dict[str, Any] = (
            await bench.call("routee_get_campaign", {"campaign_id": WAITING})
        ).structured_content or {}
        same = {
            "campaign_id": WAITING,
            "sender": shown["sender"],
            "text": shown["text"],
            "when": shown["scheduled_date"],
            "campaign_name": shown["campaign_name"],
        }
        assert await _never_came(bench, "update_campaign", **same, to=[GREEK]) is State.REFUSED
        assert await _never_came(bench, "update_campaign", **same, groups=["Recall"]) is State.REFUSED
        unnamed = {**same, "campaign_name": None, "groups": shown["groups"]}
        assert await _never_came(bench, "update_campaign", **unnamed) is State.UNKNOWN
        now = {**same, "when": "now", "groups": shown["groups"]}
        assert await _never_came(bench, "update_campaign", **{**now, "text": "Another"}) is State.REFUSED
        lost = await bench.lose(Lost(tool="routee_update_campaign", arguments=now), "drop_before")
        await bench.pass_time(timedelta(days=2, minutes=5))
        assert await bench.look(lost) is State.UNKNOWN


async def test_a_name_that_was_in_use_already_does_not_show_that_a_campaign_was_sent(tmp_path: Path) -> None:
    plan: dict[str, Any] = {**TEXT, "to": [GREEK], "when": "now", "campaign_name": "Opening"}
    async with open_bench(tmp_path, "routee") as bench:
        assert not (await bench.call("routee_send_campaign", plan)).is_error
        await bench.pass_time(timedelta(seconds=2))
        assert await _never_came(bench, "send_campaign", **plan) is State.UNKNOWN


async def test_a_number_that_was_rented_before_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    async with open_bench(tmp_path, "routee") as bench:
        again = await bench.call("routee_rent_number", {"number": BRITISH_NUMBER})
        assert "not possible now" in text_of(again)


HOOK = "https://hooks.bluewater.example/sms"
NEW = {"msisdn": BRITISH_NUMBER, "nextRenewal": "2026-12-21T10:00:00Z", "inboundSmsCallbackUrl": HOOK}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (NEW, YES),
        ({**NEW, "nextRenewal": "2026-12-21T09:00:00Z"}, UNKNOWN),
        ({**NEW, "nextRenewal": None}, UNKNOWN),
        ({**NEW, "inboundSmsCallbackUrl": HOOK + "/old"}, UNKNOWN),
    ],
)
def test_a_new_number_is_known_by_its_first_month_and_its_settings(found: dict[str, Any], expected: Evidence) -> None:
    verification = RentNumber(number=BRITISH_NUMBER, inbound_sms_url=HOOK).verification(AT)
    assert verification.check(Number.model_validate(found)) is expected


def _update(**more: Any) -> UpdateCampaign:
    plan = {"campaign_id": "c", "sender": "Blue", "text": "Hi", "when": WHEN, "to": [GREEK], **more}
    return UpdateCampaign.model_validate(plan)


def _campaign(**more: Any) -> Campaign:
    shown = {"state": "Scheduled", "from": "Blue", "body": "Hi", "scheduledDate": WHEN.isoformat(), "to": [GREEK]}
    return Campaign.model_validate({**shown, **more})


@pytest.mark.parametrize(
    ("call", "found", "expected"),
    [
        (_update(), _campaign(), YES),
        (_update(), _campaign(to=["306970000555"], flash=False, ttl=4320), YES),
        (_update(), _campaign(to=["+306970000111"]), NO),
        (_update(), _campaign(body="Old"), NO),
        (_update(), _campaign(body=None), UNKNOWN),
        (_update(), _campaign(scheduledDate=None), UNKNOWN),
        (_update(to=None, groups=["Recall"]), _campaign(), NO),
        (_update(flash=True), _campaign(), UNKNOWN),
        (_update(flash=True), _campaign(flash=False), NO),
        (_update(), _campaign(flash=True), UNKNOWN),
        (_update(), _campaign(campaignName="Old"), UNKNOWN),
        (_update(transcode=True), _campaign(body="Hi"), UNKNOWN),
        (_update(shorten_links_seconds=3600), _campaign(body="Other"), UNKNOWN),
        (_update(allow_invalid=True), _campaign(to=["+306970000111"]), UNKNOWN),
        (_update(when="now"), Campaign(), UNKNOWN),
        (_update(when="now"), _campaign(), NO),
        (_update(when="now"), _campaign(state="Finished", body="Old"), NO),
        (_update(when="now"), _campaign(state="Finished"), UNKNOWN),
        (_update(when="now"), _campaign(state="Running", scheduledDate=None), YES),
        (_update(when="now"), _campaign(state="Finished", endedAt=AT.isoformat()), YES),
        (_update(when="now"), _campaign(state="Finished", scheduledDate=None, body=None), UNKNOWN),
    ],
)
def test_every_field_that_a_campaign_shows_has_to_agree(
    call: UpdateCampaign, found: Campaign, expected: Evidence
) -> None:
    assert call.verification(AT).check(found) is expected


SMS = SendSms(sender="+447520630142", to=GREEK, text="Hi", label="a")
SEEN = {"messageId": "m", "from": "447520630142", "to": GREEK, "body": "Hi", "label": "a", "direction": "Outbound"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([SEEN], YES),
        ([SEEN, {**SEEN, "part": 2}], YES),
        ([SEEN, {**SEEN, "messageId": "n"}], UNKNOWN),
        ([{**SEEN, "messageId": None}], UNKNOWN),
        ([{**SEEN, "from": "Other"}], UNKNOWN),
        ([{**SEEN, "from": None}], UNKNOWN),
        ([{**SEEN, "label": "b"}], UNKNOWN),
        ([{**SEEN, "campaignTrackingId": "c"}], UNKNOWN),
        ([{**SEEN, "direction": "Inbound"}], UNKNOWN),
        ([SEEN, {"messageId": "n", "to": GREEK}], UNKNOWN),
        ([SEEN, {"messageId": "n", "body": "Hi"}], UNKNOWN),
    ],
)
def test_the_one_message_that_is_the_same_in_everything_is_the_lost_one(rows: list[Any], expected: Evidence) -> None:
    verification = SMS.verification(AT)
    assert verification.check(Messages.model_validate({"content": rows, "last": True})) is expected


@pytest.mark.parametrize("facts", [{}, {"last": False}, {"totalElements": 2}, {"last": True, "totalPages": 2}])
def test_a_page_that_may_not_be_all_does_not_show_the_only_one(facts: dict[str, Any]) -> None:
    assert SMS.verification(AT).check(Messages.model_validate({"content": [SEEN], **facts})) is UNKNOWN


def test_what_was_sent_before_is_not_among_what_is_read() -> None:
    read = SMS.verification(AT).read
    assert getattr(read, "since") == AT  # noqa: B009
    assert read.to_query()["dateStart"] == "2026-11-21T10:00:00Z"


LOOKED = {"lookupId": "l", "to": GREEK, "label": "", "createdAt": IN_A_MINUTE}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([LOOKED], YES),
        ([{**LOOKED, "createdAt": (AT - timedelta(seconds=5)).isoformat()}], UNKNOWN),
        ([{**LOOKED, "createdAt": None}], UNKNOWN),
        ([{**LOOKED, "label": "a"}], UNKNOWN),
        ([LOOKED, LOOKED], UNKNOWN),
    ],
)
def test_a_lookup_is_the_lost_one_by_its_label_and_its_time(rows: list[Any], expected: Evidence) -> None:
    found = Lookups.model_validate({"content": rows, "totalElements": len(rows)})
    assert LookUpNumber(to=GREEK).verification(AT).check(found) is expected


VIBER = {"type": "Viber", "order": 1, "to": GREEK, "body": {"text": "Hi"}, "ttl": 5, "failoverOnStatuses": ["Failed"]}
CALL = {"type": "Voice", "order": 2, "to": GREEK, "from": "447520630142"}


def _failovers(*messages: dict[str, Any], at: str = IN_A_MINUTE) -> Failovers:
    return Failovers.model_validate({"content": [{"createdAt": at, "messages": list(messages)}], "totalPages": 1})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (_failovers(VIBER, CALL), YES),
        (_failovers(VIBER, CALL, at="2026-11-21T09:59:00Z"), UNKNOWN),
        (_failovers({**VIBER, "body": {"text": "Other"}}, CALL), UNKNOWN),
        (_failovers({**VIBER, "body": None}, CALL), UNKNOWN),
        (_failovers(VIBER, {**CALL, "from": "Other"}), UNKNOWN),
        (_failovers({**VIBER, "ttl": 6}, CALL), UNKNOWN),
        (_failovers({**VIBER, "failoverOnStatuses": ["Expired"]}, CALL), UNKNOWN),
        (_failovers(VIBER), UNKNOWN),
        (_failovers(), UNKNOWN),
    ],
)
def test_a_failover_is_the_lost_one_by_all_that_is_shown_of_its_channels(found: Failovers, expected: Evidence) -> None:
    viber = {**_steps("Hi")[0], "ttl_minutes": 5, "next_on": ["Failed"]}
    call = {"channel": "Voice", "sender": BRITISH_NUMBER, "to": GREEK, "text": "Hi", "language": "el-GR"}
    assert SendFailover.model_validate({"steps": [viber, call]}).verification(AT).check(found) is expected
    alone = SendFailover.model_validate({"steps": [call]}).verification(AT)
    assert alone.check(_failovers(CALL)) is UNKNOWN


@pytest.mark.parametrize(
    ("sender", "strategy", "pool", "expected"),
    [
        ("447520630142", "Numeric", PoolNumbers(numbers=[BRITISH_NUMBER]), YES),
        ("447520630142", "Numeric", PoolNumbers(numbers=[]), UNKNOWN),
        ("InfoSMS", "Alphanumeric", Pool(), YES),
        ("InfoSMS", "Numeric", PoolNumbers(numbers=[BRITISH_NUMBER]), UNKNOWN),
        ("Other", "Alphanumeric", Pool(), UNKNOWN),
    ],
)
def test_a_message_of_a_pool_comes_from_a_sender_of_the_pool(
    sender: str, strategy: str, pool: PoolNumbers | Pool, expected: Evidence
) -> None:
    call = SendPoolSms.model_validate({"pool_id": POOL, "to": GREEK, "text": "Hi", "strategy": strategy})
    verification = call.verification(AT)
    row = {"messageId": "m", "from": sender, "to": GREEK, "body": "Hi"}
    next_read = verification.check(Messages.model_validate({"content": [row], "last": True}))
    assert isinstance(next_read, Verification)
    assert next_read.check(pool) is expected
    assert verification.check(Messages.model_validate({"content": [{**row, "label": "a"}], "last": True})) is UNKNOWN


def test_a_campaign_that_is_shown_without_its_id_proves_nothing() -> None:
    call = SendCampaign(sender="Blue", text="Hi", to=[GREEK], when="now", campaign_name="Opening")
    verification = call.verification(AT)
    assert verification
    assert verification.check(Messages.model_validate({"content": [{"campaignName": "Opening"}]})) is UNKNOWN
    rows = {"content": [{"campaignName": "Opening", "campaignTrackingId": "c"}]}
    campaign = verification.check(Messages.model_validate(rows))
    assert isinstance(campaign, Verification)
    shown = {"scheduledDate": None, "campaignName": "Opening", "createdAt": IN_A_MINUTE}
    assert campaign.check(_campaign(**shown)) is YES
    assert campaign.check(_campaign(**{**shown, "body": "Other"})) is UNKNOWN
    assert campaign.check(_campaign(**{**shown, "createdAt": "2026-11-21T09:59:00Z"})) is UNKNOWN
