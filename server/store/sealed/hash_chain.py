"""The hash chain of the audit log: computes the MAC of a row, and finds what was tampered with.

It reads nothing itself: the rows come from the store, an exported file or an archive.
"""

import hmac
import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    return keyed(key, json.dumps([before, *parts], ensure_ascii=False))


def seal_head(key: bytes, head: Head) -> str:
    """Serialise a head with its MAC, so that only the holder of the key can forge one."""
    plain = f"{head.number} {head.mac}"
    return f"{plain} {keyed(key, f'head {plain}')}"


def read_head(stored: str | None, key: bytes) -> Head:
    """Return the stored head, or an empty head if it is missing or its MAC is wrong."""
    number, _, rest = (stored or "").partition(" ")
    if number.isdecimal():
        head = Head(int(number), rest.partition(" ")[0])
        if _is_same(stored, seal_head(key, head)):
            return head
    return NO_ROW


def seal_text(key: bytes, purpose: str, plain: str) -> str:
    """Put the MAC of a text before it; the purpose is under the MAC, so that no text passes as one of another kind."""
    return f"{keyed(key, f'{purpose} {plain}')} {plain}"


def open_text(stored: str | None, key: bytes, purpose: str) -> str | None:
    """Return the text that `seal_text` sealed; None if it is missing or its MAC is wrong."""
    plain = (stored or "").partition(" ")[2]
    return plain if stored is not None and _is_same(stored, seal_text(key, purpose, plain)) else None


class ChainCheck:
    """Checks rows in the order of their numbers, as they are read: it keeps a few of them, however many there are.

    Without a head, as in an export, only the anchor shows that rows at the end are missing. `after` is the row behind
    which the first one stands, where those before it are elsewhere or were checked before.
    """

    def __init__(self, key: bytes, *, anchored: Head, head: Head | None = None, after: Head = NO_ROW) -> None:
        self._key = key
        self._anchored = anchored if anchored.number > after.number else NO_ROW
        self._head = head
        self._first = after
        self.last = after
        """The last row that fits."""

        self.rows = 0
        self._near = deque[Row](maxlen=SEARCH_WINDOW)
        """The last rows that fit; once one does not fit, no more are taken."""

        self._rest: list[Row] = []
        """The first row that does not fit, and the next ones."""

        self._differs_from_anchor = False
        self._accepted: list[AcceptedGap] = []

    def add(self, rows: Iterable[Row]) -> None:
        """Check the next rows."""
        for row in rows:
            self.rows += 1
            if row["event"] == GAP_ACCEPTED:
                self._accepted += accepted_gaps([row])
            if self._rest:
                if len(self._rest) < SEARCH_WINDOW:
                    self._rest.append(row)
                continue
            number, mac = self.last.number + 1, self.last.mac
            if row["number"] != number or not _is_same(row["mac"], mac_of(self._key, mac, row)):
                self._rest.append(row)
                continue
            self._near.append(row)
            self.last = Head(number, row["mac"])
            self._differs_from_anchor |= number == self._anchored.number and self.last != self._anchored

    def end(self) -> Verdict:
        """Return the result, once all rows are added."""
        accepted = tuple(self._accepted)
        # A crash came between the accepting row and the new anchor.
        anchored = NO_ROW if any(one.gap.missing == self._anchored for one in accepted) else self._anchored
        if self._differs_from_anchor and anchored != NO_ROW:
            number = anchored.number
            return Verdict(self.rows, number, "changed", f"row {number} is not the one that was anchored")
        if self._rest:
            return self._diagnose()
        number, head = self.last.number, self._head
        if number < max(anchored.number, head.number if head else 0):
            what = f"row {number + 1} and what came after it was cut off"
            return Verdict(self.rows, number + 1, "cut off", what)
        if head is not None and head != self.last:
            return Verdict(self.rows, number, "changed", f"the head, after row {number}, was changed or removed")
        return Verdict(self.rows, accepted=accepted)

    def _diagnose(self) -> Verdict:
        near = [*self._near, *self._rest]
        place = len(self._near)
        around = _Around(near, place, self.last.number + 1 - place, {NOTHING_BEFORE, self._first.mac})
        return replace(_find_out(around, self.last.mac, self._key, self._head), rows=self.rows)


@dataclass(frozen=True, slots=True)
class _Around:
    """The first row that does not fit, among those around it."""

    rows: Sequence[Row]
    place: int
    first: int
    """The number that belongs to the first of the rows."""

    before: Collection[str]
    """MACs that a row may follow without one of these rows before it."""

    @property
    def number(self) -> int:
        """The number that belongs to the place."""
        return self.first + self.place

    @property
    def row(self) -> Row:
        """The row."""
        return self.rows[self.place]

    @property
    def following(self) -> Row | None:
        """The row after it; None if it is the last."""
        return self.rows[self.place + 1] if self.place + 1 < len(self.rows) else None


def check_chain(rows: Iterable[Row], key: bytes, *, head: Head | None, anchored: Head) -> Verdict:
    """Check all rows of a log from its first."""
    check = ChainCheck(key, anchored=anchored, head=head)
    check.add(rows)
    return check.end()


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


def _find_out(around: _Around, before: str, key: bytes, head: Head | None) -> Verdict:
    """Find out what was done at the first wrong place; `before` is the MAC of the row before it."""
    number, row = around.number, around.row
    if row["number"] > number:
        return Verdict(0, number, "removed", f"row {number} was removed")
    if row["number"] < number or _was_inserted(around, before, key, head):
        return Verdict(0, row["number"], "inserted", f"row {row['number']} was inserted")
    if (home := _home_of(around, key)) is not None:
        return Verdict(0, number, "moved", f"row {number} was moved there from {home}")
    if _was_closed_up(around, key, head):
        return Verdict(0, number, "removed", f"row {number} was removed, and those after it moved up")
    return Verdict(0, number, "changed", f"row {number} was changed")


def _was_inserted(around: _Around, before: str, key: bytes, head: Head | None) -> bool:
    """Return True if the next row fits without this one, or if the chain ended before it."""
    following = around.following
    if following is not None:
        return _is_same(following["mac"], mac_of(key, before, {**following, "number": around.number}))
    return head == Head(around.number - 1, before)


def _home_of(around: _Around, key: bytes) -> int | None:
    """Return the number that a row had before it was moved; None if it was not moved from nearby."""
    codes = [*around.before, *(str(row["mac"]) for row in around.rows)]
    own = str(around.row["mac"])
    for place in range(len(around.rows)):
        moved = {**around.row, "number": around.first + place}
        if place != around.place and own in {mac_of(key, before, moved) for before in codes}:
            return around.first + place
    return None


def _was_closed_up(around: _Around, key: bytes, head: Head | None) -> bool:
    """Return True if this row and the next are genuine but had higher numbers, so rows before them were removed."""
    code, number, following = str(around.row["mac"]), around.number, around.following
    if following is None:
        return head is not None and head.mac == code and head.number > number
    moved = ({**following, "number": number + 1 + gap} for gap in range(1, SEARCH_WINDOW))
    return any(_is_same(following["mac"], mac_of(key, code, row)) for row in moved)


def _is_same(stored: object, expected: str) -> bool:
    return hmac.compare_digest(str(stored).encode("utf-8"), expected.encode("utf-8"))


def keyed(key: bytes, text: str) -> str:
    """Compute the MAC of a text."""
    return hmac.digest(key, text.encode("utf-8"), "sha256").hex()
