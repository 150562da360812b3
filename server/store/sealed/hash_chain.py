"""The hash chain of the audit log: computes the MAC of a row, and finds what was tampered with.

Pure functions: the rows come from the store or from an exported file.
"""

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

NOTHING_BEFORE: Final = "0" * 64
GAP_ACCEPTED: Final = "gap accepted"
"""The event of the row by which an operator accepts that earlier rows are lost."""

SEARCH_WINDOW: Final = 50
"""How many rows before and after its place a row is searched for before it counts as changed."""

Kind = Literal["changed", "removed", "inserted", "moved", "cut off"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The number and MAC of the last row."""

    number: int
    mac: str


NO_ROW: Final = Head(0, NOTHING_BEFORE)


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that were written and are not in the log any more."""

    missing: Head
    """The last of them that is known."""

    last: Head
    """The last row that the log has instead."""

    @property
    def what(self) -> str:
        """Say what is missing, as a sentence without its full stop."""
        number = self.missing.number
        if self.last.number >= number:
            return f"row {number} is not the one that was written: an older log was continued"
        end = f"the log ends with row {self.last.number}" if self.last.number else "the log is empty"
        return f"row {number}, which was written, is missing: {end}"

    def as_detail(self) -> dict[str, object]:
        """Return what the audit row that accepts the gap says of it."""
        return {
            "missing": {"row": self.missing.number, "mac": self.missing.mac},
            "last": {"row": self.last.number, "mac": self.last.mac},
        }


@dataclass(frozen=True, slots=True)
class AcceptedGap:
    """A gap that an operator accepted, and the row that says so."""

    gap: Gap
    row: Head
    at: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking a chain."""

    rows: int
    broken_at: int | None = None
    """The number of the first wrong row."""

    kind: Kind | None = None
    what: str = ""
    accepted: tuple[AcceptedGap, ...] = ()
    """Gaps that an operator accepted; rows are missing there, and nothing else is wrong with it."""

    @property
    def is_whole(self) -> bool:
        """True if nothing was tampered with."""
        return self.broken_at is None


def detail_text(detail: object) -> str:
    """Serialise the detail of a row; the same detail always gives the same text."""
    return json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)


def mac_of(key: bytes, before: str, row: Row) -> str:
    """Compute the MAC of a row over itself and the MAC of the row before."""
    parts = [row[name] for name in ("number", "at", "event", "action_id", "principal", "detail")]
    return _keyed(key, json.dumps([before, *parts], ensure_ascii=False))


def seal_head(key: bytes, head: Head) -> str:
    """Serialise a head with its MAC, so that only the holder of the key can forge one."""
    plain = f"{head.number} {head.mac}"
    return f"{plain} {_keyed(key, f'head {plain}')}"


def read_head(stored: str | None, key: bytes) -> Head:
    """Return the stored head, or an empty head if it is missing or its MAC is wrong."""
    number, _, rest = (stored or "").partition(" ")
    if number.isdecimal():
        head = Head(int(number), rest.partition(" ")[0])
        if _is_same(stored, seal_head(key, head)):
            return head
    return NO_ROW


def check_chain(rows: Sequence[Row], key: bytes, *, head: Head | None, anchored: Head) -> Verdict:
    """Check rows in the order of their numbers.

    Without a head, as in an export, only the anchor shows that rows at the end are missing.
    """
    before = NOTHING_BEFORE
    accepted = accepted_gaps(rows)
    if any(one.gap.missing == anchored for one in accepted):
        anchored = NO_ROW  # a crash came between the accepting row and the new anchor
    for place, row in enumerate(rows):
        number = place + 1
        if row["number"] != number or not _is_same(row["mac"], mac_of(key, before, row)):
            return _diagnose(rows, place, before, key, head)
        before = row["mac"]
        if number == anchored.number and before != anchored.mac:
            return Verdict(len(rows), number, "changed", f"row {number} is not the one that was anchored")
    least = max(anchored.number, head.number if head else 0)
    if len(rows) < least:
        return _cut_off(len(rows))
    if head is not None and head != Head(len(rows), before):
        return Verdict(len(rows), len(rows), "changed", f"the head, after row {len(rows)}, was changed or removed")
    return Verdict(len(rows), accepted=accepted)


def accepted_gaps(rows: Iterable[Row]) -> tuple[AcceptedGap, ...]:
    """Read the rows by which an operator accepted gaps; the caller checks that the rows are genuine."""
    return tuple(
        AcceptedGap(_read_gap(row["detail"]), Head(row["number"], row["mac"]), str(row["at"]), row["principal"])
        for row in rows
        if row["event"] == GAP_ACCEPTED
    )


def _read_gap(detail: str) -> Gap:
    """Read what `Gap.as_detail` wrote; anything else, which the chain shows to be forged, is no gap."""
    try:
        heads = {name: Head(int(one["row"]), str(one["mac"])) for name, one in json.loads(detail).items()}
        return Gap(**heads)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Gap(NO_ROW, NO_ROW)


def _diagnose(rows: Sequence[Row], place: int, before: str, key: bytes, head: Head | None) -> Verdict:
    """Find out what was done at the first wrong place."""
    number, row = place + 1, rows[place]
    if row["number"] > number:
        return Verdict(len(rows), number, "removed", f"row {number} was removed")
    if row["number"] < number or _was_inserted(rows, place, before, key, head):
        return Verdict(len(rows), row["number"], "inserted", f"row {row['number']} was inserted")
    if (home := _home_of(rows, place, key)) is not None:
        return Verdict(len(rows), number, "moved", f"row {number} was moved there from {home}")
    if _was_closed_up(rows, place, key, head):
        return Verdict(len(rows), number, "removed", f"row {number} was removed, and those after it moved up")
    return Verdict(len(rows), number, "changed", f"row {number} was changed")


def _was_inserted(rows: Sequence[Row], place: int, before: str, key: bytes, head: Head | None) -> bool:
    """Return True if the next row fits without this one, or if the chain ended before it."""
    if place + 1 < len(rows):
        following = rows[place + 1]
        return _is_same(following["mac"], mac_of(key, before, {**following, "number": place + 1}))
    return head == Head(place, before)


def _home_of(rows: Sequence[Row], place: int, key: bytes) -> int | None:
    """Return the number that a row had before it was moved; None if it was not moved from nearby."""
    near = range(max(0, place - SEARCH_WINDOW), min(len(rows), place + SEARCH_WINDOW))
    codes = [NOTHING_BEFORE, *(str(rows[other]["mac"]) for other in near)]
    own = str(rows[place]["mac"])
    for number in (other + 1 for other in near if other != place):
        moved = {**rows[place], "number": number}
        if own in {mac_of(key, before, moved) for before in codes}:
            return number
    return None


def _was_closed_up(rows: Sequence[Row], place: int, key: bytes, head: Head | None) -> bool:
    """Return True if this row and the next are genuine but had higher numbers, so rows before them were removed."""
    code, number = str(rows[place]["mac"]), place + 1
    if place + 1 == len(rows):
        return head is not None and head.mac == code and head.number > number
    following = rows[place + 1]
    moved = ({**following, "number": number + 1 + gap} for gap in range(1, SEARCH_WINDOW))
    return any(_is_same(following["mac"], mac_of(key, code, row)) for row in moved)


def _cut_off(rows: int) -> Verdict:
    return Verdict(rows, rows + 1, "cut off", f"row {rows + 1} and what came after it was cut off")


def _is_same(stored: object, expected: str) -> bool:
    return hmac.compare_digest(str(stored).encode("utf-8"), expected.encode("utf-8"))


def _keyed(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8"), "sha256").hexdigest()
