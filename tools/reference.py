"""The documentation of the operations, derived from their declarations; a test keeps README and docs equal to it."""

from collections.abc import Iterable

from clients.operation import OperationType


def summary(operations: Iterable[OperationType]) -> str:
    """A row a toolset: how many operations, and how many of them a person is asked about."""
    groups: dict[tuple[str, str], list[OperationType]] = {}
    for operation in operations:
        groups.setdefault((operation.spec.provider.title, operation.spec.toolset), []).append(operation)
    lines = ["| provider | toolset | operations | plain reads | a person is asked |", "| --- | --- | --: | --: | --: |"]
    for (provider, toolset), group in groups.items():
        reads = sum(operation.spec.effect.is_plain_read for operation in group)
        asked = sum(operation.spec.effect.is_guarded for operation in group)
        lines.append(f"| {provider} | `{toolset}` | {len(group)} | {reads} | {asked} |")
    return "\n".join(lines)


def page(operations: Iterable[OperationType]) -> str:
    """Every operation: tool, what it does, effect, request, and whether a document shows it."""
    lines = ["| tool | what it does | effect | request | basis |", "| --- | --- | --- | --- | --- |"]
    for operation in operations:
        spec = operation.spec
        does = " ".join((operation.__doc__ or "").split()).replace("|", "\\|")
        effect = ", ".join(spec.effect.labels) + (", irreversible" if spec.irreversible else "")
        lines.append(f"| `{spec.tool_name}` | {does} | {effect} | `{spec.method} {spec.path}` | {spec.basis} |")
    return "\n".join(lines)
