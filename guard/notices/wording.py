"""Words notices: one for everything that an event is about at a moment. Deterministic in what it is given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from guard.action import Action
from guard.allowances.allowance import AllowanceRequest
from guard.messages import requester
from guard.money import Money
from guard.notices.event import Event
from guard.notices.notice import TEST, Notice
from guard.notices.safe_text import safe_name, safe_title
from guard.operator_commands import OperatorCommands
from guard.operators.approval import approvals_line
from guard.plans.plan import Plan
from guard.rules.quote import Quote
from guard.rules.time_zones import load_zone

LISTED: Final = 5
"""How many of several a notice names by themselves."""

Kind = Literal["call", "plan", "allowance request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An action, a plan or an allowance request, as notices name it."""

    id: str
    kind: Kind
    line: str
    """What it is and what it costs, in one line."""

    requester: str
    amounts: tuple[Money, ...] = ()
    is_price_unknown: bool = False
    expires_at: datetime | None = None
    decided_by: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContext:
    """What a notice needs to know beside what it is about."""

    now: datetime
    zone: str | None = None
    """IANA name of the operator's zone; None for UTC."""

    page: str | None = None
    """URL of the approval page; None where nobody knows one that people reach."""

    commands: OperatorCommands = field(default_factory=OperatorCommands)
    """How the operator's commands are printed."""

    def link(self, *ids: str) -> str | None:
        """Return the URL of one action or plan, or of the page where several are listed."""
        shows_one = len(ids) == 1 and not ids[0].startswith("alreq_")
        return f"{self.page}/{ids[0]}" if self.page and shows_one else self.page

    def time(self, moment: datetime) -> str:
        """Word a time of today, in the operator's zone and in UTC."""
        found = load_zone(self.zone) if self.zone else None
        in_utc = f"{moment.astimezone(UTC):%H:%M} UTC"
        return f"{moment.astimezone(found):%H:%M} in {self.zone} ({in_utc})" if found else in_utc


def item_of_action(action: Action) -> Item:
    """Return an action as notices name it."""
    return Item(
        id=action.id,
        kind="call",
        line=_line(safe_title(action.title), action.quote.brief) + _answers_to(action),
        requester=safe_name(requester(action.principal)),
        amounts=_amounts([action.quote]),
        is_price_unknown=action.quote.is_unknown,
        expires_at=action.expires_at,
        decided_by=safe_name(action.decided_by or ""),
        decided_at=action.decided_at,
    )


def item_of_plan(plan: Plan, *, expires_at: datetime) -> Item:
    """Return a plan as notices name it: by its calls, because its title is the assistant's words."""
    steps = [*plan.chosen, *plan.chosen_undo]
    quotes = [step.quote for step in steps]
    most = "at most " if any(quote.is_bound for quote in quotes) else ""
    amounts = _amounts(quotes)
    is_unknown = any(quote.is_unknown for quote in quotes)
    price = f"{most}{_total(amounts, is_price_unknown=is_unknown)}" if amounts or is_unknown else ""
    first = safe_title(plan.chosen[0].title) if plan.chosen else ""
    return Item(
        id=plan.id,
        kind="plan",
        line=_line(f"a plan of {_count(len(plan.chosen), 'call')}", price)
        + _answers_to(plan)
        + (f"; the first: {first}" if first else ""),
        requester=safe_name(requester(plan.principal)),
        amounts=amounts,
        is_price_unknown=is_unknown,
        expires_at=expires_at,
        decided_by=safe_name(plan.decided_by or ""),
        decided_at=plan.decided_at,
    )


def item_of_request(request: AllowanceRequest) -> Item:
    """Return a request for an allowance as notices name it; its conditions and its reason are on the page alone."""
    terms = request.terms
    return Item(
        id=request.id,
        kind="allowance request",
        line=f"an allowance for {safe_title(terms.operation)}, at most {terms.limits}",
        requester=safe_name(requester(terms.principal)),
    )


