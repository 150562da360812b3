"""The value patterns that VoiceTel's schemas share."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from sandbox.voicetel.wire import Refusal

TEN_DIGITS = r"^[2-9][0-9]{2}[2-9][0-9]{2}[0-9]{4}$"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")

Tn = Annotated[str, StringConstraints(pattern=TEN_DIGITS)]
"""A ten-digit North American number without +1."""

Text = Annotated[str, StringConstraints(min_length=1)]
"""Text that must say something; inferred: the schemas only say string."""

StateCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]
"""Two letters."""


def is_email(text: str) -> bool:
    """Return whether the text looks like an address; inferred: the rule itself is not published."""
    return _EMAIL.fullmatch(text) is not None


def is_tn(text: str) -> bool:
    """Return whether the text is a ten-digit number."""
    return re.fullmatch(TEN_DIGITS, text) is not None


def _email(text: str) -> str:
    if not is_email(text):
        raise ValueError("not an email address")
    return text


Email = Annotated[str, AfterValidator(_email)]
"""An email address."""


def path_number(text: str) -> str:
    """Return a number in a path.

    Raises:
        Refusal: 400 unless it has ten digits (inferred where only the description says so).
    """
    if not is_tn(text):
        raise Refusal(400, "The number must be a ten-digit telephone number.")
    return text


def path_id(text: str) -> int:
    """Return an integer identifier in a path.

    Raises:
        Refusal: 400 if it is no integer (inferred; the schema says integer).
    """
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refusal(400, "The identifier must be an integer.")
    return int(text)


def comma_list(text: str, limit: int, what: str) -> list[str]:
    """Return a comma-separated query value.

    Raises:
        Refusal: 400 if it is empty or holds more than `limit` values.
    """
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not values:
        raise Refusal(400, f"At least one of {what} is required.")
    if len(values) > limit:
        raise Refusal(400, f"At most {limit} {what} are allowed.")
    return values
