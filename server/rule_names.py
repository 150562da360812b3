"""Names in the operator's rules that fit nothing. A rule that is misspelled would guard nothing, without a word."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tools.catalog import MODULES, nearest, operation_named, operations_of

if TYPE_CHECKING:
    from server.settings import Settings

Misnamed = tuple[tuple[str | int, ...], str]
"""Where it stands, and what is wrong."""


def misnamed(settings: "Settings") -> Iterator[Misnamed]:
    """Every rule whose name fits no provider, toolset or tool. Loads only what the rules name."""
    policy = settings.policy
    providers: list[Misnamed] = [(("policy", "providers", name), name) for name in policy.providers]
    providers += [
        (("budget", place, "provider"), cap.provider) for place, cap in enumerate(settings.budget) if cap.provider
    ]
    for where, name in providers:
        if name not in MODULES:
            yield where, _no("provider", name, MODULES)
    if policy.toolsets:
        known = _toolsets()
        yield from (
            (("policy", "toolsets", name), _no("toolset", name, known)) for name in policy.toolsets if name not in known
        )
    tools: list[Misnamed] = [(("policy", "operations", name), name) for name in policy.operations]
    tools += [(("prices", name), name) for name in settings.prices]
    for where, name in tools:
        if operation_named(name) is None:
            yield where, _no("tool", name, operations_of(name.partition("_")[0]))


def _toolsets() -> set[str]:
    specs = [operation.spec for provider in MODULES for operation in operations_of(provider).values()]
    return {spec.toolset for spec in specs} | {f"{spec.provider.name}.{spec.toolset}" for spec in specs}


def _no(kind: str, name: str, known: Iterable[str]) -> str:
    close = nearest(name, known)
    return f"there is no {kind} {name!r}" + (f"; did you mean {close[0]}?" if close else "")
