"""The guard's access to the registry of operations."""

from collections.abc import Sequence
from typing import Any

from clients.operation import Operation, OperationType
from tools.registry import operation_named
from tools.related_reads import related_reads, tool_for


class RegisteredOperations:
    """Implements `guard.catalog.OperationCatalog` over the registry."""

    def operation_named(self, tool: str) -> OperationType | None:
        """Return the operation of a tool name, or None if there is none."""
        return operation_named(tool)

    def tool_for(self, read: Operation[Any]) -> str:
        """Return the name of the tool that makes this read: its own, or that of the same endpoint where it has none."""
        return tool_for(read)

    def related_reads(self, tool: str) -> Sequence[str]:
        """Return tool names of plain reads that show what an operation changes, the closest first."""
        return related_reads(tool)
