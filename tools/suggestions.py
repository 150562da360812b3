"""Suggests tools for a name that does not exist. Models call what is suggested, so it does no more than they wanted."""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from tools.registry import nearest, provider_names

if TYPE_CHECKING:
    from clients.operation import OperationType

READING = frozenset(
    {"check", "count", "find", "get", "list", "query", "read", "report", "search", "see", "show", "view"}
)
"""Verbs of names that only read."""

_SIMILAR = 0.7
"""Least similarity of two verbs: `relase` means `release`; `list` does not, however similar the rest of the name is."""


def nearest_tools(name: str, known: Mapping[str, bool]) -> list[str]:
    """Return the tools with the most similar names; `known` says of each whether it is a plain read.

    A tool that does more than read is suggested only for a verb like its own, and never for a verb that reads.
    """
    verb = _verb(name)
    return nearest(name, [other for other, reads in known.items() if reads or _means_the_same(verb, _verb(other))])


def reads_of(operations: "Iterable[OperationType]") -> dict[str, bool]:
    """Return whether each operation is a plain read, by tool name."""
    return {operation.spec.tool_name: operation.spec.effect.is_plain_read for operation in operations}


def _means_the_same(verb: str, other: str) -> bool:
    return verb not in READING and SequenceMatcher(None, verb, other).ratio() >= _SIMILAR


def _verb(name: str) -> str:
    provider, _, rest = name.partition("_")
    return (rest if provider in provider_names() else name).partition("_")[0]
