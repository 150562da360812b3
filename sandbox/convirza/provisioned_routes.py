"""Provisioned routes (six operations): what happens to a call to a tracking number."""

from typing import Literal

from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import Status, UnitQuery
from sandbox.convirza.records import PhoneNumber, ProvisionedRoute
from sandbox.convirza.rest_resource import Resource
from sandbox.convirza.route_body import CreateRouteBody, RouteBody, TrackingNumber
from sandbox.convirza.state import PRICES, State
from sandbox.convirza.wire import Answer, Refusal, iso_ms
from sandbox.frame.wire import Wire


class RouteQuery(UnitQuery):
    """Paging, org unit and status, all inferred."""

    provisioned_route_status: Status | None = None


class Routes(Resource[ProvisionedRoute, RouteBody]):
    """Provisioned routes.

    An update resets every omitted field, at any depth, to its default (documented; depth inferred). A patch takes the
    fields of the update (inferred, since none are shown).
    """

    name, plural, key = "Provisioned route", "provisioned_routes", "provisioned_route_id"
    first_id = 12345
    kind, body = ProvisionedRoute, RouteBody
    created_status = 201

    def list_by_status(self, call: Call, query: RouteQuery) -> Answer:
        """List the routes of the hierarchy; inferred: every row is the whole route."""
        scope, status = call.scope(query.org_unit_id), query.provisioned_route_status
        found = [
            route
            for route in call.state.routes.values()
            if route.org_unit_id in scope and status in {None, route.body.provisioned_route_status}
        ]
        return self._page(call, found, query)

    def create_with_numbers(self, call: Call, body: CreateRouteBody) -> Answer:
        """Create a live route and take its numbers into use; documented answer 201.

        inferred: each number costs its first month at once, and at least one is needed.
        """
        org = call.writable_org(body.org_unit_id)
        settings = RouteBody.model_validate(body.model_dump(exclude={"phone_numbers"}))
        self._check(call, settings, org.id, None)
        if not body.phone_numbers:
            raise Refusal(400, "phone_numbers must name at least one tracking number.")
        numbers = [_free_number(call, wanted) for wanted in body.phone_numbers]
        if len({number.id for number in numbers}) != len(numbers):
            raise Refusal(400, "A phone number was given more than once.")
        now = call.state.clock.now()
        route = ProvisionedRoute(call.state.next(self.key, self.first_id), org.id, settings, now, now)
        call.state.routes[route.id] = route
        for number in numbers:
            number.route_id, number.org_unit_id = route.id, org.id
        price = PRICES["tracking_number_month"] * len(numbers)
        call.state.write_charge("tracking_number", len(numbers), price, f"route-{route.id}")
        return Answer(self._result(route, "created"), self.created_status)

    def _things(self, state: State) -> dict[int, ProvisionedRoute]:
        return state.routes

    def _check(self, call: Call, body: RouteBody, org_unit_id: int, before: ProvisionedRoute | None) -> None:
        """Check that what the route refers to exists; inferred. A dead reference that was there before may stay."""
        state = call.state
        webhook = state.webhooks.get(body.webhook_id or 0)
        if body.webhook_id is not None and (before is None or before.body.webhook_id != body.webhook_id):
            inherited = {org_unit_id, *state.ancestors(org_unit_id)}
            if webhook is None or not (call.sees(webhook.org_unit_id) or webhook.org_unit_id in inherited):
                raise Refusal(400, f"webhook_id {body.webhook_id} does not exist.")
        agent_id = body.config.voice_agent_id
        if agent_id is not None and (before is None or before.body.config.voice_agent_id != agent_id):
            agent = state.voice_agents.get(agent_id)
            if agent is None or not call.sees(agent.org_unit_id):
                raise Refusal(400, f"voice_agent_id {agent_id} does not exist.")
        if body.uses_voice_agent and agent_id is None:
            raise Refusal(400, "voice_agent_id is required when a voice agent is enabled.")
        for user_id in body.sms_settings.assigned_users:
            user = state.users.get(user_id)
            if user is None or user.deleted:
                raise Refusal(400, f"assigned_users: user {user_id} does not exist.")

    def _after(self, call: Call, thing: ProvisionedRoute) -> None:
        """Move the numbers along with their route."""
        thing.modified = call.state.clock.now()
        for number in call.state.numbers_of(thing.id):
            number.org_unit_id = thing.org_unit_id

    def _after_delete(self, call: Call, thing: ProvisionedRoute) -> None:
        """Keep the numbers in the account, reserved; calls to them fail (inferred)."""
        for number in call.state.numbers_of(thing.id):
            number.route_id = None

    def _result(self, thing: ProvisionedRoute, done: Literal["created", "updated", "deleted"]) -> Wire:
        return {**super()._result(thing, done), "message": f"Route {done} successfully"}

    def _row(self, call: Call, thing: ProvisionedRoute) -> Wire:
        """Return the fields of the update, the numbers and the dates (inferred)."""
        numbers = call.state.numbers_of(thing.id)
        return {
            **super()._row(call, thing),
            "phone_numbers": [{"phone_number_id": held.id, "phone_number": held.number} for held in numbers],
            "modified": iso_ms(thing.modified),
        }


def _free_number(call: Call, wanted: TrackingNumber) -> PhoneNumber:
    number = call.state.numbers.get(wanted.phone_number_id)
    if number is None or number.number != wanted.phone_number or not call.sees(number.org_unit_id):
        raise Refusal(400, f"phone_number_id {wanted.phone_number_id} is not {wanted.phone_number} on your account.")
    if number.route_id is not None:
        raise Refusal(400, f"{wanted.phone_number} is already used by route {number.route_id}.")
    return number


ROUTES = Routes()
ONE = "/v3/provisioned-routes/{id}"

ENDPOINTS = (
    operation("List Provisioned Routes", "GET", "/v3/provisioned-routes", "read")(ROUTES.list_by_status),
    operation("Create Provisioned Route", "POST", "/v3/provisioned-routes", "write", "documented", body="documented")(
        ROUTES.create_with_numbers
    ),
    operation("Get Provisioned Route Details", "GET", ONE, "read")(ROUTES.show),
    operation("Delete Provisioned Route", "DELETE", ONE, "write")(ROUTES.delete),
    operation("Update Provisioned Route", "PUT", ONE, "write", "documented", body="documented")(ROUTES.replace),
    operation("Partial Update Provisioned Route", "PATCH", ONE, "write", "documented")(ROUTES.patch),
)
