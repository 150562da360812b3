"""What can be found: every operation by its words, and the tools of our own."""

from collections.abc import Callable, Iterable
from functools import cache

from mcp.server.mcpserver.tools import Tool

from tools.catalog import OperationType, catalogue
from tools.discovery.ranking import Entry, Index
from tools.toolsets import EVERYDAY

_COMMON = frozenset(name for names in EVERYDAY.values() for name in names)


def index_of(operations: Iterable[OperationType], tools: Iterable[Tool] = ()) -> Index:
    """An index over operations, and over tools that are listed anyway."""
    return Index([*(_operation_entry(one) for one in operations), *(_tool_entry(tool) for tool in tools)])


@cache
def whole_index() -> Index:
    """An index over every operation of every provider."""
    return index_of(catalogue().values())


def reachable(allowed: Callable[[OperationType], bool]) -> list[OperationType]:
    """The operations that a session may call."""
    return [operation for operation in catalogue().values() if allowed(operation)]


def _operation_entry(operation: OperationType) -> Entry:
    spec = operation.spec
    return Entry(
        name=spec.tool_name,
        provider=spec.provider.name,
        texts={
            "name": spec.title,
            "synonyms": " ".join(spec.synonyms),
            "description": operation.__doc__ or "",
            "toolset": spec.toolset,
            "arguments": " ".join(operation.model_fields),
        },
        verb=_verb(spec.name),
        is_common=spec.tool_name in _COMMON,
    )


def _tool_entry(tool: Tool) -> Entry:
    texts = {"name": tool.name, "description": tool.description}
    return Entry(name=tool.name, provider=None, texts=texts, verb=_verb(tool.name), is_common=True)


def _verb(name: str) -> str:
    return name.partition("_")[0]
