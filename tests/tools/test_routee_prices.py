"""What Routee's calls cost, as the person who is asked is told before, and as they are charged."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clients.effects import Effect
from clients.operation import Operation
from guard.money import Money
from guard.rules.quote import quote
from sandbox.routee.seed import BRITISH_NUMBER, VIBER_SENDER
from tests.clients.routee_accounts import application, sandboxes
from tests.connecting import Person
from tests.tools.routee_session import open_session
from tools.registry import all_operations
from tools.routee.calls import Verb
from tools.routee.operations.call_control import TransferCall
from tools.routee.operations.campaigns import SendCampaign, UpdateCampaign
from tools.routee.operations.conversations import StartConversation
from tools.routee.operations.failover import SendFailover, Step
from tools.routee.operations.lookups import LookUpNumber, ValidateNumber
from tools.routee.operations.phone_numbers import RentNumber
from tools.routee.operations.pool_messages import SendPoolSms
from tools.routee.operations.sms import SendSms
from tools.routee.operations.two_step import ConfirmVerification, SendVerification
from tools.routee.operations.viber import SendViber, SendViberCode
from tools.routee.operations.viber_campaigns import SendViberCampaign
from tools.routee.operations.voice_campaigns import SendVoiceCampaign
from tools.routee.prices import RouteePrices

GREEK = "+306970000555"
FREE = "+306948530007"
POOL = "71ce3b19-e3a9-5522-bcc8-58d03179c4cf"
WAITING = "d9bbf94b-9048-5ead-8a19-d9893eaef5d0"
LATER = datetime.now(UTC) + timedelta(days=3)
SAY = Verb(type="SAY", text="Hello", language="en-GB")
UNICODE = "Καλημέρα " * 10
"""Two parts as it is, one part transcoded."""


def _sms(**more: Any) -> SendSms:
    return SendSms.model_validate({"sender": "Bluewater", "to": GREEK, "text": "Hello", **more})


def _campaign(**more: Any) -> SendCampaign:
    given = {"sender": "Bluewater", "groups": ["Recall"], "text": "Hello", "when": "now", **more}
    return SendCampaign.model_validate(given)


def _viber(**more: Any) -> SendViber:
    return SendViber.model_validate({"sender_id": VIBER_SENDER, "to": GREEK, "text": "Hello", **more})


def _step(channel: str, **more: Any) -> Step:
    sender = {"sender_id": VIBER_SENDER} if channel == "Viber" else {"sender": BRITISH_NUMBER}
    return Step.model_validate({"channel": channel, "to": GREEK, "text": "Hello", **sender, **more})


PRICED: list[tuple[Operation[Any], str, bool]] = [
    # call, what it costs, whether that is a bound
    (_sms(), "€0.045", False),
    (_sms(text="x" * 200), "€0.09", False),
    (_sms(text=UNICODE), "€0.09", True),
    (_sms(text=UNICODE, transcode=True), "€0.045", False),
    (_sms(text=UNICODE, transcode=False), "€0.09", False),
    (_sms(text="See https://bluewater.example/" + "a" * 40, shorten_links_seconds=3600), "€0.045", True),
    (SendPoolSms(pool_id=POOL, to=GREEK, text="Hello", strategy="Numeric"), "€0.045", False),
    (_campaign(), "€0.1471", True),
    (_campaign(reminder_to=["+447700900555"], reminder_minutes_before=5), "€0.1816", True),
    (_campaign(when=LATER), "€0.1471", True),
    (UpdateCampaign(campaign_id=WAITING, sender="Bluewater", to=[GREEK], text="Hello", when="now"), "€0.048", True),
    (RentNumber(number=FREE), "€8.00", False),
    (SendVerification(method="sms", recipient=GREEK, template="@@pin"), "€0.055", False),
    (SendVerification(method="voice", recipient=GREEK, template="@@pin"), "€0.09", False),
    (LookUpNumber(to=GREEK), "€0.006", False),
    (ValidateNumber(to=GREEK), "€0.003", False),
    (ValidateNumber(to=GREEK, get_ported=True), "€0.009", False),
    (_viber(), "€0.012", False),
    (_viber(image_url="https://files.example/a.png"), "€0.018", False),
    (SendViberCode(sender_id=VIBER_SENDER, to=GREEK, template_id="t"), "€0.012", False),
    (SendViberCode(sender_id=VIBER_SENDER, to=GREEK, template_id="t", label="promotional"), "€0.018", False),
    (
        SendViberCampaign(sender_id=VIBER_SENDER, text="Hello", to=[GREEK, "+447700900555"], when="now"),
        "€0.024",
        True,
    ),
    (SendFailover(steps=[_step("Viber"), _step("Sms")]), "€0.057", True),
]

UNPRICED: list[tuple[Operation[Any], str]] = [
    (StartConversation(to=GREEK, sender=BRITISH_NUMBER, verbs=[SAY]), "Greece: 0.06000000 EUR to mobiles"),
    (StartConversation(to="session@example.com", sender=BRITISH_NUMBER, verbs=[SAY]), "No rate is listed"),
    (TransferCall(call_id="v", to="+442079460142", sender=BRITISH_NUMBER), "0.01100000 EUR to landlines"),
    (
        SendVoiceCampaign(sender=BRITISH_NUMBER, to=[GREEK], text="Hi", language="en-GB", when="now"),
        "how long it lasts is not known",
    ),
    (_campaign(text="Dear [~{firstName}]"), "at most €0.1471"),
    (_sms(text="See http://a.gr", shorten_links_seconds=3600), "may be longer"),
    (_campaign(text="See http://a.gr", shorten_links_seconds=3600), "may be longer"),
    (RentNumber(number="+306948530999"), "does not list"),
    (
        SendViberCampaign(sender_id=VIBER_SENDER, text="Hello", groups=["Recall"], when="now"),
        "each message is charged",
    ),
    (_viber(is_session_message=True), "billed by the session"),
    (
        SendViberCampaign(sender_id=VIBER_SENDER, text="Hello", to=[GREEK], when="now", is_session_message=True),
        "billed by the session",
    ),
    (SendFailover(steps=[_step("Sms"), _step("Voice", language="el-GR")]), "charged by the second"),
    (ConfirmVerification(verification_id="w", code="1234"), "may be charged only now"),
]


async def test_what_is_paid_is_priced_before_from_what_routee_publishes() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        prices = RouteePrices(client)
        for call, amount, is_bound in PRICED:
            found = await quote(call, prices)
            assert (str(found.amount), found.is_bound) == (amount, is_bound), (call.spec.name, found)
            assert found.source
            assert found.balance
        assert await sandbox.charges() == []


async def test_what_cannot_be_priced_is_said_to_be_unknown_with_the_reason() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        prices = RouteePrices(client)
        for call, reason in UNPRICED:
            found = await quote(call, prices)
            assert found.amount is None, call.spec.name
            assert reason in found.unknown, found.unknown


def test_every_paid_operation_is_among_the_priced_or_the_unpriced() -> None:
    told = {call.spec.tool_name for call, _, _ in PRICED} | {call.spec.tool_name for call, _ in UNPRICED}
    paid = {
        name for name, one in all_operations().items() if name.startswith("routee_") and Effect.PAID in one.spec.effect
    }
    assert paid == told


@pytest.mark.parametrize(
    ("tool", "arguments", "charged"),
    [
        ("send_sms", {"sender": "Bluewater", "to": GREEK, "text": "x" * 200}, "0.09"),
        ("rent_number", {"number": FREE}, "8"),
        ("look_up_number", {"to": GREEK}, "0.006"),
        ("validate_number", {"to": GREEK, "get_ported": True}, "0.009"),
        ("send_viber", {"sender_id": VIBER_SENDER, "to": GREEK, "text": "Hello"}, "0.012"),
    ],
)
async def test_the_price_that_was_quoted_is_the_price_that_is_charged(
    tool: str, arguments: dict[str, Any], charged: str, tmp_path: Path
) -> None:
    async with open_session(tmp_path) as session:
        await session.call(tool, **arguments)
        rows = await session.sandbox.charges()
        total = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
        assert total == Decimal(charged)
        assert f"charges {Money(total, 'EUR')}" in session.question


async def test_a_campaign_never_costs_more_than_its_bound(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        await session.call("send_campaign", sender="Bluewater", groups=["Recall"], text="Hello", when="now")
        assert "charges at most €0.1471" in session.question
        for part in ("2 to US", "2 to GR", "1 to GB", "most expensive network", "at least €186.2729"):
            assert part in session.question
        await session.advance(60)
        spent = sum((Decimal(row["amount"]) for row in await session.sandbox.charges()), Decimal(0))
        assert 0 < spent <= Decimal("0.1471")


async def test_renting_tells_activation_month_and_renewal(tmp_path: Path) -> None:
    async with open_session(tmp_path, person=Person("decline")) as session:
        await session.attempt("rent_number", number=FREE)
        for part in (
            "€8.00 now, then €6.00 every month",
            "activation €2.00",
            "first month €6.00",
            "next renewal about",
        ):
            assert part in session.question
        assert await session.sandbox.charges() == []


async def test_the_parts_of_a_message_and_their_price_are_routees_own(tmp_path: Path) -> None:
    async with open_session(tmp_path, person=Person("decline")) as session:
        await session.attempt("send_sms", sender="Bluewater", to=GREEK, text="x" * 200)
        for part in ("€0.09", "2 part(s) at €0.045", "Balance: €186.42", "cannot be recalled"):
            assert part in session.question
