"""Calls of plain reads that a list of calls does not have: those of their examples."""

from collections.abc import Container
from typing import Any

from tools.discovery.examples import example_of
from tools.registry import operations_of


def example_reads(provider: str, called: Container[str]) -> dict[str, dict[str, Any]]:
    """Return the example of each plain read that is not called, by its name without the provider's.

    So a read that is added to a provider is tried against its simulation without a further line.
    """
    offered = [operation for operation in operations_of(provider).values() if operation.spec.name not in called]
    return {operation.spec.name: example_of(operation) for operation in offered if operation.spec.effect.is_plain_read}
