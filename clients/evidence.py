"""Evidence: whether a read proves that a call happened whose answer was lost."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NoReturn


class Evidence(Enum):
    """What a read says about a call whose answer was lost."""

    YES = "yes"
    """The call happened."""

    NO = "no"
    """The call did not happen."""

    UNKNOWN = "unknown"
    """The read does not show whether it happened."""

    def __bool__(self) -> NoReturn:
        """Refuse to be a condition: two of the three values would look alike.

        Raises:
            TypeError: Always.
        """
        raise TypeError("Evidence has three values; compare it with Evidence.YES, Evidence.NO or Evidence.UNKNOWN")

    @classmethod
    def of(cls, claim: bool) -> "Evidence":
        """YES if the claim holds, otherwise NO."""
        return cls.YES if claim else cls.NO

    @classmethod
    def yes_if(cls, claim: bool) -> "Evidence":
        """YES if the claim holds; otherwise UNKNOWN, because its absence proves nothing."""
        return cls.YES if claim else cls.UNKNOWN

    @classmethod
    def no_if(cls, claim: bool) -> "Evidence":
        """NO if the claim holds; otherwise UNKNOWN, because its absence proves nothing."""
        return cls.NO if claim else cls.UNKNOWN

    @property
    def opposite(self) -> "Evidence":
        """NO for YES, YES for NO, and UNKNOWN for itself."""
        return {Evidence.YES: Evidence.NO, Evidence.NO: Evidence.YES}.get(self, Evidence.UNKNOWN)


def all_of(parts: Iterable[Evidence]) -> Evidence:
    """NO if one part is NO, YES if every part is YES, otherwise UNKNOWN; UNKNOWN too where there are no parts."""
    found = set(parts)
    if Evidence.NO in found:
        return Evidence.NO
    return Evidence.yes_if(found == {Evidence.YES})


def any_of(parts: Iterable[Evidence]) -> Evidence:
    """YES if one part is YES, otherwise UNKNOWN if one is UNKNOWN; NO where every part is NO or there are none."""
    found = set(parts)
    if Evidence.YES in found:
        return Evidence.YES
    return Evidence.UNKNOWN if Evidence.UNKNOWN in found else Evidence.NO


def all_present(wanted: Collection[object], shown: Collection[object]) -> Evidence:
    """YES if everything wanted is among what is shown, NO if nothing of it is, UNKNOWN for a part of it.

    A None among what is shown is a row that does not show its value, so that nothing is known to be absent.
    """
    there = set(wanted) & set(shown)
    if there == set(wanted):
        return Evidence.YES
    return Evidence.no_if(not there and None not in shown)


def present_in(shown: Iterable[object | None], wanted: object, *, whole: bool) -> Evidence:
    """Whether a value is among those that the rows of a list show.

    YES if a row shows it. NO only if the list is whole and each row shows a value: a row without one, None here, and
    rows that are not in the list may be the one. Otherwise UNKNOWN.
    """
    values = list(shown)
    if wanted in values:
        return Evidence.YES
    return Evidence.no_if(whole and None not in values)


def same_value(shown: object, wanted: object) -> Evidence:
    """Whether a value is the wanted one; UNKNOWN where it is None, because the read did not show it."""
    return Evidence.UNKNOWN if shown is None else Evidence.of(shown == wanted)


def same_fields(
    wanted: Mapping[str, Any],
    shown: Mapping[str, Any],
    *,
    compare: Callable[[Any, Any], Evidence] = same_value,
    may_differ: frozenset[str] = frozenset(),
) -> Evidence:
    """Whether every wanted field is shown with its wanted value; UNKNOWN where nothing is wanted.

    `compare` is given the shown and the wanted value of each field that is shown. A difference in a field that
    `may_differ` proves nothing.
    """

    def same_field(name: str) -> Evidence:
        value = shown.get(name)
        evidence = Evidence.UNKNOWN if value is None else compare(value, wanted[name])
        return Evidence.UNKNOWN if name in may_differ and evidence is Evidence.NO else evidence

    return all_of(map(same_field, wanted))


def is_since(
    moment: datetime | None, sent_at: datetime, *, tolerance: timedelta = timedelta(0), whole_seconds: bool = False
) -> bool:
    """Return True for a moment not before a call was sent; False where the moment is not shown.

    `tolerance` is how much earlier the provider's clock may be. `whole_seconds` is for providers whose times have no
    fractions of a second.
    """
    earliest = sent_at.replace(microsecond=0) if whole_seconds else sent_at
    return moment is not None and moment >= earliest - tolerance
