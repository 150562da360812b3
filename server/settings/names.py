"""Checks the names in the operator's rules: a rule for a name that does not exist guards nothing.

Operations are loaded only where rules name some, and only those of the named providers.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from string import Formatter

from phonenumbers import SUPPORTED_REGIONS

from clients.effects import Effect
from clients.operation import OperationType
from server.settings.corrections import conflicts
from server.settings.model import Settings
from server.settings.rules import DestinationSettings
from tools.builtin_list import all_builtin_tools, builtin_info
from tools.registry import all_operations, nearest, operation_named, operations_of, provider_names
from tools.selection import ToolSelection, find_unknown_names
from tools.suggestions import nearest_tools, reads_of

EFFECTS = tuple(effect.labels[0] for effect in Effect)

BUILTIN_RULE: Mapping[bool, str] = {
    True: "it only reads, so it needs no approval",
    False: "the rules of what it calls decide",
}
"""Which rules apply to a built-in tool, by whether it only reads."""

UnknownName = tuple[tuple[str | int, ...], str]
"""The place of a key, and what is wrong with its name."""


def unknown_names(settings: Settings) -> Iterator[UnknownName]:
    """Yield every name in the rules that does not exist."""
    policy = settings.policy
    yield from _check(("policy", "providers"), policy.providers, unknown_provider)
    yield from _check(("policy", "toolsets"), policy.toolsets, unknown_toolset)
    for section, names in (
        (("policy", "operations"), policy.operations),
        (("prices",), settings.prices),
        (("paths",), settings.paths),
        (("corrections",), settings.corrections),
    ):
        yield from _check(section, names, unknown_tool)
    yield from _check(("tighten",), settings.tighten, unknown_to_tighten)
    for number, cap in enumerate(settings.budget):
        if cap.provider is not None and (wrong := unknown_provider(cap.provider)):
            yield ("budget", number, "provider"), wrong
    if wrong := _unknown_home(settings.destinations):
        yield ("destinations", "home"), wrong
    yield from _unfit_corrections(settings)


def unknown_selection_names(settings: Settings) -> Iterator[UnknownName]:
    """Yield every toolset or tool in the selection that does not exist."""
    builtin = [builtin_info(tool) for tool in all_builtin_tools()]
    for key, selection in (
        ("toolsets", ToolSelection(toolsets=tuple(settings.toolsets))),
        ("tools", ToolSelection(tools=tuple(settings.tools))),
        ("exclude_tools", ToolSelection(excluded=tuple(settings.exclude_tools))),
    ):
        wrong = dict(find_unknown_names(selection, builtin))
        names: list[str] = getattr(settings, key)
        yield from (((key, number), wrong[name]) for number, name in enumerate(names) if name in wrong)


def unknown_provider(name: str) -> str:
    """Return what is wrong with a provider's name; empty if it exists."""
    return "" if name in provider_names() else _unknown("provider", name, provider_names())


def unknown_toolset(name: str) -> str:
    """Return what is wrong with a toolset's name, `numbers` or `<provider>.numbers`; empty if it exists."""
    provider = name.partition(".")[0]
    candidates = operations_of(provider).values() if provider in provider_names() else all_operations().values()
    return "" if name in toolsets_of(candidates) else _unknown("toolset", name, toolsets_of(all_operations().values()))


def unknown_tool(name: str) -> str:
    """Return what is wrong with an operation's tool name; empty if it exists."""
    if operation_named(name):
        return ""
    builtin = builtin_tools_that_read()
    if name in builtin:
        return f"a built-in tool, not an operation: {BUILTIN_RULE[builtin[name]]}; an operation's name is expected"
    close = nearest_tools(name, reads_of(all_operations().values()))
    return f"there is no such tool{f'; did you mean {close[0]}?' if close else '.'}"


def builtin_tools_that_read() -> dict[str, bool]:
    """Return whether each built-in tool only reads, by name."""
    return {tool.name: tool.only_reads for tool in all_builtin_tools()}


def unknown_to_tighten(name: str) -> str:
    """Return what is wrong with a name to tighten; empty if it exists."""
    if name in EFFECTS or name in provider_names() or operation_named(name) or not unknown_toolset(name):
        return ""
    known = [*EFFECTS, *provider_names(), *toolsets_of(all_operations().values()), *all_operations()]
    allowed = (
        f"An effect ({', '.join(EFFECTS)}), a provider ({', '.join(provider_names())}), a toolset or a tool is expected"
    )
    return f"there is no such name{_close(name, known)} {allowed}"


def toolsets_of(operations: Iterable[OperationType]) -> list[str]:
    """Return every name of a toolset, alone and with its provider."""
    specs = [operation.spec for operation in operations]
    names = [name for spec in specs for name in (spec.toolset, f"{spec.provider.name}.{spec.toolset}")]
    return list(dict.fromkeys(names))


def _unknown_home(destinations: DestinationSettings) -> str:
    """Return what is wrong with the home country: for one that does not exist no emergency number is known."""
    if destinations.home == DestinationSettings.model_fields["home"].default:
        return ""
    if destinations.home in SUPPORTED_REGIONS:
        return ""
    return f"no telephone number belongs to {destinations.home}; the United Kingdom is GB, for one"


def _check(section: tuple[str, ...], names: Mapping[str, object], wrong: Callable[[str], str]) -> Iterator[UnknownName]:
    for name in names:
        if text := wrong(name):
            yield (*section, name), text


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    few = "" if len(known) > len(provider_names()) else f" There are: {', '.join(known)}."
    return f"there is no such {kind}{_close(name, known)}{few}"


def _close(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"; did you mean {close[0]}?" if close else "."


def _unfit_corrections(settings: Settings) -> Iterator[UnknownName]:
    paths: list[tuple[tuple[str, ...], str, str]] = [
        (("paths", tool), tool, path) for tool, path in settings.paths.items()
    ]
    paths += [
        (("corrections", tool, "path"), tool, correction.path)
        for tool, correction in settings.corrections.items()
        if correction.path is not None
    ]
    for key, tool, path in paths:
        operation = operation_named(tool)
        if operation is not None and (wrong := _unfit_path(operation, path)):
            yield key, wrong
    for tool, other in conflicts(settings):
        section = "corrections" if tool in settings.corrections else "paths"
        yield (
            (section, tool),
            f"one correction for an endpoint is expected, and {other}, of the same endpoint, is corrected otherwise",
        )


def _unfit_path(operation: OperationType, path: str) -> str:
    """Return what is wrong with a path: another host, or a lost placeholder, which would mean all instead of one."""
    if not re.fullmatch(r"/(?!/)[^\s?#]*", path):
        return "a path that begins with one / is expected, without ? and #"
    declared = operation.spec.path
    try:
        fits = _placeholders(path) == _placeholders(declared)
    except ValueError:
        fits = False
    return "" if fits else f"exactly the placeholders of {declared} are expected"


def _placeholders(path: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(path)} - {None}
