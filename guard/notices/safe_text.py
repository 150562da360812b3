"""Titles as notices show them: without values that others can word, and without anything that becomes a link."""

import re
from typing import Final

from guard.injection.sanitize import escape_invisible

LEFT_OUT: Final = "…"

_QUOTED: Final = re.compile(r"“[^”]*”?")
"""A value in words, as `write_subject` quotes it. It cannot close its own quotes."""

_LINKED: Final = re.compile(r"\S*(?:://|@|\.[^\W\d_]{2,}|[<>`*|])\S*")
"""A value that a mail program or a chat would show as a link, a mention, or formatting: `x.example.com`, `@channel`."""

_LONGEST: Final = 200


def safe_title(title: str) -> str:
    """Return a server-made title without its free values.

    A value may be an assistant's words, which may repeat text from outside. In a chat of the company nobody would see
    that; the approval page shows it as what it is.
    """
    shown = _LINKED.sub(LEFT_OUT, _QUOTED.sub(LEFT_OUT, escape_invisible(title)))
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}{LEFT_OUT}"


def safe_name(name: str) -> str:
    """Return the name of somebody who asks or decided, which the settings or the sign-in gave, on one line."""
    shown = escape_invisible(name)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}{LEFT_OUT}"