def waiting_notice(items: Sequence[Item], context: NoticeContext) -> Notice:
    """Word that something waits for approval."""
    head = f"{_kinds(items)} {'waits' if len(items) == 1 else 'wait'} for approval"
    expiries = [item.expires_at for item in items if item.expires_at]
    return _notice(
        Event.WAITS,
        f"Waits for approval: {items[0].line}" if len(items) == 1 else _line(head, _total_of(items)),
        [
            *_listed(items),
            _requested_by(items),
            *_left(expiries, context),
            *([] if context.page else ["`ringfence approvals list` shows it."]),
        ],
        context,
        items,
    )


def not_picked_up_notice(items: Sequence[Item], context: NoticeContext) -> Notice:
    """Word that something was approved and the assistant does not carry it out."""
    deciders = _names(item.decided_by for item in items)
    waited = min((item.decided_at for item in items if item.decided_at), default=context.now)
    asked = _names(item.requester for item in items)
    head = f"{_kinds(items)} approved and not carried out"
    expiries = [item.expires_at for item in items if item.expires_at]
    return _notice(
        Event.NOT_PICKED_UP,
        f"Approved and not carried out: {items[0].line}" if len(items) == 1 else head,
        [
            *_listed(items),
            f"Approved {_span(context.now - waited)} ago: {deciders}. Ask the assistant of {asked} to go on.",
            *_left(expiries, context),
        ],
        context,
        items,
    )


def unknown_notice(items: Sequence[Item], context: NoticeContext) -> Notice:
    """Word that calls were sent and nobody knows whether they took effect."""
    items = [replace(item, expires_at=None) for item in items]  # its approval is used
    one = len(items) == 1
    named = items[0].id if one else "ACTION_ID"
    return _notice(
        Event.UNKNOWN,
        f"Outcome unknown: {items[0].line}" if one else f"Outcome unknown: {_kinds(items)}",
        [
            *_listed(items),
            "The request was sent, and no clear answer came. Ringfence does not send it again, and checks at the "
            f"provider what became of it. `ringfence actions show {named}` says how it stands.",
            _requested_by(items),
        ],
        context,
        items,
    )


def cap_notice(reached: Sequence[Mapping[str, str]], context: NoticeContext) -> Notice:
    """Word that budgets are used by much; `reached` are the facts of each, as `facts_of_cap` writes them."""
    lines: list[str] = []
    for one in reached:
        used = f"{one['spent']} of {one['budget']}, {one['left']} left."
        lines.append(f"{'Used up' if one['percent'] == '100' else one['percent'] + '% used'}: {used}")
    first = reached[0]
    used_up = any(one["percent"] == "100" for one in reached)
    title = "A budget is used up" if used_up else f"A budget is used by {first['percent']}%"
    ending = ["Calls that cost more than is left are refused."]
    return _notice(Event.CAP, f"{title}: {first['budget']}", [*lines, *ending], context, facts=dict(first))


def freeze_notice(event: Event, by: str, context: NoticeContext, at: datetime) -> Notice:
    """Word that everything was stopped, or goes on."""
    frozen = event is Event.FROZEN
    title = "Frozen: every guarded call is refused" if frozen else "Resumed: guarded calls can be made again"
    who = f"By {safe_name(by)}, at {context.time(at)}."
    ending = ["`ringfence unfreeze` resumes."] if frozen else []
    return _notice(event, title, [who, *ending], context, facts={"by": safe_name(by)})


def sign_in_notice(who: Sequence[str], context: NoticeContext, at: datetime) -> Notice:
    """Word that somebody signed in where nobody did before."""
    return _notice(
        Event.SIGN_IN,
        "Sign-in to the approval page from a new browser",
        [
            f"{_names(map(safe_name, who))}, at {context.time(at)}.",
            "If that was nobody of yours, `ringfence approvals passcode --reset` ends every session.",
        ],
        context,
        facts={"by": _names(map(safe_name, who))},
    )


