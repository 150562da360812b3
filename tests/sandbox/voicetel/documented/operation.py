"""How a documented operation is written down."""

from dataclasses import dataclass

from tests.sandbox.voicetel.doors import KEY

MAIN = "2015550142"

Body = dict[str, object]


@dataclass(frozen=True)
class Documented:
    """One operation."""

    method: str
    path: str
    status: int
    shape: object = None
    """The content of `data`; None where the answer has no body."""
    body: Body | None = None
    query: dict[str, str] | None = None
    required: tuple[str, ...] = ()
    """Members of the body, or query parameters, without which it is refused."""
    key: str = KEY
    """Empty where no key is needed."""
    before: tuple[tuple[str, str], ...] = ()
    """Calls that must come first."""

    def __str__(self) -> str:
        """Return the name of the test."""
        return f"{self.method} {self.path}"
