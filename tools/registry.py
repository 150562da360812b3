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
        "phone_numbers",
        "number_routing",
        "number_inbox",
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
    "routee": (
        "sms",
        "campaigns",
        "phone_numbers",
        "pools",
        "pool_messages",
        "conversations",
        "call_control",
        "voice_campaigns",
        "contacts",
        "groups",
        "blacklist",
        "two_step",
        "lookups",
        "viber",
        "viber_campaigns",
        "failover",
        "reports",
        "account",
    ),
    "convirza": (
        "provisioned_routes",
        "phone_numbers",
        "conversations",
        "broadcasts",
        "voice_agents",
        "media_prompts",
        "webhooks",
        "tags",
        "users",
        "groups",
    ),
    "enswitch": (
        "plan_routes",
        "plans",
        "routing",
        "costs",
        "phone_numbers",
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
    names = import_module(f"tools.{provider}.operations.{module}")
    declared = [value for value in vars(names).values() if isinstance(value, type) and "spec" in value.__dict__]
    return [cast("OperationType", value) for value in declared if value.__module__ == names.__name__]


@cache
def operations_of(provider: str) -> Mapping[str, OperationType]:
    """Every operation of one provider by tool name.

    Raises:
        DuplicateOperation: A name stands twice.
    """
    modules = MODULES.get(provider, ())
    return by_tool_name(operation for module in modules for operation in operations_in(provider, module))


def operation_named(tool: str) -> OperationType | None:
    """The operation of a tool name, without loading other providers."""
    return operations_of(tool.partition("_")[0]).get(tool)


@cache
def catalogue() -> Mapping[str, OperationType]:
    """Every operation by tool name.

    Raises:
        DuplicateOperation: A name stands twice.
    """
    return by_tool_name(operation for provider in MODULES for operation in operations_of(provider).values())


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
