"""The audit's chain: how a row is bound to the one before, and how to tell what was done to it.

Pure: rows come from the store or from an exported file.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

NOTHING_BEFORE: Final = "0" * 64
SEARCH_WINDOW: Final = 50
"""How far from its place a row is looked for before it is said to be changed."""

Kind = Literal["changed", "removed", "inserted", "moved", "cut off"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The last row's number and code."""

    number: int
    mac: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found."""

    rows: int
    broken_at: int | None = None
    """Number of the first row that does not fit."""

    kind: Kind | None = None
    what: str = ""

    @property
    def is_whole(self) -> bool:
        """True when nothing was touched."""
        return self.broken_at is None


def detail_text(detail: object) -> str:
    """The particulars of a row as they are kept and bound: the same text, however often they are read and written."""
    return json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)


def mac_of(key: bytes, before: str, row: Row) -> str:
    """The code that binds a row to the one before."""
    parts = [row[name] for name in ("number", "at", "event", "action_id", "principal", "detail")]
    return _keyed(key, json.dumps([before, *parts], ensure_ascii=False))


def seal_head(key: bytes, head: Head) -> str:
    """The head as it is kept, so that only the holder of the key can set it back."""
    plain = f"{head.number} {head.mac}"
    return f"{plain} {_keyed(key, f'head {plain}')}"


def read_head(kept: str | None, key: bytes) -> Head:
    """The head that was kept. One that is missing or forged is none, which fits no row."""
    number, _, rest = (kept or "").partition(" ")
    if number.isdecimal():
        head = Head(int(number), rest.partition(" ")[0])
        if _is_same(kept, seal_head(key, head)):
            return head
    return Head(0, NOTHING_BEFORE)


def check_chain(rows: Sequence[Row], key: bytes, *, head: Head | None, anchored: Head) -> Verdict:
    """Check rows in the order of their numbers.

    Without a head, as in an export, what is missing at the end shows in the anchor alone.
    """
    before = NOTHING_BEFORE
    for place, row in enumerate(rows):
        number = place + 1
        if row["number"] != number or not _is_same(row["mac"], mac_of(key, before, row)):
            return _touched(rows, place, before, key, head)
        before = row["mac"]
        if number == anchored.number and before != anchored.mac:
            return Verdict(len(rows), number, "changed", f"row {number} is not the one that was anchored")
    least = max(anchored.number, head.number if head else 0)
    if len(rows) < least:
        return _cut_off(len(rows))
    if head is not None and head != Head(len(rows), before):
        return Verdict(len(rows), len(rows), "changed", f"the head, after row {len(rows)}, was changed or removed")
    return Verdict(len(rows))


def _touched(rows: Sequence[Row], place: int, before: str, key: bytes, head: Head | None) -> Verdict:
    """What was done at the first place that does not fit."""
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
    """True where what follows fits without it, or where the chain was over before it."""
    if place + 1 < len(rows):
        following = rows[place + 1]
        return _is_same(following["mac"], mac_of(key, before, {**following, "number": place + 1}))
    return head == Head(place, before)


def _home_of(rows: Sequence[Row], place: int, key: bytes) -> int | None:
    """The number that a row had, if it is a true row of another place nearby."""
    near = range(max(0, place - SEARCH_WINDOW), min(len(rows), place + SEARCH_WINDOW))
    codes = [NOTHING_BEFORE, *(str(rows[other]["mac"]) for other in near)]
    own = str(rows[place]["mac"])
    for number in (other + 1 for other in near if other != place):
        moved = {**rows[place], "number": number}
        if own in {mac_of(key, before, moved) for before in codes}:
            return number
    return None


def _was_closed_up(rows: Sequence[Row], place: int, key: bytes, head: Head | None) -> bool:
    """True where a row and what follows are a true part of the chain that began some numbers later."""
    code, number = str(rows[place]["mac"]), place + 1
    if place + 1 == len(rows):
        return head is not None and head.mac == code and head.number > number
    following = rows[place + 1]
    moved = ({**following, "number": number + 1 + gap} for gap in range(1, SEARCH_WINDOW))
    return any(_is_same(following["mac"], mac_of(key, code, row)) for row in moved)


def _cut_off(rows: int) -> Verdict:
    return Verdict(rows, rows + 1, "cut off", f"row {rows + 1} and what came after it was cut off")


def _is_same(kept: object, right: str) -> bool:
    return hmac.compare_digest(str(kept).encode("utf-8"), right.encode("utf-8"))


def _keyed(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8"), "sha256").hexdigest()
