"""The tools over all providers. All of them only read, and only at what is documented to cost nothing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import phonenumbers
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from guard.action import Principal, State
from guard.money import Money
from guard.rules.budget import Cap
from server.mcp.results import shown
from tools.builtin import PROVIDER_READ, Outcome, builtin_tool
from tools.overview.gather import Gathered, gather
from tools.overview.views import Delivery, NumberQuery, Offer, OwnedNumber, View

if TYPE_CHECKING:
    from guard.journal import Journal

Provider = Literal["voicetel", "routee", "convirza", "enswitch"]


def _e164(value: str) -> str:
    text = value.strip()
    try:
        parsed = phonenumbers.parse(text, None if text.startswith("+") else "US")
    except phonenumbers.NumberParseException:
        raise ValueError("a telephone number is expected in E.164, such as +12015550123") from None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


AnyNumber = Annotated[str, AfterValidator(_e164)]


class Spent(Protocol):
    """What calls of one operation cost."""

    @property
    def provider(self) -> str: ...

    @property
    def operation(self) -> str: ...

    @property
    def amount(self) -> Money: ...

    @property
    def calls(self) -> int: ...


class Ledger(Protocol):
    """The record of what guarded calls cost."""

    async def totals(self, since: datetime, until: datetime) -> Sequence[Spent]:
        """Sums by provider and operation."""
        ...


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Listing(_Asked):
    """Arguments of list_all_numbers."""

    contains: str | None = Field(default=None, pattern=r"^\+?[0-9]+$", description="Only numbers with these digits.")
    provider: Provider | None = Field(default=None, description="Only this provider's.")
    limit: int = Field(default=25, ge=1, le=500, description="Rows to show.")
    cursor: str = Field(default="0", pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")


class Finding(_Asked):
    """Arguments of find_number."""

    number: AnyNumber = Field(description="E.164.")


class Searching(_Asked):
    """Arguments of find_available_numbers."""

    country: str = Field(default="US", pattern=r"^[A-Z]{2}$", description="Two letters.")
    starts_with: str | None = Field(default=None, pattern=r"^[0-9]{1,10}$", description="Area code or leading digits.")
    limit: int = Field(default=10, ge=1, le=100, description="How many of each provider.")


class Spanning(_Asked):
    """Arguments of spend_report."""

    days: int = Field(default=30, ge=1, le=366, description="How far back.")


class Following(_Asked):
    """Arguments of message_status."""

    message: str | None = Field(default=None, max_length=80, description="Id from the receipt.")
    number: AnyNumber | None = Field(default=None, description="Recipient; at VoiceTel the number of ours.")


class Nothing(_Asked):
    """No arguments."""


class OverviewHandlers:
    """Answers from all providers that are set up."""

    def __init__(
        self,
        *,
        views: Callable[[], Mapping[str, View]],
        not_set_up: Sequence[str],
        journal: "Callable[[], Journal]",
        spending: "Callable[[], Ledger]",
        caps: Sequence[Cap],
        principal: Callable[[Context[Any, Any]], Principal],
        now: Callable[[], datetime],
    ) -> None:
        self._views = views
        self._not_set_up = list(not_set_up)
        self._journal = journal
        self._spending = spending
        self._caps = caps
        self._principal = principal
        self._now = now

    async def list_numbers(self, asked: Listing, context: Context[Any, Any]) -> Outcome:
        """Every number, a page at a time, with how many there are where."""
        views = {name: view for name, view in self._views().items() if asked.provider in (None, name)}
        gathered = await gather(views, lambda view: view.numbers())
        lines = sorted((line for found in gathered.found.values() for line in found), key=lambda line: line.number)
        lines = [line for line in lines if (asked.contains or "") in line.number]
        start = int(asked.cursor)
        page = lines[start : start + asked.limit]
        told: dict[str, Any] = {
            "total": len(lines),
            "by_provider": dict(Counter(line.provider for line in lines)),
            "calls_to": dict(Counter(line.calls_to or "nowhere" for line in lines).most_common(5)),
            "numbers": [_row(line) for line in page],
        }
        if start + asked.limit < len(lines):
            told["next_cursor"] = str(start + asked.limit)
        return self._answer(told, gathered, rows="numbers")

    async def find(self, asked: Finding, context: Context[Any, Any]) -> Outcome:
        """Where one number lives, what it does, and what it costs."""
        gathered = await gather(self._views(), lambda view: view.number(asked.number))
        found = [
            {**_row(details.line), **{name: value for name, value in details.more.items() if value is not None}}
            for details in gathered.found.values()
            if details is not None
        ]
        pointing = await gather(self._views(), lambda view: view.numbers())
        leading = [line for lines in pointing.found.values() for line in lines if asked.number in (line.calls_to or "")]
        told: dict[str, Any] = {"number": asked.number, "found": found}
        if leading:
            told["calls_come_from"] = [{"number": line.number, "provider": line.provider} for line in leading]
        if not found and not gathered.gaps:
            told["note"] = "No provider that is set up has it on the account."
        return self._answer(told, gathered.and_without(pointing))

    async def offers(self, asked: Searching, context: Context[Any, Any]) -> Outcome:
        """Numbers that can be had, cheapest first, those without a published price last."""
        wanted = NumberQuery(asked.country, asked.starts_with, asked.limit)
        gathered = await gather(self._views(), lambda view: view.offers(wanted))
        offers = [offer for found in gathered.found.values() for offer in found[: asked.limit]]
        offers.sort(key=_cheapest_first)
        notes: list[str] = []
        if len({offer.monthly.currency for offer in offers if offer.monthly}) > 1:
            notes.append("Prices in different currencies are sorted by currency; they are not converted.")
        return self._answer({"numbers": [_offer(offer) for offer in offers]}, gathered, rows="numbers", notes=notes)

    async def account(self, asked: Nothing, context: Context[Any, Any]) -> Outcome:
        """Balances, what was spent this month through this server, what waits, and what the budget leaves."""
        gathered = await gather(self._views(), lambda view: view.balances())
        now = self._now()
        waiting = await self._journal().latest(50, states={State.PROPOSED}, principal=self._principal(context).name)
        budgets = [
            {
                "budget": spent.cap.words,
                "left": str(Money(spent.cap.limit.amount - spent.amount, spent.cap.limit.currency)),
            }
            for spent in await self._journal().spent([cap for cap in self._caps if cap.window != "action"], now)
        ]
        told: dict[str, Any] = {
            "balances": [
                {"provider": balance.provider, "of": balance.of, "amount": str(balance.amount)}
                for found in gathered.found.values()
                for balance in found
            ],
            "spent_here_this_month": await self._spent_here(now.replace(day=1, hour=0, minute=0, second=0), now),
            "waiting_for_approval": [{"action": one.id, "what": one.title} for one in waiting if one.expires_at > now],
            "budgets": budgets,
        }
        return self._answer(told, gathered)

    async def spend(self, asked: Spanning, context: Context[Any, Any]) -> Outcome:
        """What was spent, by provider and kind: as the provider reports it, and as this server recorded it."""
        until = self._now()
        since = until - timedelta(days=asked.days)
        gathered = await gather(self._views(), lambda view: view.spending(since, until))
        rows = [
            {"provider": one.provider, "what": one.what, "amount": str(one.amount), "count": one.count}
            for found in gathered.found.values()
            for one in found
        ]
        told: dict[str, Any] = {
            "since": since.isoformat(timespec="minutes"),
            "until": until.isoformat(timespec="minutes"),
            "reported_by_providers": [{key: value for key, value in row.items() if value is not None} for row in rows],
            "recorded_by_this_server": await self._spent_here(since, until),
        }
        return self._answer(
            told, gathered, notes=["The two overlap: what this server sent is in the providers' reports too."]
        )

    async def message(self, asked: Following, context: Context[Any, Any]) -> Outcome:
        """What became of a message, or of the latest to a number."""
        until = self._now()
        since = until - timedelta(days=7)
        gathered = await gather(self._views(), lambda view: view.deliveries(asked.message, asked.number, since, until))
        rows = [_delivery(one) for found in gathered.found.values() for one in found]
        return self._answer({"messages": rows[:50]}, gathered, rows="messages")

    async def _spent_here(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        totals = await self._spending().totals(since, until)
        return [
            {"provider": one.provider, "operation": one.operation, "amount": str(one.amount), "calls": one.calls}
            for one in totals
        ]

    def _answer(
        self, told: dict[str, Any], gathered: Gathered[Any], *, rows: str | None = None, notes: Sequence[str] = ()
    ) -> CallToolResult:
        if gathered.gaps:
            told["missing"] = [{"provider": gap.provider, "why": gap.why} for gap in gathered.gaps]
        if self._not_set_up:
            told["not_set_up"] = self._not_set_up
        return shown(told, notes, rows=rows)


def _row(line: OwnedNumber) -> dict[str, Any]:
    row = {
        "number": line.number,
        "provider": line.provider,
        "calls_to": line.calls_to,
        "texts": line.texts,
        "monthly": str(line.monthly) if line.monthly else None,
        "name": line.name,
    }
    return {name: value for name, value in row.items() if value is not None}


def _offer(offer: Offer) -> dict[str, Any]:
    row = {
        "number": offer.number,
        "provider": offer.provider,
        "place": offer.place,
        "activation": str(offer.activation) if offer.activation else None,
        "monthly": str(offer.monthly) if offer.monthly else "price not published",
        "order_with": offer.order_with,
    }
    return {name: value for name, value in row.items() if value is not None}


def _delivery(one: Delivery) -> dict[str, Any]:
    row = {
        "provider": one.provider,
        "message": one.message,
        "to": one.to,
        "state": one.state,
        "price": str(one.price) if one.price else None,
        "at": one.at.isoformat(timespec="seconds") if one.at else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _cheapest_first(offer: Offer) -> tuple[bool, str, Any, str]:
    if offer.monthly is None:
        return True, "", 0, offer.number
    return False, offer.monthly.currency, offer.monthly.amount, offer.number


def overview_tools(desk: OverviewHandlers) -> list[Tool]:
    """The tools over all providers."""
    return [
        builtin_tool(
            "list_all_numbers",
            "List the company's numbers at all providers, and where calls go.",
            Listing,
            desk.list_numbers,
            PROVIDER_READ,
            synonyms=("own numbers", "our numbers", "dids", "inventory", "we have", "company numbers"),
        ),
        builtin_tool(
            "find_number",
            "Show where a number lives, its route, texting, 911 and cost, and what forwards to it.",
            Finding,
            desk.find,
            PROVIDER_READ,
            synonyms=("where does it ring", "everything about a number", "whose provider", "details", "show number"),
        ),
        builtin_tool(
            "find_available_numbers",
            "Search the numbers that all providers sell, cheapest first.",
            Searching,
            desk.offers,
            PROVIDER_READ,
            synonyms=("new number", "buy", "order", "rent", "area code", "free numbers", "get a number", "country"),
        ),
        builtin_tool(
            "account_overview",
            "Show balances, spending this month, what waits for approval, and budgets left.",
            Nothing,
            desk.account,
            PROVIDER_READ,
            synonyms=("balance", "money", "credit left", "funds", "account"),
        ),
        builtin_tool(
            "spend_report",
            "Report what was spent, by provider and kind.",
            Spanning,
            desk.spend,
            PROVIDER_READ,
            synonyms=("cost", "costs", "bill", "how much do we spend", "monthly", "expenses", "fees"),
        ),
        builtin_tool(
            "message_status",
            "Show what became of a text message: state, price and time.",
            Following,
            desk.message,
            PROVIDER_READ,
            synonyms=("delivered", "arrive", "did it arrive", "receipt", "sms status"),
        ),
    ]
