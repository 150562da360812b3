"""Calls: making, ending and listing them, the records they leave, and traces."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.enswitch.billing import NOTHING, Price, can_pay, charge, outbound_price
from sandbox.enswitch.fields import Fields, Row, customer, flag, integer, need, one_of, paging, text
from sandbox.enswitch.function import Call, reading, writing
from sandbox.enswitch.state import State
from sandbox.enswitch.verbs import check_destinations, page, shown
from sandbox.enswitch.wire import Answer, done, ok, refuse

CALL_SECONDS = 180
"""inferred: a call that nobody hangs up lasts this long on the sandbox clock."""
HOUR = 3_600
DAY = 86_400
OUTSIDE = {"external", "number"}
"""inferred: the types of a leg that leaves the installation and is billed."""


_ONE_CALL: Fields = text("callid", "uniqueid")
_TIME_WINDOW: Fields = integer("start", "end", low=0)
DIRECTIONS = "in|internal|in_out|out"


@writing(
    "calls/make",
    "actions|panel",
    text("cdialplan", "card", "callerid1", "callerid2", stype="phone", ctype="external"),
    need(text("snumber")),
    need(text("cnumber")),
    customer(),
    flag("answer1", "answer2", "screen1", "screen2", warn1=1, warn2=1, wait=0),
    integer("recordgroup", delay=0, low=0),
    basis="guide 4.1 and two operators' copies; defaults of stype and ctype inferred",
)
def make_call(call: Call) -> Answer:
    """Ring the source, then the destination; asynchronous, so a call that fails still answers 204.

    inferred: each leg that leaves the installation costs its connection fee and first minute at once, and the rest
    when the call ends.
    """
    state, args, payer = call.state, call.args, call.customer
    legs = ((args.text("stype"), args.text("snumber")), (args.text("ctype"), args.text("cnumber")))
    plan = state.row("customers", payer).whole("plan")
    prices = [outbound_price(state, plan, number) for kind, number in legs if kind in OUTSIDE]
    check_destinations(call, Row({"atype": legs[0][0], "anumber": legs[0][1], "customer": payer}))
    now = state.now()
    row = Row({
        "uniqueid": f"{now}.{state.next_id()}",
        "callid": f"{state.next_id()}@sandbox",
        "customer": payer,
        "direction": "out",
        "stype": legs[0][0],
        "snumber": legs[0][1],
        "ctype": legs[1][0],
        "cnumber": legs[1][1],
        "callerid": args.text("callerid2") or args.text("callerid1"),
        "start": now,
        "cost": NOTHING,
        "status": "active",
    })  # fmt: skip
    first = sum((price.for_seconds(1) for price in prices), NOTHING)
    forbidden = not all(price.allowed for price in prices)
    if forbidden or not can_pay(state, payer, first) or _over_maximum(state, payer, plan, first):
        state.insert("cdrs", **{**row, "status": "failed", "end": now, "talktime": 0})
        return done()
    row["cost"] = first
    state.insert("active_calls", **row)
    if first:
        charge(state, payer, "call", first, row.text("uniqueid"))
    return done()


def _over_maximum(state: State, payer: int, plan: int, more: Decimal) -> bool:
    """Return whether a day's calls would cost more than `call_maximum`; -2 means the plan's, -1 no limit."""
    limit = state.row("customers", payer).money("call_maximum")
    if limit == -2:
        limit = state.row("plans", plan).money("call_maximum")
    if limit < 0:
        return False
    today = [row for table in ("cdrs", "active_calls") for row in state.where(table, customer=payer)]
    spent = sum((row.money("cost") for row in today if row.whole("start") > state.now() - DAY), NOTHING)
    return spent + more > limit


def end_overdue(state: State) -> None:
    """End the calls whose time is up; called before each request."""
    for row in list(state.tables["active_calls"]):
        if row.whole("start") + CALL_SECONDS <= state.now():
            _end(state, row, row.whole("start") + CALL_SECONDS)


def _end(state: State, row: Row, at: int) -> None:
    plan = state.row("customers", row.whole("customer")).whole("plan")
    seconds = at - row.whole("start")
    total = NOTHING
    for kind, number in ((row.text("stype"), row.text("snumber")), (row.text("ctype"), row.text("cnumber"))):
        price: Price = outbound_price(state, plan, number) if kind in OUTSIDE else Price(True)
        total += price.for_seconds(max(seconds, 1))
    rest = max(total - row.money("cost"), NOTHING)
    if rest and row["direction"] == "out":
        charge(state, row.whole("customer"), "call", rest, row.text("uniqueid"))
        row["cost"] = total
    state.remove("active_calls", row)
    state.insert("cdrs", **{**row, "status": "answered", "end": at, "talktime": seconds})


def _active(call: Call) -> Row:
    parameter = "uniqueid" if "uniqueid" in call.args else "callid"
    return call.only("active_calls", parameter, **{parameter: call.args[parameter]})


@writing("calls/hangup", "actions|panel", _ONE_CALL, exactly_one=("callid", "uniqueid"), basis="guide 4.2")
def hang_up(call: Call) -> Answer:
    """End a running call."""
    _end(call.state, _active(call), call.state.now())
    return done()


@writing(
    "calls/update",
    "actions",
    _ONE_CALL,
    text("stype", "snumber", "ctype", "cnumber", "dtype", "dnumber"),
    exactly_one=("callid", "uniqueid"),
)
def update_call(call: Call) -> Answer:
    """Rewrite what is recorded of a running call; the call itself goes on."""
    row = _active(call)
    row.update({name: value for name, value in call.args.items() if name not in {"uniqueid", "callid"}})
    return done()


def customers_meant(call: Call) -> set[int]:
    """Return the customers that an extended `customer` parameter means: an id, `all`, `recursive` or `system`.

    Raises:
        Refusal: 400 if it is none of these or cannot be reached.
    """
    given = call.args.text("customer")
    own = call.caller.whole("customer")
    if given == "all":
        return set(call.reach.customers)
    if given == "recursive" or (not given and (call.args.whole("recursive") or call.args.whole("recurse"))):
        return call.state.below(own) & call.reach.customers
    if given == "system" and call.reach.everything:
        return {1}
    if not given:
        return {own}
    if given.isdecimal() and call.reach.has(int(given)):
        return call.state.below(int(given)) if call.args.whole("recurse") else {int(given)}
    raise refuse(400, "customer", "Invalid customer specified.")


def _matching(call: Call, rows: Iterable[Row], columns: str) -> list[Row]:
    found = list(rows)
    for column in columns.split():
        if column in call.args:
            found = [row for row in found if row.get(column) == call.args[column]]
    return found


@reading(
    "calls/active/list",
    "callshop|telephone line reports|user",
    text("customer", "sort", "callername_match", "callername_number", "callid", "phone", "stype", "smatch"),
    text("snumber", "ctype", "cmatch", "cnumber", "dtype"),
    flag("recursive", "names"),
    one_of("direction", DIRECTIONS),
    paging(names="count descending"),
    cut=True,
)
def list_active(call: Call) -> Answer:
    """List the calls that are running."""
    customers = customers_meant(call)
    rows = [row for row in call.state.tables["active_calls"] if row.whole("customer") in customers]
    if call.args.text("direction") == "in_out":
        rows = [row for row in rows if row["direction"] in {"in", "out"}]
        return page(call, _matching(call, rows, "callid stype snumber ctype cnumber dtype"), "uniqueid")
    return page(call, _matching(call, rows, "callid direction stype snumber ctype cnumber dtype"), "uniqueid")


@reading("calls/active/list/panel", "panel", customer())
def list_panel(call: Call) -> Answer:
    """List running calls for a panel, with fewer columns; which ones is inferred."""
    columns = ("uniqueid", "callid", "direction", "stype", "snumber", "ctype", "cnumber", "start")
    rows = call.state.where("active_calls", customer=call.customer)
    return ok([{column: row[column] for column in columns if column in row} for row in rows])


def _recorded(call: Call, customers: set[int]) -> list[Row]:
    return [row for row in call.in_window(call.state.tables["cdrs"], "start") if row.whole("customer") in customers]


@reading(
    "cdrs/list",
    "callshop|cdrs",
    _TIME_WINDOW,
    flag("archive", "recurse"),
    text("callername_match", "callername_number", "callid", "customer", "phone", "status", "stype", "smatch"),
    integer("cost_customer"),
    one_of("direction", DIRECTIONS),
    integer("invoice", "peer", "talktime_maximum", "talktime_minimum", low=0),
    paging(names="limit offset"),
    cut=True,
    basis="guide 4.0 and 3.14",
)
def list_cdrs(call: Call) -> Answer:
    """List call records."""
    args = call.args
    rows = _matching(call, _recorded(call, customers_meant(call)), "callid direction invoice peer phone status stype")
    if "talktime_minimum" in args:
        rows = [row for row in rows if row.whole("talktime") >= args.whole("talktime_minimum")]
    if args.whole("talktime_maximum"):
        rows = [row for row in rows if row.whole("talktime") <= args.whole("talktime_maximum")]
    return page(call, rows, "uniqueid")


@reading("cdrs/totals/list", "cdrs", _TIME_WINDOW, customer())
def total_cdrs(call: Call) -> Answer:
    """Count the calls of each hour that lies wholly within the window."""
    hours: dict[int, Row] = {}
    for record in _recorded(call, {call.customer}):
        start = record.whole("start") // HOUR * HOUR
        interval = {"customer": call.customer, "start": start, "end": start + HOUR - 1}
        total = hours.setdefault(start, Row({**interval, "inbound": 0, "outbound": 0, "internal": 0}))
        direction = {"in": "inbound", "out": "outbound"}.get(record.text("direction"), "internal")
        total[direction] = total.whole(direction) + 1
    until = call.args.whole("end") if "end" in call.args else call.state.now()
    whole = [hour for hour in sorted(hours) if call.args.whole("start") <= hour and hour + HOUR <= until]
    return ok([shown(hours[hour]) for hour in whole])


@reading("traces/calls/list", "system", need(integer("machine", refers="machines")), need(integer("timestamp", low=0)))
def list_traces(call: Call) -> Answer:
    """List the calls in a trace that was taken on a machine at one time."""
    return page(call, call.state.where("traces", machine=call.args["machine"], timestamp=call.args["timestamp"]))
