"""Provisioned routes (six operations): what happens to a call to a tracking number."""

from typing import Literal

from pydantic import Field

from sandbox.convirza.endpoint import Call, Endpoint, parse_body, parse_patch, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, page
from sandbox.convirza.records import PhoneNumber, ProvisionedRoute
from sandbox.convirza.route_body import CreateRouteBody, RouteBody, TrackingNumber
from sandbox.convirza.state import NUMBER_MONTH
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed


class RouteQuery(OpenQuery):
    """inferred."""

    org_unit_id: int | None = None
    provisioned_route_status: Literal["active", "inactive"] | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


def list_routes(call: Call) -> Answer:
    """The routes of the hierarchy; inferred: every row is the whole route."""
    refuse_body(call)
    query = parse_query(call, RouteQuery)
    scope = call.scope(query.org_unit_id)
    found = [
        route
        for route in call.state.routes.values()
        if route.org_unit_id in scope and query.provisioned_route_status in {None, route.body.provisioned_route_status}
    ]
    rows = [_row(call, route) for route in page(found, query.limit, query.offset)]
    return listed("provisioned_routes", rows, len(found))


def show_route(call: Call) -> Answer:
    """One route; inferred: the fields of the update, its numbers and its dates."""
    refuse_body(call)
    return Answer(_row(call, _visible(call)))


def create_route(call: Call) -> Answer:
    """Create a live route and take its numbers into use; documented answer 201.

    inferred: each number costs its first month at once, and at least one is needed.
    """
    body = parse_body(call, CreateRouteBody)
    org = call.writable_org(body.org_unit_id)
    settings = RouteBody.model_validate(body.model_dump(exclude={"phone_numbers"}))
    _check_references(call, settings, org.id)
    if not body.phone_numbers:
        raise Refusal(400, "phone_numbers must name at least one tracking number.")
    numbers = [_free_number(call, wanted) for wanted in body.phone_numbers]
    if len({number.id for number in numbers}) != len(numbers):
        raise Refusal(400, "A phone number was given more than once.")
    now = call.state.clock.now()
    route = ProvisionedRoute(call.state.next("route", 12345), org.id, settings, now, now)
    call.state.routes[route.id] = route
    for number in numbers:
        number.route_id, number.org_unit_id = route.id, org.id
    call.state.charge("tracking_number", len(numbers), NUMBER_MONTH * len(numbers), f"route-{route.id}")
    return Answer({"provisioned_route_id": route.id, "message": "Route created successfully"}, 201)


def update_route(call: Call) -> Answer:
    """Replace a route: every omitted field, at any depth, is reset to its default (documented; depth inferred)."""
    route = _visible(call)
    return _store(call, route, parse_body(call, RouteBody))


def patch_route(call: Call) -> Answer:
    """Change individual fields; inferred: the fields are those of the update, since none are shown."""
    route = _visible(call)
    return _store(call, route, parse_patch(call, route.body, RouteBody))


def delete_route(call: Call) -> Answer:
    """Delete a route; inferred: its numbers stay in the account, reserved, and calls to them fail."""
    refuse_body(call)
    route = _visible(call)
    for number in call.state.numbers_of(route.id):
        number.route_id = None
    del call.state.routes[route.id]
    return Answer({"provisioned_route_id": route.id, "message": "Route deleted successfully"})


def _store(call: Call, route: ProvisionedRoute, body: RouteBody) -> Answer:
    org = call.writable_org(body.org_unit_id)
    _check_references(call, body, org.id, before=route.body)
    route.body, route.org_unit_id = body, org.id
    route.modified = call.state.clock.now()
    for number in call.state.numbers_of(route.id):
        number.org_unit_id = org.id
    return Answer({"provisioned_route_id": route.id, "message": "Route updated successfully"})


def _check_references(call: Call, body: RouteBody, org_unit_id: int, *, before: RouteBody | None = None) -> None:
    """Check that what the route refers to exists; inferred. A dead reference that was there before may stay."""
    state = call.state
    webhook = state.webhooks.get(body.webhook_id or 0)
    if body.webhook_id is not None and (before is None or before.webhook_id != body.webhook_id):
        inherited = {org_unit_id, *state.ancestors(org_unit_id)}
        if webhook is None or not (call.sees(webhook.org_unit_id) or webhook.org_unit_id in inherited):
            raise Refusal(400, f"webhook_id {body.webhook_id} does not exist.")
    agent_id = body.config.voice_agent_id
    if agent_id is not None and (before is None or before.config.voice_agent_id != agent_id):
        agent = state.voice_agents.get(agent_id)
        if agent is None or not call.sees(agent.org_unit_id):
            raise Refusal(400, f"voice_agent_id {agent_id} does not exist.")
    if body.uses_voice_agent and agent_id is None:
        raise Refusal(400, "voice_agent_id is required when a voice agent is enabled.")
    for user_id in body.sms_settings.assigned_users:
        user = state.users.get(user_id)
        if user is None or user.deleted:
            raise Refusal(400, f"assigned_users: user {user_id} does not exist.")


def _free_number(call: Call, wanted: TrackingNumber) -> PhoneNumber:
    number = call.state.numbers.get(wanted.phone_number_id)
    if number is None or number.number != wanted.phone_number or not call.sees(number.org_unit_id):
        raise Refusal(400, f"phone_number_id {wanted.phone_number_id} is not {wanted.phone_number} on your account.")
    if number.route_id is not None:
        raise Refusal(400, f"{wanted.phone_number} is already used by route {number.route_id}.")
    return number


def _visible(call: Call) -> ProvisionedRoute:
    route = call.state.routes.get(call.id)
    if route is None or not call.sees(route.org_unit_id):
        raise Refusal(404, "Provisioned route not found.")
    return route


def _row(call: Call, route: ProvisionedRoute) -> dict[str, object]:
    numbers = [{"phone_number_id": held.id, "phone_number": held.number} for held in call.state.numbers_of(route.id)]
    return {
        "provisioned_route_id": route.id,
        **route.body.model_dump(),
        "org_unit_id": route.org_unit_id,
        "phone_numbers": numbers,
        "created": iso_ms(route.created),
        "modified": iso_ms(route.modified),
    }


ENDPOINTS = (
    Endpoint("List Provisioned Routes", "GET", "/v3/provisioned-routes", "inferred", "read", list_routes),
    Endpoint(
        "Create Provisioned Route", "POST", "/v3/provisioned-routes", "documented", "write", create_route, "documented"
    ),
    Endpoint("Get Provisioned Route Details", "GET", "/v3/provisioned-routes/{id}", "inferred", "read", show_route),
    Endpoint("Delete Provisioned Route", "DELETE", "/v3/provisioned-routes/{id}", "inferred", "write", delete_route),
    Endpoint(
        "Update Provisioned Route",
        "PUT",
        "/v3/provisioned-routes/{id}",
        "documented",
        "write",
        update_route,
        "documented",
    ),
    Endpoint(
        "Partial Update Provisioned Route",
        "PATCH",
        "/v3/provisioned-routes/{id}",
        "documented",
        "write",
        patch_route,
        "inferred",
    ),
)
