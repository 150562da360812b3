"""Which operations are shown as tools of their own."""

from collections.abc import Iterable, Sequence

from tools.catalog import OperationType, nearest

DEFAULT = "default"
ALL = "all"

EVERYDAY: tuple[str, ...] = (
    "voicetel_list_numbers",
    "voicetel_get_number",
    "voicetel_release_number",
    "voicetel_set_route",
    "voicetel_set_forward",
    "voicetel_remove_forward",
    "voicetel_search_inventory",
    "voicetel_count_coverage",
    "voicetel_order_numbers",
    "voicetel_check_portability",
    "voicetel_list_ports",
    "voicetel_send_message",
    "voicetel_list_messages",
    "voicetel_list_e911_records",
    "voicetel_create_e911_record",
    "voicetel_list_gateways",
    "voicetel_get_account",
    "voicetel_list_call_records",
    "voicetel_list_recurring_charges",
    "voicetel_list_tickets",
)
"""Shown when nothing else is asked for: what people do every day."""


class UnknownToolset(Exception):
    """A toolset or tool of this name does not exist. The message names the nearest."""


def choose(
    operations: Iterable[OperationType], *, toolsets: Sequence[str] = (DEFAULT,), read_only: bool = False
) -> list[OperationType]:
    """The operations to show, in catalogue order. `read_only` wins over everything.

    A toolset is named `numbers` for all providers or `voicetel.numbers` for one.

    Raises:
        UnknownToolset: A name is unknown.
    """
    known = list(operations)
    names = toolset_names(known)
    for name in toolsets:
        if name not in names:
            close = nearest(name, names)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UnknownToolset(f"There is no toolset {name!r}{hint} There are: {', '.join(names)}.")
    shown = [operation for operation in known if any(_belongs(operation, name) for name in toolsets)]
    return [operation for operation in shown if operation.spec.effect.is_plain_read or not read_only]


def toolset_names(operations: Iterable[OperationType]) -> list[str]:
    """Every name that `choose` takes."""
    names = [DEFAULT, ALL]
    for operation in operations:
        spec = operation.spec
        names += [spec.provider.name, spec.toolset, f"{spec.provider.name}.{spec.toolset}"]
    return list(dict.fromkeys(names))


def _belongs(operation: OperationType, toolset: str) -> bool:
    spec = operation.spec
    if toolset == DEFAULT:
        return spec.tool_name in EVERYDAY
    return toolset in {ALL, spec.provider.name, spec.toolset, f"{spec.provider.name}.{spec.toolset}"}
