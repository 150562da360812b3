"""Calls by which a provider is asked to check the arguments only."""

from typing import Final

CHECKED_ONLY: Final = "Checked only: nothing was done."


def only_checks(operation: object) -> bool:
    """True where the call is a dry run: it does nothing, and spends nothing."""
    return bool(getattr(operation, "dry_run", False))
