"""Tools over all providers. All of them only read, and only what is documented to cost nothing."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from guard.action import State
from guard.money import Money
from guard.rules.budget import Cap, Spent
from tools.builtin import BuiltinCall, BuiltinEffect, Reply, builtin_tool
from tools.overview.age import kept_since
from tools.overview.gather import gather
from tools.overview.optional_reads import OptionalReads
from tools.overview.place_replies import MOST_CODES, notes_on_place, searched_place, unclear_place
from tools.overview.places import FoundPlace, find_place
from tools.overview.replies import HERE, named_account, reply_with_gaps, without_none
from tools.overview.views import NOT_READ, Balance, Delivery, NumberQuery, Offer, OwnedNumber
from tools.phone_number import AnyNumber
from tools.registry import provider_names
from tools.selection import usable_accounts

TOOLSET = "overview"
MESSAGES_SHOWN = 50


def _require_installed(name: str) -> str:
    if name not in provider_names():
        raise ValueError(f"one of {', '.join(provider_names())} is expected")
    return name


class _NamesInSchema:
    """Lists the installed providers in the JSON schema, when that is built."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": list(provider_names())}


ProviderName = Annotated[str, AfterValidator(_require_installed), _NamesInSchema]


class Arguments(BaseModel):
    """Arguments of one tool; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class NumberFilter(Arguments):
    """Which numbers to list."""

    contains: str | None = Field(default=None, pattern=r"^\+?[0-9]+$", description="Only numbers with these digits.")
    provider: ProviderName | None = Field(default=None, description="Only this provider's.")
    limit: int = Field(default=25, ge=1, le=500, description="Rows to show.")
    cursor: str = Field(default="0", pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")


class OneNumber(Arguments):
    """Which number to find."""

    number: AnyNumber = Field(description="E.164.")


class AvailableNumbers(Arguments):
    """Which numbers to search for."""

    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$", description="Two letters, US if left out.")
    starts_with: str | None = Field(default=None, pattern=r"^[0-9]{1,10}$", description="Area code or leading digits.")
    place: str | None = Field(default=None, min_length=2, max_length=80, description="City or state, instead.")
    limit: int = Field(default=10, ge=1, le=100, description="How many of each provider.")

    @model_validator(mode="after")
    def _searches_by_one_of_them(self) -> Self:
        """Give starts_with or place, not both."""
        if self.starts_with is not None and self.place is not None:
            raise ValueError("give starts_with or place, not both")
        return self


class Period(Arguments):
    """Which days to report on."""

    days: int = Field(default=30, ge=1, le=366, description="How far back.")


class MessageQuery(Arguments):
    """Which message to look up."""

    message: str | None = Field(default=None, max_length=80, description="Id from the receipt.")
    number: AnyNumber | None = Field(default=None, description="Recipient, or the number of ours that sent it.")


class NoArguments(Arguments):
    """No arguments."""


@builtin_tool(
    "list_all_numbers",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=NumberFilter,
    synonyms=("own numbers", "our numbers", "dids", "inventory", "we have", "company numbers"),
)
async def list_all_numbers(query: NumberFilter, call: BuiltinCall) -> Reply:
    """List the company's numbers at all providers, and where calls go."""
    views = call.services.views(call.session)
    wanted = {name: view for name, view in views.items() if query.provider in (None, call.services.provider_of(name))}
    gathered = await gather(wanted, lambda view: view.numbers(), call.session)
    every = [(account, one) for account, found in gathered.found.items() for one in found]
    numbers = sorted(
        (row for row in every if (query.contains or "") in row[1].number), key=lambda row: (row[1].number, row[0])
    )
    start = int(query.cursor)
    content: dict[str, Any] = {
        "total": len(numbers),
        "by_provider": dict(Counter(one.provider for _, one in numbers)),
        "calls_to": dict(Counter(one.calls_to or "nowhere" for _, one in numbers).most_common(5)),
        "numbers": [_row(one, named_account(call, account)) for account, one in numbers[start : start + query.limit]],
    }
    if start + query.limit < len(numbers):
        content["next_cursor"] = str(start + query.limit)
    return reply_with_gaps(content, gathered, call, rows="numbers")


