"""Convirza as one object of the sandbox: its two hosts, authentication, roles, and the way to each operation.

The API host is under `/v3`, the OAuth host under `/oauth`, both below the one mount.
"""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.convirza.catalog import ENDPOINTS
from sandbox.convirza.controls import Controls
from sandbox.convirza.endpoint import Call, Endpoint, Incoming
from sandbox.convirza.records import User
from sandbox.convirza.seed import describe_seed, seeded_state
from sandbox.convirza.state import State
from sandbox.convirza.wire import Answer, Refusal
from sandbox.provider import Surroundings

HIGHEST_ROLE = {"read": 3, "write": 2, "admin": 1}
"""1 Admin, 2 Standard, 3 ReadOnly. Documented for routes; inferred: the same elsewhere, Admin for users and groups."""


class Convirza:
    """The simulated Convirza v3."""

    name = "convirza"

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        # literal paths first, so that /users/list is not taken for /users/{id}
        ordered = sorted(ENDPOINTS, key=lambda endpoint: endpoint.path.count("{"))
        self._routes = [(endpoint, endpoint.pattern) for endpoint in ordered]
        self.state: State = seeded_state(surroundings)

    @property
    def app(self) -> ASGIApp:
        """Both hosts."""
        return self._handle

    @property
    def controls(self) -> Sequence[BaseRoute]:
        """What callers and time do to the account."""
        return Controls(lambda: self.state).routes()

    def reset(self) -> None:
        """Go back to the seed; every token dies."""
        self.state = seeded_state(self._surroundings)

    def describe(self) -> dict[str, object]:
        """Credentials, seeded identifiers, prices, and what each operation rests on."""
        return {**describe_seed(self.state), "operations": [endpoint.to_wire() for endpoint in ENDPOINTS]}

    def failure(self, status: int) -> Response:
        """An error with the status's own phrase, in the shape of the API host."""
        return Refusal(status, HTTPStatus(status).phrase).to_response(self._surroundings.clock.now())

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        incoming = Incoming(
            method=request.method,
            path=scope["path"].removeprefix(scope.get("root_path", "")),
            query_string=request.url.query,
            headers=request.headers,
            body=await request.body(),
            client=request.client.host if request.client else "",
            base_url=str(request.url.replace(path=f"{scope.get('root_path', '')}/", query="")),
        )
        now = self._surroundings.clock.now()
        try:
            response = self._answer(incoming).to_response(now)
        except Refusal as refusal:
            response = refusal.to_response(now, incoming.path)
        await response(scope, receive, send)

    def _answer(self, incoming: Incoming) -> Answer:
        self.state.settle_broadcasts()
        endpoint, path = self._find(incoming)
        user = None if endpoint.access == "public" else self._authenticate(incoming)
        if user is not None and user.role_id > HIGHEST_ROLE[endpoint.access]:
            # inferred: the pages name the roles that may write, and no status for the others
            raise Refusal(403, "Your role does not permit this operation.")
        return endpoint.run(Call(self.state, user, path, incoming))

    def _find(self, incoming: Incoming) -> tuple[Endpoint, dict[str, str]]:
        matches = [
            (endpoint, match.groupdict())
            for endpoint, pattern in self._routes
            if (match := pattern.fullmatch(incoming.path))
        ]
        for endpoint, path in matches:
            if endpoint.method == incoming.method:
                return endpoint, path
        if matches:
            allowed = ", ".join(sorted({endpoint.method for endpoint, _ in matches}))
            raise Refusal(405, f"Method not allowed; use {allowed}.", headers={"allow": allowed})
        raise Refusal(404, "No such resource.")

    def _authenticate(self, incoming: Incoming) -> User:
        scheme, _, token = incoming.headers.get("authorization", "").partition(" ")
        session = self.state.sessions.use(token) if scheme.lower() == "bearer" else None
        user = None if session is None else self.state.users.get(session.user_id)
        if user is None or user.status != "active":
            raise Refusal(401, "Unauthorized: access token is missing, invalid or expired.")
        return user
