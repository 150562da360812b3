"""A plan: an ordered list of calls that a person approves once, with everything that the approval covers.

    proposed → approved | declined | expired;  approved → running → done | failed | stopped;  stopped → running

A stopped plan goes on when it is run again; a failed one does not. A running or stopped plan, too, expires: what is
left over is then no longer sent. The digest binds principal, what
happens on a failure, when it runs, and every step in its order: provider, account, operation, exact arguments, and its
price. A plan with a time for its undo has a second plan, its undo, which is approved with it: the digest binds the
steps of that, too.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Literal

from clients.effects import Period
from guard.action import Action, Channel, State, is_of_client
from guard.money import Money
from guard.rules.quote import Quote

PLAN_ID: Final = r"plan_[a-hjkmnp-z2-9]{8}"
"""The form of a plan's id, as a regular expression."""

_PLACES_SHOWN: Final = 6

OnFailure = Literal["stop", "continue"]
"""What becomes of the other steps when one fails. An unknown outcome stops a plan either way."""


class PlanState(StrEnum):
    """Where a plan stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    RUNNING = "running"
    STOPPED = "stopped"
    """Something other than a failed step stands against going on, such as an unknown outcome."""

    FAILED = "failed"
    """A step failed, and those after it are not sent."""

    DONE = "done"

    @property
    def is_open(self) -> bool:
        """True while the plan waits for an answer or may still send something."""
        return self in {PlanState.PROPOSED, *CAN_RUN}


CAN_RUN: Final = frozenset({PlanState.APPROVED, PlanState.RUNNING, PlanState.STOPPED})
"""States from which a plan may be carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a plan. Secrets are in none of its fields."""

    position: int
    """From 1, in the order in which the steps are carried out."""

    label: str | None = None
    """Name by which later steps refer to its answer."""

    provider: str
    account: str
    """Identifies the account itself, as in its action."""

    account_name: str = ""
    """The operator's name for the account; empty for the one that is named like its provider."""

    operation: str
    """Tool name of the operation."""

    title: str
    given: Mapping[str, Any]
    """The arguments as proposed, with columns filled in: what the call is built from again when it is sent."""

    arguments: Mapping[str, Any]
    """The exact arguments as JSON values, as they are shown, digested and sent."""

    digest: str
    """The digest that its action has."""

    quote: Quote
    before: Any = None
    """The state that the call will change, as read when the plan was proposed."""

    action_id: str | None = None
    """The last action that carried it out, or tried to."""

    refusal: str | None = None
    """Why the guard did not let it be sent, where that was the last that happened."""

    is_struck: bool = False
    """True if whoever approved the plan left it out."""

    allowance_id: str | None = None
    """The allowance under which it was approved; None where a person approved the plan, or it needs nobody."""

    undoes: int | None = None
    """Of a plan that undoes another one: the position of the step there that this one undoes."""

    demanded: str | None = None
    """As of an action: what was read when the plan was proposed demanded this of the step."""

    @property
    def made_on(self) -> str:
        """The name of its account."""
        return self.account_name or self.provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Several calls under one approval, and what became of them."""

    id: str
    title: str
    """What the job is, as whoever proposed it words it."""

    reason: str = ""
    """Why, in the words of whoever proposed it. No guard input, and not in the digest."""

    principal: str
    channel: Channel
    on_failure: OnFailure
    steps: tuple[Step, ...]
    calls: str
    """Digest of the calls alone: the same calls proposed again are this plan."""

    digest: str
    """Digest of everything that the approval covers."""

    people: int | None
    """How many different numbers or recipients all steps reach together; None where that is not known."""

    seconds: int = 0
    """How long it takes because a provider limits how often it may be called; 0 where none does."""

    notes: tuple[str, ...] = ()
    """Notes about the plan as a whole; those about a step are in its quote."""

    state: PlanState
    created_at: datetime
    expires_at: datetime
    """Until when it may be approved."""

    runs_until: datetime
    """Until when its steps may be sent, once it is approved."""

    decided_by: str | None = None
    decided_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: str | None = None
    """Why it stopped, or what came of it, in a sentence."""

    at: datetime | None = None
    """When it runs, where that was asked for; otherwise it runs once it is approved."""

    until: datetime | None = None
    """When its undo runs; None where it has none."""

    zone: str | None = None
    """Name of the time zone in which its times are shown; None for UTC."""

    undo_id: str | None = None
    """The plan that undoes this one, and was approved with it."""

    undo: tuple["Step", ...] = ()
    """The steps of that plan."""

    undoes: str | None = None
    """The plan that this one undoes."""

    due_at: datetime | None = None
    """From when the server carries it out, or goes on with it; None where the assistant does."""

    decline_reason: str | None = None
    """Why it was declined, in the words of whoever declined it."""

    approvers: tuple[str, ...] = ()
    """The operators who approved it."""

    approvers_needed: int = 1
    """How many different operators have to."""

    @property
    def chosen(self) -> tuple[Step, ...]:
        """The steps that are carried out: all that were not struck."""
        return tuple(step for step in self.steps if not step.is_struck)

    @property
    def chosen_undo(self) -> tuple[Step, ...]:
        """The steps of its undo that were not struck."""
        return tuple(step for step in self.undo if not step.is_struck)

    @property
    def client_answered(self) -> bool:
        """True where the client answered, maybe without asking anybody; False for the operator's answer."""
        return is_of_client(self.decided_by)


