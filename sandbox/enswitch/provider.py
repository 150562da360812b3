"""Enswitch as one object of the sandbox: from an HTTP request to a function and back."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.enswitch.access import authenticate, reach_of, require_plan, require_role
from sandbox.enswitch.calls import end_overdue
from sandbox.enswitch.catalog import FUNCTIONS
from sandbox.enswitch.checking import CREDENTIALS, checked, merged, pairs_of
from sandbox.enswitch.controls import Controls
from sandbox.enswitch.fields import flag
from sandbox.enswitch.function import Call, Function
from sandbox.enswitch.seed import describe_seed, seeded_state
from sandbox.enswitch.state import Sighting, State
from sandbox.enswitch.wire import Answer, Problem, Refusal, Validated, refuse, validated
from sandbox.provider import Surroundings

ROOT = "/api/json/"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Incoming:
    """The parts of an HTTP request that count."""

    method: str
    path: str
    query_string: str
    content_type: str
    body: bytes
    client: str


class Enswitch:
    """The simulated Enswitch."""

    name = "enswitch"

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._functions = {function.path: function for function in FUNCTIONS}
        self.state: State = seeded_state(surroundings)

    @property
    def app(self) -> ASGIApp:
        """The API."""
        return self._handle

    @property
    def controls(self) -> Sequence[BaseRoute]:
        """Settings, leaks, and what strangers do."""
        return Controls(lambda: self.state, FUNCTIONS).routes()

    def reset(self) -> None:
        """Go back to the seed, settings included."""
        self.state = seeded_state(self._surroundings)

    def describe(self) -> dict[str, object]:
        """Credentials, seeded identifiers and what is special about them."""
        return {**describe_seed(self.state), "functions": len(self._functions)}

    def failure(self, status: int) -> Response:
        """An error in the envelope under an HTTP status of its own, as a broken server would send it (inferred)."""
        response = Answer((Problem(status, message="The server failed."),)).to_response()
        response.status_code = status
        return response

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        incoming = Incoming(
            method=request.method,
            path=scope["path"].removeprefix(scope.get("root_path", "")),
            query_string=request.url.query,
            content_type=request.headers.get("content-type", "").partition(";")[0].strip().lower(),
            body=await request.body(),
            client=request.client.host if request.client else "",
        )
        await self._respond(incoming)(scope, receive, send)

    def _respond(self, incoming: Incoming) -> Response:
        function = self._find(incoming.path)
        if function is None:
            # inferred: a path that is no function never reaches the API, so the web server answers
            return Response("<h1>404 Not Found</h1>", 404, media_type="text/html")
        if incoming.method not in {"GET", "POST"}:
            # inferred: the guide allows GET and POST for everything and speaks of no other method
            return Response("<h1>405 Method Not Allowed</h1>", 405, {"allow": "GET, POST"}, media_type="text/html")
        try:
            answer = self._answer(function, incoming)
        except Refusal as refusal:
            answer = Answer(refusal.problems)
        except Validated:
            answer = validated()
        settings = self.state.settings
        return answer.to_response(integer_codes=settings.integer_codes, mirror_status=settings.mirror_status)

    def _find(self, path: str) -> Function | None:
        """The function at a path; the slash at the end is part of it, as in every documented example (inferred)."""
        if not (path.startswith(ROOT) and path.endswith("/")):
            return None
        function = self._functions.get(path.removeprefix(ROOT).removesuffix("/"))
        return function if function and function.since <= self.state.settings.version else None

    def _answer(self, function: Function, incoming: Incoming) -> Answer:
        """Run a function; authentication, role, plan and parameters are checked in this order (inferred)."""
        state = self.state
        end_overdue(state)
        parameters = self._parameters(function, incoming)
        person = authenticate(state, parameters, incoming.client)
        privileges = function.privileges_for(parameters)
        if privileges:
            if person is None:
                raise refuse(401)
            require_role(state, person, privileges, writes=function.writes)
            if function.writes:
                require_plan(state, person, privileges)
        validating = self._take_validation(function, incoming, parameters)
        reach = reach_of(state, person)
        args = checked(state, function, reach, parameters)
        return function.run(Call(state, reach, person, args, validating, state.settings.version))

    def _parameters(self, function: Function, incoming: Incoming) -> dict[str, str]:
        in_url = pairs_of(incoming.query_string)
        leaked = tuple(name for name, _ in in_url if name in CREDENTIALS and function.takes_secret(name))
        if leaked:
            self.state.leaks.append(self._sighting(function, incoming, leaked))
        in_form: list[tuple[str, str]] = []
        if incoming.body:
            if incoming.method != "POST" or incoming.content_type != FORM:
                # inferred: the guide knows query strings and forms only
                raise refuse(400, "", f"parameters must be in the query string or a POST form ({FORM})")
            in_form = pairs_of(incoming.body.decode("utf-8", errors="replace"))
        return merged(in_url + in_form)

    def _take_validation(self, function: Function, incoming: Incoming, parameters: dict[str, str]) -> bool:
        """Whether this is a dry run; where none is documented, `validation` is passed over and the function acts.

        inferred: the pages of the dangerous functions do not have it. The setting `ignore_undocumented_validation`
        turned off refuses it like any unknown parameter.
        """
        given = parameters.get("validation")
        if given is None:
            return False
        if function.dry_run:
            del parameters["validation"]
            try:
                return flag("validation")[0].read(given) == 1
            except ValueError as error:
                raise refuse(400, "validation", str(error)) from None
        if self.state.settings.ignore_undocumented_validation:
            del parameters["validation"]
            self.state.ignored_validations.append(self._sighting(function, incoming, ("validation",)))
        return False

    def _sighting(self, function: Function, incoming: Incoming, parameters: tuple[str, ...]) -> Sighting:
        return Sighting(self._surroundings.clock.now(), function.path, incoming.method, parameters)
