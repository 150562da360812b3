"""`/_control`: look into the sandbox, break it on purpose, move its clock, put it back.

The routes need no credentials, so the sandbox belongs on loopback only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute, Mount

from sandbox.clock import Clock, iso
from sandbox.faults import FaultBoard, FaultOrder
from sandbox.frame.controls import ControlError, control
from sandbox.frame.wire import Wire
from sandbox.ledger import Ledger
from sandbox.provider import Provider
from sandbox.request_log import RequestLog


@dataclass(frozen=True)
class Parts:
    """The parts of one sandbox."""

    clock: Clock
    ledger: Ledger
    log: RequestLog
    faults: FaultBoard
    providers: Mapping[str, Provider]

    def routes(self) -> list[BaseRoute]:
        """Return the common routes, then one mount for each provider that has controls of its own."""
        own = [Mount(f"/{name}", routes=list(each.controls)) for name, each in self.providers.items() if each.controls]
        return [*(each.route(lambda: self) for each in COMMON), *own]


@control("GET", "/providers")
def list_providers(parts: Parts) -> Wire:
    """Show what each provider says about itself: credentials, seeded identifiers, special numbers."""
    return {name: provider.describe() for name, provider in parts.providers.items()}


@control("GET", "/requests")
def list_requests(parts: Parts, *, provider: str | None = None) -> list[Wire]:
    """Show the request log, of one provider or of all."""
    return [entry.to_wire() for entry in parts.log.entries(provider)]


@control("GET", "/ledger")
def list_charges(parts: Parts, *, provider: str | None = None) -> list[Wire]:
    """Show the ledger, of one provider or of all."""
    return [entry.to_wire() for entry in parts.ledger.entries(provider)]


@control("GET", "/faults")
def list_faults(parts: Parts) -> list[Wire]:
    """Show every fault that is set, with how often it struck and how many requests it keeps waiting."""
    return [fault.to_wire() for fault in parts.faults.all()]


@control("POST", "/faults", status=201)
def set_fault(parts: Parts, order: FaultOrder) -> Wire:
    """Set a fault."""
    if order.provider is not None and order.provider not in parts.providers:
        raise ControlError(f"no provider named {order.provider}", 400)
    return parts.faults.set(order).to_wire()


@control("DELETE", "/faults")
def clear_faults(parts: Parts) -> Wire:
    """Remove every fault and release what it holds."""
    faults = parts.faults.all()
    released = sum(fault.waiting for fault in faults)
    parts.faults.clear()
    return {"cleared": len(faults), "released": released}


@control("POST", "/reset")
def reset(parts: Parts) -> Wire:
    """Put everything back to the seed: clock, ledger, log, faults and every provider."""
    parts.faults.clear()
    parts.clock.reset()
    parts.ledger.reset()
    parts.log.reset()
    for provider in parts.providers.values():
        provider.reset()
    return {"reset": list(parts.providers)}


@control("GET", "/clock")
def read_clock(parts: Parts) -> Wire:
    """Show the sandbox time."""
    return {"now": iso(parts.clock.now())}


@control("POST", "/clock")
def advance_clock(parts: Parts, *, seconds: Annotated[float, Field(ge=0)]) -> Wire:
    """Move the sandbox time forward."""
    parts.clock.advance(seconds)
    return {"now": iso(parts.clock.now())}


COMMON = (
    *(list_providers, list_requests, list_charges, list_faults, set_fault, clear_faults),
    *(reset, read_clock, advance_clock),
)
