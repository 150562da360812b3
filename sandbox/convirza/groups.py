"""Groups, which are organization units (nine operations)."""

from typing import Literal

from pydantic import Field

from sandbox.convirza.bodies import GroupBody, OpenGroupBody
from sandbox.convirza.endpoint import Call, Endpoint, check, parse_body, parse_patch, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, Query, page
from sandbox.convirza.records import Org
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed


class ChildQuery(Query):
    """Documented filters; the values of status and both defaults of paging are inferred."""

    group_name: str | None = None
    status: Literal["active", "inactive"] | None = None
    org_unit_id: int | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


class GroupQuery(OpenQuery):
    """inferred: paging and the name filter of the list of child groups."""

    group_name: str | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


class TreeQuery(Query):
    """Documented."""

    active: Literal["true", "false"] = "true"


def list_children(call: Call) -> Answer:
    """The groups one level below (documented)."""
    refuse_body(call)
    query = parse_query(call, ChildQuery)
    call.scope(query.org_unit_id)
    parent = call.user.org_unit_id if query.org_unit_id is None else query.org_unit_id
    children = [
        org
        for org in call.state.orgs.values()
        if org.parent == parent
        and (query.group_name or "").lower() in org.name.lower()
        and query.status in {None, _status(org)}
    ]
    return _page(call, children, query.limit, query.offset)


def list_groups(call: Call) -> Answer:
    """inferred: every group of the hierarchy, the user's own included; how it differs from the children is not said."""
    refuse_body(call)
    query = parse_query(call, GroupQuery)
    units = [call.state.orgs[unit] for unit in call.state.hierarchy(call.user.org_unit_id)]
    found = [org for org in units if (query.group_name or "").lower() in org.name.lower()]
    return _page(call, found, query.limit, query.offset)


def show_tree(call: Call) -> Answer:
    """The flat list of the example; its prose promises nested children instead."""
    refuse_body(call)
    everything = parse_query(call, TreeQuery).active == "false"
    rows: list[dict[str, object]] = []

    def walk(unit: int, code: str, level: int) -> None:
        org = call.state.orgs[unit]
        rows.append({"org_unit_id": unit, "text": org.name, "code": code, "group_level": level})
        below = [child for child in call.state.orgs.values() if child.parent == unit and (everything or child.active)]
        for position, child in enumerate(below, start=1):
            walk(child.id, f"{code}.{position}", level + 1)

    walk(call.user.org_unit_id, "1", 1)
    return Answer({"groups": rows})


def show_hierarchy(call: Call) -> Answer:
    """The identifiers of a unit and all below it; out of scope is 401 here (documented)."""
    refuse_body(call)
    call.scope(call.id, refused_with=401)
    return Answer({"orgUnits": call.state.hierarchy(call.id)})


def show_group(call: Call) -> Answer:
    """One group; inferred: the row of the list, the time zone and whatever else was stored."""
    refuse_body(call)
    org = _visible(call)
    return Answer({**org.body.model_dump(exclude={"parent_org_unit_id"}), **_row(call, org)})


def create_group(call: Call) -> Answer:
    """Create a group; answers 200 with `orgUnitId`, as the example shows."""
    body = parse_body(call, GroupBody)
    parent = call.writable_org(body.org_unit_parent_id)
    _check_name(call, body.org_unit_name, parent.id, None)
    body.org_unit_parent_id = parent.id
    body.timezone = body.timezone or parent.body.timezone
    now = call.state.clock.now()
    org = Org(call.state.next("org", 70100), parent.id, body, now, now)
    call.state.orgs[org.id] = org
    return Answer({"orgUnitId": org.id})


def update_group(call: Call) -> Answer:
    """Replace a group; omitted fields go back to their defaults (inferred from the rule for routes)."""
    org = _visible(call)
    return _store(call, org, parse_body(call, OpenGroupBody))


def patch_group(call: Call) -> Answer:
    """Change some fields of a group."""
    org = _visible(call)
    current = check(OpenGroupBody, {**org.body.model_dump(), "org_unit_status": _status(org)})
    return _store(call, org, parse_patch(call, current, OpenGroupBody))


def delete_group(call: Call) -> Answer:
    """Archive a group; inferred, all of it: it must be empty, it is not the own one, and it shows as inactive."""
    refuse_body(call)
    org = _visible(call)
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
    """Two siblings cannot share a name (documented)."""
    if any(org.parent == parent and org.name == name for org in call.state.orgs.values() if org is not own):
        raise Refusal(400, "org_unit_name must be unique within the parent group.")


def _visible(call: Call) -> Org:
    org = call.state.orgs.get(call.id)
    if org is None or not call.sees(org.id):
        raise Refusal(404, "Group not found.")
    return org


def _page(call: Call, orgs: list[Org], limit: int, offset: int) -> Answer:
    return listed("groups", [_row(call, org) for org in page(orgs, limit, offset)], len(orgs))


def _status(org: Org) -> str:
    return "active" if org.active else "inactive"


def _row(call: Call, org: Org) -> dict[str, object]:
    return {
        "org_unit_id": org.id,
        "org_unit_ext_id": org.body.org_unit_ext_id,
        "org_unit_name": org.name,
        "org_unit_parent_id": org.parent,
        "top_ou_id": next(reversed([org.id, *call.state.ancestors(org.id)])),
        "org_unit_status": _status(org),
        "billing_id": org.body.billing_id,
        "address": org.body.address,
        "city": org.body.city,
        "state": org.body.state,
        "zip": org.body.zip,
        "phone_number": org.body.phone_number,
        "industry_id": org.body.industry_id,
        "industry_name": call.state.industries.get(org.body.industry_id or 0),
        "org_unit_created": iso_ms(org.created),
        "org_unit_modified": iso_ms(org.modified),
    }


ENDPOINTS = (
    Endpoint("List Child Groups", "GET", "/v3/groups/list", "documented", "read", list_children),
    Endpoint("Get Group Tree", "GET", "/v3/groups/tree", "documented", "read", show_tree),
    Endpoint("Get Group Details", "GET", "/v3/groups/{id}", "inferred", "read", show_group),
    Endpoint("List Groups", "GET", "/v3/groups", "inferred", "read", list_groups),
    Endpoint("Get Org Unit Hierarchy", "GET", "/v3/groups/org-list/{id}", "documented", "read", show_hierarchy),
    Endpoint("Update Group", "PUT", "/v3/groups/{id}", "inferred", "admin", update_group, "inferred"),
    Endpoint("Partial Update Group", "PATCH", "/v3/groups/{id}", "inferred", "admin", patch_group, "inferred"),
    Endpoint("Delete Group", "DELETE", "/v3/groups/{id}", "inferred", "admin", delete_group),
    Endpoint("Create Group", "POST", "/v3/groups", "documented", "admin", create_group, "documented"),
)
