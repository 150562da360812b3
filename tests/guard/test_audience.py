"""Whoever is named by a contact id, a group or a list counts like whoever is named by a number."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from mcp.types import CallToolResult
from pydantic import ConfigDict

from clients.operation import Answer, Exchange, Members, Operation, UnresolvableRecipients
from guard.rules.recipients import MAX_READS, resolve_recipients
from sandbox.routee.seed import VIBER_SENDER
from tests.connecting import Person
from tests.tools import convirza_session
from tests.tools.routee_session import RouteeSession, open_session, text_of

BULK = {"bulk_limit": 4}
SMS: dict[str, Any] = {"sender": "Bluewater", "text": "Hello", "when": "now"}
VOICE: dict[str, Any] = {"sender": "447520630142", "text": "Hello", "language": "en-GB", "when": "now"}
VIBER: dict[str, Any] = {"sender_id": VIBER_SENDER, "text": "Hello", "when": "now"}
SENDS = pytest.mark.parametrize(
    ("tool", "content"),
    [("send_campaign", SMS), ("send_voice_campaign", VOICE), ("send_viber_campaign", VIBER)],
    ids=["SMS", "voice", "Viber"],
)
UNCHECKED = "NOT EVERY RECIPIENT COULD BE CHECKED"


@SENDS
async def test_a_small_group_is_counted_in_the_question(tool: str, content: dict[str, Any], tmp_path: Path) -> None:
    async with open_session(tmp_path, person=Person("decline")) as session:
        await session.attempt(tool, **content, groups=["Patients GR"])
        assert "This reaches 2 numbers" in session.question


@SENDS
async def test_a_large_group_goes_to_the_operator(tool: str, content: dict[str, Any], tmp_path: Path) -> None:
    async with open_session(tmp_path, compliance=BULK) as session:
        action = _waiting(await session.attempt(tool, **content, groups=["Recall"]))
        assert session.person.questions == []
        assert "numbers or recipients at once" in await session.operator.read_question(action)


@SENDS
async def test_a_group_with_somebody_who_opted_out_gets_nothing(
    tool: str, content: dict[str, Any], tmp_path: Path
) -> None:
    async with open_session(tmp_path) as session:
        await session.operator.opt_out("+306971234567")
        refused = await session.attempt(tool, **content, groups=["Patients GR"])
        assert "+306971234567 opted out" in text_of(refused)
        assert await session.sandbox.charges() == []


async def test_a_contact_counts_like_its_number(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        contacts = (await session.call("list_contacts"))["contacts"]
        eleni = next(row for row in contacts if row["mobile"] == "+306971234567")
        await session.operator.opt_out(eleni["mobile"])
        assert "opted out" in text_of(await session.attempt("send_campaign", **SMS, contacts=[eleni["id"]]))


async def test_whom_routee_itself_leaves_out_is_not_reached(tmp_path: Path) -> None:
    async with open_session(tmp_path, person=Person("decline")) as session:
        await session.operator.opt_out("+19175550163")
        await session.attempt("send_campaign", **SMS, groups=["Patients US"])
        assert "This reaches 2 numbers" in session.question


async def test_a_group_with_somebody_where_nothing_may_go_is_refused(tmp_path: Path) -> None:
    async with open_session(tmp_path, destinations={"countries": ["GR"]}) as session:
        refused = await session.attempt("send_campaign", **SMS, groups=["Recall"])
        assert "destinations.countries allows GR" in text_of(refused)


async def test_a_group_that_cannot_be_read_goes_to_the_operator_who_is_told(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        await session.sandbox.break_with("status", provider="routee", path="groups/my", status=500, times=None)
        action = _waiting(await session.attempt("send_campaign", **SMS, groups=["Patients GR"]))
        assert session.person.questions == []
        assert UNCHECKED in await session.operator.read_question(action)


async def test_a_group_that_grew_after_the_yes_is_asked_about_again(tmp_path: Path) -> None:
    async with open_session(tmp_path, policy={"operations": {"routee_send_campaign": "page"}}) as session:
        call = {**SMS, "groups": ["Patients UK"]}
        action = _waiting(await session.attempt("send_campaign", **call))
        await session.operator.approve(action)
        await session.call(
            "add_group_contacts", name="Patients UK", contact_ids=[await _contact(session, "+306942345678")]
        )
        assert "now it reaches 3; nothing was sent" in text_of(await session.attempt("send_campaign", **call))
        assert _waiting(await session.attempt("send_campaign", **call)) != action
        assert await session.sandbox.charges() == []


async def test_a_group_that_grew_where_no_price_is_known_is_asked_about_again(tmp_path: Path) -> None:
    async with open_session(tmp_path, policy={"operations": {"routee_send_viber_campaign": "page"}}) as session:
        call = {**VIBER, "groups": ["Patients GR"]}
        action = _waiting(await session.attempt("send_viber_campaign", **call))
        await session.operator.approve(action)
        await session.call(
            "add_group_contacts", name="Patients GR", contact_ids=[await _contact(session, "+447700900123")]
        )
        refused = await session.attempt("send_viber_campaign", **call)
        assert "You approved 2 recipients, and now it reaches 3; nothing was sent." in text_of(refused)
        assert await session.sandbox.charges() == []


async def test_a_group_of_as_many_but_others_is_asked_about_again(tmp_path: Path) -> None:
    async with open_session(tmp_path, policy={"operations": {"routee_send_campaign": "page"}}) as session:
        call = {**SMS, "groups": ["Patients GR"]}
        action = _waiting(await session.attempt("send_campaign", **call))
        await session.operator.approve(action)
        gone, other = await _contact(session, "+306942345678"), await _contact(session, "+447700900123")
        await session.call("remove_group_contacts", name="Patients GR", contact_ids=[gone])
        await session.call("add_group_contacts", name="Patients GR", contact_ids=[other])
        refused = await session.attempt("send_campaign", **call)
        assert "now it reaches 2, not all of them the same; nothing was sent." in text_of(refused)
        assert await session.sandbox.charges() == []


@pytest.mark.parametrize(
    ("tool", "content"),
    [("send_campaign", {**SMS, "text": "Hello [~{firstName}]"}), ("send_voice_campaign", VOICE)],
    ids=["labels in a text", "voice"],
)
async def test_the_operators_worst_case_counts_for_everybody_who_is_reached(
    tool: str, content: dict[str, Any], tmp_path: Path
) -> None:
    worst = {f"routee_{tool}": {"amount": "0.50", "currency": "EUR"}}
    async with open_session(tmp_path, person=Person("decline"), prices=worst) as session:
        await session.attempt(tool, **content, groups=["Patients GR"])
        assert "charges at most €1.00 (2 " in session.question


async def test_whoever_opts_out_after_the_yes_gets_nothing(tmp_path: Path) -> None:
    async with open_session(tmp_path, policy={"operations": {"routee_send_sms": "page"}}) as session:
        call = {"sender": "Bluewater", "to": "+306971234567", "text": "Hello"}
        action = _waiting(await session.attempt("send_sms", **call))
        await session.operator.approve(action)
        await session.operator.opt_out("+306971234567")
        assert "opted out" in text_of(await session.attempt("send_sms", **call))
        assert await session.sandbox.charges() == []


async def test_a_dialplan_that_is_fetched_goes_to_the_operator(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        call = {"sender": "447520630142", "to": "+447700900123", "dial_plan_url": "https://hooks.example/plan"}
        action = _waiting(await session.attempt("start_conversation", **call))
        assert "may dial any number" in await session.operator.read_question(action)


@SENDS
async def test_who_joins_a_group_after_a_scheduled_send_is_spoken_of_in_the_question_and_to_the_assistant(
    tool: str, content: dict[str, Any], tmp_path: Path
) -> None:
    later = {**content, "when": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}
    unknown = "Whether Routee looks up its groups and lists now or when it goes out is not known"
    async with open_session(tmp_path) as session:
        made = text_of(await session.attempt(tool, **later, groups=["Patients GR"]))
        for told in (session.question, made):
            assert f"{unknown}: whoever joins or opts out until then may be reached all the same." in told
            assert "send it to their numbers instead" in told
        for fixed in ({**content, "groups": ["Patients GR"]}, {**later, "to": ["+306970000555"]}):
            assert unknown not in text_of(await session.attempt(tool, **fixed))
            assert unknown not in session.question


async def test_what_is_scheduled_for_the_night_is_refused_by_day_and_the_other_way_round(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    in_two_hours, tomorrow = now + timedelta(hours=2), now + timedelta(hours=26)
    quiet = {"quiet_hours": f"{_in_athens(in_two_hours)}-{_in_athens(in_two_hours + timedelta(hours=1))}"}
    async with open_session(tmp_path, person=Person("decline"), compliance=quiet) as session:
        later = {**SMS, "groups": ["Patients GR"], "when": (tomorrow + timedelta(minutes=30)).isoformat()}
        assert "nothing is sent from" in text_of(await session.attempt("send_campaign", **later))
        await session.attempt("send_campaign", **{**later, "when": "now"})
        assert "This reaches 2 numbers" in session.question


async def test_a_reminder_that_leaves_at_night_is_refused_though_the_campaign_leaves_by_day(tmp_path: Path) -> None:
    noon = datetime.now(ZoneInfo("Europe/Athens")).replace(hour=12, minute=0) + timedelta(days=2)
    async with open_session(tmp_path, compliance={"quiet_hours": "21:00-08:00"}) as session:
        call = {**SMS, "to": ["+306971234567"], "when": noon.isoformat(), "reminder_to": ["+306971234567"]}
        refused = await session.attempt("send_campaign", **call, reminder_minutes_before=9 * 60)
        assert "nothing is sent from 21:00 to 08:00 there" in text_of(refused)
        assert not (await session.attempt("send_campaign", **call, reminder_minutes_before=60)).is_error


async def test_a_broadcast_whose_recipients_are_kept_counts_them(tmp_path: Path) -> None:
    numbers = [f"+1201555{number:04}" for number in range(100, 112)]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    async with convirza_session.open_session(tmp_path) as session:
        made = await session.call(
            "create_broadcast",
            name="Recall",
            message="Time for a check-up?",
            from_number="2125550202",
            recipients=numbers,
            when=tomorrow,
        )
        person = len(session.person.questions)
        sent = await session.attempt("update_broadcast", broadcast_id=made["broadcast_id"], when="now")
        assert _waiting(sent)
        assert len(session.person.questions) == person


async def test_a_broadcast_with_a_field_that_no_page_shows_goes_to_the_operator(tmp_path: Path) -> None:
    async with convirza_session.open_session(tmp_path) as session:
        asked = await session.attempt(
            "create_broadcast",
            name="Recall",
            message="Time for a check-up?",
            from_number="2125550202",
            recipients=["+12015550100"],
            when="now",
            extra_fields={"contact_list_id": 7},
        )
        assert "may name further recipients" in await session.operator.read_question(_waiting(asked))


class _People(Answer):
    numbers: list[str] = []


class _ListPeople(Operation[_People]):
    model_config = ConfigDict(frozen=True)

    cursor: str | None = None

    def next_cursor(self, answer: Any) -> str | None:
        return "more"


class _SendToAll(Operation[_People]):
    def members(self) -> tuple[Members[Any] | UnresolvableRecipients, ...]:
        return (Members(read=_ListPeople(), numbers=lambda page: page.numbers),)


class _EndlessList:
    """A provider whose list never ends."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = iter(range(10_000))

    async def exchange(self, operation: Any, *, idempotency_key: str | None = None) -> Exchange[Any]:
        number = f"+1201556{next(self._numbers):04}"
        return Exchange(_People(numbers=[number]), 200, "", datetime.now(UTC))


async def test_a_list_without_an_end_is_not_read_for_ever() -> None:
    found = await resolve_recipients(_SendToAll(), _EndlessList())
    assert len(found.numbers) == MAX_READS
    assert "too many" in found.unknown


def _in_athens(moment: datetime) -> str:
    from zoneinfo import ZoneInfo

    return f"{moment.astimezone(ZoneInfo('Europe/Athens')):%H:%M}"


async def _contact(session: RouteeSession, mobile: str) -> str:
    contacts = (await session.call("list_contacts"))["contacts"]
    return next(str(row["id"]) for row in contacts if row["mobile"] == mobile)


def _waiting(result: CallToolResult) -> str:
    content: dict[str, Any] = result.structured_content or {}
    assert content.get("state") == "proposed", text_of(result)
    return str(content["action"])
