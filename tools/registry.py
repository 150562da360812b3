"""The registry of installed providers and of the operations that they declare.

Providers register through the entry-point group `ringfence.providers`, ours like those of other packages. Their names
are known without importing them; a provider is imported when it is looked up, its operations when one of them is.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final, cast

from tools.provider import Provider

if TYPE_CHECKING:
    from clients.operation import OperationType

GROUP: Final = "ringfence.providers"
_REMEDY: Final = "Nothing was started. Update that package or uninstall it."


class DuplicateOperation(Exception):
    """Two operations have the same tool name."""


class BadProvider(Exception):
    """An installed package registers a provider that cannot be used. The message names the package and the reason."""


@cache
def provider_names() -> tuple[str, ...]:
    """Return the names of all installed providers, in alphabetical order.

    Raises:
        BadProvider: Two packages register the same name.
    """
    return tuple(sorted(_entries()))


@cache
def provider_named(name: str) -> Provider:
    """Return an installed provider.

    Raises:
        KeyError: No provider of this name is installed.
        BadProvider: It cannot be imported, or is no `tools.provider.Provider` of this name.
    """
    entry = _entries()[name]
    try:
        loaded: object = entry.load()
    except Exception as broken:
        raise BadProvider(f"{_source(entry)} cannot be loaded: {broken}. {_REMEDY}") from broken
    if not isinstance(loaded, Provider) or loaded.name != name:
        raise BadProvider(f"{_source(entry)} is no tools.provider.Provider named {name}. {_REMEDY}")
    return loaded


def installed_providers() -> list[Provider]:
    """Return all installed providers, in the order of their names."""
    return [provider_named(name) for name in provider_names()]


def operations_in(provider: str, module: str) -> "list[OperationType]":
    """Return the operations that one module of a provider declares, in the order of the file."""
    package = provider_named(provider).package
    declaring = import_module(f"{package}.operations.{module}")
    declared = [value for value in vars(declaring).values() if isinstance(value, type) and "spec" in value.__dict__]
    return [cast("OperationType", value) for value in declared if value.__module__ == declaring.__name__]


@cache
def operations_of(provider: str) -> "Mapping[str, OperationType]":
    """Return the operations of one provider by tool name; none where it is not installed.

    Raises:
        DuplicateOperation: Two operations have the same tool name.
    """
    modules = provider_named(provider).operations if provider in provider_names() else ()
    return by_tool_name(operation for module in modules for operation in operations_in(provider, module))


def operation_named(tool: str) -> "OperationType | None":
    """Return the operation of a tool name, without loading other providers; None where there is none."""
    return operations_of(tool.partition("_")[0]).get(tool)


def provider_of_tool(tool: str) -> str | None:
    """Return the provider that a tool's name begins with; None for a tool over all providers."""
    name = tool.partition("_")[0]
    return name if name in provider_names() else None


@cache
def all_operations() -> "Mapping[str, OperationType]":
    """Return every operation by tool name.

    Raises:
        DuplicateOperation: Two operations have the same tool name.
    """
    return by_tool_name(operation for name in provider_names() for operation in operations_of(name).values())


def by_tool_name(operations: "Iterable[OperationType]") -> "Mapping[str, OperationType]":
    """Index operations by tool name.

    Raises:
        DuplicateOperation: Two operations have the same tool name.
    """
    found: dict[str, OperationType] = {}
    for operation in operations:
        name = operation.spec.tool_name
        if name in found:
            raise DuplicateOperation(f"{name} is declared by {found[name].__name__} and by {operation.__name__}.")
        found[name] = operation
    return found


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the names that are most similar to a misspelled one."""
    return get_close_matches(name, list(known), n=3, cutoff=0.5)


@cache
def _entries() -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        other = found.get(entry.name)
        if other is not None and other.value != entry.value:
            raise BadProvider(
                f"{_source(other)} and {_source(entry)} have the same name. Uninstall one of the two packages."
            )
        found[entry.name] = entry
    return found


def _source(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist else "an unnamed package"
    return f"The provider {entry.name} ({entry.value}), registered by {package},"
