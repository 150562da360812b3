"""Users (six operations)."""

from collections.abc import Callable
from typing import Literal

from sandbox.convirza.bodies import OpenUserBody, UserBody
from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import Limit, Offset, page
from sandbox.convirza.records import Org, User
from sandbox.convirza.wire import Answer, Refusal, iso_ms
from sandbox.frame.wire import Wire

ROLE_LABELS = {1: "Admin User", 2: "Standard User", 3: "ReadOnly User"}
"""`Standard User` is in the example, the other two are inferred."""


SORT_KEYS: dict[str, Callable[[User], tuple[str, int]]] = {
    "created_on": lambda user: (iso_ms(user.created), user.id),
    "name": lambda user: (user.name.lower(), user.id),
    "email": lambda user: (user.body.username.lower(), user.id),
}


@operation("List Users", "GET", "/v3/users/list", "read", "documented")
def list_users(
    call: Call,
    *,
    org_unit_id: int | None = None,
    name: str = "",
    email: str = "",
    role_id: int | None = None,
    user_status: Literal["active", "inactive", "deleted"] | None = None,
    sort_by: Literal["created_on", "name", "email"] = "created_on",
    sort_order: Literal["desc", "asc"] = "desc",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Answer:
    """List the users of a unit and everything below it; inferred: without user_status, deleted ones are left out."""
    scope = call.scope(org_unit_id)
    found = [
        user
        for user in call.state.users.values()
        if user.org_unit_id in scope
        and name.lower() in user.name.lower()
        and email.lower() in user.body.username.lower()
        and role_id in {None, user.role_id}
        and (user.status == user_status if user_status else not user.deleted)
    ]
    found.sort(key=SORT_KEYS[sort_by], reverse=sort_order == "desc")
    return page("users", found, limit, offset, lambda user: _row(call, user))


@operation("Get User Details", "GET", "/v3/users/{id}", "read", "documented")
def show_user(call: Call) -> Answer:
    """Show one user; inferred: the row of the list with the fields of Create User beside it. Deleted ones are shown."""
    user = _find(call)
    return Answer({**user.body.model_dump(), **_row(call, user), "role_id": user.role_id, "user_status": user.status})


@operation("Create User", "POST", "/v3/users", "admin", "documented", body="documented")
def create_user(call: Call, body: UserBody) -> Answer:
    """Create a user; answers 200 with `userId`, as the example shows."""
    _check(call, body, None)
    user = User(call.state.next("user", 12346), body, call.state.clock.now())
    call.state.users[user.id] = user
    return Answer({"userId": user.id})


@operation("Update User", "PUT", "/v3/users/{id}", "admin", "documented")
def update_user(call: Call) -> Answer:
    """Replace a user; omitted fields go back to their defaults (inferred from the rule for routes)."""
    user = _find_changeable(call)
    return _store(call, user, call.parse(OpenUserBody))


@operation("Partial Update User", "PATCH", "/v3/users/{id}", "admin", "documented")
def patch_user(call: Call) -> Answer:
    """Change some fields of a user."""
    user = _find_changeable(call)
    return _store(call, user, call.parse_patch(user.body, OpenUserBody))


@operation("Delete User", "DELETE", "/v3/users/{id}", "admin", "documented")
def delete_user(call: Call) -> Answer:
    """Soft delete (documented): the user stays listed under `deleted`; restoring is not documented."""
    user = _find_changeable(call)
    user.deleted = True
    return Answer({"userId": user.id})


def _store(call: Call, user: User, body: OpenUserBody) -> Answer:
    _check(call, body, user)
    user.body = body
    return Answer({"userId": user.id})


def _check(call: Call, body: UserBody, own: User | None) -> None:
    """Check name and unit, and take over its time zone.

    inferred: login addresses are unique among users that are not deleted.
    """
    taken = (user for user in call.state.users.values() if user is not own and not user.deleted)
    if any(user.body.username.lower() == body.username.lower() for user in taken):
        raise Refusal(400, "username is already in use.")
    org = call.writable_org(body.ct_user_ou_id)
    body.timezone = body.timezone or org.body.timezone


def _find(call: Call) -> User:
    return call.find(call.state.users, "User")


def _find_changeable(call: Call) -> User:
    user = _find(call)
    if user.deleted:
        raise Refusal(404, "User not found.")
    return user


def _row(call: Call, user: User) -> Wire:
    """Return a user as the list shows it."""
    group = call.state.orgs[user.org_unit_id]
    top = call.state.orgs[next(reversed([group.id, *call.state.ancestors(group.id)]))]
    return {
        "first_name": user.body.first_name,
        "last_name": user.body.last_name,
        "email": user.body.username,
        "user_ext_id": user.body.user_ext_id,
        "ct_user_id": user.id,
        "status": user.status,
        "agent_ring_to": user.body.agent_ring_to,
        "agent_id": None if user.body.agent_code is None else f"AGT-{user.body.agent_code:03d}",
        **_columns("group", group),
        **_columns("account", top),
        **_columns("parent_group", call.state.orgs.get(group.parent or 0)),
        "role": ROLE_LABELS[user.role_id],
        "access_audio": "Yes" if user.body.access_audio else "No",
        "group_access": len(call.state.hierarchy(group.id)),
        "report_access": 0 if user.role_id == 3 else 5,
        "assign_scorecard": user.body.score_call,
        "user_created": iso_ms(user.created),
    }


def _columns(prefix: str, org: Org | None) -> Wire:
    return {
        prefix: org.name if org else None,
        f"{prefix}_org_unit_id": org.id if org else None,
        f"{prefix}_external_id": org.body.org_unit_ext_id if org else None,
    }
