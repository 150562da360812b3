"""The guard's access to the registry of operations."""

from collections.abc import Sequence

from clients.operation import OperationType
from tools.registry import operation_named
from tools.related_reads import related_reads


class RegisteredOperations:
    """Implements `guard.catalog.OperationCatalog` over the registry."""

    def operation_named(self, tool: str) -> OperationType | None:
        """Return the operation of a tool name, or None if there is none."""
        return operation_named(tool)

    def related_reads(self, tool: str) -> Sequence[str]:
        """Return tool names of plain reads that show what an operation changes, the closest first."""
        return related_reads(tool)
