"""Why Routee did not deliver a message, by the status and detailed status that its reports name.

The words are documented (statuses of callbacks, tracking of one SMS). Only for some a page says what they mean; the
meaning of the others is inferred from the word.
"""

from collections.abc import Mapping
from typing import Final

from tools.overview.failures import UNKNOWN, Cause

FAILED: Final = ("Undelivered", "Failed", "Unsent")
"""Final statuses of a message that did not arrive (documented)."""

_BY_DETAIL: Final[Mapping[str, Cause]] = {
    "Expired": Cause(
        "it could not be delivered before its time to live was over, as when a phone is off", "later", "documented"
    ),
    "Unknown Number": Cause("nobody has the number", "no", "inferred"),
    "Undelivered on Handset": Cause("the phone did not take it, as when its memory is full", "later", "inferred"),
    "Call Barred": Cause("the line does not take messages", "no", "inferred"),
    "Roaming": Cause("the phone was abroad, and its network did not pass it on", "later", "inferred"),
    "Carrier Violation": Cause("the carrier refused its sender or its text", "no", "inferred"),
    "DND Error Code": Cause("the number is on a do-not-disturb register", "no", "inferred"),
    "Unknown Status": Cause("the network did not say; it may have arrived", "unclear", "inferred"),
    "Undelivered": Cause("the network did not say why", "unclear", "inferred"),
    "Failed": Cause("the network did not say why", "unclear", "inferred"),
}

_UNSENT: Final = Cause("the balance did not suffice", "yes", "documented")
"""Unsent: of a bulk send only, for an insufficient balance (documented)."""


def explain_failure(state: str, detail: str | None) -> Cause:
    """Return why a message of a status and a detailed status did not arrive."""
    if state == "Unsent" and detail in {None, state}:
        return _UNSENT
    return _BY_DETAIL.get(detail or state, UNKNOWN)
