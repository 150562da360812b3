"""Prepares actions for the templates: everything that is sent, uncut, worded as in the other approval channels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeGuard, cast

from clients.effects import Effect
from clients.operation import OperationType
from clients.phone_numbers import canonical
from clients.questions.differences import differences
from guard.action import Action, State
from guard.messages import headline, is_irreversible, notes_of, status_line
from guard.operator_commands import OperatorCommands
from guard.rules.optout_keywords import Wish
from guard.verification_hint import outcome_text
from server.store.optouts import MEANINGS, OptOutRequest
from server.store.reports.spending import Charged, charge_in_words
from tools.operation_catalog import RegisteredOperations
from tools.registry import operation_named

EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.PAID: "Spends money",
    Effect.DESTRUCTIVE: "Removes, overwrites, ends or uses up something",
    Effect.REROUTES: "Sends live calls or messages elsewhere",
    Effect.PRIVILEGED: "Touches credentials, access or consent",
    Effect.OUTWARD: "Reaches people outside or the provider's staff",
}

STATES: Final[Mapping[State, str]] = {
    State.PROPOSED: "Waiting",
    State.APPROVED: "Approved",
    State.DECLINED: "Declined",
    State.EXPIRED: "Expired",
    State.SENDING: "Under way",
    State.DONE: "Done",
    State.REFUSED: "Refused by the provider",
    State.UNKNOWN: "Outcome unknown",
}


_UNSENT: Final = {State.PROPOSED, State.APPROVED}
_SETTLED_BY: Final[Mapping[Wish, tuple[str, str]]] = {
    Wish.STOP: ("Send nothing more", "add"),
    Wish.UNCLEAR: ("Send nothing more", "add"),
    Wish.START: ("Send messages again", "remove"),
}

NO_WAY_BACK: Final = "Cannot be undone"

SHOWN_AT_ONCE: Final = 20
"""Entries of a list that are in sight; a page shows the others when they are opened, so that the answer stays near."""


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value in full: one line for each text of a list, or the lines of one indented JSON text."""

    lines: tuple[str, ...]
    is_one: bool = False
    is_none: bool = False

    @property
    def first(self) -> tuple[str, ...]:
        """The entries of a list that are in sight."""
        return self.lines[:SHOWN_AT_ONCE]

    @property
    def rest(self) -> tuple[str, ...]:
        """The other entries."""
        return self.lines[SHOWN_AT_ONCE:]


