"""Checks the names in the operator's rules against the catalogue: a rule for a name that does not exist guards nothing.

Loads the operations only where rules name some, and then only of the providers that are named.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from string import Formatter

from clients.effects import Effect
from server.settings.model import Settings
from server.settings.rules import DestinationSettings
from tools.registry import MODULES, OperationType, catalogue, nearest, operation_named, operations_of
from tools.selection import ToolSelection
from tools.suggestions import nearest_tools, reads_of
from tools.toolsets import unknown_in

EFFECTS = tuple(effect.labels[0] for effect in Effect)

OWN_TOOL: Mapping[bool, str] = {True: "it only reads, so nobody is asked", False: "the rules of what it calls decide"}
"""What the rules say of a tool that is no operation, by whether it only reads."""

UnknownName = tuple[tuple[str | int, ...], str]
"""The way to a key, and what is wrong with its name."""


def unknown_names(settings: Settings) -> Iterator[UnknownName]:
    """Every name in the rules that is none."""
    policy = settings.policy
    yield from _checked(("policy", "providers"), policy.providers, unknown_provider)
    yield from _checked(("policy", "toolsets"), policy.toolsets, unknown_toolset)
    for section, names in (
        (("policy", "operations"), policy.operations),
        (("prices",), settings.prices),
        (("paths",), settings.paths),
    ):
        yield from _checked(section, names, unknown_tool)
    yield from _checked(("tighten",), settings.tighten, unknown_to_tighten)
    for number, cap in enumerate(settings.budget):
        if cap.provider is not None and (wrong := unknown_provider(cap.provider)):
            yield ("budget", number, "provider"), wrong
    if wrong := _unknown_home(settings.destinations):
        yield ("destinations", "home"), wrong
    for tool, path in settings.paths.items():
        operation = operation_named(tool)
        if operation is not None and (wrong := _unfit_path(operation, path)):
            yield ("paths", tool), wrong


def unknown_selection_names(settings: Settings) -> Iterator[UnknownName]:
    """Every name of what is to be shown that is none."""
    from server.mcp.registry import every_builtin_tool

    own = [placed for placed, _ in every_builtin_tool()]
    for key, surface in (
        ("toolsets", ToolSelection(toolsets=tuple(settings.toolsets))),
        ("tools", ToolSelection(tools=tuple(settings.tools))),
        ("exclude_tools", ToolSelection(excluded=tuple(settings.exclude_tools))),
    ):
        wrong = dict(unknown_in(surface, own))
        names: list[str] = getattr(settings, key)
        yield from (((key, number), wrong[name]) for number, name in enumerate(names) if name in wrong)


def unknown_provider(name: str) -> str:
    """What to say of a provider's name; empty where it is one."""
    return "" if name in MODULES else _unknown("provider", name, MODULES)


def unknown_toolset(name: str) -> str:
    """What to say of a toolset's name, `numbers` or `voicetel.numbers`; empty where it is one."""
    provider = name.partition(".")[0]
    in_question = operations_of(provider).values() if provider in MODULES else catalogue().values()
    return "" if name in toolsets_of(in_question) else _unknown("toolset", name, toolsets_of(catalogue().values()))


def unknown_tool(name: str) -> str:
    """What to say of a tool's name; empty where it is one."""
    if operation_named(name):
        return ""
    own = own_tools_read()
    if name in own:
        return f"a tool of our own, and no operation: {OWN_TOOL[own[name]]}"
    close = nearest_tools(name, reads_of(catalogue().values()))
    return f"there is no such tool{f'; did you mean {close[0]}?' if close else '.'}"


def own_tools_read() -> dict[str, bool]:
    """The tools that are no operation, with whether each only reads."""
    from server.mcp.registry import every_builtin_tool

    return {tool.name: tool.reads for tool, _ in every_builtin_tool()}


def unknown_to_tighten(name: str) -> str:
    """What to say of a name that a session wants to tighten; empty where it is one."""
    if name in EFFECTS or name in MODULES or operation_named(name) or not unknown_toolset(name):
        return ""
    known = [*EFFECTS, *MODULES, *toolsets_of(catalogue().values()), *catalogue()]
    allowed = f"An effect ({', '.join(EFFECTS)}), a provider ({', '.join(MODULES)}), a toolset or a tool is expected"
    return f"there is no such name{_close(name, known)} {allowed}"


def toolsets_of(operations: Iterable[OperationType]) -> list[str]:
    """Every name of a toolset, alone and with its provider."""
    specs = [operation.spec for operation in operations]
    names = [name for spec in specs for name in (spec.toolset, f"{spec.provider.name}.{spec.toolset}")]
    return list(dict.fromkeys(names))


def _unknown_home(destinations: DestinationSettings) -> str:
    """Where it is no country, the emergency numbers of no country would be known."""
    if destinations.home == DestinationSettings.model_fields["home"].default:
        return ""
    from phonenumbers import SUPPORTED_REGIONS  # tables that most sessions never need

    if destinations.home in SUPPORTED_REGIONS:
        return ""
    return f"no telephone number belongs to {destinations.home}; the United Kingdom is GB, for one"


def _checked(
    section: tuple[str, ...], names: Mapping[str, object], wrong: Callable[[str], str]
) -> Iterator[UnknownName]:
    for name in names:
        if text := wrong(name):
            yield (*section, name), text


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    few = "" if len(known) > len(MODULES) else f" There are: {', '.join(known)}."
    return f"there is no such {kind}{_close(name, known)}{few}"


def _close(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"; did you mean {close[0]}?" if close else "."


def _unfit_path(operation: OperationType, path: str) -> str:
    """It names no other host, and every placeholder: a path that loses an id would mean all instead of one."""
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
