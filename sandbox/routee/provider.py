"""Routee as one object of the sandbox: tokens, the way to each operation, and the courier of its callbacks."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.provider import Surroundings
from sandbox.routee.callbacks import Courier, Outbox
from sandbox.routee.catalog import ENDPOINTS
from sandbox.routee.controls import Controls
from sandbox.routee.endpoint import Call, Endpoint, Incoming
from sandbox.routee.seed import describe_seed, seeded_state
from sandbox.routee.state import State
from sandbox.routee.wire import Answer, Refusal, refused, refused_by_gateway

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path; at the real Routee it is on another host


class Routee:
    """The simulated Routee; both of its hosts answer under the one mount."""

    name = "routee"

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._routes = [(endpoint, endpoint.pattern) for endpoint in ENDPOINTS]
        self.state: State = seeded_state(surroundings)
        self.courier = Courier(surroundings.clock.now, self._present_outbox)

    @property
    def app(self) -> ASGIApp:
        """The API."""
        return self._handle

    @property
    def controls(self) -> Sequence[BaseRoute]:
        """What strangers, the bank and the network do."""
        return Controls(lambda: self.state, self.courier).routes()

    async def run(self) -> None:
        """Post callbacks when they are due, until cancelled; whoever serves the sandbox runs this beside it."""
        await self.courier.run()

    def reset(self) -> None:
        """Go back to the seed; callbacks that were not posted yet are forgotten."""
        self.state = seeded_state(self._surroundings)

    def describe(self) -> dict[str, object]:
        """Credentials, seeded identifiers, the numbers that behave in a special way, and what each path rests on."""
        return describe_seed(self.state) | {"endpoints": [endpoint.to_wire() for endpoint in ENDPOINTS]}

    def failure(self, status: int) -> Response:
        """An error of the API for 500 (module 000), of the layer in front of it for all others (inferred)."""
        now = self._surroundings.clock.now()
        if status == 500:
            return refused("500000000", "Internal error.").to_answer().to_response()
        return refused_by_gateway(status, "No message available", "", now).to_answer().to_response()

    def _present_outbox(self) -> Outbox:
        self.state.agenda.catch_up()
        return self.state.outbox

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        incoming = Incoming(
            method=request.method,
            path=scope["path"].removeprefix(scope.get("root_path", "")),
            query_string=request.url.query,
            headers=request.headers,
            body=await request.body(),
        )
        self.state.agenda.catch_up()
        try:
            answer = self._answer(incoming)
        except Refusal as refusal:
            answer = refusal.to_answer()
        await answer.to_response()(scope, receive, send)

    def _answer(self, incoming: Incoming) -> Answer:
        authorization = incoming.headers.get("authorization", "")
        if incoming.path == TOKEN_PATH and incoming.method == "POST":
            content_type = incoming.headers.get("content-type", "")
            return self.state.desk.issue(authorization, content_type, incoming.body, incoming.path)
        endpoint, path = self._find(incoming)
        application = self.state.desk.check(authorization, endpoint.about.scope, incoming.path)
        return endpoint.run(Call(self.state, application, path), incoming)

    def _find(self, incoming: Incoming) -> tuple[Endpoint, dict[str, str]]:
        matches = [
            (endpoint, match.groupdict())
            for endpoint, pattern in self._routes
            if (match := pattern.fullmatch(incoming.path))
        ]
        for endpoint, path in matches:
            if endpoint.method == incoming.method:
                return endpoint, path
        # inferred: neither status is documented
        raise refused_by_gateway(405 if matches else 404, "No message available", incoming.path, self.state.now())
