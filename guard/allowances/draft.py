"""The terms of an allowance as somebody writes them: read together, so that one answer names every fault."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from clients.operation import OperationType
from guard.allowances.allowance import BadLimit, CountLimit, MoneyLimit, Terms, read_count, read_money, read_until
from guard.allowances.conditions import BadCondition, Condition, read_condition, write_conditions
from guard.allowances.fitness import BadTerms, Fitness, check_terms, why_never

T = TypeVar("T")

_UNREAD: Final = timedelta(days=1)
"""Stands for an end that cannot be read, while what else is wrong is looked for."""

LONGEST_NOTE: Final = 300
"""Characters of what an allowance is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Terms as they are written in a form, on the command line, or by an assistant."""

    principal: str
    account: str = ""
    conditions: tuple[str, ...] = ()
    """One a line."""

    count: str = ""
    money: str = ""
    """Empty where the operation costs nothing."""

    until: str = ""
    note: str = ""

    @classmethod
    def of(cls, terms: Terms) -> "Draft":
        """Write terms as somebody would."""
        return cls(
            principal=terms.principal,
            account=terms.account or "",
            conditions=tuple(write_conditions([one]) for one in terms.conditions),
            count=str(terms.count),
            money=str(terms.money) if terms.money else "",
            until=terms.until.strftime("%Y-%m-%dT%H:%M+00:00"),
            note=terms.note,
        )

    def read(self, operation: OperationType, now: datetime, fitness: Fitness) -> Terms:
        """Return the terms, with every value in the form in which a call has it.

        Raises:
            BadTerms: Something cannot be read, or does not fit the operation; the error names every fault.
        """
        if why := why_never(operation):
            raise BadTerms([why])
        faults: list[str] = []

        def attempt(read: Callable[[str], T], text: str) -> T | None:
            try:
                return read(text)
            except (BadLimit, BadCondition) as wrong:
                faults.append(str(wrong))
                return None

        def read_until_now(text: str) -> datetime:
            return read_until(text, now)

        found = [attempt(read_condition, line) for line in self.conditions if line.strip()]
        conditions: list[Condition] = [one for one in found if one is not None]
        count = attempt(read_count, self.count) or CountLimit(1, "day")
        money: MoneyLimit | None = attempt(read_money, self.money) if self.money.strip() else None
        until = attempt(read_until_now, self.until)
        if len(self.note) > LONGEST_NOTE:
            faults.append(f"What it is for has {LONGEST_NOTE} characters at most.")
        terms = Terms(
            operation=operation.spec.tool_name,
            principal=self.principal.strip(),
            account=self.account.strip() or None,
            conditions=tuple(conditions),
            count=count,
            money=money,
            until=until or now + _UNREAD,
            note=self.note.strip(),
        )
        try:
            checked = check_terms(operation, terms, now, fitness)
        except BadTerms as bad:
            raise BadTerms([*faults, *bad.faults]) from None
        if faults:
            raise BadTerms(faults)
        return checked
