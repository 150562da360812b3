"""Groups, which are organization units (nine operations)."""

from typing import Literal

from sandbox.convirza.bodies import GroupBody, OpenGroupBody
from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import Limit, Offset, OpenQuery, Status, page
from sandbox.convirza.records import Org
from sandbox.convirza.wire import Answer, Refusal, iso_ms
from sandbox.frame.wire import Wire

SHOWN = {
    *("org_unit_ext_id", "org_unit_name", "billing_id", "industry_id"),
    *("address", "city", "state", "zip", "phone_number"),
}
"""What the lists show of a body as it is."""


class GroupQuery(OpenQuery):
    """inferred: paging and the name filter of the list of child groups."""

    group_name: str = ""
    limit: Limit = 100
    offset: Offset = 0


@operation("List Child Groups", "GET", "/v3/groups/list", "read", "documented")
def list_children(
    call: Call,
    *,
    group_name: str = "",
    status: Status | None = None,
    org_unit_id: int | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Answer:
    """List the groups one level below (documented).

    The filters are documented; the values of status and both defaults of paging are inferred.
    """
    call.scope(org_unit_id)
    parent = call.user.org_unit_id if org_unit_id is None else org_unit_id
    children = [
        org
        for org in call.state.orgs.values()
        if org.parent == parent and group_name.lower() in org.name.lower() and status in {None, _status(org)}
    ]
    return _page(call, children, limit, offset)


@operation("List Groups", "GET", "/v3/groups", "read")
def list_groups(call: Call, query: GroupQuery) -> Answer:
    """List every group of the hierarchy, the user's own included.

    inferred: how this differs from the list of children is not said.
    """
    units = [call.state.orgs[unit] for unit in call.state.hierarchy(call.user.org_unit_id)]
    found = [org for org in units if query.group_name.lower() in org.name.lower()]
    return _page(call, found, query.limit, query.offset)


@operation("Get Group Tree", "GET", "/v3/groups/tree", "read", "documented")
def show_tree(call: Call, *, active: Literal["true", "false"] = "true") -> Answer:
    """Show the flat list of the example; its prose promises nested children instead."""
    rows: list[Wire] = []

    def walk(unit: int, code: str, level: int) -> None:
        org = call.state.orgs[unit]
        rows.append({"org_unit_id": unit, "text": org.name, "code": code, "group_level": level})
        below = [child for child in call.state.orgs.values() if child.parent == unit]
        if active == "true":
            below = [child for child in below if child.active]
        for position, child in enumerate(below, start=1):
            walk(child.id, f"{code}.{position}", level + 1)

    walk(call.user.org_unit_id, "1", 1)
    return Answer({"groups": rows})


@operation("Get Org Unit Hierarchy", "GET", "/v3/groups/org-list/{id}", "read", "documented")
def show_hierarchy(call: Call) -> Answer:
    """Show the identifiers of a unit and all below it; out of scope is 401 here (documented)."""
    call.scope(call.id, refused_with=401)
    return Answer({"orgUnits": call.state.hierarchy(call.id)})


@operation("Get Group Details", "GET", "/v3/groups/{id}", "read")
def show_group(call: Call) -> Answer:
    """Show one group; inferred: the row of the list, the time zone and whatever else was stored."""
    org = _find(call)
    return Answer({**org.body.model_dump(exclude={"parent_org_unit_id"}), **_row(call, org)})


@operation("Create Group", "POST", "/v3/groups", "admin", "documented", body="documented")
def create_group(call: Call, body: GroupBody) -> Answer:
    """Create a group; answers 200 with `orgUnitId`, as the example shows."""
    parent = call.writable_org(body.org_unit_parent_id)
    _check_name(call, body.org_unit_name, parent.id, None)
    body.org_unit_parent_id = parent.id
    body.timezone = body.timezone or parent.body.timezone
    now = call.state.clock.now()
    org = Org(call.state.next("org", 70100), parent.id, body, now, now)
    call.state.orgs[org.id] = org
    return Answer({"orgUnitId": org.id})


@operation("Update Group", "PUT", "/v3/groups/{id}", "admin")
def update_group(call: Call) -> Answer:
    """Replace a group; omitted fields go back to their defaults (inferred from the rule for routes)."""
    org = _find(call)
    return _store(call, org, call.parse(OpenGroupBody))


@operation("Partial Update Group", "PATCH", "/v3/groups/{id}", "admin")
def patch_group(call: Call) -> Answer:
    """Change some fields of a group."""
    org = _find(call)
    current = OpenGroupBody.model_validate({**org.body.model_dump(), "org_unit_status": _status(org)})
    return _store(call, org, call.parse_patch(current, OpenGroupBody))


@operation("Delete Group", "DELETE", "/v3/groups/{id}", "admin")
def delete_group(call: Call) -> Answer:
    """Archive a group; inferred, all of it: it must be empty, it is not the own one, and it shows as inactive."""
    org = _find(call)
    state = call.state
    if org.id == call.user.org_unit_id:
        raise Refusal(400, "Your own organization unit cannot be deleted.")
    if any(child.parent == org.id and child.active for child in state.orgs.values()):
        raise Refusal(400, "The group still has active sub-groups.")
    if any(user.org_unit_id == org.id and not user.deleted for user in state.users.values()):
        raise Refusal(400, "The group still has users.")
    if any(route.org_unit_id == org.id for route in state.routes.values()):
        raise Refusal(400, "The group still has provisioned routes.")
    org.active = False
    org.modified = state.clock.now()
    return Answer({"orgUnitId": org.id})


def _store(call: Call, org: Org, body: OpenGroupBody) -> Answer:
    parent = org.parent
    if parent is not None:
        target = call.writable_org(body.org_unit_parent_id)
        if target.id in call.state.hierarchy(org.id):
            raise Refusal(400, "A group cannot be moved below itself.")
        parent = body.org_unit_parent_id = target.id
        body.timezone = body.timezone or target.body.timezone
    _check_name(call, body.org_unit_name, parent, org)
    org.body, org.parent = body, parent
    org.active = body.org_unit_status == "active"
    org.modified = call.state.clock.now()
    return Answer({"orgUnitId": org.id})


def _check_name(call: Call, name: str, parent: int | None, own: Org | None) -> None:
    """Refuse a name that a sibling has (documented)."""
    if any(org.parent == parent and org.name == name for org in call.state.orgs.values() if org is not own):
        raise Refusal(400, "org_unit_name must be unique within the parent group.")


def _find(call: Call) -> Org:
    return call.find(call.state.orgs, "Group")


def _page(call: Call, orgs: list[Org], limit: int, offset: int) -> Answer:
    return page("groups", orgs, limit, offset, lambda org: _row(call, org))


def _status(org: Org) -> Status:
    return "active" if org.active else "inactive"


def _row(call: Call, org: Org) -> Wire:
    """Return a group as the lists show it."""
    return {
        **org.body.model_dump(include=SHOWN),
        "org_unit_id": org.id,
        "org_unit_parent_id": org.parent,
        "top_ou_id": next(reversed([org.id, *call.state.ancestors(org.id)])),
        "org_unit_status": _status(org),
        "industry_name": call.state.industries.get(org.body.industry_id or 0),
        "org_unit_created": iso_ms(org.created),
        "org_unit_modified": iso_ms(org.modified),
    }
