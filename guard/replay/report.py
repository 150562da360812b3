"""What other rules would have changed: calls grouped by operation and by what becomes of them, with their money."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from guard.allowances.allowance import Allowance
from guard.allowances.conditions import Relation
from guard.errors import GuardRefusal
from guard.money import Money
from guard.replay.recorded import RecordedCall, Verdict
from guard.replay.replay import Replayed

EXAMPLES: Final = 3
"""How many calls of a group are named."""

_KINDS: Final = {
    "Denied": "policy",
    "OverBudget": "budget",
    "DestinationRefused": "destination, hour or person",
    "BadDestination": "destination",
}


@dataclass(slots=True)
class Sum:
    """Several calls together."""

    calls: int = 0
    amounts: Counter[str] = field(default_factory=Counter[str])
    """Whole billionths by currency: sums are exact."""

    unpriced: int = 0
    """Of the calls, those of unknown price."""

    def add(self, one: Replayed) -> None:
        """Add a call."""
        self.calls += 1
        if one.amount is not None:
            self.amounts[one.amount.currency] += int(one.amount.amount * _BILLION)
        elif one.call.action.quote.is_unknown:
            self.unpriced += 1

    @property
    def money(self) -> list[Money]:
        """What they cost at most, by currency."""
        return [Money(Decimal(amount) / _BILLION, currency) for currency, amount in sorted(self.amounts.items())]

    def __str__(self) -> str:
        known = [str(money) for money in self.money]
        unknown = [f"{self.unpriced} of unknown price"] if self.unpriced else []
        return " and ".join([*known, *unknown]) or "free"


_BILLION: Final = Decimal(10) ** 9


@dataclass(slots=True)
class Change:
    """Calls of one operation of which the same becomes otherwise than then."""

    operation: str
    then: Verdict
    now: Verdict
    because: str
    """What refuses them, in a word; empty where nothing does."""

    sum: Sum = field(default_factory=Sum)
    examples: list[str] = field(default_factory=list[str])
    """Names of some of them."""

    refusal: str = ""
    """Why the first of them is refused, as the guard would say it."""


@dataclass(slots=True)
class Report:
    """What rules would have changed in a span of time."""

    since: datetime
    until: datetime
    replayed: int = 0
    changes: dict[tuple[str, Verdict, Verdict, str], Change] = field(
        default_factory=dict[tuple[str, Verdict, Verdict, str], Change]
    )
    verdicts: dict[tuple[Verdict, Verdict], Sum] = field(default_factory=dict[tuple[Verdict, Verdict], Sum])
    """All calls by what became of them and what would."""

    by_allowance: dict[str, Sum] = field(default_factory=dict[str, Sum])
    """What each allowance would let through, by its id."""

    not_replayable: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Names of calls that cannot be built again, by why."""

    expired: int = 0
    refused_then: int = 0
    without_finding: int = 0
    """Calls of which the record does not say what was found out about them."""

    with_members: int = 0
    group_allowances: tuple[str, ...] = ()
    """Ids of allowances that ask for a group."""

    @property
    def changed(self) -> int:
        """How many calls something else would become of."""
        return sum(change.sum.calls for change in self.changes.values())

    @property
    def ordered(self) -> list[Change]:
        """The changes, those of most calls first."""
        return sorted(self.changes.values(), key=lambda one: (-one.sum.calls, one.operation, one.then, one.now))

    def add(self, one: Replayed) -> None:
        """Add a call."""
        call = one.call
        self.replayed += 1
        self.without_finding += call.action.demanded is None
        self.with_members += one.reaches_members
        self.verdicts.setdefault((call.then, one.now), Sum()).add(one)
        if one.allowance is not None:
            self.by_allowance.setdefault(one.allowance, Sum()).add(one)
        if one.now is call.then:
            return
        because = kind_of(one.refusal) if one.refusal is not None else ""
        key = (call.action.operation, call.then, one.now, because)
        change = self.changes.setdefault(key, Change(*key))
        change.sum.add(one)
        if len(change.examples) < EXAMPLES:
            change.examples.append(call.name)
        if one.refusal is not None and not change.refusal:
            change.refusal = str(one.refusal)

    def leave_out(self, calls: Iterable[RecordedCall], why: str) -> None:
        """Name calls that cannot be replayed."""
        self.not_replayable.setdefault(why, []).extend(call.name for call in calls)

    def together(self, now: Iterable[Verdict]) -> Sum:
        """Add up the calls of which something else becomes, and that is one of these."""
        wanted, found = set(now), Sum()
        for (then, becomes), each in self.verdicts.items():
            if becomes in wanted and then is not becomes:
                found.calls += each.calls
                found.amounts.update(each.amounts)
                found.unpriced += each.unpriced
        return found


