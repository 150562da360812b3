"""Queues, where their calls are answered, and the callers who asked to be called back."""

from sandbox.enswitch.fields import Fields, Row, Value, customer, flag, integer, kept, need, one_of, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import check_destinations, create, page, shown, subject, update
from sandbox.enswitch.wire import Answer, ok, refuse

DESTINATION_TYPES = "forward|peer|phone|sipuri"


def _check_destination(call: Call, row: Row) -> None:
    queue = call.state.row("queues", row["queue"])
    check_destinations(call, row, queue.whole("customer"))
    if call.state.first("queue_destinations", **_names(row)) is not None:
        raise refuse(400, "dnumber", "already a destination of this queue")


def _names(row: Row) -> dict[str, Value]:
    return {name: row[name] for name in ("queue", "dtype", "dnumber")}


def get_destination(call: Call) -> Answer:
    """queues/destinations/get, by id or by what it is."""
    if "id" in call.args:
        return ok(shown(call.row("queue_destinations")))
    missing = next((name for name in ("queue", "dtype", "dnumber") if name not in call.args), None)
    if missing:
        raise refuse(400, missing, "is required without id")
    row = call.state.first("queue_destinations", **_names(call.args))
    if row is None or not call.reach.sees("queue_destinations", row):
        raise refuse(404, "dnumber")
    return ok(shown(row))


def list_destinations(call: Call) -> Answer:
    """queues/destinations/list: of a queue, or every queue that a destination answers."""
    columns = {name: call.args[name] for name in ("queue", "dtype", "dnumber") if name in call.args}
    if "queue" not in columns and len(columns) != 2:
        raise refuse(400, "queue", "either queue, or dtype and dnumber")
    if "queue" in columns and len(columns) > 1:
        raise refuse(400, "queue", "either queue, or dtype and dnumber")
    rows = call.state.where("queue_destinations", **columns)
    return ok([shown(row) for row in rows if call.reach.sees("queue_destinations", row)])


def list_callbacks(call: Call) -> Answer:
    """queues/callbacks/list."""
    queues = {row["id"] for row in call.state.where("queues", customer=call.customer)}
    rows = [row for row in call.state.tables["queue_callbacks"] if row["queue"] in queues]
    if "queue" in call.args:
        rows = [row for row in rows if row["queue"] == call.args["queue"]]
    return page(call, rows)


_ENDINGS: Fields = (
    *(
        field
        for event in "adhn"
        for field in text(f"{event}type", default="hangup") + text(f"{event}number", default="")
    ),
    *text("events_url", default=""),
)
"""Where calls go on failure; documented as "hangup" or empty on update as well, so leaving them out there resets them
(consequence inferred)."""

_QUEUE: Fields = (
    *flag("allow_forwards", "answer", "callback", default=0),
    *text("callerid", "description", default=""),
    *flag("destinations_same", default=0),
    *text("events", default=""),
    *integer("holdtime", "maximum_queued", "missed_logout", "music", "owner", default=0),
    *flag("panel", default=0),
    *integer("priority", "recordgroup", default=0),
    *integer("ringtime", default=10, low=1),
    *flag("screen", default=0),
    *text("strategy"),
)
"""inferred: types and defaults; play_* is named as a group only, and the page goes on; those are left out."""

_DESTINATION: Fields = (*one_of("dtype", DESTINATION_TYPES), *text("dnumber"))

QUEUES: tuple[Function, ...] = (
    writing(
        "queues/create",
        "administrator",
        create("queues", feature="queues"),
        (*need(text("name")), *customer(), *_QUEUE, *_ENDINGS),
        cut=True,
    ),
    writing(
        "queues/update",
        "user",
        update("queues"),
        (*subject("queues"), *text("name"), *kept(_QUEUE), *_ENDINGS),
        cut=True,
    ),
    writing(
        "queues/destinations/create",
        "user",
        create("queue_destinations", check=_check_destination),
        (
            *subject("queues", "queue"),
            *need(_DESTINATION),
            *flag("available", default=1),
            *integer("priority", default=0),
        ),
        dry_run=True,
    ),
    reading(
        "queues/destinations/get",
        "user",
        get_destination,
        (*integer("id"), *_DESTINATION, *integer("queue", refers="queues")),
        basis="guide 4.4 and 4.0",
    ),
    reading(
        "queues/destinations/list",
        "user",
        list_destinations,
        (*integer("queue", refers="queues"), *_DESTINATION),
        basis="guide 4.4 and 4.0",
    ),
    reading(
        "queues/callbacks/list",
        "user|administrator",
        list_callbacks,
        (*customer(), *flag("descending"), *integer("queue", refers="queues"), *text("sort")),
    ),
)
