"""Routee as one object of the sandbox: tokens, the way to each operation, and the posting of its callbacks."""

import json
from collections.abc import Mapping
from typing import cast

import anyio
from starlette.responses import Response

from sandbox.frame.provider import RestProvider
from sandbox.frame.wire import Answer, Refusal, Request
from sandbox.routee.catalog import ENDPOINTS
from sandbox.routee.controls import CONTROLS
from sandbox.routee.endpoint import Call, Operation
from sandbox.routee.seed import describe_seed, other_state, seeded_state
from sandbox.routee.state import State
from sandbox.routee.wire import refuse, refuse_at_gateway, refuse_input

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path; at the real Routee it is on another host
POLL_SECONDS = 0.05
"""Real seconds between two checks for due callbacks: the sandbox clock may be moved at any moment."""


class Routee(RestProvider[State, Operation]):
    """The simulated Routee; both of its hosts answer under the one mount."""

    name = "routee"
    endpoints = ENDPOINTS
    control_routes = CONTROLS

    async def run(self) -> None:
        """Post callbacks when they are due, until cancelled; whoever serves the sandbox runs this beside it."""
        while True:
            await self.present().outbox.deliver()
            await self.other.outbox.deliver()
            await anyio.sleep(POLL_SECONDS)

    def seed(self) -> State:
        """Make the seeded accounts; callbacks that were not posted yet are forgotten."""
        self.other = other_state(self.surroundings)
        return seeded_state(self.surroundings)

    def present(self) -> State:
        """Return the state of the first account after everything that was due has happened."""
        self.other.agenda.catch_up()
        self.state.agenda.catch_up()
        return self.state

    def state_for(self, request: Request) -> State:
        """Return the account whose token or credentials a request carries; the first one if it carries none."""
        return self.other if self.other.tokens.knows(request) else self.present()

    def describe(self) -> dict[str, object]:
        """List credentials, seeded identifiers, special numbers, and what each path rests on."""
        return describe_seed(self.state) | {"endpoints": [endpoint.to_wire() for endpoint in self.endpoints]}

    def failure(self, status: int) -> Response:
        """Return an error of the API for 500 (module 000), of the layer in front of it for all others (inferred)."""
        if status == 500:
            return refuse("500000000", "Internal error.").answer.to_response()
        return self._refuse_at_gateway(status, "").answer.to_response()

    def refusal(self, message: str, places: Mapping[str, str] | None = None) -> Refusal:
        """Return 400000000."""
        return refuse_input(message, {place or "body": problem for place, problem in (places or {}).items()})

    def no_route(self, request: Request, allowed: str) -> Refusal:
        """Return 405 or 404."""
        # inferred: neither status is documented
        return self._refuse_at_gateway(405 if allowed else 404, request.path)

    def read_json(self, request: Request) -> bytes:
        """Return the JSON of the body, in which null is refused at any depth."""
        body = super().read_json(request)
        try:
            value: object = json.loads(body)
        except ValueError:
            raise self.refusal("The request body is not JSON.") from None
        if _holds_null(value):
            # inferred: no document shows null in a request; refusing it makes a client leave such fields out
            raise self.refusal("null is not a value; leave the field out.")
        return body

    def answer(self, endpoint: Operation, path: dict[str, str], request: Request) -> Answer:
        """Check the token and run the operation."""
        state = self.state_for(request)
        application = state.tokens.check(request, endpoint.scope)
        return endpoint.run(Call(state, application, path), request, self)

    def respond(self, request: Request) -> Response:
        """Answer one request; the token endpoint is no operation of the API."""
        if (request.method, request.path) != ("POST", TOKEN_PATH):
            return super().respond(request)
        try:
            return self.state_for(request).tokens.issue(request).to_response()
        except Refusal as refusal:
            return refusal.answer.to_response()

    def _refuse_at_gateway(self, status: int, path: str) -> Refusal:
        return refuse_at_gateway(status, "No message available", path, self.surroundings.clock.now())


def _holds_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_null(item) for item in cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return any(_holds_null(item) for item in cast("list[object]", value))
    return value is None
