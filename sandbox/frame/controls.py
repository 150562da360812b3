"""Routes under `/_control`: functions whose signatures say what they take, as for the operations of a provider."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.frame.inputs import Inputs, inputs_of, members_of
from sandbox.frame.wire import Answer, encode


class Order(BaseModel):
    """The body of a control: unknown fields are refused, numbers may be text."""

    model_config = ConfigDict(extra="forbid")


class ControlError(Exception):
    """Raised by a control that cannot do what it was asked."""

    def __init__(self, message: str, status: int = 404) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Control:
    """One route: keyword-only parameters are members of the JSON body, or for GET of the query.

    A parameter that the path names comes from there.
    """

    method: str
    path: str
    status: int
    handle: Callable[..., Any]
    """Takes the provider's state first; what it returns is the JSON of the answer. It may be async."""

    @cached_property
    def inputs(self) -> Inputs:
        """What the function takes from the body."""
        return inputs_of(self.handle, Order, frozenset(Route(self.path, self.handle).param_convertors))

    def route(self, subject: Callable[[], object]) -> Route:
        """Return the Starlette route; `subject` gives the first argument anew for each request."""

        async def answer(request: Request) -> Response:
            try:
                values = self._read(request, await request.body())
                result = self.handle(subject(), **request.path_params, **values)
                body = await result if inspect.isawaitable(result) else result
            except ValidationError as error:
                return _refused(explain(error), 400)
            except ControlError as error:
                return _refused(str(error), error.status)
            return Answer(self.status, encode(body)).to_response()

        return Route(self.path, answer, methods=[self.method])

    def _read(self, request: Request, body: bytes) -> dict[str, Any]:
        values = {name: adapter.validate_json(body) for name, adapter in self.inputs.wholes.items()}
        members = self.inputs.members
        if members is None:
            return values
        if self.method == "GET":
            return values | members_of(members.model_validate_strings(dict(request.query_params)))
        return values | members_of(members.model_validate_json(body))


def control(method: str, path: str, status: int = 200) -> Callable[[Callable[..., Any]], Control]:
    """Declare the function below as a control."""
    return lambda handle: Control(method, path, status, handle)


def explain(error: ValidationError) -> str:
    """Return every problem of a body with its place, as one line."""
    return "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}" for problem in error.errors())


def _refused(message: str, status: int) -> Response:
    return Answer(status, encode({"error": message})).to_response()
