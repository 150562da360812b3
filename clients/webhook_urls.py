"""Where this installation takes in what a provider posts. Calls name it `inbox`; its address holds a secret."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

INBOX = "inbox"
"""What stands in arguments, questions and records for the address."""

INBOX_PATH = "/webhooks/"
"""What every address of an inbox has in it."""


class Inbox(Protocol):
    """Knows the addresses under which this installation takes in callbacks."""

    def url(self, kind: str) -> str | None:
        """The address for one kind of callback; None where nobody outside could reach it."""
        ...


class NoInbox:
    """Nothing is taken in."""

    def url(self, kind: str) -> str | None:
        return None


def expand(value: Any, url: Callable[[str], str], kinds: Mapping[str, str], key: str = "") -> Any:
    """A body in which every `inbox` is the address for the field that it stands in."""
    if value == INBOX and key in kinds:
        return url(kinds[key])
    if isinstance(value, dict):
        body = cast("dict[str, Any]", value)
        within = {name: name if name != "url" else key for name in body}
        return {name: expand(inner, url, kinds, within[name]) for name, inner in body.items()}
    return value


def uses_placeholder(value: Any) -> bool:
    """True when a body asks for the inbox anywhere."""
    if isinstance(value, dict):
        return any(uses_placeholder(inner) for inner in cast("dict[str, Any]", value).values())
    return bool(value == INBOX)
