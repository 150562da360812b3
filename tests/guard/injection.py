"""One text that a stranger sends to make an assistant act."""

from dataclasses import dataclass
from typing import Literal

Place = Literal["message", "subject", "ticket", "caller name"]

ZERO_WIDTH = "\u200b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One text, where it comes in, and what a willing reader takes from it."""

    name: str
    text: str
    place: Place = "message"
    number: str = ""
    """The telephone number, in E.164."""

    link: str = ""
    address: str = ""
    has_words: bool = True
    """True where the text is long enough that repeating it is recognised."""
