"""Enswitch as one object of the sandbox: from an HTTP request to a function and back."""

from starlette.responses import Response

from sandbox.enswitch.access import authenticate, reach_of, require_plan, require_role
from sandbox.enswitch.calls import end_overdue
from sandbox.enswitch.catalog import FUNCTIONS
from sandbox.enswitch.checking import CREDENTIALS, checked, merged, pairs_of
from sandbox.enswitch.controls import CONTROLS
from sandbox.enswitch.fields import flag
from sandbox.enswitch.function import Call, Function
from sandbox.enswitch.seed import describe_seed, seeded_state
from sandbox.enswitch.state import Sighting, State
from sandbox.enswitch.wire import Answer, Problem, Refusal, Validated, refuse, validated
from sandbox.frame.endpoint import FORM
from sandbox.frame.provider import SimulatedProvider
from sandbox.frame.wire import Request

ROOT = "/api/json/"


class Enswitch(SimulatedProvider[State]):
    """The simulated Enswitch."""

    name = "enswitch"
    control_routes = CONTROLS
    functions = {function.path: function for function in FUNCTIONS}

    def seed(self) -> State:
        """Make the seeded installation, settings included."""
        return seeded_state(self.surroundings)

    def describe(self) -> dict[str, object]:
        """List credentials, seeded identifiers and what is special about them."""
        return {**describe_seed(self.state), "functions": len(self.functions)}

    def failure(self, status: int) -> Response:
        """Return an error in the envelope under an HTTP status of its own, as a broken server sends it (inferred)."""
        response = Answer((Problem(status, message="The server failed."),)).to_response()
        response.status_code = status
        return response

    def respond(self, request: Request) -> Response:
        """Run the function at the path."""
        function = self._find(request.path)
        if function is None:
            # inferred: a path that is no function never reaches the API, so the web server answers
            return Response("<h1>404 Not Found</h1>", 404, media_type="text/html")
        if request.method not in {"GET", "POST"}:
            # inferred: the guide allows GET and POST for everything and speaks of no other method
            return Response("<h1>405 Method Not Allowed</h1>", 405, {"allow": "GET, POST"}, media_type="text/html")
        try:
            answer = self._answer(function, request)
        except Refusal as refusal:
            answer = Answer(refusal.problems)
        except Validated:
            answer = validated()
        settings = self.state.settings
        return answer.to_response(integer_codes=settings.integer_codes, mirror_status=settings.mirror_status)

    def _find(self, path: str) -> Function | None:
        """Return the function at a path: with a slash at its end as in the guide's examples, or without it.

        The guide's introduction shows the form of a path without that slash, and so does a public client.
        """
        if not path.startswith(ROOT):
            return None
        function = self.functions.get(path.removeprefix(ROOT).removesuffix("/"))
        return function if function and function.since <= self.state.settings.version else None

    def _answer(self, function: Function, request: Request) -> Answer:
        """Run a function; authentication, role, plan and parameters are checked in this order (inferred)."""
        state = self.state
        end_overdue(state)
        parameters = self._parameters(function, request)
        person = authenticate(state, parameters, request.client)
        privileges = function.privileges_for(parameters)
        if privileges:
            if person is None:
                raise refuse(401)
            require_role(state, person, privileges, writes=function.writes)
            if function.writes:
                require_plan(state, person, privileges)
        validating = self._take_validation(function, request, parameters)
        reach = reach_of(state, person)
        args = checked(state, function, reach, parameters)
        return function.run(Call(state, reach, person, args, validating, state.settings.version))

    def _parameters(self, function: Function, request: Request) -> dict[str, str]:
        in_url = pairs_of(request.query_string)
        leaked = tuple(name for name, _ in in_url if name in CREDENTIALS and function.takes_secret(name))
        if leaked:
            self.state.leaks.append(self._sighting(function, request, leaked))
        in_form: list[tuple[str, str]] = []
        if request.body:
            if request.method != "POST" or request.media_type != FORM:
                # inferred: the guide knows query strings and forms only
                raise refuse(400, "", f"parameters must be in the query string or a POST form ({FORM})")
            in_form = pairs_of(request.body.decode("utf-8", errors="replace"))
        return merged(in_url + in_form)

    def _take_validation(self, function: Function, request: Request, parameters: dict[str, str]) -> bool:
        """Return whether this is a dry run; where none is documented, `validation` is ignored and it acts.

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
            self.state.ignored_validations.append(self._sighting(function, request, ("validation",)))
        return False

    def _sighting(self, function: Function, request: Request, parameters: tuple[str, ...]) -> Sighting:
        return Sighting(self.state.clock.now(), function.path, request.method, parameters)
