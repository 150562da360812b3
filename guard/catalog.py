"""The operations that exist, as the guard looks them up."""

from collections.abc import Sequence
from typing import Any, Protocol

from clients.operation import Operation


class OperationCatalog(Protocol):
    """The operations that exist, by tool name."""

    def operation_named(self, tool: str) -> type[Operation[Any]] | None:
        """Return the operation of a tool name, or None if there is none."""
        ...

    def tool_for(self, read: Operation[Any]) -> str:
        """Return the name of the tool that makes this read: its own, or that of the same endpoint where it has none."""
        ...

    def related_reads(self, tool: str) -> Sequence[str]:
        """Return tool names of plain reads that show what an operation changes, the closest first."""
        ...
