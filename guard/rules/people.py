"""Checks a list of people by the rules that a call to them would meet, without a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from clients.phone_numbers import canonical, read_with_country_code, valid_form
from guard.dependencies import GuardDependencies
from guard.errors import GuardRefusal

Kind = Literal["form", "duplicate", "destination", "opted out", "unclear wish", "quiet hours", "call"]

NOTHING_SENT: Final = "nothing was sent."


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one of the people."""

    kind: Kind
    why: str

    @property
    def keeps_out(self) -> bool:
        """True where nothing can be sent to this person; a number in another form only has to be rewritten."""
        return self.kind != "form" or self.why == NO_NUMBER


NO_NUMBER: Final = "no telephone number"


@dataclass(frozen=True, slots=True)
class Person:
    """One of the people, and what is wrong."""

    place: str
    """Where in the list: `row 3 (line 4)`."""

    given: str
    number: str | None
    """In E.164, as it should be written; None where it is no number."""

    problems: tuple[Problem, ...] = ()

    @property
    def can_be_reached(self) -> bool:
        """True where no rule keeps a message from this person."""
        return not any(problem.keeps_out for problem in self.problems)


class PeopleChecker:
    """Checks people by the operator's rules."""

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._rules = dependencies.rules
        self._optouts = dependencies.optouts

    async def check(self, listed: Sequence[tuple[str, str]], *, moment: datetime | None = None) -> list[Person]:
        """Check people, given as the place in their list and the number as it is written there.

        `moment` is when a message to them would go out; None leaves quiet hours to the call itself.

        Raises:
            JournalUnavailable: The opt-outs cannot be read.
        """
        home = self._rules.destinations.home
        numbers = {given: valid_form(given, home) or read_with_country_code(given) for _, given in listed}
        known = [number for number in numbers.values() if number is not None]
        opted_out = set(await self._optouts.among(known))
        unclear = set(await self._optouts.unclear(known))
        first_at: dict[str, str] = {}
        people: list[Person] = []
        for place, given in listed:
            number = numbers[given]
            problems = [Problem("form", NO_NUMBER)] if number is None else self._problems(given, number, moment)
            if number is not None:
                first = first_at.setdefault(canonical(number) or number, place)
                problems += [Problem("duplicate", f"the same telephone as {first}")] if first != place else []
                problems += [Problem("opted out", "opted out of messages and calls")] if number in opted_out else []
                problems += [Problem("unclear wish", UNCLEAR)] if number in unclear else []
            people.append(Person(place, given, number, tuple(problems)))
        return people

    def _problems(self, given: str, number: str, moment: datetime | None) -> list[Problem]:
        problems = [] if given == number else [Problem("form", "write it with its country code, as in `number`")]
        try:
            self._rules.destinations.check([number])
        except GuardRefusal as refusal:
            problems.append(Problem("destination", _told(refusal)))
        try:
            if moment is not None:
                self._rules.compliance.check_hour([number], moment)
        except GuardRefusal as refusal:
            problems.append(Problem("quiet hours", _told(refusal)))
        return problems


UNCLEAR: Final = "wrote what may be a wish to get no more messages; the operator has to judge it"


def _told(refusal: GuardRefusal) -> str:
    """Return what a refusal says, without what only a call needs."""
    return str(refusal).removesuffix(f"; {NOTHING_SENT}").removesuffix("Nothing was sent.").strip()
