"""Names the card in the list of tools, for a client that can show it."""

from collections.abc import Mapping
from typing import Any, Final

from server.mcp.card.document import URI

_META: Final = {"ui": {"resourceUri": URI, "visibility": ["model"]}}
"""`visibility` has the host refuse these tools to every app, so also to the card."""


def with_card(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entry of a tool whose results the card shows."""
    return {**tool, "_meta": {**tool.get("_meta", {}), **_META}}