def trial_notice(context: NoticeContext) -> Notice:
    """Word a notice that only tries a channel."""
    return _notice(TEST, "Ringfence can reach you here", ["This is a test; nothing waits."], context)


def _notice(
    event: str,
    title: str,
    lines: Sequence[str],
    context: NoticeContext,
    items: Sequence[Item] = (),
    *,
    facts: dict[str, str] | None = None,
) -> Notice:
    expiries = [item.expires_at for item in items if item.expires_at]
    ids = tuple(item.id for item in items)
    return Notice(
        event=event,
        title=f"Sandbox: {title}" if context.commands.is_sandbox else title,
        lines=tuple(context.commands.complete(line) for line in lines),
        at=context.now,
        ids=ids,
        amounts=_sum(amount for item in items for amount in item.amounts),
        is_price_unknown=any(item.is_price_unknown for item in items),
        requesters=tuple(dict.fromkeys(item.requester for item in items)),
        expires_at=min(expiries, default=None),
        link=context.link(*ids),
        facts=facts or {},
    )


def _answers_to(asked: Action | Plan) -> str:
    """Say who approved and how many are missing, where several have to; empty otherwise."""
    line = approvals_line(asked) if asked.approvers else ""
    return f" ({line.rstrip('.')})" if line else ""


def _listed(items: Sequence[Item]) -> list[str]:
    """Name each of several, one line each; a single one stands in the title."""
    if len(items) == 1:
        return []
    more = len(items) - LISTED
    return [*(f"- {item.line}" for item in items[:LISTED]), *([f"- and {more} more"] if more > 0 else [])]


def _requested_by(items: Sequence[Item]) -> str:
    return f"Requested by {_names(item.requester for item in items)}."


def _left(expiries: Sequence[datetime], context: NoticeContext) -> list[str]:
    """Say how long is left until the first of several expires."""
    if not expiries:
        return []
    first = min(expiries)
    whose = "" if len(expiries) == 1 else " for the first"
    return [f"{_span(first - context.now)} left{whose}, until {context.time(first)}."]


def _span(span: timedelta) -> str:
    minutes = max(0, int(span / timedelta(minutes=1)))
    if minutes == 0:
        return "less than a minute"
    return _count(minutes, "minute") if minutes < 120 else _count(minutes // 60, "hour")


def _kinds(items: Sequence[Item]) -> str:
    """Count several by what they are: `12 calls and 1 plan`."""
    kinds: dict[str, int] = {}
    for item in items:
        kinds[item.kind] = kinds.get(item.kind, 0) + 1
    return _join([_count(number, kind) for kind, number in kinds.items()])


def _total_of(items: Sequence[Item]) -> str:
    amounts = _sum(amount for item in items for amount in item.amounts)
    is_unknown = any(item.is_price_unknown for item in items)
    return _total(amounts, is_price_unknown=is_unknown) if amounts or is_unknown else ""


def _total(amounts: Sequence[Money], *, is_price_unknown: bool) -> str:
    known = f"{_join([str(amount) for amount in amounts])} in all" if amounts else ""
    if not is_price_unknown:
        return known
    return f"{known} and what has no known price" if known else "price unknown"


def _amounts(quotes: Iterable[Quote]) -> tuple[Money, ...]:
    return _sum(quote.amount for quote in quotes if quote.amount is not None)


def _sum(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """Add up amounts by currency."""
    totals: dict[str, Money] = {}
    for amount in amounts:
        before = totals.get(amount.currency)
        totals[amount.currency] = before + amount if before else amount
    return tuple(totals.values())


def _line(text: str, price: str) -> str:
    return f"{text}, {price}" if price else text


def _names(names: Iterable[str]) -> str:
    return _join(list(dict.fromkeys(name for name in names if name)))


def _join(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else noun + 's'}"
