"""Who calls, what the role and the rate plan allow, and which customers can be reached."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from sandbox.enswitch.fields import Row
from sandbox.enswitch.state import TABLES, Session, State
from sandbox.enswitch.wire import refuse

AUTHENTICATION = ("auth_username", "auth_password", "auth_token")
TOKENS_SINCE = (4, 1)
ALLOWED, READ_ONLY = 1, 2
"""Values of `access` in roles/access/set; 0 is none."""


@dataclass(frozen=True)
class Reach:
    """The customers whose rows a caller sees."""

    state: State
    customers: frozenset[int]
    everything: bool
    """The system owner also sees the pool and rows that belong to nobody."""

    @property
    def is_nobody(self) -> bool:
        """Whether nobody is logged in; functions that allow it decide for themselves what they show."""
        return not self.customers

    def has(self, customer: int) -> bool:
        """Return whether this customer exists and can be reached."""
        return customer in self.customers

    def sees(self, table: str, row: Row) -> bool:
        """Return whether a row belongs to a customer that can be reached; the system's own rows are for every role."""
        if self.everything:
            return True
        declared = TABLES[table]
        if not declared.owner:
            return True
        if declared.parent == "customers":
            return row.whole(declared.owner) in self.customers
        parent = self.state.find(declared.parent, row[declared.owner]) if declared.owner in row else None
        return parent is not None and self.sees(declared.parent, parent)


NOBODY = frozenset[int]()


def reach_of(state: State, person: Row | None) -> Reach:
    """Return a person's own customer, for resellers with the tree below it, for system owners everyone."""
    if person is None:
        return Reach(state, NOBODY, everything=False)
    own = person.whole("customer")
    if level(state, person, "system owner"):
        return Reach(state, frozenset(row.whole("id") for row in state.tables["customers"]), everything=True)
    # inferred: the intro speaks of "reseller access" without naming the privilege
    if level(state, person, "reseller"):
        return Reach(state, frozenset(state.below(own)), everything=False)
    return Reach(state, frozenset({own}), everything=False)


def level(state: State, person: Row, privilege: str) -> int:
    """Return what a person's role says about a privilege: 0 none, 1 all, 2 read-only."""
    access = state.first("role_access", role=person["role"], privilege=privilege)
    return access.whole("access") if access else 0


def authenticate(state: State, parameters: Mapping[str, str], client: str) -> Row | None:
    """Return the person that the parameters name; None if they name nobody.

    Raises:
        Refusal: 401 if the password is wrong, the token has expired or is corrupt, or the address is not allowed.
    """
    token = parameters.get("auth_token")
    username, password = parameters.get("auth_username"), parameters.get("auth_password")
    if token is not None and state.settings.version >= TOKENS_SINCE:
        person = _person_of_token(state, token)
    elif username is not None or password is not None:
        person = state.first("people", username=username or "", password=password or "")
    elif token is None:
        return None
    else:
        person = None
    if person is None or not _may_come_in(state, person, client):
        raise refuse(401)
    return person


def _person_of_token(state: State, token: str) -> Row | None:
    session = state.sessions.get(token)
    if session is None or (session.expires is not None and session.expires <= state.now()):
        return None
    return state.find("people", session.person)


def _may_come_in(state: State, person: Row, client: str) -> bool:
    """inferred: a wrong source address and a deleted customer answer 401, like a wrong password."""
    customer = state.find("customers", person.whole("customer"))
    if customer is None or customer.whole("deleted"):
        return False
    allowed = person.text("source").replace(",", " ").split()
    if not allowed:
        return True
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in allowed)


def require_role(state: State, person: Row, privileges: str, *, writes: bool) -> None:
    """Check that the role has one of the privileges.

    Raises:
        Refusal: 402 if it has none, or only a read-only one for a function that writes.
    """
    enough = {ALLOWED} if writes else {ALLOWED, READ_ONLY}
    if not any(level(state, person, privilege) in enough for privilege in privileges.split("|")):
        raise refuse(402)


def require_plan(state: State, person: Row, privileges: str) -> None:
    """Check that the rate plan of the caller's customer leaves one of the privileges.

    inferred: the guide says that the plan has privileges too, not how they are stored.

    Raises:
        Refusal: 403 if the plan denies all of them.
    """
    plan = state.row("customers", person.whole("customer")).whole("plan")
    denied = {row.text("privilege") for row in state.where("plan_denials", plan=plan)}
    if set(privileges.split("|")) <= denied:
        raise refuse(403)


def issue_token(state: State, person: Row, expires: int | None) -> str:
    """Return a new token in the shape of a JWT; what it says is made up."""
    seed = f"{person['id']}:{expires}:{len(state.sessions)}".encode()
    parts = (hashlib.sha256(bytes([part]) + seed).digest() for part in range(3))
    token = ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    state.sessions[token] = Session(person.whole("id"), expires)
    return token
