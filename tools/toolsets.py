"""Which operations a surface shows as tools of their own."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from tools.registry import MODULES, OperationType, nearest, operations_in, operations_of
from tools.selection import ALL, ALWAYS, DEFAULT, ToolInfo, ToolSelection

EVERYDAY: Mapping[str, tuple[str, ...]] = {
    "voicetel.phone_numbers": ("voicetel_release_number",),
    "voicetel.number_routing": ("voicetel_set_route", "voicetel_set_forward", "voicetel_remove_forward"),
    "voicetel.ordering": ("voicetel_order_numbers",),
    "voicetel.messaging": ("voicetel_send_message",),
    "voicetel.account": ("voicetel_list_call_records",),
    "routee.sms": ("routee_send_sms",),
    "routee.campaigns": ("routee_send_campaign",),
    "convirza.conversations": ("convirza_list_calls",),
    "enswitch.phone_numbers": ("enswitch_update_number",),
    "enswitch.calls": ("enswitch_list_call_records",),
}
"""What people do every day and no tool over all providers does, by module, so that the rest need not be loaded."""

_BY_DEFAULT = frozenset(name for names in EVERYDAY.values() for name in names)


class UnknownTool(Exception):
    """A toolset or tool of this name does not exist. The message names the nearest."""


def choose(surface: ToolSelection, *, providers: Collection[str] = tuple(MODULES)) -> list[OperationType]:
    """The operations that a surface shows, in catalogue order.

    A toolset is named `numbers` for all providers or `voicetel.numbers` for one.
    """
    shown = everyday(providers) if _is_default(surface) else _all_of(providers)
    return [operation for operation in shown if surface.shows(tool_info(operation))]


def everyday(providers: Collection[str]) -> list[OperationType]:
    """The operations of the default surface."""
    found: list[OperationType] = []
    for place, names in EVERYDAY.items():
        provider, _, module = place.partition(".")
        if provider in providers:
            declared = {operation.spec.tool_name: operation for operation in operations_in(provider, module)}
            found += [declared[name] for name in names]
    return found


@cache
def tool_info(operation: OperationType) -> ToolInfo:
    """An operation, as far as choosing it needs."""
    spec = operation.spec
    toolsets = {spec.provider.name, spec.toolset, f"{spec.provider.name}.{spec.toolset}"}
    if spec.tool_name in _BY_DEFAULT:
        toolsets.add(DEFAULT)
    return ToolInfo(spec.tool_name, frozenset(toolsets), reads=spec.effect.is_plain_read)


def check_names(surface: ToolSelection, own: Iterable[ToolInfo]) -> None:
    """Refuse names that no provider has, set up or not: a misspelled exclusion must not pass for one in force.

    Raises:
        UnknownTool: A toolset or tool is unknown.
    """
    for _, told in unknown_in(surface, own):
        raise UnknownTool(f"{told[0].upper()}{told[1:]}")


def unknown_in(surface: ToolSelection, own: Iterable[ToolInfo]) -> Iterator[tuple[str, str]]:
    """Each name of a surface that no provider has, and what to say of it."""
    if not (set(surface.toolsets) - {DEFAULT, ALL, ALWAYS} or surface.tools or surface.excluded):
        return
    from tools.suggestions import nearest_tools

    known = [*own, *(tool_info(operation) for operation in _all_of(MODULES))]
    toolsets = list(
        dict.fromkeys([DEFAULT, ALL, *MODULES, *(name for tool in known for name in sorted(tool.toolsets))])
    )
    reads = {tool.name: tool.reads for tool in known}
    for name in surface.toolsets:
        if name not in toolsets:
            yield name, _unknown("toolset", name, nearest(name, toolsets))
    for name in (*surface.tools, *surface.excluded):
        if name not in reads:
            yield name, _unknown("tool", name, nearest_tools(name, reads))


def _unknown(kind: str, name: str, close: Sequence[str]) -> str:
    hint = f"did you mean {close[0]}?" if close else "`ringfence tools --toolsets all` lists what there is."
    return f"there is no {kind} {name!r}; {hint}"


def _is_default(surface: ToolSelection) -> bool:
    return surface.named <= {DEFAULT, ALWAYS} and not surface.tools


def _all_of(providers: Collection[str]) -> list[OperationType]:
    return [
        operation for provider in MODULES if provider in providers for operation in operations_of(provider).values()
    ]
