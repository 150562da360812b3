"""Builds the search index of operations and built-in tools."""

from collections.abc import Iterable

from clients.operation import OperationType
from tools.builtin import BuiltinTool
from tools.discovery.entries import Entry
from tools.discovery.ranking import Index
from tools.discovery.utterances import Gap, not_offered, utterances_of
from tools.registry import provider_named
from tools.selection import is_everyday

_TAKES_AWAY = frozenset({"destructive", "reroutes"})


def index_of(operations: Iterable[OperationType], tools: Iterable[BuiltinTool] = ()) -> Index:
    """Index operations, built-in tools, and what none of the operations' providers offers."""
    known = list(operations)
    providers = dict.fromkeys(one.spec.provider.name for one in known)
    return Index(
        [
            *(_operation_entry(one) for one in known),
            *(_tool_entry(tool) for tool in tools),
            *(_gap_entry(gap, None) for gap in not_offered(__package__)),
            *(_gap_entry(gap, name) for name in providers for gap in not_offered(provider_named(name).package)),
        ]
    )


def _gap_entry(gap: Gap, provider: str | None) -> Entry:
    texts = {"toolset": provider or ""}
    return Entry(name="", provider=provider, texts=texts, utterances=gap.utterances, answer=gap.answer)


def _operation_entry(operation: OperationType) -> Entry:
    spec = operation.spec
    return Entry(
        name=spec.tool_name,
        provider=spec.provider.name,
        texts={
            "name": spec.title,
            "synonyms": " ".join(spec.synonyms),
            "description": operation.__doc__ or "",
            "toolset": f"{spec.toolset} {spec.provider.name}",
            "arguments": " ".join(operation.model_fields),
        },
        utterances=_said(operation.__module__, spec.name),
        verb=_verb(spec.name),
        is_common=is_everyday(operation),
        is_guarded=not spec.effect.is_plain_read,
        takes_away=not _TAKES_AWAY.isdisjoint(spec.effect.labels),
    )


def _tool_entry(tool: BuiltinTool) -> Entry:
    return Entry(
        name=tool.name,
        provider=None,
        texts={"name": tool.name, "description": tool.description, "synonyms": " ".join(tool.synonyms)},
        utterances=_said(tool.handler.__module__, tool.name),
        verb=_verb(tool.name),
        is_common=True,
        is_guarded=not tool.only_reads,
        takes_away=False,
    )


def _said(module: str, name: str) -> tuple[str, ...]:
    return tuple(one for said in utterances_of(module).get(name, {}).values() for one in said)


def _verb(name: str) -> str:
    return name.partition("_")[0]
