"""Which operations are shown as tools of their own."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from tools.catalog import MODULES, OperationType, nearest, operations_in, operations_of

DEFAULT = "default"
ALL = "all"

EVERYDAY: Mapping[str, tuple[str, ...]] = {
    "voicetel.numbers": ("voicetel_list_numbers", "voicetel_get_number", "voicetel_release_number"),
    "voicetel.number_routing": ("voicetel_set_route", "voicetel_set_forward", "voicetel_remove_forward"),
    "voicetel.ordering": ("voicetel_search_inventory", "voicetel_count_coverage", "voicetel_order_numbers"),
    "voicetel.ports": ("voicetel_check_portability", "voicetel_list_ports"),
    "voicetel.messaging": ("voicetel_send_message", "voicetel_list_messages"),
    "voicetel.e911": ("voicetel_list_e911_records", "voicetel_create_e911_record"),
    "voicetel.gateways": ("voicetel_list_gateways",),
    "voicetel.account": (
        "voicetel_get_account",
        "voicetel_list_call_records",
        "voicetel_list_recurring_charges",
    ),
    "voicetel.support": ("voicetel_list_tickets",),
}
"""What people do every day, by module, so that the rest need not be loaded to show it."""


class UnknownToolset(Exception):
    """A toolset of this name does not exist. The message names the nearest."""


def choose(
    toolsets: Sequence[str] = (DEFAULT,), *, providers: Collection[str] = tuple(MODULES), read_only: bool = False
) -> list[OperationType]:
    """The operations to show, in catalogue order. `read_only` wins over everything.

    A toolset is named `numbers` for all providers or `voicetel.numbers` for one.

    Raises:
        UnknownToolset: A name is unknown.
    """
    shown = everyday(providers) if list(toolsets) == [DEFAULT] else _named(toolsets, providers)
    return [operation for operation in shown if operation.spec.effect.is_plain_read or not read_only]


def everyday(providers: Collection[str]) -> list[OperationType]:
    """The operations of the default surface."""
    found: list[OperationType] = []
    for place, names in EVERYDAY.items():
        provider, _, module = place.partition(".")
        if provider in providers:
            declared = {operation.spec.tool_name: operation for operation in operations_in(provider, module)}
            found += [declared[name] for name in names]
    return found


def toolset_names(operations: Iterable[OperationType]) -> list[str]:
    """Every name that `choose` takes."""
    names = [DEFAULT, ALL, *MODULES]
    for operation in operations:
        spec = operation.spec
        names += [spec.toolset, f"{spec.provider.name}.{spec.toolset}"]
    return list(dict.fromkeys(names))


def _named(toolsets: Sequence[str], providers: Collection[str]) -> list[OperationType]:
    known = [
        operation for provider in MODULES if provider in providers for operation in operations_of(provider).values()
    ]
    names = toolset_names(known)
    for name in toolsets:
        if name not in names:
            close = nearest(name, names)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise UnknownToolset(f"There is no toolset {name!r}{hint} There are: {', '.join(names)}.")
    by_default = {name for group in EVERYDAY.values() for name in group} if DEFAULT in toolsets else set[str]()
    return [operation for operation in known if operation.spec.tool_name in by_default or _belongs(operation, toolsets)]


def _belongs(operation: OperationType, toolsets: Sequence[str]) -> bool:
    spec = operation.spec
    return bool({ALL, spec.provider.name, spec.toolset, f"{spec.provider.name}.{spec.toolset}"} & set(toolsets))
