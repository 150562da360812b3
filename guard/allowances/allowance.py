"""An allowance: which calls of whom the operator said yes to beforehand, how many, for how much, until when."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from guard.allowances.conditions import Condition
from guard.money import Money, NotAPrice, parse_price
from guard.operators.approval import canonical
from guard.rules.budget import start_of
from guard.rules.quote import Quote

ALLOWANCE_ID: Final = r"al_[a-hjkmnp-z2-9]{8}"
"""The form of an allowance's id, as a regular expression."""

Window = Literal["day", "month", "total"]
"""The span that a limit counts in: days and months by the calendar in UTC, or all of the allowance's time."""

WINDOWS: Final[tuple[Window, ...]] = ("day", "month", "total")
_LIMIT: Final = re.compile(rf"(.+?)\s*(?:/|\s(?:a|per|in)\s)\s*({'|'.join(WINDOWS)})")

_APPROVER: Final = "allowance "
_SEVERAL: Final = "allowances "
_NAMED: Final = 8
"""How many allowances a plan's record names; each step has its own beside."""


class BadLimit(ValueError):
    """A count or an amount cannot be read. The message says what is allowed."""


@dataclass(frozen=True, slots=True)
class CountLimit:
    """At most so many calls in a window; one that reaches several people counts once for each."""

    most: int
    window: Window

    def __str__(self) -> str:
        return f"{self.most}/{self.window}"


@dataclass(frozen=True, slots=True)
class MoneyLimit:
    """At most so much money in a window."""

    most: Money
    window: Window

    def __str__(self) -> str:
        return f"{self.most.amount:f} {self.most.currency}/{self.window}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an allowance allows."""

    operation: str
    """Tool name of the operation."""

    principal: str
    """Who asks, such as `token:alice`."""

    account: str | None = None
    """The account that it counts for, as an action names it; None for every account of the provider."""

    conditions: tuple[Condition, ...]
    count: CountLimit
    money: MoneyLimit | None = None
    """None where the operation costs nothing."""

    until: datetime
    note: str = ""
    """What it is for, in the operator's words."""

    @property
    def limits(self) -> str:
        """The limits in words, such as `50 a day, $1.00 a day`."""
        count = f"{self.count.most} {IN_WINDOW[self.count.window]}"
        return f"{count}, {self.money.most} {IN_WINDOW[self.money.window]}" if self.money else count

    @property
    def facts(self) -> dict[str, Any]:
        """All that it allows, as JSON values: what the audit log says of it, and what an operator signs."""
        return {
            "operation": self.operation,
            "account": self.account,
            "conditions": [str(condition) for condition in self.conditions],
            "count": str(self.count),
            "money": str(self.money) if self.money else None,
            "until": self.until.isoformat(),
            "note": self.note,
        }

    @property
    def digest(self) -> str:
        """SHA-256 over what it allows, and to whom."""
        return digest_of_terms(self.facts, self.principal)


def digest_of_terms(facts: Mapping[str, Any], principal: str) -> str:
    """Return the SHA-256 over the canonical JSON of what an allowance allows, and to whom."""
    return hashlib.sha256(terms_text(facts, principal).encode("utf-8")).hexdigest()


def terms_text(facts: Mapping[str, Any], principal: str) -> str:
    """Return the text of which that digest is the SHA-256."""
    chosen = {name: facts.get(name) for name in TERMS} | {"principal": principal}
    return canonical(chosen).decode("utf-8")


TERMS: Final = ("operation", "account", "conditions", "count", "money", "until", "note")
"""Names of the facts."""

