"""Finds the reads that show what an operation changes, to check the outcome of a call."""

from typing import Any, Final

from clients.operation import Operation, OperationType
from clients.wire.corrections import endpoint_of
from tools.registry import operation_named, operations_of

MOST: Final = 2
_SHOWS: Final = {"list", "get", "track"}
"""Verbs of reads that show what is there, not what is on offer or what it would cost."""


def related_reads(tool: str) -> list[str]:
    """Return plain reads of the provider, the nearest in name first; those of another toolset only if names agree."""
    operation = operation_named(tool)
    if operation is None:
        return []
    reads = [
        read
        for read in operations_of(operation.spec.provider.name).values()
        if read.spec.effect.is_plain_read and read.spec.name.split("_")[0] in _SHOWS and _is_near(read, operation)
    ]
    return [
        read.spec.tool_name for read in sorted(reads, key=lambda read: _nearness(read, operation), reverse=True)[:MOST]
    ]


def tool_for(read: Operation[Any]) -> str:
    """Return the name of the tool that makes a read: its own, or that of the same endpoint where it has none."""
    name = read.spec.tool_name
    if operation_named(name) is not None:
        return name
    endpoint = endpoint_of(read.spec)
    tools = operations_of(read.spec.provider.name).values()
    return next((tool.spec.tool_name for tool in tools if endpoint_of(tool.spec) == endpoint), name)


def _is_near(read: OperationType, operation: OperationType) -> bool:
    return read.spec.toolset == operation.spec.toolset or bool(_things(read) & _things(operation))


def _nearness(read: OperationType, operation: OperationType) -> tuple[int, bool]:
    """Rate a read: words in common count for it, words that only it has against it; then the same toolset."""
    its, ours = _things(read), _things(operation)
    return 2 * len(its & ours) - len(its - ours), read.spec.toolset == operation.spec.toolset


def _things(operation: OperationType) -> set[str]:
    """Return the words of a name after its verb, in the singular: a list of orders shows an order."""
    return {word.removesuffix("s") for word in operation.spec.name.split("_")[1:]}
