"""Whether a campaign that is shown is the one that was asked for. Both are plans: arguments by their names."""

from typing import Any, Final

from clients.evidence import Evidence, same_fields
from tools.routee.field_types import iso

_DEFAULTS: Final = (False, 4320)
"""What is shown of flash, quiet hours and minutes of life that nobody asked for."""

_RECIPIENTS: Final = frozenset({"to", "contacts", "groups"})


def is_same_plan(asked: dict[str, Any], found: dict[str, Any]) -> Evidence:
    """YES where all that was asked for is shown and nothing else, NO where something else is shown in its place.

    Where only more is shown than was asked for, another plan may not have been replaced yet: UNKNOWN.
    """
    wanted, shown = _comparable(asked), _comparable(found)
    if "when" not in wanted:
        shown.pop("when", None)  # what was asked for now may be shown with the time at which it began
    evidence = same_fields(wanted, shown, may_differ=_changed_by_routee(asked))
    more = {name for name, value in shown.items() if name not in wanted and value not in _DEFAULTS}
    if evidence is Evidence.UNKNOWN and more & _RECIPIENTS and not shown.keys() & wanted.keys() & _RECIPIENTS:
        return Evidence.NO
    return Evidence.UNKNOWN if evidence is Evidence.YES and more else evidence


def _changed_by_routee(asked: dict[str, Any]) -> frozenset[str]:
    """Fields that Routee changes by itself: a text that it shortens or transcodes, numbers of which it drops some."""
    is_other_text = asked.get("shorten_links_seconds") or asked.get("transcode")
    changed = (("text", is_other_text), ("to", asked.get("allow_invalid")))
    return frozenset(name for name, may_differ in changed if may_differ)


def _comparable(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan in one spelling: recipients in any order, senders without their plus, what is empty left out."""
    found = {name: value for name, value in plan.items() if value not in (None, [], {}, "now")}
    if not found.keys() & {"callback_url", "campaign_callback_url"}:
        found.pop("callback_final_only", None)  # there is nothing that it could be shown with
    if "sender" in found:
        found["sender"] = found["sender"].removeprefix("+")
    if "when" in found:
        found["when"] = iso(found["when"])
    for name in found.keys() & {*_RECIPIENTS, "reminder_to"}:
        found[name] = {one.removeprefix("+") for one in found[name]}
    return found
