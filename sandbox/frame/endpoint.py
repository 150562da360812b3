"""Operations of an HTTP API: declared above their functions, found by method and path, checked before they run."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, Generic, TypeVar, cast
from urllib.parse import parse_qsl

from pydantic import BaseModel, TypeAdapter, ValidationError

from sandbox.frame.inputs import Body, Inputs, Query, inputs_of, members_of
from sandbox.frame.wire import Request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

A = TypeVar("A")
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class RequestRules(ABC):
    """How strictly a provider reads requests, and how it refuses them; the defaults are the strictest."""

    @abstractmethod
    def refusal(self, message: str, places: Mapping[str, str] | None = None) -> Exception:
        """Return the error for a request that breaks the documented form; `places` says what is wrong where."""

    @abstractmethod
    def no_route(self, request: Request, allowed: str) -> Exception:
        """Return the error for a path that no operation has or, if `allowed` names methods, for another method."""

    def read_query(self, request: Request) -> dict[str, str]:
        """Read the query parameters; one that is given twice is refused."""
        return self._unique(request.query_string, "A query parameter was given more than once.")

    def read_json(self, request: Request) -> bytes:
        """Return the JSON of the body, not parsed yet."""
        self._require_media_type(request, JSON)
        return request.body

    def refuse_query(self, request: Request) -> None:
        """Refuse a query string where none is documented."""
        if request.query_string:
            raise self.refusal("This operation takes no query parameters.")

    def refuse_body(self, request: Request) -> None:
        """Refuse a body where none is documented."""
        if request.body:
            # inferred: the documents show no body here; refusing one makes a client that sends it visible
            raise self.refusal("This operation takes no request body.")

    def parse_query(self, model: TypeAdapter[T] | type[T], request: Request) -> T:
        """Check the query parameters against a model."""
        return self._check(_adapter(model).validate_strings, self.read_query(request), "query parameter")

    def parse_json(self, model: TypeAdapter[T] | type[T], request: Request) -> T:
        """Check the JSON body against a model or a list of models."""
        return self._check(lambda body: _adapter(model).validate_json(body, strict=True), self.read_json(request))

    def parse_form(self, model: TypeAdapter[T] | type[T], request: Request) -> T:
        """Check the fields of a form against a model."""
        self._require_media_type(request, FORM)
        pairs = self._unique(request.body.decode("utf-8", "replace"), "A form field was given more than once.")
        return self._check(_adapter(model).validate_strings, pairs)

    def explain(self, error: ValidationError, kind: str = "field") -> Exception:
        """Return the refusal for what pydantic found; its sentence names the first place."""
        places = {".".join(map(str, problem["loc"])): problem["msg"] for problem in error.errors()}
        place, problem = next(iter(places.items()))
        return self.refusal(f"Invalid {kind} {place}: {problem}." if place else f"Invalid request: {problem}.", places)

    def _check(self, validate: Callable[[Any], T], value: object, kind: str = "field") -> T:
        try:
            return validate(value)
        except ValidationError as error:
            raise self.explain(error, kind) from None

    def _require_media_type(self, request: Request, wanted: str) -> None:
        if request.media_type != wanted:
            # inferred: no provider documents 415, so another type is a bad request
            raise self.refusal(f"The request body must be {wanted}.")

    def _unique(self, text: str, complaint: str) -> dict[str, str]:
        pairs = parse_qsl(text, keep_blank_values=True)
        values = dict(pairs)
        if len(values) != len(pairs):
            raise self.refusal(complaint)
        return values


@dataclass(frozen=True)
class Endpoint(Generic[A]):
    """One operation: where it is, and the function that answers it.

    The function takes the provider's call first. Further parameters named `query`, `body` or `form` take that part of
    the request as a whole. Keyword-only parameters take members of it by name: of the query for GET, HEAD and DELETE,
    of the JSON body otherwise. What no parameter takes may not be sent. Parameters marked as `Found` are looked up
    once the request is checked.
    """

    method: str
    path: str
    handle: Callable[..., A]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path template as a regular expression."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    @cached_property
    def inputs(self) -> Inputs:
        """What the function takes; worked out at the first request, which keeps the start short."""
        return inputs_of(self.handle, Query if self._members_are_in_query else Body)

    def run(self, call: object, request: Request, rules: RequestRules) -> A:
        """Check the request and answer it.

        Raises:
            Exception: the refusal that the rules make, or one that the function raises.
        """
        wholes, members = self.inputs.wholes, self.inputs.members
        takes = {*wholes, *(["query" if self._members_are_in_query else "body"] if members else [])}
        if "query" not in takes:
            rules.refuse_query(request)
        if not takes & {"body", "form"}:
            rules.refuse_body(request)
        parsers = {"query": rules.parse_query, "body": rules.parse_json, "form": rules.parse_form}
        values = {name: parsers[name](adapter, request) for name, adapter in wholes.items()}
        if members:
            parse = rules.parse_query if self._members_are_in_query else rules.parse_json
            values |= members_of(parse(members, request))
        found = {name: look_up(call) for name, look_up in self.inputs.found.items()}
        return self.handle(call, **found, **values)

    @property
    def _members_are_in_query(self) -> bool:
        return self.method in {"GET", "HEAD", "DELETE"}


E = TypeVar("E", bound=Endpoint[Any])


class Router(Generic[E]):
    """Finds the operation of a request; a literal segment goes before a parameter in the same place."""

    def __init__(self, endpoints: Iterable[E]) -> None:
        def parameters_last(endpoint: E) -> list[bool]:
            return [segment.startswith("{") for segment in endpoint.path.split("/")]

        self._endpoints = sorted(endpoints, key=parameters_last)

    def find(self, request: Request, rules: RequestRules) -> tuple[E, dict[str, str]]:
        """Return the operation and the values of its path parameters.

        Raises:
            Exception: the provider's error for an unknown path or method.
        """
        matches = [
            (endpoint, match.groupdict())
            for endpoint in self._endpoints
            if (match := endpoint.pattern.fullmatch(request.path))
        ]
        for endpoint, path in matches:
            if endpoint.method == request.method:
                return endpoint, path
        raise rules.no_route(request, ", ".join(sorted({endpoint.method for endpoint, _ in matches})))


def declared_in(kind: type[T], *modules: ModuleType) -> tuple[T, ...]:
    """Collect what modules declare of one kind, in order and once each; tuples are searched too."""
    found: dict[int, T] = {}
    for module in modules:
        for value in vars(module).values():
            for item in cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,):
                if isinstance(item, kind):
                    found.setdefault(id(item), item)
    return tuple(found.values())


def _adapter(model: TypeAdapter[T] | type[T]) -> TypeAdapter[T]:
    return model if isinstance(model, TypeAdapter) else TypeAdapter(model)
