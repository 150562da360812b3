"""VoiceTel as one object of the sandbox: authentication, the hourly limit, and the way to each operation."""

from collections.abc import Mapping

from starlette.responses import Response

from sandbox.frame.provider import RestProvider, phrase_of
from sandbox.frame.wire import Answer, Request
from sandbox.voicetel import controls
from sandbox.voicetel.catalog import ENDPOINTS
from sandbox.voicetel.endpoint import Call, Operation
from sandbox.voicetel.seed import describe_seed, seeded_state
from sandbox.voicetel.state import Account, State
from sandbox.voicetel.wire import Refusal

HOURLY_LIMIT = 6
"""Documented: account, account/cdr, account/recurring-charges and account/api-key share six an hour for each IP."""


class VoiceTel(RestProvider[State, Operation]):
    """The simulated VoiceTel: all operations of API v2.2.10."""

    name = "voicetel"
    endpoints = ENDPOINTS
    control_routes = controls.CONTROLS

    def seed(self) -> State:
        """Make the seeded accounts."""
        return seeded_state(self.surroundings)

    def describe(self) -> dict[str, object]:
        """List keys, seeded identifiers and the numbers that behave in a special way."""
        return describe_seed(self.state)

    def failure(self, status: int) -> Response:
        """Return an error envelope with the status's own phrase, if it has one."""
        return Refusal(status, phrase_of(status)).answer.to_response()

    def refusal(self, message: str, places: Mapping[str, str] | None = None) -> Refusal:
        """Return 400."""
        return Refusal(400, message)

    def no_route(self, request: Request, allowed: str) -> Refusal:
        """Return 405 or 404."""
        if allowed:
            return Refusal(405, f"Method not allowed; use {allowed}.", headers={"allow": allowed})
        return Refusal(404, "No such resource.")

    def answer(self, endpoint: Operation, path: dict[str, str], request: Request) -> Answer:
        """Count, authenticate, check the role, run."""
        if endpoint.limited:
            self._count(request.client)
        caller = None if endpoint.public else self._authenticate(request)
        if endpoint.admin and not (caller and caller.admin):
            raise Refusal(403, "Administrator credentials are required.")
        return endpoint.run(Call(self.state, caller, path, request.headers), request, self)

    def _count(self, client: str) -> None:
        """Take one of the six; every request counts, also a refused one (inferred), over a sliding hour (inferred)."""
        now = self.state.clock.now().timestamp()
        recent = [at for at in self.state.limited_requests.get(client, []) if now - at < 3600]
        self.state.limited_requests[client] = recent
        if len(recent) >= HOURLY_LIMIT:
            raise Refusal(429, "Rate limit exceeded: 6 requests per hour.")
        recent.append(now)

    def _authenticate(self, request: Request) -> Account:
        for account in self.state.accounts.values():
            if account.api_key == request.bearer:
                return account
        raise Refusal(401, "Invalid or missing API key.")
