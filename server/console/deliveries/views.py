"""Prepares deliveries for the templates: messages by day and state, and failures by reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, Literal

from server.store.deliveries.overview import InboxText, MessageCount
from tools.overview.failures import FAILED_STATES, UNKNOWN, Cause, Resend
from tools.registry import provider_named, provider_names
from tools.webhooks import RANKS, source_of

Kind = Literal["arrived", "under way", "failed"]

KINDS: Final[tuple[Kind, ...]] = ("arrived", "under way", "failed")

ADVICE: Final[Mapping[Resend, str]] = {
    "yes": "Sending again makes sense once its cause is mended.",
    "later": "Sending again later makes sense.",
    "no": "Do not send it again as it was.",
    "unclear": "Whether sending again makes sense is not known.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """How many messages are in one state, in the provider's word for it."""

    state: str
    kind: Kind
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """The messages of one day."""

    day: date
    counts: Mapping[Kind, int]
    states: tuple[StateView, ...]
    came_in: int

    @property
    def label(self) -> str:
        """The day for people, such as `Mon 30 Nov`."""
        return f"{self.day:%a} {self.day.day} {self.day:%b}"

    @property
    def total(self) -> int:
        """All messages that were sent."""
        return sum(self.counts.values())

    def bar(self, kind: Kind, most: int) -> tuple[float, float]:
        """Return where the part of a kind begins in the bar of the day, and its length, of 100."""
        begins = sum(self.counts[other] for other in KINDS[: KINDS.index(kind)])
        return round(100 * begins / most, 2), round(100 * self.counts[kind] / most, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureView:
    """Messages that did not arrive for one reason."""

    source: str
    state: str
    reason: str
    """The provider's own word: text from outside."""

    cause: Cause
    advice: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """A text that came in, or a message that did not arrive."""

    text: InboxText
    source: str
    why: str


def days_until(now: datetime, zone: tzinfo, count: int) -> list[datetime]:
    """Return when each of the last days began in the operator's zone, the oldest first; the last one is today."""
    today = now.astimezone(zone).date()
    return [
        datetime.combine(today - timedelta(days=ago), datetime.min.time(), zone) for ago in range(count - 1, -1, -1)
    ]


def build_days(days: Sequence[datetime], counts: Sequence[MessageCount], incoming: Mapping[int, int]) -> list[DayView]:
    """Prepare each day, the newest first."""
    return [
        _day(start.date(), [one for one in counts if one.day == number], incoming.get(number, 0))
        for number, start in reversed(list(enumerate(days)))
    ]


def _day(day: date, counts: Sequence[MessageCount], came_in: int) -> DayView:
    by_state = Counter[str]()
    for one in counts:
        by_state[one.state] += one.count
    states = [StateView(state=state, kind=_kind(state), count=count) for state, count in by_state.most_common()]
    totals: dict[Kind, int] = {kind: sum(one.count for one in states if one.kind == kind) for kind in KINDS}
    return DayView(day=day, counts=totals, states=tuple(states), came_in=came_in)


def build_failures(counts: Sequence[MessageCount]) -> list[FailureView]:
    """Prepare the reasons for which messages did not arrive, the most frequent first."""
    by_reason = Counter[tuple[str, str, str, str]]()
    for one in counts:
        if _kind(one.state) == "failed":
            by_reason[one.provider, one.account, one.state, one.reason or ""] += one.count
    found: list[FailureView] = []
    for (provider, account, state, reason), count in by_reason.most_common():
        cause = _cause(provider, state, reason or None)
        source = _source(provider, account)
        found.append(
            FailureView(
                source=source, state=state, reason=reason, cause=cause, advice=ADVICE[cause.resend], count=count
            )
        )
    return found


def build_text(text: InboxText) -> TextView:
    """Prepare a text of the inbox."""
    failed = text.text is None and _kind(text.state) == "failed"
    why = _cause(text.provider, text.state, text.reason).why if failed else ""
    return TextView(text=text, source=_source(text.provider, text.account), why=why)


def _kind(state: str) -> Kind:
    if state.casefold() in FAILED_STATES:
        return "failed"
    return "under way" if state in RANKS else "arrived"


def _cause(provider: str, state: str, reason: str | None) -> Cause:
    explain = provider_named(provider).explain_failure if provider in provider_names() else None
    return explain.load()(state, reason) if explain else UNKNOWN


def _source(provider: str, account: str) -> str:
    title = provider_named(provider).title if provider in provider_names() else provider
    return title if account == provider else source_of(title, account)
