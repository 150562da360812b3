"""SMS broadcasts (six operations). Methods are in the sidebar; paths, bodies, answers and effects are inferred.

The base path is `broadcast` on the Architecture page; the migration table's `sms-broadcasts` is not answered.
"""

from typing import Literal

from sandbox.convirza.bodies import BroadcastBody
from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.records import Broadcast
from sandbox.convirza.rest_resource import Resource
from sandbox.convirza.state import State
from sandbox.convirza.wire import Refusal, iso_ms
from sandbox.frame.wire import Wire


class Broadcasts(Resource[Broadcast, BroadcastBody]):
    """SMS broadcasts: sent and charged at once unless scheduled for later.

    Replacing one without `scheduled_at` resets it, and so sends at once. A deleted one is never sent; one that was
    sent only leaves the list.
    """

    name, plural, key = "Broadcast", "broadcasts", "broadcast_id"
    first_id = 5003
    kind, body = Broadcast, BroadcastBody
    created_status = 201

    def _things(self, state: State) -> dict[int, Broadcast]:
        return state.broadcasts

    def _find_changeable(self, call: Call) -> Broadcast:
        broadcast = self._find(call)
        if broadcast.status == "sent":
            raise Refusal(400, "The broadcast has already been sent.")
        return broadcast

    def _check(self, call: Call, body: BroadcastBody, org_unit_id: int, before: Broadcast | None) -> None:
        sender = call.state.number_named(body.phone_number)
        route = None if sender is None else call.state.routes.get(sender.route_id or 0)
        if route is None or not route.body.sms_enabled or not call.sees(route.org_unit_id):
            raise Refusal(400, "phone_number must be a tracking number of a route with SMS enabled.")

    def _after(self, call: Call, thing: Broadcast) -> None:
        call.state.send_due_broadcasts()

    def _result(self, thing: Broadcast, done: Literal["created", "updated", "deleted"]) -> Wire:
        identifier = super()._result(thing, done)
        return identifier if done == "deleted" else {**identifier, "status": thing.status}

    def _row(self, call: Call, thing: Broadcast) -> Wire:
        return {
            **super()._row(call, thing),
            "status": thing.status,
            "sent_at": None if thing.sent_at is None else iso_ms(thing.sent_at),
            "sent_count": thing.sent_count,
            "opted_out_count": thing.opted_out_count,
        }


BROADCASTS = Broadcasts()

ENDPOINTS = (
    operation("List Broadcasts", "GET", "/v3/broadcast", "read")(BROADCASTS.list_all),
    operation("Create Broadcast", "POST", "/v3/broadcast", "write")(BROADCASTS.create),
    operation("Get Broadcast Details", "GET", "/v3/broadcast/{id}", "read")(BROADCASTS.show),
    operation("Update Broadcast", "PUT", "/v3/broadcast/{id}", "write")(BROADCASTS.replace),
    operation("Partial Update Broadcast", "PATCH", "/v3/broadcast/{id}", "write")(BROADCASTS.patch),
    operation("Delete Broadcast", "DELETE", "/v3/broadcast/{id}", "write")(BROADCASTS.delete),
)
