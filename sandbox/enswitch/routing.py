"""System routing and prices: routes, outbound and inbound costs, peers' costs, and the groups they hang on."""

import csv
import io

from sandbox.enswitch.fields import (
    Fields,
    Row,
    Value,
    customer,
    decimal,
    flag,
    integer,
    kept,
    need,
    one_of,
    paging,
    text,
)
from sandbox.enswitch.function import Call, Function, Special, reading, writing
from sandbox.enswitch.verbs import create, page, subject, update
from sandbox.enswitch.wire import Answer, ok, refuse

_BY_PLAN_OR_PEER = (Special("peer", "", "system"), Special("plan", "", "commerce"))


_COST: Fields = (
    *decimal(connectfee="0.00", cost="0.00", message="0.00"),
    *text(description=""),
    *flag(included=0),
    *integer(increment=1, low=1),
    *integer(minimum=0, low=0),
    *integer(priority=1),
    *integer(start=-1, end=-1, low=-1),
)
"""inferred: the type of message and the defaults of included, message and minimum."""
_OUTCOST_OWNER: Fields = (*integer("peer", refers="peers"), *integer("plan", refers="plans"))


@writing("routes/import", "system", need(text("csv")), flag(delete=0, overwrite=0))
def import_routes(call: Call) -> Answer:
    """Import routes from CSV; `delete=1` empties the table first."""
    reader = csv.DictReader(io.StringIO(call.args.text("csv")))
    if not reader.fieldnames or "called_prefix" not in reader.fieldnames:
        # inferred: the columns are those of the routes table, and a file without them is the documented 500
        raise refuse(500, "csv", "no column called_prefix")
    rows = [_route(line, number) for number, line in enumerate(reader, start=2)]
    if call.args.whole("delete"):
        call.state.tables["routes"].clear()
    imported = 0
    for row in rows:
        there = call.state.first("routes", called_prefix=row["called_prefix"])
        if there is None:
            call.state.insert("routes", **row)
        elif call.args.whole("overwrite"):
            there.update(row)
        else:
            continue
        imported += 1
    return ok({"count": imported})


def _route(line: dict[str, str | None], number: int) -> Row:
    """Return a line of the file; a short line leaves its last cells empty."""
    prefix, description = line["called_prefix"] or "", line.get("description") or ""
    row = Row({"called_prefix": prefix, "description": description, "media": "voice_fax"})
    for column in ("outgroup", "peer1", "peer2", "peer3"):
        cell = line.get(column) or "0"
        if not cell.isdecimal():
            raise refuse(400, "csv", f"line {number}: {column} must be an integer")
        row[column] = int(cell)
    return row


@reading(
    "outcosts/list",
    "system|commerce",
    _OUTCOST_OWNER,
    integer("outgroup", refers="outgroups"),
    paging(),
    text("sort"),
    specials=_BY_PLAN_OR_PEER,
    exactly_one=("peer", "plan"),
    basis="guide 4.4 and 3.13; values of sort not listed",
)
def list_outcosts(call: Call) -> Answer:
    """List the outbound costs of a peer or of a plan."""
    owner = "peer" if "peer" in call.args else "plan"
    rows = list(call.state.where("outcosts", **{owner: call.args[owner]}))
    if "outgroup" in call.args:
        times = {row["id"] for row in call.state.where("outgroup_times", outgroup=call.args["outgroup"])}
        rows = [row for row in rows if row["outgroup_time"] in times]
    return page(call, rows)


@reading(
    "incosts/customer/list",
    "administrator|reports",
    customer(),
    integer("plan", refers="plans"),
    flag("used", "taxes"),
    paging(names="count limit offset pages"),
)
def list_incosts(call: Call) -> Answer:
    """List what inbound calls cost a customer, in the caller's currency."""
    state = call.state
    plan = call.args.whole("plan") or state.row("customers", call.customer).whole("plan")
    rows = list(state.where("incosts", plan=plan))
    if call.args.whole("used"):
        groups: set[Value] = {row["ingroup"] for row in state.where("numbers", customer=call.customer)}
        times = {row["id"] for row in state.tables["ingroup_times"] if row["ingroup"] in groups}
        rows = [row for row in rows if row["ingroup_time"] in times]
    return page(call, rows)


