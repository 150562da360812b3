"""The documentation of the operations, derived from their declarations; a test keeps README and docs equal to it."""

from collections.abc import Iterable

from clients.operation import OperationType


def summary(operations: Iterable[OperationType]) -> str:
    """Build a table with a row per toolset: how many operations it has, and how many of them need approval."""
    groups: dict[tuple[str, str], list[OperationType]] = {}
    for operation in operations:
        groups.setdefault((operation.spec.provider.title, operation.spec.toolset), []).append(operation)
    lines = ["| provider | toolset | operations | plain reads | need approval |", "| --- | --- | --: | --: | --: |"]
    for (provider, toolset), group in groups.items():
        reads = sum(operation.spec.effect.is_plain_read for operation in group)
        guarded = sum(operation.spec.effect.is_guarded for operation in group)
        lines.append(f"| {provider} | `{toolset}` | {len(group)} | {reads} | {guarded} |")
    return "\n".join(lines)


def page(operations: Iterable[OperationType]) -> str:
    """Build a table with a row per operation: tool, what it does, effect, request, and whether it is documented."""
    lines = ["| tool | what it does | effect | request | basis |", "| --- | --- | --- | --- | --- |"]
    for operation in operations:
        spec = operation.spec
        does = " ".join((operation.__doc__ or "").split()).replace("|", "\\|")
        effect = ", ".join(spec.effect.labels) + (", irreversible" if spec.irreversible else "")
        lines.append(f"| `{spec.tool_name}` | {does} | {effect} | `{spec.method} {spec.path}` | {spec.basis.words} |")
    return "\n".join(lines)
