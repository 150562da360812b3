"""How one operation is declared and how a request is checked before it reaches the operation's function."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, cast
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from sandbox.convirza.records import Org, User
from sandbox.convirza.state import State
from sandbox.convirza.wire import Answer, Refusal

Basis = Literal["documented", "inferred"]
"""Whether method and path of an operation are both stated on a public page."""


@dataclass(frozen=True)
class Incoming:
    """The parts of an HTTP request that are looked at."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    base_url: str
    """Where this provider is mounted, as the client reached it; recording links start with it."""

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True)
class Call:
    """One request as an operation sees it, after authentication."""

    state: State
    session_user: User | None
    path: Mapping[str, str]
    incoming: Incoming

    @property
    def user(self) -> User:
        """The user whose access token was sent."""
        if self.session_user is None:
            raise RuntimeError("an operation without bearer token has no user")
        return self.session_user

    @property
    def id(self) -> int:
        """The integer identifier in the path.

        Raises:
            Refusal: 400 if it is no integer (inferred).
        """
        text = self.path["id"]
        if not re.fullmatch(r"[0-9]{1,15}", text):
            raise Refusal(400, "id must be an integer.")
        return int(text)

    def sees(self, org_unit_id: int) -> bool:
        """Whether an org unit is in the hierarchy of the user, who sees nothing else."""
        return org_unit_id in self.state.hierarchy(self.user.org_unit_id)

    def scope(self, org_unit_id: int | None, *, refused_with: int = 403) -> set[int]:
        """The org units that a filter covers: the given one, or the user's own, with all below.

        Raises:
            Refusal: the unit is not in the user's hierarchy. 401 and 403 are documented for one operation each;
                403 elsewhere is inferred.
        """
        if org_unit_id is not None and not self.sees(org_unit_id):
            raise Refusal(refused_with, f"Organization unit {org_unit_id} is outside your account scope.")
        return set(self.state.hierarchy(self.user.org_unit_id if org_unit_id is None else org_unit_id))

    def writable_org(self, org_unit_id: int | None) -> Org:
        """The active org unit that something is to be placed in; the user's own if none is named (inferred).

        Raises:
            Refusal: 400 if it does not exist, is not active or is out of scope (inferred status).
        """
        wanted = self.user.org_unit_id if org_unit_id is None else org_unit_id
        org = self.state.orgs.get(wanted)
        if org is None or not org.active or not self.sees(wanted):
            raise Refusal(400, f"org_unit_id {wanted} is not an active organization unit in your hierarchy.")
        return org


Access = Literal["public", "read", "write", "admin"]
"""Who may call: anyone, every role, Admin and Standard, or Admin only."""


@dataclass(frozen=True)
class Endpoint:
    """One operation: its name in the sidebar, where it is, what it rests on, who may call it."""

    name: str
    method: str
    path: str
    basis: Basis
    access: Access
    run: Callable[[Call], Answer]
    body: Basis | None = None
    """Whether a public page shows the request body; None if there is none."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path template as a regular expression."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    def to_wire(self) -> dict[str, object]:
        """The row that `/_control/providers` shows."""
        return {
            "name": self.name,
            "method": self.method,
            "path": self.path,
            "basis": self.basis,
            "body": self.body,
            "access": self.access,
        }


M = TypeVar("M", bound=BaseModel)


def parse_query(call: Call, model: type[M]) -> M:
    """The query parameters, checked; a parameter given more than once becomes a comma-separated list.

    Raises:
        Refusal: 400 for a wrong value, and for an unknown parameter where the set is documented.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(call.incoming.query_string, keep_blank_values=True):
        values[name] = f"{values[name]},{value}" if name in values else value
    # the documents' own examples carry every parameter without a value, so an empty one counts as left out
    given = {name: value for name, value in values.items() if value}
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise Refusal(400, explain("query parameter", error)) from None


def parse_object(call: Call) -> dict[str, object]:
    """The body as a JSON object, its fields not yet checked.

    Raises:
        Refusal: 400 unless it is one (inferred: no page lists 415).
    """
    if call.incoming.media_type != "application/json":
        raise Refusal(400, "The request body must be application/json.")
    try:
        value: object = json.loads(call.incoming.body)
    except ValueError:
        raise Refusal(400, "The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Refusal(400, "The request body must be a JSON object.")
    return cast("dict[str, object]", value)


def parse_body(call: Call, model: type[M]) -> M:
    """The JSON body, checked.

    Raises:
        Refusal: 400 for a wrong type, a missing field, and an unknown field where the body is documented.
    """
    return check(model, parse_object(call))


def parse_patch(call: Call, current: BaseModel, model: type[M]) -> M:
    """The current body with the fields of the request laid over it, checked as a whole.

    inferred: objects are merged field by field at every depth, lists and everything else are replaced.

    Raises:
        Refusal: 400 as for a full body, and for a body that changes nothing (inferred).
    """
    change = parse_object(call)
    if not change:
        raise Refusal(400, "At least one field is required.")
    return check(model, overlay(current.model_dump(), change))


def overlay(current: Mapping[str, object], change: Mapping[str, object]) -> dict[str, object]:
    """`current` with every field of `change`, merged at every depth."""
    merged = dict(current)
    for name, value in change.items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[name] = overlay(cast("dict[str, object]", before), cast("dict[str, object]", value))
        else:
            merged[name] = value
    return merged


def check(model: type[M], fields: Mapping[str, object]) -> M:
    """The fields as a body of this model.

    Raises:
        Refusal: 400 that names the first wrong field.
    """
    try:
        return model.model_validate(dict(fields))
    except ValidationError as error:
        raise Refusal(400, explain("field", error)) from None


def refuse_body(call: Call) -> None:
    """Check that no body was sent.

    Raises:
        Refusal: 400 (inferred; it makes a client that sends one visible).
    """
    if call.incoming.body:
        raise Refusal(400, "This operation takes no request body.")


def explain(kind: str, error: ValidationError) -> str:
    """The first problem as one sentence that names the place."""
    problem = error.errors()[0]
    place = ".".join(str(step) for step in problem["loc"])
    return f"Invalid {kind} {place}: {problem['msg']}." if place else f"Invalid request: {problem['msg']}."
