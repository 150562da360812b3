"""The tool that finds numbers which nobody uses, with the evidence, and with what the evidence does not show."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import Field

from tools.builtin import BuiltinCall, BuiltinEffect, Reply, builtin_tool
from tools.overview.gather import gather
from tools.overview.handlers import Arguments, ProviderName
from tools.overview.replies import named_account, place_of, reply_with_gaps, without_none
from tools.overview.traffic import Kind, NumberUse, Span, Traffic, Uses
from tools.overview.views import OwnedNumber, Partial, View

TOOLSET: Final = "numbers"
KINDS: Final[tuple[Kind, ...]] = ("calls", "texts")

NOWHERE: Final = frozenset({None, "nowhere", "hangup"})
"""Where calls of a number go that reach nobody."""

Verdict = Literal["quiet", "not proven", "used"]
VERDICTS: Final[tuple[Verdict, ...]] = ("quiet", "not proven", "used")

CANDIDATES: Final = frozenset({"quiet", "not proven"})
"""What is shown where the caller does not choose: numbers without any use that could be read."""

MOST_NAMED: Final = 5
"""So many numbers are named where something is missing of more of them."""

KNOWN_USES: Final = (
    "Records show calls and texts only. Before one is released, ask whether it is for alarms, lifts, faxes or logins."
)


class UseQuery(Arguments):
    """Which numbers to look at, over how long a time."""

    days: int = Field(default=90, ge=1, le=366, description="For how long nobody used them.")
    provider: ProviderName | None = Field(default=None, description="Only this provider's.")
    use: Verdict | None = Field(default=None, description="Only these; quiet and not proven if left out.")
    limit: int = Field(default=50, ge=1, le=500, description="Rows to show.")
    cursor: str = Field(default="0", pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of a provider, and what it shows of their use."""

    numbers: Sequence[OwnedNumber]
    use: NumberUse


@builtin_tool(
    "find_number_use",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=UseQuery,
    synonyms=("unused", "quiet", "idle", "no calls", "clean up", "not used", "dead numbers", "last used", "traffic"),
)
async def find_number_use(query: UseQuery, call: BuiltinCall) -> Reply:
    """Find the numbers of all providers that had no calls and no texts for so many days, with the evidence.

    `quiet` is proven by records. `not proven` had none in what could be read; `records` says what is missing.
    """
    now = call.services.clock.now()
    span = Span(now - timedelta(days=query.days), now)

    async def read(view: View) -> Found | Partial[Found]:
        return await _read_use(view, span)

    gathered = await gather(call.services.views(call.session), read, call.session)
    rows = [
        row | named_account(call, account)
        for account, row in _rows(gathered.found, span)
        if query.provider in (None, row["provider"])
    ]
    rows.sort(key=lambda row: (VERDICTS.index(row["use"]), row["calls_to"] != "nowhere", row["number"]))
    shown = [row for row in rows if row["use"] == query.use or (query.use is None and row["use"] in CANDIDATES)]
    start = int(query.cursor)
    content: dict[str, Any] = {
        "since": span.since.isoformat(timespec="minutes"),
        "counts": dict(Counter(row["use"] for row in rows)),
        "records": [
            place_of(call, account) | record
            for account, found in gathered.found.items()
            for record in _records(found, span)
        ],
        "numbers": [without_none(row) for row in shown[start : start + query.limit]],
    }
    if start + query.limit < len(shown):
        content["next_cursor"] = str(start + query.limit)
    return reply_with_gaps(content, gathered, call, rows="numbers", notes=[KNOWN_USES] if shown else [])


TOOLS = (find_number_use,)


async def _read_use(view: View, span: Span) -> Found | Partial[Found]:
    answer = await view.numbers()
    if not isinstance(answer, Partial):
        return Found(answer, await view.number_use(answer, span))
    return Partial(Found(answer.found, await view.number_use(answer.found, span)), answer.gaps)


