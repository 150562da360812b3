"""What can be found: every operation by its words, and the tools of our own."""

from collections.abc import Iterable

from mcp.server.mcpserver.tools import Tool

from tools.builtin import BuiltinTool
from tools.discovery.ranking import Entry, Index
from tools.registry import OperationType
from tools.toolsets import EVERYDAY

_COMMON = frozenset(name for names in EVERYDAY.values() for name in names)


def index_of(operations: Iterable[OperationType], tools: Iterable[Tool] = ()) -> Index:
    """An index over operations, and over tools that are listed anyway."""
    return Index([*(_operation_entry(one) for one in operations), *(_tool_entry(tool) for tool in tools)])


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
    synonyms = tool.synonyms if isinstance(tool, BuiltinTool) else ()
    texts = {"name": tool.name, "description": tool.description, "synonyms": " ".join(synonyms)}
    return Entry(name=tool.name, provider=None, texts=texts, verb=_verb(tool.name), is_common=True)


def _verb(name: str) -> str:
    return name.partition("_")[0]