def kind_of(refusal: GuardRefusal) -> str:
    """Return in a word what refuses a call."""
    name = type(refusal).__name__
    return _KINDS.get(name, name)


def ask_for_groups(allowances: Sequence[Allowance]) -> tuple[str, ...]:
    """Return the ids of allowances with a condition on a group, whose members of then nobody knows."""
    return tuple(
        one.id
        for one in allowances
        if any(condition.relation is Relation.IN_GROUP for condition in one.terms.conditions)
    )


def summary_lines(report: Report) -> list[str]:
    """Say how many calls were replayed, and what would have become of those that change."""
    span = f"from {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC"
    same = report.replayed - report.changed
    lines = [f"{_calls(report.replayed)} {span} replayed: {same} as then, {report.changed} otherwise."]
    for words, verdicts in _OTHERWISE:
        found = report.together(verdicts)
        if found.calls:
            lines.append(f"{_calls(found.calls)} {words}: {found}.")
    return lines


_OTHERWISE: Final = (
    ("would have run without a question", (Verdict.ALLOWED, Verdict.BY_ALLOWANCE)),
    ("would have been asked about at the client", (Verdict.ASKED,)),
    ("would have been asked of the operator", (Verdict.OPERATOR,)),
    ("would have been asked of several operators", (Verdict.SEVERAL,)),
    ("would have been refused", (Verdict.REFUSED,)),
)


def left_out_lines(report: Report) -> list[str]:
    """Say which calls were not replayed, and what the record cannot show of those that were."""
    lines = [
        f"Not replayed: {_calls(len(names))}, because {why} ({', '.join(names[:EXAMPLES])}"
        f"{' …' if len(names) > EXAMPLES else ''})."
        for why, names in report.not_replayable.items()
    ]
    if report.expired:
        lines.append(f"Not replayed: {report.expired} questions that expired without an answer.")
    if report.refused_then:
        lines.append(f"Not replayed: {_calls(report.refused_then)} refused then, of which no price is on record.")
    lines.append(AS_THEN)
    if report.without_finding:
        lines.append(
            f"Not judged for {_calls(report.without_finding)} of an earlier version: whether text from outside, a "
            "possible wish to stop, or a missing undo had them asked about."
        )
    if report.with_members:
        lines.append(
            f"Not judged for {_calls(report.with_members)} to groups or lists: where their members are, and what time "
            "it was there."
        )
    if report.group_allowances:
        lines.append(
            f"Not judged: who was in the group of {', '.join(report.group_allowances)} then, so it covers nothing here."
        )
    return lines


AS_THEN: Final = (
    "Taken as on record: prices and recipients, who had opted out, what repeated text from outside, and what the "
    "providers' state made impossible. Whoever was asked is taken to answer the same; where nobody was, to say yes."
)


def to_json(report: Report) -> Mapping[str, Any]:
    """Return the report as JSON values; amounts are texts."""
    return {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "replayed": report.replayed,
        "changed": report.changed,
        "changes": [
            {
                "operation": one.operation,
                "then": one.then.value,
                "now": one.now.value,
                "because": one.because or None,
                **_sum(one.sum),
                "examples": one.examples,
                "refusal": one.refusal or None,
            }
            for one in report.ordered
        ],
        "verdicts": [
            {"then": then.value, "now": now.value, **_sum(each)}
            for (then, now), each in sorted(report.verdicts.items())
        ],
        "not_replayed": {
            "by_reason": {
                why: {"calls": len(names), "examples": names[:EXAMPLES]} for why, names in report.not_replayable.items()
            },
            "expired": report.expired,
            "refused_then": report.refused_then,
        },
        "not_judged": {
            "findings": report.without_finding,
            "members": report.with_members,
            "group_allowances": list(report.group_allowances),
        },
    }


def _sum(found: Sum) -> dict[str, Any]:
    amounts = {money.currency: f"{money.amount:f}" for money in found.money}
    return {"calls": found.calls, "amounts": amounts, "unknown_prices": found.unpriced}


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"