def _rows(found: Mapping[str, Found], span: Span) -> list[tuple[str, dict[str, Any]]]:
    """Return a row for each number, with its account; its calls may be in the records of another account too."""
    everywhere = found.values()
    seen = _seen([traffic for one in everywhere for traffic in one.use.traffic])
    forwarding: defaultdict[str, list[str]] = defaultdict(list)
    for number in (number for one in everywhere for number in one.numbers if number.forwards_to):
        forwarding[number.forwards_to or ""].append(number.number)
    return [
        (account, _row(number, one.use, seen, forwarding, span))
        for account, one in found.items()
        for number in one.numbers
    ]


def _seen(traffic: Iterable[Traffic]) -> Mapping[Kind, Mapping[str, Uses]]:
    """Return the uses of each number by kind.

    Two providers record the same call where one passes it on to the other, so their counts are not added up.
    """
    seen: dict[Kind, dict[str, Uses]] = {kind: {} for kind in KINDS}
    for known in traffic:
        for number, uses in known.seen.items():
            before = seen[known.kind].get(number, Uses(0, None))
            last = max((time for time in (before.last, uses.last) if time), default=None)
            seen[known.kind][number] = Uses(max(before.count, uses.count), last)
    return seen


def _row(
    one: OwnedNumber,
    use: NumberUse,
    seen: Mapping[Kind, Mapping[str, Uses]],
    forwarding: Mapping[str, Sequence[str]],
    span: Span,
) -> dict[str, Any]:
    uses: dict[Kind, Uses | None] = {kind: seen[kind].get(one.number) for kind in KINDS}
    proven: dict[Kind, bool] = {traffic.kind: traffic.proves(one.number, span) for traffic in use.traffic}
    times = [found.last for found in uses.values() if found is not None and found.last is not None]
    forwards = (f"forward of {number}" for number in forwarding.get(one.number, ()))
    needed_for = [*one.needed_for, *use.needed_for.get(one.number, ()), *forwards]
    return {
        "number": one.number,
        "provider": one.provider,
        "use": _verdict(uses, proven),
        **{kind: _shown(uses[kind], is_proven=proven.get(kind, False)) for kind in KINDS},
        "cannot": ", ".join(traffic.kind for traffic in use.traffic if one.number in traffic.unable) or None,
        "last_use": f"{max(times):%Y-%m-%d}" if times else None,
        "calls_to": "nowhere" if one.calls_to in NOWHERE else one.calls_to,
        "needed_for": ", ".join(needed_for) or None,
        "monthly": str(one.monthly) if one.monthly else None,
    }


def _verdict(uses: Mapping[Kind, Uses | None], proven: Mapping[Kind, bool]) -> Verdict:
    if any(uses.values()):
        return "used"
    return "quiet" if all(proven.get(kind) for kind in KINDS) else "not proven"


def _shown(uses: Uses | None, *, is_proven: bool) -> str:
    if uses is not None:
        return str(uses.count)
    return "none" if is_proven else "none shown"


def _records(found: Found, span: Span) -> Iterable[dict[str, Any]]:
    """Say of each kind of record how far back it reaches, and what it does not prove."""
    for traffic in found.use.traffic if found.numbers else ():
        yield without_none(
            {
                "kind": traffic.kind,
                "oldest": f"{traffic.oldest:%Y-%m-%d}" if traffic.oldest else None,
                "missing": traffic.gap(span),
                "missing_of": {why: _name(traffic, why) for why in sorted(set(traffic.not_shown_of.values()))} or None,
            }
        )


def _name(traffic: Traffic, why: str) -> str:
    """Name the numbers of which something is missing for a reason, or some of them and how many more there are."""
    of = sorted(number for number, given in traffic.not_shown_of.items() if given == why)
    more = f" and {len(of) - MOST_NAMED} more" if len(of) > MOST_NAMED else ""
    return ", ".join(of[:MOST_NAMED]) + more