class StepState(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    STRUCK = "struck"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    """The provider refused it; nothing was done."""

    NOT_SENT = "not sent"
    """The guard refused it when its turn came."""

    UNKNOWN = "unknown"


_BY_ACTION: Final[Mapping[State, StepState]] = {
    State.SENDING: StepState.SENDING,
    State.DONE: StepState.DONE,
    State.REFUSED: StepState.REFUSED,
    State.UNKNOWN: StepState.UNKNOWN,
}


def state_of(step: Step, action: Action | None) -> StepState:
    """Return where a step stands; `action` is the one that its `action_id` names."""
    if step.is_struck:
        return StepState.STRUCK
    if step.refusal is not None:
        return StepState.NOT_SENT
    return _BY_ACTION[action.state] if action else StepState.WAITING


@dataclass(frozen=True, slots=True)
class Amount:
    """What several steps cost together, of one account, currency and period."""

    provider: str
    money: Money
    per: Period
    is_bound: bool
    account: str = ""
    """The name of the account that pays."""


def amounts_of(steps: Iterable[Step]) -> list[Amount]:
    """Return what steps cost by account, currency and period, without those of unknown price."""
    found: dict[tuple[str, str, str, Period], Amount] = {}
    for step in steps:
        money = step.quote.amount
        if money is None:
            continue
        key = (step.provider, step.made_on, money.currency, step.quote.per)
        nothing = Money(money.amount * 0, money.currency)
        before = found.get(key, Amount(step.provider, nothing, step.quote.per, is_bound=False, account=step.made_on))
        found[key] = replace(before, money=before.money + money, is_bound=before.is_bound or step.quote.is_bound)
    return list(found.values())


def totals_of(steps: Iterable[Step]) -> dict[tuple[str, str, str], Money]:
    """Return what steps cost in all by provider, account and currency, as the caps count it."""
    found: dict[tuple[str, str, str], Money] = {}
    for amount in amounts_of(steps):
        key = (amount.provider, amount.account, amount.money.currency)
        found[key] = found[key] + amount.money if key in found else amount.money
    return found


def new_plan_id() -> str:
    """Random, short enough to read out: `plan_` and eight characters."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "plan_" + "".join(secrets.choice(alphabet) for _ in range(8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan's digest covers besides its steps."""

    principal: str
    on_failure: OnFailure
    at: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, plan: Plan) -> "Terms":
        """Take them from a plan."""
        return cls(principal=plan.principal, on_failure=plan.on_failure, at=plan.at, until=plan.until)


def digest_of_calls(steps: Sequence[Step], terms: Terms) -> str:
    """SHA-256 over the canonical JSON of the calls: the same job proposed again has the same."""
    return _sha256(_canonical(terms, {"steps": [_call(step) for step in steps]}))


def digest_of_plan(steps: Sequence[Step], terms: Terms, undo: Sequence[Step] = ()) -> str:
    """SHA-256 over the canonical JSON of what an approval covers: the calls, what they are built from, their prices.

    `undo` are the steps that undo them.
    """
    return _sha256(_covered_text(steps, terms, undo))


def digested_text(plan: Plan) -> str:
    """Return the text of which the digest of a plan is the SHA-256: with the steps that are not struck."""
    return _covered_text(plan.chosen, Terms.of(plan), plan.chosen_undo)


def asked_text(plan: Plan) -> str:
    """Return the text of which the digest of a plan was the SHA-256 before steps of it were struck."""
    return _covered_text(plan.steps, Terms.of(plan), plan.undo)


def _covered_text(steps: Sequence[Step], terms: Terms, undo: Sequence[Step]) -> str:
    covered = {"steps": [_covered(step) for step in steps]}
    return _canonical(terms, covered | ({"undo": [_covered(step) for step in undo]} if undo else {}))


def _covered(step: Step) -> dict[str, Any]:
    undoes = {"undoes": step.undoes} if step.undoes is not None else {}
    return _call(step) | {"given": dict(step.given), "price": _price(step.quote)} | undoes


def _call(step: Step) -> dict[str, Any]:
    return {
        "provider": step.provider,
        "account": step.account,
        "operation": step.operation,
        "arguments": dict(step.arguments),
        "label": step.label,
    }


def _price(quote: Quote) -> str:
    return f"{quote.amount.amount:f} {quote.amount.currency}" if quote.amount else quote.unknown and "unknown"


def _canonical(terms: Terms, covered: Mapping[str, Any]) -> str:
    """Write terms and steps as one text. A time that was not asked for is left out: plans of before have no times."""
    times = {"at": terms.at, "until": terms.until}
    plan = {
        "principal": terms.principal,
        "on_failure": terms.on_failure,
        **{name: moment.astimezone(UTC).isoformat() for name, moment in times.items() if moment is not None},
        **covered,
    }
    return json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def places(steps: Sequence[Step]) -> str:
    """Name steps by their positions: `step 3`, `steps 1-8`, `steps 1, 4, 6`."""
    spans = _spans(step.position for step in steps)
    words = [str(start) if start == end else f"{start}-{end}" for start, end in spans]
    more = f" and {len(words) - _PLACES_SHOWN} more" if len(words) > _PLACES_SHOWN else ""
    return f"step{'' if len(steps) == 1 else 's'} {', '.join(words[:_PLACES_SHOWN])}{more}"


def _spans(positions: Iterable[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for position in positions:
        if spans and spans[-1][1] + 1 == position:
            spans[-1] = (spans[-1][0], position)
        else:
            spans.append((position, position))
    return spans