@builtin_tool(
    "find_number",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=OneNumber,
    synonyms=("where does it ring", "everything about a number", "whose provider", "details", "show number"),
)
async def find_number(query: OneNumber, call: BuiltinCall) -> Reply:
    """Show a number's provider, route, texting, 911 and cost, and what forwards to it."""
    views = call.services.views(call.session)
    gathered = await gather(views, lambda view: view.number(query.number), call.session)
    found = [
        _row(details.number, named_account(call, account)) | without_none(details.more)
        for account, details in gathered.found.items()
        if details is not None
    ]
    owned = await gather(views, lambda view: view.numbers())
    forwarding = [
        {"number": one.number, "provider": one.provider, **named_account(call, account)}
        for account, numbers in owned.found.items()
        for one in numbers
        if query.number in (one.calls_to or "")
    ]
    content: dict[str, Any] = {"number": query.number, "found": found}
    if forwarding:
        content["calls_come_from"] = forwarding
    if not found and not gathered.gaps:
        content["note"] = "No provider that is set up has this number."
    return reply_with_gaps(content, gathered.with_gaps_of(owned, for_what="calls_come_from"), call)


@builtin_tool(
    "find_available_numbers",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=AvailableNumbers,
    synonyms=("new number", "buy", "order", "rent", "area code", "free numbers", "get a number", "country"),
)
async def find_available_numbers(query: AvailableNumbers, call: BuiltinCall) -> Reply:
    """Search the numbers that all providers sell, cheapest first."""
    if query.place is not None:
        found = find_place(query.place, query.country)
        if found.place is None:
            return unclear_place(query.place, found)
        return await _find_offers(call, query, found.place.country, found.place.codes[:MOST_CODES], found)
    prefixes = (query.starts_with,) if query.starts_with else ()
    return await _find_offers(call, query, query.country or "US", prefixes)


async def _find_offers(
    call: BuiltinCall, query: AvailableNumbers, country: str, prefixes: tuple[str, ...], found: FoundPlace | None = None
) -> Reply:
    wanted = NumberQuery(country, prefixes, query.limit)
    gathered = await gather(call.services.views(call.session), lambda view: view.offers(wanted), call.session)
    offers = [(account, offer) for account, sold in gathered.found.items() for offer in sold[: query.limit]]
    offers.sort(key=lambda row: (_by_price(row[1]), row[0]))
    notes: list[str] = []
    if len({offer.monthly.currency for _, offer in offers if offer.monthly}) > 1:
        notes.append("Prices in different currencies are sorted by currency; they are not converted.")
    rows = [
        _offer(offer, is_read=not gathered.lacks(account, "monthly")) | named_account(call, account)
        for account, offer in offers
    ]
    searched = searched_place(found) if found else {}
    notes += notes_on_place(found) if found else []
    return reply_with_gaps({**searched, "numbers": rows}, gathered, call, rows="numbers", notes=notes)


@builtin_tool(
    "account_overview",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=NoArguments,
    synonyms=("balance", "money", "credit left", "funds", "account"),
)
async def account_overview(query: NoArguments, call: BuiltinCall) -> Reply:
    """Show balances, spending this month, pending approvals, and budgets left."""
    services, now = call.services, call.services.clock.now()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    gathered = await gather(services.views(call.session), lambda view: view.balances(), call.session)
    record = OptionalReads()
    budgets = await record.read(_budgets(call, month, now), shows="budgets")
    content: dict[str, Any] = {
        "balances": [
            _balance(balance, now, named_account(call, account))
            for account, found in gathered.found.items()
            for balance in found
        ],
        "spent_here_this_month": await record.read(_recorded(call, month, now), shows="spent_here_this_month"),
        "waiting_for_approval": await record.read(_waiting(call, now), shows="waiting_for_approval"),
        "budgets": budgets,
    }
    hidden = any("left" not in row for row in budgets or [])
    notes = ["Others spend under these budgets too, so what is left is not shown."] if hidden else []
    return reply_with_gaps(without_none(content), gathered.with_gaps(HERE, record.gaps), call, notes=notes)


@builtin_tool(
    "spend_report",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=Period,
    synonyms=("cost", "costs", "bill", "how much do we spend", "monthly", "expenses", "fees"),
)
async def spend_report(query: Period, call: BuiltinCall) -> Reply:
    """Report what was spent, by provider and kind."""
    until = call.services.clock.now()
    since = until - timedelta(days=query.days)
    gathered = await gather(call.services.views(call.session), lambda view: view.spending(since, until), call.session)
    rows = [
        {"provider": one.provider, **named_account(call, account), "what": one.what, "amount": str(one.amount)}
        | {"count": one.count}
        | ({"age": kept_since(one.kept_since, now=until)} if one.kept_since else {})
        for account, found in gathered.found.items()
        for one in found
    ]
    record = OptionalReads()
    content: dict[str, Any] = {
        "since": since.isoformat(timespec="minutes"),
        "until": until.isoformat(timespec="minutes"),
        "reported_by_providers": [without_none(row) for row in rows],
        "recorded_by_this_server": await record.read(_recorded(call, since, until), shows="recorded_by_this_server"),
    }
    notes = ["The two overlap: the providers' reports include what this server sent."]
    if not call.services.shares_spending:
        notes.append("Recorded is what you spent; the providers report on the whole account.")
    return reply_with_gaps(without_none(content), gathered.with_gaps(HERE, record.gaps), call, notes=notes)


