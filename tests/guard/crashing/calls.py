"""The calls that are interrupted: one with an idempotency key, one that is looked up exactly, one that is not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clients.operation import Operation
from tools.voicetel.operations.messaging import SendMessage
from tools.voicetel.operations.number_routing import SetForward
from tools.voicetel.operations.ordering import OrderNumbers

OURS: Final = "+12015550142"
AREAS: Final = ("201", "212", "646", "305", "415", "512", "720", "808", "312", "206", "404")


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call, different for each trial, and how its effects are recognised at the provider."""

    make: Callable[[int], Operation[Any]]
    method: str
    path: str
    """What the path of its request ends with."""

    costs: bool
    """True where each effect is a charge in the ledger."""

    says_what_it_took: bool
    """True where the answer names the amount, so that it is settled before the action is."""

    never_refutable: bool
    """True where not finding the effect never proves that there is none."""

    works_once: bool = False
    """True where the same call is impossible once it took effect."""


def number(trial: int) -> str:
    """Return a number that can be bought, a different one for each trial; lines ending in 13 are never available."""
    area, line = divmod(trial, 12)
    return f"+1{AREAS[area % len(AREAS)]}5550{100 + line}"


CALLS: Final[Mapping[str, Call]] = {
    "order": Call(
        make=lambda trial: OrderNumbers(numbers=[number(trial)]),
        method="POST",
        path="/orders",
        costs=True,
        says_what_it_took=True,
        never_refutable=False,
        works_once=True,
    ),
    "forward": Call(
        make=lambda trial: SetForward(number=OURS, destination=f"+1415555{100 + trial % 100:04d}"),
        method="PUT",
        path="/forward",
        costs=False,
        says_what_it_took=False,
        never_refutable=False,
    ),
    "message": Call(
        make=lambda trial: SendMessage(from_number=OURS, to_number="+12125550142", text=f"Table {trial} is ready."),
        method="POST",
        path="/messages",
        costs=True,
        says_what_it_took=False,
        never_refutable=True,
    ),
}


def effects(call: Call, requests: Sequence[Mapping[str, Any]], charges: Sequence[Mapping[str, Any]]) -> int:
    """How often the provider carried the call out, since its last reset."""
    if call.costs:
        return len(charges)
    return sum(
        request["method"] == call.method
        and request["path"].endswith(call.path)
        and request["status"] in range(200, 300)
        for request in requests
    )
