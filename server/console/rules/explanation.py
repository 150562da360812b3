"""Explains what happens when one tool is called, for `ringfence policy explain` and the console."""

from collections.abc import Sequence
from datetime import datetime

from clients.operation import OperationType
from guard.allowances.fitness import why_never
from guard.allowances.record import AllowanceRecord
from guard.allowances.wording import brief, usage_line
from guard.errors import JournalUnavailable
from server.settings.explain import explain
from server.settings.model import Settings
from server.settings.names import BUILTIN_RULE, builtin_tools_that_read
from tools.registry import all_operations, operation_named
from tools.suggestions import nearest_tools, reads_of


class NoSuchTool(Exception):
    """There is no tool of this name; `nearest` are names that are similar."""

    def __init__(self, tool: str, nearest: Sequence[str]) -> None:
        super().__init__(f"{tool}: there is no such tool" + (f"; did you mean {nearest[0]}?" if nearest else "."))
        self.nearest = tuple(nearest)


def explain_tool(tool: str, settings: Settings) -> list[str]:
    """Explain what the rules say about a tool, in one line each.

    Raises:
        NoSuchTool: There is no tool of this name.
    """
    operation = operation_named(tool)
    if operation is not None:
        return list(explain(operation, settings))
    builtin = builtin_tools_that_read()
    if tool in builtin:
        return [f"{tool}: a built-in tool, not an operation: {BUILTIN_RULE[builtin[tool]]}"]
    raise NoSuchTool(tool, nearest_tools(tool, reads_of(all_operations().values()) | builtin))


def needs_no_allowance(operation: OperationType | None) -> bool:
    """Return True for what is no operation, and for a plain read."""
    return operation is None or operation.spec.effect.is_plain_read


async def explain_allowances(tool: str, record: AllowanceRecord, now: datetime) -> list[str]:
    """Name the allowances for an operation, one line each, or say why none may be for it."""
    operation = operation_named(tool)
    if operation is None or needs_no_allowance(operation):
        return []
    if why_never(operation):
        return ["no allowance may be for it: it cannot be undone, or touches credentials, access or consent"]
    try:
        found = await record.in_force(tool, None, now)
        usage = await record.usage(found, now)
    except JournalUnavailable as unavailable:
        return [f"whether an allowance applies is not known: {unavailable}"]
    return [
        f"without approval by allowance {one.id}, for {one.terms.principal}: {brief(one.terms)}; "
        f"used: {usage_line(one, usage.get(one.id))}"
        for one in found
    ]
