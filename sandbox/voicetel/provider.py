"""VoiceTel as one object of the sandbox: authentication, the hourly limit, and the way to each operation."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.provider import Surroundings
from sandbox.voicetel.catalog import ENDPOINTS
from sandbox.voicetel.controls import Controls
from sandbox.voicetel.endpoint import Call, Endpoint, Incoming
from sandbox.voicetel.seed import describe_seed, seeded_state
from sandbox.voicetel.state import Account, State
from sandbox.voicetel.wire import Answer, Refusal

HOURLY_LIMIT = 6
"""Documented: account, account/cdr, account/recurring-charges and account/api-key share six an hour for each IP."""


class VoiceTel:
    """The simulated VoiceTel: all 74 operations of API v2.2.10."""

    name = "voicetel"

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._routes = [(endpoint, endpoint.pattern) for endpoint in ENDPOINTS]
        self.state: State = seeded_state(surroundings)

    @property
    def app(self) -> ASGIApp:
        """The API."""
        return self._handle

    @property
    def controls(self) -> Sequence[BaseRoute]:
        """What strangers and the bank do to the account."""
        return Controls(lambda: self.state).routes()

    def reset(self) -> None:
        """Go back to the seed."""
        self.state = seeded_state(self._surroundings)

    def describe(self) -> dict[str, object]:
        """Keys, seeded identifiers and the numbers that behave in a special way."""
        return describe_seed(self.state)

    def failure(self, status: int) -> Response:
        """An error envelope with the status's own phrase, if it has one."""
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
        return Refusal(status, phrase).to_answer().to_response()

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        incoming = Incoming(
            method=request.method,
            path=scope["path"].removeprefix(scope.get("root_path", "")),
            query_string=request.url.query,
            headers=request.headers,
            body=await request.body(),
            client=request.client.host if request.client else "",
        )
        try:
            answer = self._answer(incoming)
        except Refusal as refusal:
            answer = refusal.to_answer()
        await answer.to_response()(scope, receive, send)

    def _answer(self, incoming: Incoming) -> Answer:
        endpoint, path = self._find(incoming)
        if endpoint.limited:
            self._count(incoming.client)
        caller = None if endpoint.public else self._authenticate(incoming)
        if endpoint.admin and not (caller and caller.admin):
            raise Refusal(403, "Administrator credentials are required.")
        return endpoint.run(Call(self.state, caller, path, incoming.headers), incoming)

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

    def _count(self, client: str) -> None:
        """Take one of the six; every request counts, also a refused one (inferred), over a sliding hour (inferred)."""
        now = self._surroundings.clock.now().timestamp()
        recent = [at for at in self.state.limited_requests.get(client, []) if now - at < 3600]
        self.state.limited_requests[client] = recent
        if len(recent) >= HOURLY_LIMIT:
            raise Refusal(429, "Rate limit exceeded: 6 requests per hour.")
        recent.append(now)

    def _authenticate(self, incoming: Incoming) -> Account:
        scheme, _, key = incoming.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            for account in self.state.accounts.values():
                if account.api_key == key:
                    return account
        raise Refusal(401, "Invalid or missing API key.")
