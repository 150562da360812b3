"""What an allowance would have let through in the last 30 days, for the operator to see before it is saved."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from guard.action import State
from guard.allowances.allowance import Allowance, Terms
from guard.allowances.conditions import Relation
from guard.catalog import OperationCatalog
from guard.replay.recorded import CallRecord, RecordedJob, Verdict
from guard.replay.replay import NotReplayable, Replay
from guard.replay.report import Sum
from guard.rules.rules import Rules

LOOKBACK: Final = timedelta(days=30)

MOST_CALLS: Final = 1000
"""How many calls are replayed for a preview: that takes a third of a second, and somebody waits for the page."""

_DRAFT: Final = "the draft"


class CallsOfOne(CallRecord, Protocol):
    """The calls on record, of which those of one operation and whoever asks are found at once."""

    def jobs_of(self, operation: str, principal: str, since: datetime, until: datetime) -> AsyncIterator[RecordedJob]:
        """Yield the calls of an operation and whoever asked between two times, in their order; none that expired."""
        ...


@dataclass(frozen=True, slots=True)
class Lookback:
    """What terms would have done in the last 30 days."""

    calls: int
    """Calls of the operation by whoever asks that were proposed and did not expire."""

    let_through: Sum
    """Those that would have run under the terms, without a question."""

    declined: int
    """Of those, the ones that somebody declined."""

    has_groups: bool = False
    """True where a condition asks for a group: nobody knows who was in it then, so none of its calls counts."""

    has_more: bool = False
    """True where there were more calls than are looked at while somebody waits."""

    def __str__(self) -> str:
        found = self.let_through
        together = f", together {found}" if found.amounts else ""
        was = "was" if self.declined == 1 else "were"
        declined = f", {self.declined} of which {was} declined" if self.declined else ""
        group = " Who was in its group then is not known, so no call counts." if self.has_groups else ""
        calls = f"{'the first ' if self.has_more else ''}{self.calls} call{'' if self.calls == 1 else 's'}"
        return (
            f"In the last {LOOKBACK.days} days {found.calls} of {calls} would have run without a question{together}"
            f"{declined}.{group}"
        )


async def look_back(
    record: CallsOfOne, terms: Terms, rules: Rules, catalog: OperationCatalog, now: datetime
) -> Lookback:
    """Replay the calls of the last 30 days under the rules in force, with an allowance of these terms alone.

    Caps are left out: what else was spent then is not replayed.
    """
    begins = now - LOOKBACK
    draft = Allowance(id=_DRAFT, terms=terms, created_at=begins, created_by="")
    replay = Replay(replace(rules, caps=()), [draft], catalog, record, begins=begins)
    has_groups = any(condition.relation is Relation.IN_GROUP for condition in terms.conditions)
    calls, declined, let_through = 0, 0, Sum()
    async for job in record.jobs_of(terms.operation, terms.principal, begins, now):
        if calls == MOST_CALLS:
            return Lookback(calls, let_through, declined, has_groups, has_more=True)
        calls += 1
        try:
            [one] = await replay.run(job)
        except NotReplayable:
            continue
        if one.now is Verdict.BY_ALLOWANCE:
            let_through.add(one)
            declined += one.call.action.state is State.DECLINED
    return Lookback(calls, let_through, declined, has_groups)
