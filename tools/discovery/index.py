"""Builds the search index of operations and built-in tools."""

from collections.abc import Iterable

from clients.operation import OperationType
from tools.builtin import BuiltinTool
from tools.discovery.ranking import Entry, Index
from tools.selection import is_everyday


def index_of(operations: Iterable[OperationType], tools: Iterable[BuiltinTool] = ()) -> Index:
    """Index operations and built-in tools."""
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
        is_common=is_everyday(operation),
    )


def _tool_entry(tool: BuiltinTool) -> Entry:
    texts = {"name": tool.name, "description": tool.description, "synonyms": " ".join(tool.synonyms)}
    return Entry(name=tool.name, provider=None, texts=texts, verb=_verb(tool.name), is_common=True)


def _verb(name: str) -> str:
    return name.partition("_")[0]