IN_WINDOW: Final[dict[Window, str]] = {"day": "a day", "month": "a month", "total": "in all"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """An allowance on the record."""

    id: str
    terms: Terms
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def stands(self, at: datetime) -> bool:
        """Return True if it is neither revoked nor over at that time."""
        return self.revoked_at is None and at < self.terms.until

    def status(self, at: datetime) -> str:
        """Where it stands: `in force`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "in force" if at < self.terms.until else "expired"


@dataclass(frozen=True, slots=True)
class Usage:
    """What an allowance let through in its windows until now."""

    count: int
    money: Money | None


@dataclass(frozen=True, slots=True)
class Use:
    """What one call takes of an allowance."""

    count: int
    amount: Money | None
    """The most that the call may cost; None where it is free."""


def use_of(quote: Quote) -> Use:
    """Return what a call of known price takes of an allowance: once for each number or recipient that it reaches."""
    return Use(max(1, quote.recipients or 1), quote.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceRequest:
    """An assistant's request for an allowance, in its own words. It allows nothing."""

    id: str
    terms: Terms
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Cover:
    """The allowances of which any would let a call through, and what the call takes of it."""

    allowances: tuple[str, ...] = field(default=())
    """Their ids, in the order in which they are tried; none where nothing covers the call."""

    use: Use = Use(1, None)


def window_start(window: Window, now: datetime) -> datetime | None:
    """Return when a window began; None for all of the allowance's time."""
    return None if window == "total" else start_of(window, now)


def read_count(text: str) -> CountLimit:
    """Read a count with its window, such as `50/day`.

    Raises:
        BadLimit: It cannot be read.
    """
    amount, window = _split(text, "50/day")
    if not re.fullmatch(r"[0-9]{1,6}", amount) or not int(amount):
        raise BadLimit(f"{text[:40]!r} is no count: write a whole number and its window, such as 50/day.")
    return CountLimit(int(amount), window)


def read_money(text: str) -> MoneyLimit:
    """Read an amount with its window, such as `1.00 USD/day` or `$1 a month`.

    Raises:
        BadLimit: It cannot be read.
    """
    amount, window = _split(text, "1.00 USD/day")
    try:
        return MoneyLimit(parse_price(amount), window)
    except NotAPrice as wrong:
        raise BadLimit(f"{wrong} Write an amount and its window, such as 1.00 USD/day.") from None


def read_until(text: str, now: datetime) -> datetime:
    """Read when an allowance ends: a day, which counts to its end in UTC, or a time.

    Raises:
        BadLimit: It cannot be read, or it is over.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadLimit(f"{text[:40]!r} is no day or time: write 2026-12-04 or 2026-12-04T18:00+01:00.") from None
    if re.fullmatch(r"[0-9-]+", text.strip()):
        moment = moment.replace(hour=23, minute=59, second=59)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if aware <= now:
        raise BadLimit(f"{text.strip()} is over: an allowance ends in the future.")
    return aware.astimezone(UTC)


def _split(text: str, example: str) -> tuple[str, Window]:
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise BadLimit(f"{text[:40]!r} names no window: write {example}, with day, month or total.")
    window: Window = next(one for one in WINDOWS if one == found[2])
    return found[1], window


def approver(allowance_ids: Sequence[str]) -> str:
    """Name the allowances under which a call or a plan was approved, as the record and the audit do."""
    distinct = list(dict.fromkeys(allowance_ids))
    if len(distinct) == 1:
        return f"{_APPROVER}{distinct[0]}"
    more = f" and {len(distinct) - _NAMED} more" if len(distinct) > _NAMED else ""
    return f"{_SEVERAL}{', '.join(distinct[:_NAMED])}{more}"


def is_allowance(decided_by: str | None) -> bool:
    """Return True for what `approver` names."""
    return (decided_by or "").startswith((_APPROVER, _SEVERAL))


def allowance_of(decided_by: str | None) -> str | None:
    """Return the id of the allowance under which an action was approved; None where somebody else approved it."""
    by = decided_by or ""
    return by.removeprefix(_APPROVER) if by.startswith(_APPROVER) else None


def new_allowance_id() -> str:
    """Random, short enough to read out: `al_` and eight characters."""
    return "al_" + _random()


def new_request_id() -> str:
    """Random, short enough to read out: `alreq_` and eight characters."""
    return "alreq_" + _random()


def _random() -> str:
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8))


NO_COVER: Final = Cover()
"""What covers a call that no allowance covers."""
