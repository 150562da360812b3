"""What a name that does not exist is answered with. Models try what they are shown: never more than was asked for."""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from clients.operation import OperationType
from tools.registry import nearest, provider_names

READING = frozenset(
    {"check", "count", "find", "get", "list", "query", "read", "report", "search", "see", "show", "view"}
)
"""How names begin that ask for a look and nothing else."""

_NEARLY_THE_SAME = 0.7
"""Of a verb: `relase` is `release`, but `list` is no `release`, however much the rest of two names agrees."""


def nearest_tools(name: str, known: Mapping[str, bool]) -> list[str]:
    """The tools that come closest, of `known` with whether each is a plain read.

    What does more than read is named only where the verb is nearly its own, and never for a verb that reads.
    """
    verb = _verb(name)
    return nearest(name, [other for other, reads in known.items() if reads or _means_the_same(verb, _verb(other))])


def reads_of(operations: Iterable[OperationType]) -> dict[str, bool]:
    """Tool names, with whether each is a plain read."""
    return {operation.spec.tool_name: operation.spec.effect.is_plain_read for operation in operations}


def _means_the_same(verb: str, other: str) -> bool:
    return verb not in READING and SequenceMatcher(None, verb, other).ratio() >= _NEARLY_THE_SAME


def _verb(name: str) -> str:
    provider, _, rest = name.partition("_")
    return (rest if provider in provider_names() else name).partition("_")[0]
