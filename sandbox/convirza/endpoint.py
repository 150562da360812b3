"""How Convirza's operations are declared, and what they see of a request."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from sandbox.convirza.records import Org, User
from sandbox.convirza.state import State
from sandbox.convirza.wire import Answer, Refusal
from sandbox.frame import endpoint
from sandbox.frame.endpoint import RequestRules
from sandbox.frame.wire import Request, Wire

Basis = Literal["documented", "inferred"]
"""Whether method and path of an operation are both stated on a public page."""

Access = Literal["public", "read", "write", "admin"]
"""Who may call: anyone, every role, Admin and Standard, or Admin only."""

M = TypeVar("M", bound=BaseModel)
JSON_OBJECT = TypeAdapter(dict[str, object])


class Owned(Protocol):
    """Something that belongs to an org unit."""

    @property
    def org_unit_id(self) -> int:
        """The unit."""
        ...


T = TypeVar("T", bound=Owned)


@dataclass(frozen=True)
class Call:
    """One request as an operation sees it, after authentication."""

    state: State
    session_user: User | None
    path: Mapping[str, str]
    request: Request
    rules: RequestRules

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

    def parse(self, model: type[M]) -> M:
        """Return the JSON body, checked; for operations that look something up before they read it.

        Raises:
            Refusal: 400 for a wrong type, a missing field, and an unknown field where the body is documented.
        """
        return self.rules.parse_json(model, self.request)

    def parse_patch(self, current: BaseModel, model: type[M]) -> M:
        """Return the current body with the fields of the request laid over it, checked as a whole.

        inferred: objects are merged field by field at every depth, lists and everything else are replaced.

        Raises:
            Refusal: 400 as for a full body, and for a body that changes nothing (inferred).
        """
        change = self.rules.parse_json(JSON_OBJECT, self.request)
        if not change:
            raise Refusal(400, "At least one field is required.")
        try:
            return model.model_validate(_overlay(current.model_dump(), change))
        except ValidationError as error:
            raise self.rules.explain(error) from None

    def sees(self, org_unit_id: int) -> bool:
        """Return whether an org unit is in the hierarchy of the user, who sees nothing else."""
        return org_unit_id in self.state.hierarchy(self.user.org_unit_id)

    def find(self, things: Mapping[int, T], name: str) -> T:
        """Return the visible thing that the path names.

        Raises:
            Refusal: 404 if there is none, or the user does not see its org unit.
        """
        return self.visible(things.get(self.id), name)

    def visible(self, thing: T | None, name: str) -> T:
        """Return the thing if it is there and the user sees it.

        Raises:
            Refusal: 404 otherwise.
        """
        if thing is None or not self.sees(thing.org_unit_id):
            raise Refusal(404, f"{name} not found.")
        return thing

    def scope(self, org_unit_id: int | None, *, refused_with: int = 403) -> set[int]:
        """Return the org units that a filter covers: the given one, or the user's own, with all below.

        Raises:
            Refusal: the unit is not in the user's hierarchy. 401 and 403 are documented for one operation each;
                403 elsewhere is inferred.
        """
        if org_unit_id is not None and not self.sees(org_unit_id):
            raise Refusal(refused_with, f"Organization unit {org_unit_id} is outside your account scope.")
        return set(self.state.hierarchy(self.user.org_unit_id if org_unit_id is None else org_unit_id))

    def writable_org(self, org_unit_id: int | None) -> Org:
        """Return the active org unit that something is to be placed in; the user's own if none is named (inferred).

        Raises:
            Refusal: 400 if it does not exist, is not active or is out of scope (inferred status).
        """
        wanted = self.user.org_unit_id if org_unit_id is None else org_unit_id
        org = self.state.orgs.get(wanted)
        if org is None or not org.active or not self.sees(wanted):
            raise Refusal(400, f"org_unit_id {wanted} is not an active organization unit in your hierarchy.")
        return org


@dataclass(frozen=True)
class Endpoint(endpoint.Endpoint[Answer]):
    """One operation: where it is, its name in the sidebar, who may call it, what it rests on."""

    name: str
    access: Access
    basis: Basis
    body: Basis | None
    """Whether a public page shows the request body; None if there is none."""

    def to_wire(self) -> Wire:
        """Return the row that `/_control/providers` shows."""
        return {
            "name": self.name,
            "method": self.method,
            "path": self.path,
            "basis": self.basis,
            "body": self.body,
            "access": self.access,
        }


def operation(
    name: str, method: str, path: str, access: Access, basis: Basis = "inferred", body: Basis = "inferred"
) -> Callable[[Callable[..., Answer]], Endpoint]:
    """Declare the function below as an operation; `body` counts only where the method has one."""
    shown = body if method in {"POST", "PUT", "PATCH"} else None
    return lambda handle: Endpoint(method, path, handle, name, access, basis, shown)


def _overlay(current: Mapping[str, object], change: Mapping[str, object]) -> Wire:
    """Return `current` with every field of `change`, merged at every depth."""
    merged = dict(current)
    for name, value in change.items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[name] = _overlay(cast("Wire", before), cast("Wire", value))
        else:
            merged[name] = value
    return merged
