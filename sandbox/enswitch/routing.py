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

_COST: Fields = (
    *decimal("connectfee", "cost", default="0.00"),
    *text("description", default=""),
    *flag("included", default=0),
    *integer("increment", default=1, low=1),
    *decimal("message", default="0.00"),
    *integer("minimum", default=0, low=0),
    *integer("priority", default=1),
    *integer("start", "end", default=-1, low=-1),
)
"""inferred: the type of message and the defaults of included, message and minimum."""

_BY_PLAN_OR_PEER = (Special("peer", "", "system"), Special("plan", "", "commerce"))


def import_routes(call: Call) -> Answer:
    """routes/import; `delete=1` empties the table first."""
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
    """A line of the file; a short line leaves its last cells empty."""
    prefix, description = line["called_prefix"] or "", line.get("description") or ""
    row = Row({"called_prefix": prefix, "description": description, "media": "voice_fax"})
    for column in ("outgroup", "peer1", "peer2", "peer3"):
        cell = line.get(column) or "0"
        if not cell.isdecimal():
            raise refuse(400, "csv", f"line {number}: {column} must be an integer")
        row[column] = int(cell)
    return row


def list_outcosts(call: Call) -> Answer:
    """outcosts/list, of a peer or of a plan."""
    owner = "peer" if "peer" in call.args else "plan"
    rows = list(call.state.where("outcosts", **{owner: call.args[owner]}))
    if "outgroup" in call.args:
        times = {row["id"] for row in call.state.where("outgroup_times", outgroup=call.args["outgroup"])}
        rows = [row for row in rows if row["outgroup_time"] in times]
    return page(call, rows)


def list_incosts(call: Call) -> Answer:
    """incosts/customer/list: what inbound calls cost a customer, in the caller's currency."""
    state = call.state
    plan = call.args.whole("plan") or state.row("customers", call.customer).whole("plan")
    rows = list(state.where("incosts", plan=plan))
    if call.args.whole("used"):
        groups: set[Value] = {row["ingroup"] for row in state.where("numbers", customer=call.customer)}
        times = {row["id"] for row in state.tables["ingroup_times"] if row["ingroup"] in groups}
        rows = [row for row in rows if row["ingroup_time"] in times]
    return page(call, rows)


def list_calleridgroups(call: Call) -> Answer:
    """calleridgroups/list; `available=1` adds the shared groups of others (inferred)."""
    rows = list(call.state.where("calleridgroups", customer=call.customer))
    if call.args.whole("available"):
        rows += [row for row in call.state.where("calleridgroups", shared=1) if row not in rows]
    return page(call, rows)


def _check_route(call: Call, row: Row) -> None:
    low, high = (call.args.whole(name) or row.whole(name) for name in ("called_min", "called_max"))
    if high and low > high:
        raise refuse(400, "called_min", "must not exceed called_max")


_OUTCOST_OWNER: Fields = (
    *integer("peer", refers="peers"),
    *integer("plan", refers="plans"),
)

ROUTING: tuple[Function, ...] = (
    writing(
        "routes/update",
        "system",
        update("routes", check=_check_route, fixed="copy_costs_peer"),
        (
            *subject("routes"),
            *flag("allow_plan_peers"),
            *integer("called_max", "called_min", low=0),
            *text("called_prefix", "caller_prefix"),
            *integer("copy_costs_peer", default=0, refers="peers"),
            *text("description"),
            *one_of("media", "voice_fax|voice|fax|message"),
            *integer("outgroup", refers="outgroups"),
            *integer("peer1", "peer2", "peer3", low=-1, refers="peers"),
        ),
        dry_run=True,
    ),
    writing("routes/import", "system", import_routes, (*need(text("csv")), *flag("delete", "overwrite", default=0))),
    writing(
        "outcosts/create",
        "system|commerce",
        create("outcosts"),
        (
            *need(integer("outgroup_time", refers="outgroup_times")),
            *_OUTCOST_OWNER,
            *integer("callergroup", default=0, refers="callergroups"),
            *_COST,
            *flag("least_cost", default=1),
            *text("message_media", default=""),
        ),
        specials=_BY_PLAN_OR_PEER,
        exactly_one=("peer", "plan"),
        dry_run=True,
    ),
    writing(
        "outcosts/update",
        "system|commerce",
        update("outcosts"),
        (
            *subject("outcosts"),
            *integer("outgroup_time", refers="outgroup_times"),
            # documented default 0, not the current value: leaving it out resets it (consequence inferred)
            *integer("callergroup", default=0, refers="callergroups"),
            *kept(_COST),
            *flag("least_cost"),
            *text("message_media"),
        ),
        dry_run=True,
    ),
    reading(
        "outcosts/list",
        "system|commerce",
        list_outcosts,
        (*_OUTCOST_OWNER, *integer("outgroup", refers="outgroups"), *paging(), *text("sort")),
        specials=_BY_PLAN_OR_PEER,
        exactly_one=("peer", "plan"),
        basis="guide 4.4 and 3.13; values of sort not listed",
    ),
    writing(
        "incosts/create",
        "commerce",
        create("incosts"),
        (
            *need(integer("ingroup_time", refers="ingroup_times") + integer("plan", refers="plans")),
            *integer("callergroup", default=0, refers="callergroups"),
            *_COST,
            *text("message_media", default=""),
        ),
        dry_run=True,
        basis="guide 4.4; 200 with the id as its table says, its example shows 204",
    ),
    reading(
        "incosts/customer/list",
        "administrator|reports",
        list_incosts,
        (
            *customer(),
            *integer("plan", refers="plans"),
            *flag("used", "taxes"),
            *paging(names="count limit offset pages"),
        ),
    ),
    writing(
        "peers/costs/create",
        "system owner",
        create("peer_costs", answers_id=False),
        (
            *need(integer("peer", refers="peers")),
            *integer("called_max", "called_min", low=0),
            *text("called_prefix", "caller_type", "caller_prefix", "days", "media"),
            *_COST,
            *integer("endhour", "starthour", low=0, high=23),
            *integer("endminute", "startminute", low=0, high=59),
            *flag("least_cost", default=1),
        ),
        dry_run=True,
    ),
    writing(
        "outgroups/create",
        "system",
        create("outgroups"),
        (
            *need(text("name")),
            *integer("callergroup", default=0, refers="callergroups"),
            *text("description", default=""),
            *flag("included", default=0),
            *text("name_invoices", "tags", default=""),
        ),
        dry_run=True,
    ),
    writing(
        "callergroups/create",
        "system",
        create("callergroups"),
        need(text("name", "description")),
        since=(4, 2),
    ),
    writing(
        "calleridgroups/create",
        "administrator",
        create("calleridgroups"),
        (*need(text("name", "description")), *customer(), *flag("shared", default=0)),
        since=(4, 3),
    ),
    reading(
        "calleridgroups/list",
        "administrator|user|wholesale",
        list_calleridgroups,
        (*flag("available"), *customer()),
        since=(4, 3),
    ),
)
