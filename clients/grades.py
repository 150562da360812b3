"""How sure it is that an endpoint is as it is declared: what a provider's page shows, and what it does not."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

Grade = Literal["documented", "seen", "inferred"]
"""A page of the provider shows it; a public client or a recorded answer does; or it is concluded from its siblings."""

_STRENGTH: tuple[Grade, ...] = ("documented", "seen", "inferred")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    """The grade of each part of an endpoint."""

    method: Grade = "documented"
    path: Grade = "documented"

    request: Grade = "documented"
    """Of the names and forms of what is sent; `documented` too where nothing is."""

    answer: Grade = "documented"
    """Of the names and forms of what comes back."""

    @classmethod
    def all(cls, grade: Grade) -> "Grades":
        """Give every part one grade."""
        return cls(method=grade, path=grade, request=grade, answer=grade)

    def parts(self) -> Iterator[tuple[str, Grade]]:
        """Yield each part with its grade."""
        for part in fields(self):
            grade: Grade = getattr(self, part.name)
            yield part.name, grade

    @property
    def weakest(self) -> Grade:
        """The grade of the part that is least sure."""
        given = {grade for _, grade in self.parts()}
        return next(grade for grade in reversed(_STRENGTH) if grade in given)

    @property
    def words(self) -> str:
        """The grades, for people: `documented`, or `path documented; request, answer inferred`."""
        if len({grade for _, grade in self.parts()}) == 1:
            return self.weakest
        by_grade = {grade: [part for part, has in self.parts() if has == grade] for grade in _STRENGTH}
        return "; ".join(f"{', '.join(parts)} {grade}" for grade, parts in by_grade.items() if parts)

    @property
    def unsure_parts(self) -> list[str]:
        """The parts that no page of the provider shows."""
        return [part for part, grade in self.parts() if grade != "documented"]
