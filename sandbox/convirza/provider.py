"""Convirza as one object of the sandbox: its two hosts, authentication, roles, and the way to each operation.

The API host is under `/v3`, the OAuth host under `/oauth`, both below the one mount.
"""

import json
from collections.abc import Mapping
from typing import TypeVar, cast
from urllib.parse import parse_qsl

from pydantic import TypeAdapter
from starlette.responses import Response

from sandbox.convirza.catalog import ENDPOINTS
from sandbox.convirza.controls import CONTROLS
from sandbox.convirza.endpoint import Call, Endpoint
from sandbox.convirza.recordings import LINK_PREFIX
from sandbox.convirza.records import User
from sandbox.convirza.seed import describe_seed, seeded_state
from sandbox.convirza.state import State
from sandbox.convirza.wire import Refusal
from sandbox.frame.provider import RestProvider, phrase_of
from sandbox.frame.wire import Answer, Request, Wire

T = TypeVar("T")

HIGHEST_ROLE = {"read": 3, "write": 2, "admin": 1}
"""1 Admin, 2 Standard, 3 ReadOnly. Documented for routes; inferred: the same elsewhere, Admin for users and groups."""


class Convirza(RestProvider[State, Endpoint]):
    """The simulated Convirza v3."""

    name = "convirza"
    endpoints = ENDPOINTS
    control_routes = CONTROLS

    def seed(self) -> State:
        """Make the seeded account; every token dies."""
        return seeded_state(self.surroundings)

    def describe(self) -> dict[str, object]:
        """List credentials, seeded identifiers, prices, and what each operation rests on."""
        return {**describe_seed(self.state), "operations": [endpoint.to_wire() for endpoint in ENDPOINTS]}

    def failure(self, status: int) -> Response:
        """Return an error with the status's own phrase, in the shape of the API host."""
        return Refusal(status, phrase_of(status)).finish(self.state.clock.now()).to_response()

    def refusal(self, message: str, places: Mapping[str, str] | None = None) -> Refusal:
        """Return 400."""
        return Refusal(400, message)

    def no_route(self, request: Request, allowed: str) -> Refusal:
        """Return 405 or 404."""
        if allowed:
            return Refusal(405, f"Method not allowed; use {allowed}.", headers={"allow": allowed})
        return Refusal(404, "No such resource.")

    def read_query(self, request: Request) -> dict[str, str]:
        """Read the query parameters; one that is given more than once becomes a comma-separated list."""
        values: dict[str, str] = {}
        for name, value in parse_qsl(request.query_string, keep_blank_values=True):
            values[name] = f"{values[name]},{value}" if name in values else value
        # the documents' own examples carry every parameter without a value, so an empty one counts as left out
        return {name: value for name, value in values.items() if value}

    def parse_json(self, model: TypeAdapter[T] | type[T], request: Request) -> T:
        """Check the JSON body, which must be an object, against a model; a patch is checked in the same way."""
        try:
            value = json.loads(self.read_json(request))
        except ValueError:
            raise Refusal(400, "The request body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise Refusal(400, "The request body must be a JSON object.")
        adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
        return self._check(adapter.validate_python, cast("Wire", value))

    def refuse_query(self, request: Request) -> None:
        """Ignore a query string where none is read."""

    def refuse_body(self, request: Request) -> None:
        """Refuse a body with GET and DELETE; with other methods, a function that takes none parses it later."""
        if request.method in {"GET", "DELETE"} and not request.path.startswith(LINK_PREFIX):
            super().refuse_body(request)

    def respond(self, request: Request) -> Response:
        """Send the broadcasts that are due, then answer; the envelope of an error is made last."""
        self.state.send_due_broadcasts()
        try:
            return super().respond(request)
        except Refusal as refusal:
            return refusal.finish(self.state.clock.now(), request.path).to_response()

    def answer(self, endpoint: Endpoint, path: dict[str, str], request: Request) -> Answer:
        """Authenticate, check the role, run, and put the envelope around the result."""
        user = None if endpoint.access == "public" else self._authenticate(request)
        if user is not None and user.role_id > HIGHEST_ROLE[endpoint.access]:
            # inferred: the pages name the roles that may write, and no status for the others
            raise Refusal(403, "Your role does not permit this operation.")
        result = endpoint.run(Call(self.state, user, path, request, self), request, self)
        return result.finish(self.state.clock.now())

    def _authenticate(self, request: Request) -> User:
        session = None if request.bearer is None else self.state.sessions.use(request.bearer)
        user = None if session is None else self.state.users.get(session.user_id)
        if user is None or user.status != "active":
            raise Refusal(401, "Unauthorized: access token is missing, invalid or expired.")
        return user