@builtin_tool(
    "message_status",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=MessageQuery,
    synonyms=("delivered", "arrive", "did it arrive", "receipt", "sms status"),
)
async def message_status(query: MessageQuery, call: BuiltinCall) -> Reply:
    """Show the state, price and time of a text message."""
    until = call.services.clock.now()
    since = until - timedelta(days=7)
    gathered = await gather(
        call.services.views(call.session),
        lambda view: view.deliveries(query.message, query.number, since, until),
        call.session,
    )
    rows = [_delivery(one) | named_account(call, account) for account, found in gathered.found.items() for one in found]
    if query.message is not None and rows:
        gathered = gathered.without_gaps()  # the one message is found, so no other provider has it
    return reply_with_gaps({"messages": rows[:MESSAGES_SHOWN]}, gathered, call, rows="messages")


TOOLS = (list_all_numbers, find_number, find_available_numbers, account_overview, spend_report, message_status)


async def _recorded(call: BuiltinCall, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Sum what the caller spent; what all spent, if the operator lets them see it."""
    principal = None if call.services.shares_spending else call.session.principal.name
    totals = await call.services.ledger.totals(since, until, principal=principal)
    several = {name for name in call.services.set_up if len(call.services.accounts_of(name)) > 1}
    return [
        {"provider": one.provider}
        | ({"account": one.account} if one.provider in several else {})
        | {"operation": one.operation, "amount": str(one.amount), "calls": one.calls}
        for one in totals
        if call.session.may_use(one.account)
    ]


async def _waiting(call: BuiltinCall, now: datetime) -> list[dict[str, str]]:
    """List the caller's actions that wait for an answer."""
    principal = call.session.principal.name
    waiting = await call.services.journal.latest(50, states={State.PROPOSED}, principal=principal)
    return [
        {"action": one.id, "what": one.title}
        for one in waiting
        if one.expires_at > now and call.session.may_use(one.made_on)
    ]


async def _budgets(call: BuiltinCall, month: datetime, now: datetime) -> list[dict[str, str]]:
    """List the budgets with what is left of them, where the caller may see what others spend."""
    services = call.services
    caps = [cap for cap in services.caps if cap.window != "action" and _is_in_reach(cap, call)]
    spent = await services.journal.spent(caps, now)
    is_shown = services.shares_spending or not await services.ledger.others_spent(call.session.principal.name, month)
    return [{"budget": one.cap.words, **(_left_of(one) if is_shown else {})} for one in spent]


def _is_in_reach(cap: Cap, call: BuiltinCall) -> bool:
    """Return True unless a cap counts only what is spent where the session may make no call."""
    if cap.account is not None:
        return call.session.may_use(cap.account)
    return (
        cap.provider is None
        or bool(usable_accounts(cap.provider, call.session, call.services))
        or (cap.provider not in call.services.set_up)
    )


def _left_of(one: Spent) -> dict[str, str]:
    return {"left": str(Money(one.cap.limit.amount - one.amount, one.cap.limit.currency))}


def _row(one: OwnedNumber, account: dict[str, str]) -> dict[str, Any]:
    row = {
        "number": one.number,
        "provider": one.provider,
        **account,
        "calls_to": one.calls_to,
        "texts": one.texts,
        "monthly": str(one.monthly) if one.monthly else None,
        "name": one.name,
    }
    return without_none(row)


def _offer(offer: Offer, *, is_read: bool) -> dict[str, Any]:
    without_price = "price not published" if is_read else NOT_READ
    row = {
        "number": offer.number,
        "provider": offer.provider,
        "place": offer.place,
        "activation": str(offer.activation) if offer.activation else None,
        "monthly": str(offer.monthly) if offer.monthly else without_price,
        "order_with": offer.order_with,
    }
    return without_none(row)


def _delivery(one: Delivery) -> dict[str, Any]:
    row = {
        "provider": one.provider,
        "message": one.message,
        "to": one.to,
        "state": one.state,
        "price": str(one.price) if one.price else None,
        "at": one.at.isoformat(timespec="seconds") if one.at else None,
    }
    return without_none(row)


def _by_price(offer: Offer) -> tuple[bool, str, Any, str]:
    if offer.monthly is None:
        return True, "", 0, offer.number
    return False, offer.monthly.currency, offer.monthly.amount, offer.number


def _balance(balance: Balance, now: datetime, account: dict[str, str]) -> dict[str, Any]:
    row = {"provider": balance.provider, **account, "of": balance.of, "amount": str(balance.amount)}
    return row | ({"age": kept_since(balance.kept_since, now=now)} if balance.kept_since else {})
