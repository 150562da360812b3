"""`/_control`: look into the sandbox, break it on purpose, move its clock, put it back."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route

from sandbox.clock import iso
from sandbox.faults import FaultBoard, FaultOrder
from sandbox.provider import Provider, Surroundings
from sandbox.request_log import RequestLog


class ClockAdvance(BaseModel):
    """Body of `POST /_control/clock`."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(ge=0)


class Control:
    """The handlers behind `/_control`; they need no credentials, so the sandbox belongs on loopback only."""

    def __init__(
        self, surroundings: Surroundings, providers: Iterable[Provider], log: RequestLog, faults: FaultBoard
    ) -> None:
        self._clock = surroundings.clock
        self._ledger = surroundings.ledger
        self._providers = {provider.name: provider for provider in providers}
        self._log = log
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        """The common routes, then one mount for each provider that has controls of its own."""
        common: list[BaseRoute] = [
            Route("/providers", self.list_providers, methods=["GET"]),
            Route("/requests", self.list_requests, methods=["GET"]),
            Route("/ledger", self.list_charges, methods=["GET"]),
            Route("/faults", self.list_faults, methods=["GET"]),
            Route("/faults", self.set_fault, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/reset", self.reset, methods=["POST"]),
            Route("/clock", self.read_clock, methods=["GET"]),
            Route("/clock", self.advance_clock, methods=["POST"]),
        ]
        own = [
            Mount(f"/{provider.name}", routes=list(provider.controls))
            for provider in self._providers.values()
            if provider.controls
        ]
        return common + own

    async def list_providers(self, request: Request) -> JSONResponse:
        """What each provider says about itself: credentials, seeded identifiers, special numbers."""
        return JSONResponse({name: provider.describe() for name, provider in self._providers.items()})

    async def list_requests(self, request: Request) -> JSONResponse:
        """The request log, of one provider if `?provider=` is given."""
        entries = self._log.entries(request.query_params.get("provider"))
        return JSONResponse([entry.to_wire() for entry in entries])

    async def list_charges(self, request: Request) -> JSONResponse:
        """The ledger, of one provider if `?provider=` is given."""
        entries = self._ledger.entries(request.query_params.get("provider"))
        return JSONResponse([entry.to_wire() for entry in entries])

    async def list_faults(self, request: Request) -> JSONResponse:
        """Every fault that is set, with how often it struck and how many requests it keeps waiting."""
        return JSONResponse([fault.to_wire() for fault in self._faults.all()])

    async def set_fault(self, request: Request) -> JSONResponse:
        """Set a fault; the body is a `FaultOrder`."""
        try:
            order = FaultOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        if order.provider is not None and order.provider not in self._providers:
            return JSONResponse({"error": f"no provider named {order.provider}"}, status_code=400)
        return JSONResponse(self._faults.set(order).to_wire(), status_code=201)

    async def clear_faults(self, request: Request) -> JSONResponse:
        """Remove every fault and release what it holds."""
        faults = self._faults.all()
        released = sum(fault.waiting for fault in faults)
        self._faults.clear()
        return JSONResponse({"cleared": len(faults), "released": released})

    async def reset(self, request: Request) -> JSONResponse:
        """Put everything back to the seed: clock, ledger, log, faults and every provider."""
        self._faults.clear()
        self._clock.reset()
        self._ledger.reset()
        self._log.reset()
        for provider in self._providers.values():
            provider.reset()
        return JSONResponse({"reset": list(self._providers)})

    async def read_clock(self, request: Request) -> JSONResponse:
        """The sandbox time."""
        return JSONResponse({"now": iso(self._clock.now())})

    async def advance_clock(self, request: Request) -> JSONResponse:
        """Move the sandbox time forward by `seconds`."""
        try:
            advance = ClockAdvance.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        self._clock.advance(advance.seconds)
        return JSONResponse({"now": iso(self._clock.now())})


def _refused(error: ValidationError) -> JSONResponse:
    problems = [f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}" for problem in error.errors()]
    return JSONResponse({"error": "; ".join(problems)}, status_code=400)
