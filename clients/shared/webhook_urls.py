"""URLs at which this installation receives webhooks. Calls write `inbox` for the URL, which holds a secret."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

INBOX = "inbox"
"""The placeholder for the URL in arguments, questions and records."""

INBOX_PATH = "/webhooks/"
"""The part that every webhook URL contains."""


class Inbox(Protocol):
    """Knows the URLs at which this installation receives webhooks."""

    def url(self, kind: str) -> str | None:
        """Return the URL for one kind of webhook; None where no provider could reach it."""
        ...


class NoInbox:
    """An inbox that receives nothing."""

    def url(self, kind: str) -> str | None:
        """Return None: nothing is received."""
        return None


def expand(value: Any, url: Callable[[str], str], kinds: Mapping[str, str], key: str = "") -> Any:
    """Replace every `inbox` in a body by the URL for its field."""
    if value == INBOX and key in kinds:
        return url(kinds[key])
    if isinstance(value, dict):
        body = cast("dict[str, Any]", value)
        within = {name: name if name != "url" else key for name in body}
        return {name: expand(inner, url, kinds, within[name]) for name, inner in body.items()}
    return value


def uses_placeholder(value: Any) -> bool:
    """Return True when a body contains the placeholder anywhere."""
    if isinstance(value, dict):
        return any(uses_placeholder(inner) for inner in cast("dict[str, Any]", value).values())
    return bool(value == INBOX)
