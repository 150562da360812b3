"""How one operation is declared, what it rests on, and how a request is checked before the operation sees it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, cast
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from sandbox.routee.application import Application
from sandbox.routee.state import State
from sandbox.routee.wire import Answer, invalid


class Basis(StrEnum):
    """What method and path of an operation rest on, strongest first."""

    PAGE = "documented: official page and a second source"
    SOURCES = "documented: several independent SDKs and the generated reference"
    REFERENCE = "documented: the generated reference only"
    SDK = "documented: one old SDK only"


class Body(BaseModel):
    """A JSON object in a request: wrong types and unknown fields are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Query(BaseModel):
    """Query parameters: unknown ones are refused, numbers are read from text."""

    model_config = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Call:
    """One authenticated request as an operation sees it."""

    state: State
    application: Application
    path: Mapping[str, str]


@dataclass(frozen=True)
class Incoming:
    """The parts of an HTTP request that are checked."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class About:
    """What is known about an operation beside its path."""

    basis: Basis
    scope: str | None = None
    """The permission its token needs; names for numbers, pools and voice are not documented, so they need none."""
    paid: bool = False
    inferred: str = ""
    """What of its request, answer or behaviour no document says."""


@dataclass(frozen=True)
class Endpoint:
    """One operation: where it is, what it rests on, what runs it."""

    method: str
    path: str
    about: About
    run: Callable[[Call, Incoming], Answer]

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path template as a regular expression."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    def to_wire(self) -> dict[str, object]:
        """The operation as the description of the provider shows it."""
        return {
            "method": self.method,
            "path": self.path,
            "basis": self.about.basis.value,
            "paid": self.about.paid,
            "inferred": self.about.inferred,
        }


Q = TypeVar("Q", bound=Query)
B = TypeVar("B")
F = TypeVar("F", bound=Body)


def plain(method: str, path: str, about: About, handle: Callable[[Call], Answer]) -> Endpoint:
    """An operation that takes neither query parameters nor a body."""

    def run(call: Call, incoming: Incoming) -> Answer:
        _refuse_query(incoming)
        _refuse_body(incoming)
        return handle(call)

    return Endpoint(method, path, about, run)


def with_query(method: str, path: str, about: About, query: type[Q], handle: Callable[[Call, Q], Answer]) -> Endpoint:
    """An operation that takes query parameters and no body."""

    def run(call: Call, incoming: Incoming) -> Answer:
        _refuse_body(incoming)
        return handle(call, _parse_query(query, incoming))

    return Endpoint(method, path, about, run)


def with_body(method: str, path: str, about: About, body: type[B], handle: Callable[[Call, B], Answer]) -> Endpoint:
    """An operation that takes a JSON body, an object or an array, and no query parameters."""
    adapter = TypeAdapter(body)

    def run(call: Call, incoming: Incoming) -> Answer:
        _refuse_query(incoming)
        return handle(call, _parse_json(adapter, incoming))

    return Endpoint(method, path, about, run)


def with_query_and_body(
    method: str, path: str, about: About, query: type[Q], body: type[B], handle: Callable[[Call, Q, B], Answer]
) -> Endpoint:
    """An operation that takes both."""
    adapter = TypeAdapter(body)

    def run(call: Call, incoming: Incoming) -> Answer:
        return handle(call, _parse_query(query, incoming), _parse_json(adapter, incoming))

    return Endpoint(method, path, about, run)


def with_form(method: str, path: str, about: About, form: type[F], handle: Callable[[Call, F], Answer]) -> Endpoint:
    """An operation that takes a form, as a web page sends it."""

    def run(call: Call, incoming: Incoming) -> Answer:
        _refuse_query(incoming)
        _require_content_type(incoming, "application/x-www-form-urlencoded")
        try:
            return handle(call, form.model_validate_strings(_unique_pairs(incoming.body.decode("utf-8", "replace"))))
        except ValidationError as error:
            raise _explained(error) from None

    return Endpoint(method, path, about, run)


def _parse_query(model: type[Q], incoming: Incoming) -> Q:
    try:
        return model.model_validate_strings(_unique_pairs(incoming.query_string))
    except ValidationError as error:
        raise _explained(error) from None


def _parse_json(adapter: TypeAdapter[B], incoming: Incoming) -> B:
    _require_content_type(incoming, "application/json")
    try:
        value: object = json.loads(incoming.body)
    except ValueError:
        raise invalid("The request body is not JSON.") from None
    if _holds_null(value):
        # inferred: no document shows null in a request; refusing it makes a client leave such fields out
        raise invalid("null is not a value; leave the field out.")
    try:
        return adapter.validate_json(incoming.body, strict=True)
    except ValidationError as error:
        raise _explained(error) from None


def _require_content_type(incoming: Incoming, wanted: str) -> None:
    if incoming.headers.get("content-type", "").split(";")[0].strip().lower() != wanted:
        # inferred: 415 is not among the documented statuses, so another type is a bad request
        raise invalid(f"The Content-Type must be {wanted}.")


def _unique_pairs(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise invalid("A parameter was given more than once.")
    return values


def _holds_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_null(item) for item in cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return any(_holds_null(item) for item in cast("list[object]", value))
    return value is None


def _refuse_query(incoming: Incoming) -> None:
    if incoming.query_string:
        raise invalid("This operation takes no query parameters.")


def _refuse_body(incoming: Incoming) -> None:
    if incoming.body:
        # inferred: no body is documented here; refusing one makes a client that sends it visible
        raise invalid("This operation takes no request body.")


def _explained(error: ValidationError) -> Exception:
    problems = {".".join(map(str, problem["loc"])) or "body": problem["msg"] for problem in error.errors()}
    first = next(iter(problems.items()))
    return invalid(f"{first[0]}: {first[1]}.", problems)