@reading("calleridgroups/list", "administrator|user|wholesale", flag("available"), customer(), since=(4, 3))
def list_calleridgroups(call: Call) -> Answer:
    """List caller id groups; `available=1` adds the shared groups of others (inferred)."""
    rows = list(call.state.where("calleridgroups", customer=call.customer))
    if call.args.whole("available"):
        rows += [row for row in call.state.where("calleridgroups", shared=1) if row not in rows]
    return page(call, rows)


def _check_route(call: Call, row: Row) -> None:
    low, high = (call.args.whole(name) or row.whole(name) for name in ("called_min", "called_max"))
    if high and low > high:
        raise refuse(400, "called_min", "must not exceed called_max")


ROUTING: tuple[Function, ...] = (
    writing(
        "routes/update",
        "system",
        subject("routes"),
        flag("allow_plan_peers"),
        integer("called_max", "called_min", low=0),
        text("called_prefix", "caller_prefix", "description"),
        integer(copy_costs_peer=0, refers="peers"),
        one_of("media", "voice_fax|voice|fax|message"),
        integer("outgroup", refers="outgroups"),
        integer("peer1", "peer2", "peer3", low=-1, refers="peers"),
        dry_run=True,
    )(update("routes", check=_check_route, fixed="copy_costs_peer")),
    writing(
        "outcosts/create",
        "system|commerce",
        need(integer("outgroup_time", refers="outgroup_times")),
        _OUTCOST_OWNER,
        integer(callergroup=0, refers="callergroups"),
        _COST,
        flag(least_cost=1),
        text(message_media=""),
        specials=_BY_PLAN_OR_PEER,
        exactly_one=("peer", "plan"),
        dry_run=True,
    )(create("outcosts")),
    writing(
        "outcosts/update",
        "system|commerce",
        subject("outcosts"),
        integer("outgroup_time", refers="outgroup_times"),
        # documented default 0, not the current value: leaving it out resets it (consequence inferred)
        integer(callergroup=0, refers="callergroups"),
        kept(_COST),
        flag("least_cost"),
        text("message_media"),
        dry_run=True,
    )(update("outcosts")),
    writing(
        "incosts/create",
        "commerce",
        need(integer("ingroup_time", refers="ingroup_times") + integer("plan", refers="plans")),
        integer(callergroup=0, refers="callergroups"),
        _COST,
        text(message_media=""),
        dry_run=True,
        basis="guide 4.4; 200 with the id as its table says, its example shows 204",
    )(create("incosts")),
    writing(
        "peers/costs/create",
        "system owner",
        need(integer("peer", refers="peers")),
        integer("called_max", "called_min", low=0),
        text("called_prefix", "caller_type", "caller_prefix", "days", "media"),
        _COST,
        integer("endhour", "starthour", low=0, high=23),
        integer("endminute", "startminute", low=0, high=59),
        flag(least_cost=1),
        dry_run=True,
    )(create("peer_costs", answers_id=False)),
    writing(
        "outgroups/create",
        "system",
        need(text("name")),
        integer(callergroup=0, refers="callergroups"),
        text(description="", name_invoices="", tags=""),
        flag(included=0),
        dry_run=True,
    )(create("outgroups")),
    writing("callergroups/create", "system", need(text("name", "description")), since=(4, 2))(create("callergroups")),
    writing(
        "calleridgroups/create",
        "administrator",
        need(text("name", "description")),
        customer(),
        flag(shared=0),
        since=(4, 3),
    )(create("calleridgroups")),
)
