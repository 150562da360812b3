"""SMS broadcasts (six operations). Methods are in the sidebar; paths, bodies, answers and effects are inferred.

The base path is `broadcast` on the Architecture page; the migration table's `sms-broadcasts` is not answered.
"""

from pydantic import Field

from sandbox.convirza.bodies import BroadcastBody
from sandbox.convirza.endpoint import Call, Endpoint, parse_body, parse_patch, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, page
from sandbox.convirza.records import Broadcast
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed


class BroadcastQuery(OpenQuery):
    """inferred."""

    org_unit_id: int | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


def list_broadcasts(call: Call) -> Answer:
    """The broadcasts of the hierarchy, oldest first."""
    refuse_body(call)
    query = parse_query(call, BroadcastQuery)
    scope = call.scope(query.org_unit_id)
    found = [broadcast for broadcast in call.state.broadcasts.values() if broadcast.org_unit_id in scope]
    return listed("broadcasts", [_row(broadcast) for broadcast in page(found, query.limit, query.offset)], len(found))


def show_broadcast(call: Call) -> Answer:
    """One broadcast."""
    refuse_body(call)
    return Answer(_row(_visible(call)))


def create_broadcast(call: Call) -> Answer:
    """Create a broadcast: sent and charged at once unless it is scheduled for later."""
    body = parse_body(call, BroadcastBody)
    org_unit_id = call.writable_org(body.org_unit_id).id
    _check_sender(call, body)
    broadcast = Broadcast(call.state.next("broadcast", 5003), org_unit_id, body, call.state.clock.now())
    call.state.broadcasts[broadcast.id] = broadcast
    call.state.settle_broadcasts()
    return Answer({"broadcast_id": broadcast.id, "status": broadcast.status}, 201)


def update_broadcast(call: Call) -> Answer:
    """Replace a scheduled broadcast; leaving out `scheduled_at` resets it, and so sends at once."""
    broadcast = _unsent(call)
    return _store(call, broadcast, parse_body(call, BroadcastBody))


def patch_broadcast(call: Call) -> Answer:
    """Change some fields of a scheduled broadcast."""
    broadcast = _unsent(call)
    return _store(call, broadcast, parse_patch(call, broadcast.body, BroadcastBody))


def delete_broadcast(call: Call) -> Answer:
    """Delete a broadcast: a scheduled one is never sent, a sent one only leaves the list."""
    refuse_body(call)
    broadcast = _visible(call)
    del call.state.broadcasts[broadcast.id]
    return Answer({"broadcast_id": broadcast.id})


def _store(call: Call, broadcast: Broadcast, body: BroadcastBody) -> Answer:
    org_unit_id = call.writable_org(body.org_unit_id).id
    _check_sender(call, body)
    broadcast.body, broadcast.org_unit_id = body, org_unit_id
    call.state.settle_broadcasts()
    return Answer({"broadcast_id": broadcast.id, "status": broadcast.status})


def _check_sender(call: Call, body: BroadcastBody) -> None:
    sender = call.state.number_named(body.phone_number)
    route = None if sender is None else call.state.routes.get(sender.route_id or 0)
    if route is None or not route.body.sms_enabled or not call.sees(route.org_unit_id):
        raise Refusal(400, "phone_number must be a tracking number of a route with SMS enabled.")


def _visible(call: Call) -> Broadcast:
    broadcast = call.state.broadcasts.get(call.id)
    if broadcast is None or not call.sees(broadcast.org_unit_id):
        raise Refusal(404, "Broadcast not found.")
    return broadcast


def _unsent(call: Call) -> Broadcast:
    broadcast = _visible(call)
    if broadcast.status == "sent":
        raise Refusal(400, "The broadcast has already been sent.")
    return broadcast


def _row(broadcast: Broadcast) -> dict[str, object]:
    return {
        "broadcast_id": broadcast.id,
        **broadcast.body.model_dump(),
        "org_unit_id": broadcast.org_unit_id,
        "status": broadcast.status,
        "created": iso_ms(broadcast.created),
        "sent_at": None if broadcast.sent_at is None else iso_ms(broadcast.sent_at),
        "sent_count": broadcast.sent_count,
        "opted_out_count": broadcast.opted_out_count,
    }


ENDPOINTS = (
    Endpoint("List Broadcasts", "GET", "/v3/broadcast", "inferred", "read", list_broadcasts),
    Endpoint("Create Broadcast", "POST", "/v3/broadcast", "inferred", "write", create_broadcast, "inferred"),
    Endpoint("Get Broadcast Details", "GET", "/v3/broadcast/{id}", "inferred", "read", show_broadcast),
    Endpoint("Update Broadcast", "PUT", "/v3/broadcast/{id}", "inferred", "write", update_broadcast, "inferred"),
    Endpoint(
        "Partial Update Broadcast", "PATCH", "/v3/broadcast/{id}", "inferred", "write", patch_broadcast, "inferred"
    ),
    Endpoint("Delete Broadcast", "DELETE", "/v3/broadcast/{id}", "inferred", "write", delete_broadcast),
)
