"""How one operation is declared and how a request is checked before it reaches the operation's function."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.voicetel.state import Account, State
from sandbox.voicetel.wire import Answer, Refusal


class Body(BaseModel):
    """A JSON request body: wrong types and unknown fields are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Query(BaseModel):
    """Query parameters: unknown ones are refused, numbers are read from text."""

    model_config = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Call:
    """One authenticated request as an operation sees it."""

    state: State
    caller: Account | None
    path: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def account(self) -> Account:
        """The account that the bearer key belongs to."""
        if self.caller is None:
            raise RuntimeError("a public operation has no account")
        return self.caller


@dataclass(frozen=True)
class Incoming:
    """The parts of an HTTP request that are checked."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    client: str


@dataclass(frozen=True)
class Endpoint:
    """One operation: where it is, what it takes, who may call it."""

    method: str
    path: str
    run: Callable[[Call, Incoming], Answer]
    public: bool = False
    """No bearer key is needed."""
    admin: bool = False
    """Refused with 403 unless the key is an administrator's."""
    limited: bool = False
    """Shares the bucket of six requests an hour for each client address."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path template as a regular expression."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))


B = TypeVar("B", bound=BaseModel)


def plain(
    method: str,
    path: str,
    handle: Callable[[Call], Answer],
    *,
    public: bool = False,
    admin: bool = False,
    limited: bool = False,
) -> Endpoint:
    """An operation that takes neither query parameters nor a body."""

    def run(call: Call, incoming: Incoming) -> Answer:
        _refuse_query(incoming)
        _refuse_body(incoming)
        return handle(call)

    return Endpoint(method, path, run, public, admin, limited)


def with_query(
    method: str, path: str, model: type[B], handle: Callable[[Call, B], Answer], *, limited: bool = False
) -> Endpoint:
    """An operation that takes query parameters and no body."""

    def run(call: Call, incoming: Incoming) -> Answer:
        query = _parse_query(model, incoming)
        _refuse_body(incoming)
        return handle(call, query)

    return Endpoint(method, path, run, limited=limited)


def with_body(
    method: str,
    path: str,
    model: type[B],
    handle: Callable[[Call, B], Answer],
    *,
    public: bool = False,
    admin: bool = False,
    limited: bool = False,
) -> Endpoint:
    """An operation that takes a JSON body and no query parameters."""

    def run(call: Call, incoming: Incoming) -> Answer:
        _refuse_query(incoming)
        return handle(call, _parse_body(model, incoming))

    return Endpoint(method, path, run, public, admin, limited)


def _parse_query(model: type[B], incoming: Incoming) -> B:
    pairs = parse_qsl(incoming.query_string, keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Refusal(400, "A query parameter was given more than once.")
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise Refusal(400, _explain("query parameter", error)) from None


def _parse_body(model: type[B], incoming: Incoming) -> B:
    content_type = incoming.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != "application/json":
        # inferred: the documents list no 415, so a body that is not JSON is a bad request
        raise Refusal(400, "The request body must be application/json.")
    try:
        return model.model_validate_json(incoming.body)
    except ValidationError as error:
        raise Refusal(400, _explain("field", error)) from None


def _refuse_query(incoming: Incoming) -> None:
    if incoming.query_string:
        raise Refusal(400, "This operation takes no query parameters.")


def _refuse_body(incoming: Incoming) -> None:
    if incoming.body:
        # inferred: the documents show no body here; refusing one makes a client that sends it visible
        raise Refusal(400, "This operation takes no request body.")


def _explain(kind: str, error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(str(step) for step in problem["loc"])
    return f"Invalid {kind} {place}: {problem['msg']}." if place else f"Invalid request: {problem['msg']}."
