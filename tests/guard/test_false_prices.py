"""What nobody can charge is no price: an amount below zero would make room under every cap."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from clients.operation import Operation
from clients.shared.http_client import HttpPool
from guard.action import Action, State, new_action_id
from guard.errors import OverBudget
from guard.money import Money
from guard.rules.budget import Cap, Hold, Spent, require_room
from guard.rules.quote import Balance, Quote, Rate, Unpriced, quote
from sandbox.routee.seed import APPLICATION, VIBER_SENDER
from server.store.store import Store, open_store
from tests.clients import routee_accounts
from tests.connecting import Person, connect, server_for, settings_for
from tests.guard.edited_answers import Edit, edited_answers
from tests.guard.fake_provider import Buy
from tests.guard.rates_proxy import proxy_rates
from tests.sandbox_control import sandboxes
from tests.tools import routee_session
from tools.registry import all_operations, provider_named
from tools.routee.client import Routee
from tools.routee.operations.campaigns import SendCampaign
from tools.routee.operations.lookups import LookUpNumber
from tools.routee.operations.phone_numbers import RentNumber
from tools.routee.operations.sms import SendSms
from tools.routee.operations.viber import SendViber
from tools.routee.prices import RouteePrices

GREEK = "+306970000555"
FALSE_RATES = [-5, "-5", "NaN", "Infinity", "-Infinity", 1e12, "1e-999999"]
CAP = [{"per": "day", "limit": "0.02"}]
SMS = {"from_number": "+12015550142", "to_number": "+19175550161"}


async def test_a_rate_that_nobody_can_charge_passes_no_cap_and_makes_no_room(tmp_path: Path) -> None:
    got: dict[str, str] = {}
    async with sandboxes() as sandbox, proxy_rates() as (proxy, http):
        for place, rate in enumerate(FALSE_RATES):
            proxy.rates["sms"] = rate
            rules = {"policy": {"paid": "allow"}, "budget": CAP}
            _, server = server_for(settings_for(tmp_path / str(place), sandbox.voicetel, **rules), http=http)
            async with connect(server) as client:
                told = await client.call_tool("voicetel_send_message", {**SMS, "text": "Hello"})
                report = await client.call_tool("account_overview", {})
            waiting: dict[str, Any] = told.structured_content or {}
            got[str(rate)] = waiting["state"]
            assert "rice unknown" in getattr(told.content[0], "text", "")
            left: dict[str, Any] = report.structured_content or {}
            assert left["budgets"][0]["left"] == "$0.02"
        assert await sandbox.writes() == []
    assert got == dict.fromkeys(map(str, FALSE_RATES), "proposed")


async def test_the_question_says_why_a_rate_is_no_price(tmp_path: Path) -> None:
    person = Person("decline")
    async with sandboxes() as sandbox, proxy_rates(sms=-5) as (_, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        async with connect(server, person=person) as client:
            await client.call_tool("voicetel_send_message", {**SMS, "text": "Hello"})
    assert "Price unknown: VoiceTel shows a rate 'sms' that is no price: -5 is below zero." in person.questions[0]


@pytest.mark.parametrize("charged", [-5, 1e12])
async def test_a_receipt_that_nobody_can_charge_is_not_booked_and_the_record_says_so(
    charged: float, tmp_path: Path
) -> None:
    def edit(content: Any) -> None:
        content["data"]["amountCharged"] = charged

    async with sandboxes() as sandbox, edited_answers(**{"/v2.2/orders": edit}) as (_, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        async with connect(server, person=Person()) as client:
            ordered = await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
            done: dict[str, Any] = ordered.structured_content or {}
            action = done["action"]
            shown: dict[str, Any] = (await client.call_tool("get_action", {"action_id": action})).structured_content
            report: dict[str, Any] = (await client.call_tool("spend_report", {})).structured_content or {}
    assert shown["state"] == "done"
    assert "What the provider says it cost is not booked" in shown["outcome"]
    assert [row["amount"] for row in report["recorded_by_this_server"]] == ["$1.00"], "what was held stays"


# Routee ---------------------------------------------------------------------------------------------------------------


def _set(*path: str | int, to: Any) -> Edit:
    """Build an edit that sets one value."""

    def edit(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = to

    return edit


def _networks(price: object) -> Edit:
    def edit(content: Any) -> None:
        for row in content["sms"]:
            for network in row["networks"]:
                network["price"] = price

    return edit


ANALYSIS, CAMPAIGN, PRICES, NUMBERS = (
    "/sms/analyze",
    "/sms/analyze/campaign",
    "/system/prices",
    "/numbers/available/search",
)
_SMS = SendSms(sender="Bluewater", to=GREEK, text="Hello")
_CAMPAIGN = SendCampaign(sender="Bluewater", groups=["Recall"], text="Hello", when="now")
_VIBER = SendViber(sender_id=VIBER_SENDER, to=GREEK, text="Hello")
_LOOKUP = LookUpNumber(to=GREEK)
_RENT = RentNumber(number="+306948530007")


def _offers(name: str, amount: object) -> Edit:
    """Build an edit that sets one price of every number that is offered."""

    def edit(content: Any) -> None:
        for row in content["content"]:
            row[name] = {"price": amount, "currency": "EUR"}

    return edit


FALSE_AT_ROUTEE: list[tuple[str, Operation[Any], str, Edit]] = [
    ("parts", _SMS, ANALYSIS, _set("bodyAnalysis", "parts", to=-1)),
    ("recipients", _CAMPAIGN, CAMPAIGN, _set("recipientsPerCountry", to={"GR": -3, "US": 4})),
    ("campaign's parts", _CAMPAIGN, CAMPAIGN, _set("bodyAnalysis", "parts", to=-1)),
    ("networks", _CAMPAIGN, PRICES, _networks(-0.04)),
    ("networks for nothing", _CAMPAIGN, PRICES, _networks(0)),
    ("lookup", _LOOKUP, PRICES, _set("lookup", "perRequest", to=-0.006)),
    ("too much", _LOOKUP, PRICES, _set("lookup", "perRequest", to=1e12)),
    ("activation", _RENT, NUMBERS, _offers("activationCosts", -1)),
    ("another currency", _LOOKUP, PRICES, _set("currency", "code", to="USD")),
    ("no currency", _LOOKUP, PRICES, _set("currency", "code", to="euro")),
]


async def test_what_routee_shows_that_nobody_can_charge_is_an_unknown_price() -> None:
    async with (
        routee_accounts.sandboxes() as sandbox,
        edited_answers() as (edits, http),
        Routee(
            application_id=APPLICATION.id,
            application_secret=APPLICATION.secret,
            base_url=f"{sandbox.url}/routee",
            auth_url=f"{sandbox.url}/routee",
            http=HttpPool(given=http),
        ) as client,
    ):
        prices = RouteePrices(client)
        for _, call, _, _ in FALSE_AT_ROUTEE:
            assert (await quote(call, prices)).amount, call
        found: dict[str, Money | None] = {}
        for name, call, path, edit in FALSE_AT_ROUTEE:
            edits.clear()
            edits[path] = edit
            priced = await quote(call, prices)
            found[name] = priced.amount
            assert priced.unknown, name
    assert found == dict.fromkeys(found)


# Any provider ---------------------------------------------------------------------------------------------------------


class _Prices:
    def __init__(self, rate: Callable[[], Rate | Unpriced], balance: Balance | None = None) -> None:
        self._rate = rate
        self._balance = balance

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | Unpriced:
        return self._rate()

    async def balance(self) -> Balance | None:
        return self._balance


def _dollars(amount: str) -> Money:
    return Money(Decimal(amount))


@pytest.mark.parametrize(
    "rate",
    [
        Rate(_dollars("-1"), "a list"),
        Rate(_dollars("NaN"), "a list"),
        Rate(_dollars("Infinity"), "a list"),
        Rate(_dollars("1"), "a list", monthly=_dollars("-1")),
        Rate(Money(Decimal(1), "EUR"), "a list"),
        Rate(Money(Decimal(1), "usd"), "a list"),
    ],
    ids=["below zero", "not a number", "infinite", "monthly below zero", "not the balance's currency", "no currency"],
)
async def test_whatever_a_provider_package_returns_is_checked_where_all_prices_pass(rate: Rate) -> None:
    order = all_operations()["voicetel_order_numbers"].model_validate({"numbers": ["+12125550100"]})
    balance = Balance(_dollars("-3"), datetime.now(UTC))
    found = await quote(order, _Prices(lambda: rate, balance))
    assert found.amount is None
    assert found.unknown
    assert found.balance == balance, "a balance may be below zero"
    worst = await quote(order, _Prices(lambda: rate, balance), {"voicetel_order_numbers": _dollars("2")})
    assert str(worst.amount) == "$2.00"


@pytest.mark.parametrize("amount", ["-5", "NaN", "Infinity", "-Infinity", "1e12"])
async def test_the_budget_and_the_record_refuse_an_amount_themselves(amount: str, tmp_path: Path) -> None:
    cap = Cap("day", _dollars("0.02"))
    with pytest.raises(OverBudget, match="Nothing was sent"):
        require_room([Spent(cap, Decimal(0))], _dollars(amount))
    async with _store(tmp_path) as store:
        action = await _approved(store)
        with pytest.raises(OverBudget, match="Nothing was sent"):
            await store.journal.begin(action.id, hold=Hold("depot", _dollars(amount)), caps=[], at=action.created_at)
        assert (await _found(store, action)).state is State.APPROVED
        assert (await store.journal.spent([cap], action.created_at))[0].amount == 0


def test_a_cap_does_not_count_another_currency() -> None:
    with pytest.raises(OverBudget, match=r"cannot count €0\.01"):
        require_room([Spent(Cap("day", _dollars("1")), Decimal(0))], Money(Decimal("0.01"), "EUR"))


async def test_a_receipt_that_is_no_price_or_in_another_currency_leaves_what_was_held(tmp_path: Path) -> None:
    cap = Cap("day", _dollars("9"))
    async with _store(tmp_path) as store:
        action = await _approved(store)
        held = Hold("depot", _dollars("1"))
        assert await store.journal.begin(action.id, hold=held, caps=[cap], at=action.created_at)
        for receipt in (Money(Decimal("0.5"), "EUR"), *map(_dollars, ("-5", "NaN", "Infinity", "1e12"))):
            await store.journal.settle(action.id, Hold("depot", receipt))
            assert (await store.journal.spent([cap], action.created_at))[0].amount == 1, receipt
        await store.journal.settle(action.id, Hold("depot", _dollars("0.5")))
        assert (await store.journal.spent([cap], action.created_at))[0].amount == Decimal("0.5")


# A price that rises between question and answer -----------------------------------------------------------------------


RISING: dict[str, tuple[dict[str, Any], str, Edit]] = {
    "routee_send_sms": ({"sender": "Bluewater", "to": GREEK, "text": "Hello"}, ANALYSIS, _set("cost", to=0.5)),
    "routee_send_campaign": (
        {"sender": "Bluewater", "groups": ["Recall"], "text": "Hello", "when": "now"},
        PRICES,
        _networks(0.5),
    ),
    "routee_look_up_number": ({"to": GREEK}, PRICES, _set("lookup", "perRequest", to=0.5)),
    "routee_rent_number": ({"number": _RENT.number}, NUMBERS, _offers("monthlyCosts", 50)),
}
"""Where another price is shown once the question is out. VoiceTel's rates, read six times an hour, rise in
test_approval.py; Convirza shows no price; at Enswitch an amount is an argument, to which the approval is bound."""


@pytest.mark.parametrize("tool", RISING)
async def test_a_price_that_rises_between_question_and_answer_is_asked_again(tool: str, tmp_path: Path) -> None:
    arguments, path, edit = RISING[tool]

    class Slow(Person):
        """Says yes once the price has risen."""

        async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            edits[path] = edit
            return await super().__call__(context, params)

    person = Slow()
    async with routee_accounts.sandboxes() as sandbox, edited_answers() as (edits, http):
        _, server = server_for(routee_session.settings_before(sandbox, tmp_path), http=http)
        async with connect(server, person=person) as client:
            refused: dict[str, Any] = (await client.call_tool(tool, arguments)).structured_content or {}
            assert refused["error"] == "PriceChanged", refused
            approved, _, _ = refused["message"].removeprefix("You approved ").partition(",")
            assert approved in person.questions[0]
            assert not (await client.call_tool(tool, arguments)).is_error
        assert person.questions[1] != person.questions[0]
        sent = [row for row in await sandbox.writes() if not re.search("token|analy|search", row["path"])]
        assert len(sent) == 1


def test_convirza_shows_no_price_that_could_rise() -> None:
    assert provider_named("convirza").prices is None


@asynccontextmanager
async def _store(folder: Path) -> AsyncGenerator[Store]:
    store = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        yield store
    finally:
        await store.database.close()


async def _approved(store: Store) -> Action:
    """Return an approved action, as the guard would record it."""
    call, now = Buy(item="lamp"), datetime.now(UTC)
    action = Action(
        id=new_action_id(),
        provider="depot",
        account="depot-1",
        operation=call.spec.tool_name,
        title="Buy",
        arguments={},
        digest="d",
        principal="local:ann",
        channel="ask",
        quote=Quote(),
        state=State.PROPOSED,
        created_at=now,
        expires_at=now + timedelta(minutes=15),
    )
    await store.journal.propose(action)
    approved = await store.journal.move(action.id, {State.PROPOSED}, State.APPROVED)
    assert approved is not None
    return approved


async def _found(store: Store, action: Action) -> Action:
    found = await store.journal.find(action.id)
    assert found is not None
    return found