@dataclass(frozen=True, slots=True)
class Field:
    """A named value."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Change:
    """A value that the call changes."""

    name: str
    now: Value
    then: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionView:
    """One action, ready for the templates."""

    action: Action
    state: str
    status_line: str
    outcome: str
    """The outcome on record and, while it is unknown, how to check it."""

    answer: Value
    """The provider's answer; no lines if there was none."""

    provider: str
    what: str
    """The description of the operation; empty if it is no longer in the catalogue."""

    effects: tuple[str, ...]
    endpoint: str
    """Method and path; empty if unknown."""

    headline: str
    """What the call does and costs, in one line."""

    is_final: bool
    """True where no call undoes it."""

    no_way_back: str
    """The tag that says so."""

    amount: str
    """The amount alone, with its period."""

    price: str
    """The amount without its period, for lists."""

    charged: str
    """What it cost, as far as it is booked; empty while it was not sent."""

    is_price_unknown: bool

    quote: tuple[str, ...]
    """Where the price comes from, and what is left of the balance."""

    notes: tuple[str, ...]
    """What to check before approving."""

    arguments: tuple[Field, ...]
    before: tuple[Field, ...]
    changes: tuple[Change, ...]
    """What it changes in the state before, leaf by leaf."""

    waits: bool
    remaining: str
    seconds_left: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command that settles an opt-out request."""

    purpose: str
    line: str
    verb: str
    """What the command does: add, remove or dismiss."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """An opt-out request, ready for the templates."""

    sender: str
    meaning: str
    text: str
    """Text from outside."""

    source: str
    at: datetime
    commands: tuple[Command, ...]


def build_view(action: Action, now: datetime, charged: Charged | None = None) -> ActionView:
    """Prepare an action for the templates; `charged` is what is booked for it."""
    operation = operation_named(action.operation)
    left = max(0, int((action.expires_at - now).total_seconds()))
    return ActionView(
        action=action,
        state=STATES[action.state],
        status_line=status_line(action),
        outcome=outcome_text(action, RegisteredOperations()),
        answer=Value(tuple((action.answer or "").split("\n")) if action.answer else (), is_one=True),
        provider=operation.spec.provider.title if operation else action.provider,
        what=" ".join((operation.__doc__ or "").split()) if operation else "",
        effects=_effects(operation),
        endpoint=f"{operation.spec.method} {operation.spec.path}" if operation else "",
        headline=headline(action),
        is_final=is_final(action, operation),
        no_way_back=NO_WAY_BACK,
        amount=_amount(action),
        price=_price(action),
        charged="" if action.state in _UNSENT else charge_in_words(action, charged),
        is_price_unknown=action.quote.is_unknown,
        quote=tuple(line.removeprefix("Price unknown: ") for line in _quote_lines(action)),
        notes=notes_of(action),
        arguments=_fields(action.arguments),
        before=_fields(action.before),
        changes=_changes(action),
        waits=action.state is State.PROPOSED,
        remaining=span(left),
        seconds_left=left,
    )


def build_request(request: OptOutRequest, printed: OperatorCommands) -> RequestView:
    """Prepare an opt-out request for the templates, with the commands that settle it, as they have to be typed."""
    commands: list[Command] = []
    if canonical(request.sender) == request.sender:
        purpose, verb = _SETTLED_BY[request.wish]
        commands.append(Command(purpose, printed.line("optouts", verb, request.sender), verb))
    # A sender may be any text; after `--` it is no option.
    words = ("--", request.sender) if request.sender.startswith("-") else (request.sender,)
    commands.append(Command("Change nothing", printed.line("optouts", "dismiss", *words), "dismiss"))
    return RequestView(
        sender=request.sender,
        meaning=MEANINGS[request.wish],
        text=request.text,
        source=request.source,
        at=request.at,
        commands=tuple(commands),
    )


def is_final(action: Action, operation: OperationType | None) -> bool:
    """Return True for an action that no call undoes."""
    return is_irreversible(action) or (operation is not None and operation.spec.irreversible)


def to_value(value: Any) -> Value:
    """Convert a JSON value: text as it is, a list of texts item by item, anything else to indented JSON."""
    if value is None:
        return Value((), is_none=True)
    if isinstance(value, str):
        return Value((value,))
    if isinstance(value, list) and value and all(isinstance(item, str) for item in cast("list[object]", value)):
        return Value(tuple(cast("list[str]", value)))
    # Not splitlines(): it would also split at separators inside the values, and so hide them.
    return Value(tuple(json.dumps(value, ensure_ascii=False, indent=2, default=str).split("\n")), is_one=True)


def _changes(action: Action) -> tuple[Change, ...]:
    """Return the changes on the record; of an action from before they were recorded, those of fields of one name."""
    before: Mapping[str, Any] = action.before if is_object(action.before) else {}
    found = action.quote.changes or differences(before, action.arguments)
    return tuple(Change(one.field, to_value(one.now), to_value(one.then)) for one in found)


def _fields(value: Any) -> tuple[Field, ...]:
    if is_object(value):
        return tuple(Field(name, to_value(inner)) for name, inner in value.items())
    return (Field("state", to_value(value)),) if value else ()


def is_object(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return True for a JSON object."""
    return isinstance(value, Mapping)


def _effects(operation: OperationType | None) -> tuple[str, ...]:
    if operation is None:
        return ()
    spec = operation.spec
    words = tuple(word for effect, word in EFFECTS.items() if effect in spec.effect)
    return (*words, NO_WAY_BACK) if spec.irreversible else words


def _quote_lines(action: Action) -> list[str]:
    """Return the lines of the price and, while the action waits, of the budgets that it counts against."""
    budgets = action.quote.budget_lines() if action.state is State.PROPOSED else []
    return [*action.quote.price_lines(), *budgets]


def _price(action: Action) -> str:
    if action.quote.amount is not None:
        return f"{'at most ' if action.quote.is_bound else ''}{action.quote.amount}"
    if action.quote.up_to is not None:
        return f"up to {action.quote.up_to}"
    return "Price unknown" if action.quote.unknown else "No charge"


def _amount(action: Action) -> str:
    brief = action.quote.brief
    return brief[:1].upper() + brief[1:] if brief else "No charge"


def span(seconds: int) -> str:
    """Say how long something takes, in the largest unit that fits."""
    if seconds >= 2 * 3600:
        return f"{seconds // 3600} hours"
    if seconds >= 120:
        return f"{seconds // 60} minutes"
    return f"{seconds} seconds"
