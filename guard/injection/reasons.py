"""Reasons in somebody's own words: why an assistant asks, and why an operator declined. They decide nothing.

A reason is no guard input and in no digest: two calls that differ in it alone are the same call. It is shown as what
somebody said, on one line of visible characters, between marks that it cannot close.
"""

from typing import Final

from guard.injection.sanitize import escape_invisible, strip_invisible

LONGEST_OF_ASSISTANT: Final = 300
"""Characters of the reason of a call or a plan; longer ones are refused, so that nothing of them is lost unseen."""

LONGEST_OF_OPERATOR: Final = 500
"""Characters of the reason of a no. What is longer is cut: a no counts whatever is written with it."""

_LOOKS_LIKE_MARKS: Final = {ord(mark): "\u2039" for mark in "\u00ab\u226a\u22d8\u27ea\u300a\u2e02\u276e\u2770"} | {
    ord(mark): "\u203a" for mark in "\u00bb\u226b\u22d9\u27eb\u300b\u2e03\u276f\u2771"
}
"""Double and ornamental angle marks, with the single ones that stand in their place between our own."""


def clean_reason(text: str, longest: int) -> str:
    """Return a reason on one line, without what cannot be seen, cut where it is longer than `longest`."""
    words = " ".join(strip_invisible(text).split())
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


def in_marks(text: str) -> str:
    """Put somebody's own words between marks that they cannot close, on one line."""
    return f"«{escape_invisible(' '.join(text.split())).translate(_LOOKS_LIKE_MARKS)}»"


def reason_line(reason: str) -> str:
    """Word the reason that an assistant gives, as its own words."""
    return f"The assistant gives as the reason: {in_marks(reason)}"


def decline_line(reason: str) -> str:
    """Word the reason that was given with a no, as the words of whoever declined."""
    return f"The reason given with the no: {in_marks(reason)}"
