"""The catalogue: every operation there is, from the modules named here. Loud on duplicates."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any, cast

from clients.operation import Operation

OperationType = type[Operation[Any]]

MODULES: Mapping[str, tuple[str, ...]] = {
    "voicetel": (
        "numbers",
        "number_routing",
        "number_messaging",
        "caller_names",
        "ordering",
        "ports",
        "messaging",
        "e911",
        "gateways",
        "lookups",
        "account",
        "access",
        "credentials",
        "support",
    ),
    "enswitch": (
        "plan_routes",
        "plans",
        "routing",
        "costs",
        "numbers",
        "system_numbers",
        "calls",
        "customers",
        "balances",
        "charges",
        "invoices",
        "cards",
        "people",
        "phones",
        "queues",
        "features",
        "messages",
    ),
}
"""Modules of `tools.<provider>` that declare operations, in the order in which they are shown."""


class DuplicateOperation(Exception):
    """Two operations have one tool name."""


def operations_in(provider: str, module: str) -> list[OperationType]:
    """The operations that one module declares, in the order of the file."""
    names = import_module(f"tools.{provider}.{module}")
    declared = [value for value in vars(names).values() if isinstance(value, type) and "spec" in value.__dict__]
    return [cast("OperationType", value) for value in declared if value.__module__ == names.__name__]


@cache
def catalogue() -> Mapping[str, OperationType]:
    """Every operation by tool name.

    Raises:
        DuplicateOperation: A name stands twice.
    """
    return by_tool_name(
        operation
        for provider, modules in MODULES.items()
        for module in modules
        for operation in operations_in(provider, module)
    )


def by_tool_name(operations: Iterable[OperationType]) -> Mapping[str, OperationType]:
    """Operations by tool name.

    Raises:
        DuplicateOperation: A name stands twice.
    """
    found: dict[str, OperationType] = {}
    for operation in operations:
        name = operation.spec.tool_name
        if name in found:
            raise DuplicateOperation(f"{name} is declared by {found[name].__name__} and by {operation.__name__}.")
        found[name] = operation
    return found


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The names that come closest to a misspelled one."""
    return get_close_matches(name, list(known), n=3, cutoff=0.5)
