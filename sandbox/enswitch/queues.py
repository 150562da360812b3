"""Queues, where their calls are answered, and the callers who asked to be called back."""

from sandbox.enswitch.fields import Fields, Row, Value, customer, flag, integer, kept, need, one_of, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import check_destinations, create, page, shown, subject, update
from sandbox.enswitch.wire import Answer, ok, refuse

DESTINATION_TYPES = "forward|peer|phone|sipuri"


_ENDINGS: Fields = (
    *tuple(field for event in "adhn" for field in text(**{f"{event}type": "hangup", f"{event}number": ""})),
    *text(events_url=""),
)
"""Where calls go on failure; documented as "hangup" or empty on update as well, so leaving them out there resets them
(consequence inferred)."""
_QUEUE: Fields = (
    *flag(allow_forwards=0, answer=0, callback=0, destinations_same=0, panel=0, screen=0),
    *text("strategy", callerid="", description="", events=""),
    *integer(holdtime=0, maximum_queued=0, missed_logout=0, music=0, owner=0, priority=0, recordgroup=0),
    *integer(ringtime=10, low=1),
)
"""inferred: types and defaults; play_* is named as a group only, and the page goes on; those are left out."""
_DESTINATION: Fields = (*one_of("dtype", DESTINATION_TYPES), *text("dnumber"))


def _check_destination(call: Call, row: Row) -> None:
    queue = call.state.row("queues", row["queue"])
    check_destinations(call, row, queue.whole("customer"))
    if call.state.first("queue_destinations", **_names(row)) is not None:
        raise refuse(400, "dnumber", "already a destination of this queue")


def _names(row: Row) -> dict[str, Value]:
    return {name: row[name] for name in ("queue", "dtype", "dnumber")}


@reading(
    "queues/destinations/get",
    "user",
    integer("id"),
    _DESTINATION,
    integer("queue", refers="queues"),
    basis="guide 4.4 and 4.0",
)
def get_destination(call: Call) -> Answer:
    """Show a destination of a queue, by id or by what it is."""
    if "id" in call.args:
        return ok(shown(call.row("queue_destinations")))
    missing = next((name for name in ("queue", "dtype", "dnumber") if name not in call.args), None)
    if missing:
        raise refuse(400, missing, "is required without id")
    return ok(shown(call.only("queue_destinations", "dnumber", **_names(call.args))))


@reading("queues/destinations/list", "user", integer("queue", refers="queues"), _DESTINATION, basis="guide 4.4 and 4.0")
def list_destinations(call: Call) -> Answer:
    """List the destinations of a queue, or the queues that a destination answers."""
    columns = {name: call.args[name] for name in ("queue", "dtype", "dnumber") if name in call.args}
    if len(columns) != (1 if "queue" in columns else 2):
        raise refuse(400, "queue", "either queue, or dtype and dnumber")
    rows = call.state.where("queue_destinations", **columns)
    return ok([shown(row) for row in rows if call.reach.sees("queue_destinations", row)])


@reading(
    "queues/callbacks/list",
    "user|administrator",
    customer(),
    flag("descending"),
    integer("queue", refers="queues"),
    text("sort"),
)
def list_callbacks(call: Call) -> Answer:
    """List callers who asked to be called back."""
    queues = {row["id"] for row in call.state.where("queues", customer=call.customer)}
    rows = [row for row in call.state.tables["queue_callbacks"] if row["queue"] in queues]
    if "queue" in call.args:
        rows = [row for row in rows if row["queue"] == call.args["queue"]]
    return page(call, rows)


QUEUES: tuple[Function, ...] = (
    writing("queues/create", "administrator", need(text("name")), customer(), _QUEUE, _ENDINGS, cut=True)(
        create("queues", feature="queues")
    ),
    writing("queues/update", "user", subject("queues"), text("name"), kept(_QUEUE), _ENDINGS, cut=True)(
        update("queues")
    ),
    writing(
        "queues/destinations/create",
        "user",
        subject("queues", "queue"),
        need(_DESTINATION),
        flag(available=1),
        integer(priority=0),
        dry_run=True,
    )(create("queue_destinations", check=_check_destination)),
)
