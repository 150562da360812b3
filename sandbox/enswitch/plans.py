"""Rate plans: their routes (the seed page and its siblings), prices of numbers, features and groups."""

from sandbox.enswitch.fields import (
    Fields,
    Row,
    customer,
    decimal,
    flag,
    integer,
    need,
    one_number_of,
    one_of,
    paging,
    since,
    text,
    until,
)
from sandbox.enswitch.function import SEED, Call, Function, Run, Special, reading, writing
from sandbox.enswitch.verbs import create, page, shown, subject, update
from sandbox.enswitch.wire import Answer, created, done, ok, refuse

RENAMED = (4, 1)
"""The version that renamed `prefix`, added `caller_prefix` and returns the route's id (seed page)."""

BILL_TYPES = "external|none|prepaid|prepaid_invoices|prepaid_calls|postpaid"
MEDIA = "fax|voice|voice_fax"


def _plan(missing: int = 400) -> Fields:
    return need(integer("plan", refers="plans"), missing=missing)


_ROUTE_OPTIONS: Fields = (
    *one_number_of("allow", (0, 1, 2, 3), default=1),
    *since(RENAMED, text(caller_prefix="")),
    *text(description=""),
    *one_of("media", MEDIA, default="voice_fax"),
    *integer(peer1=0, peer2=0, peer3=0, low=-1, refers="peers"),
)
_OLD_ROUTE: Fields = until(RENAMED, (*_plan(404), *need(text("prefix"))))
_ROUTE: Fields = (*since(RENAMED, subject("plan_routes")), *_OLD_ROUTE)
_PLAN_OPTIONS: Fields = (
    *flag("auto_topup", "bill_defer", "callerid_in_external", "conference_calls", external_out=1),
    *one_of("bill_type", BILL_TYPES),
    *integer(bulk_calls=-1, low=-1),
    *decimal("inconnect_margin", call_maximum="-1"),
    *flag("carry_forward_messages", "carry_forward_seconds"),
    *text("contract", "dialplan", "huntgroup_dests", currency="USD", description=""),
    *integer("cos_timegroup", refers="timegroups"),
    *customer(),
    *integer("included_messages", "included_seconds", low=0),
)
"""inferred: the types from carry_forward_messages on in the alphabet; the page names them and is cut off."""


def _route_of(call: Call) -> Row:
    """Return the plan route that the parameters name: by id, or before 4.1 by plan, prefix and media."""
    if call.version >= RENAMED:
        return call.row("plan_routes")
    # inferred: left out where it is optional, media means voice_fax, as in plans/routes/create
    media = call.args.text("media") or "voice_fax"
    named = call.state.where("plan_routes", plan=call.args["plan"], called_prefix=call.args.text("prefix"), media=media)
    for route in named:
        if call.reach.sees("plan_routes", route):
            return route
    raise refuse(404, "prefix")


@writing(
    "plans/routes/create",
    "commerce",
    since(RENAMED, need(text("called_prefix"))),
    until(RENAMED, need(text("prefix"))),
    _plan(),
    _ROUTE_OPTIONS,
    dry_run=True,
    basis=SEED,
)
def create_route(call: Call) -> Answer:
    """Add a route to a plan."""
    columns = {name: value for name, value in call.args.items() if name != "prefix"}
    if call.version < RENAMED:
        columns |= {"called_prefix": call.args.text("prefix"), "caller_prefix": ""}
    same = {name: columns[name] for name in ("plan", "called_prefix", "caller_prefix", "media")}
    if call.state.first("plan_routes", **same) is not None:
        # inferred: before 4.1 plan, prefix and media were the key, so the same route twice cannot have been possible
        raise refuse(400, "called_prefix" if call.version >= RENAMED else "prefix", "route already exists")
    call.stop_if_validating()
    route = call.state.insert("plan_routes", **columns)
    # inferred: before 4.1 there was no id to return, so the answer is the one without data
    return created(route["id"]) if call.version >= RENAMED else done()


@reading(
    "plans/routes/get",
    "commerce",
    _ROUTE,
    until(RENAMED, one_of("media", MEDIA)),
    basis="guide 4.4; guide 3.13 for the form before 4.1",
)
def get_route(call: Call) -> Answer:
    """Show a route of a plan."""
    return ok(_as_version(call, _route_of(call)))


@reading(
    "plans/routes/list",
    "commerce",
    _plan(404),
    since(RENAMED, text("called_prefix", "caller_prefix")),
    # inferred: the name that the other functions of this version use
    until(RENAMED, text("prefix")),
    one_of("media", MEDIA),
    since(RENAMED, paging("allow|called_prefix|caller_prefix|media")),
    until(RENAMED, paging("allow|prefix|media")),
    basis="guide 4.4; form before 4.1 inferred",
)
def list_routes(call: Call) -> Answer:
    """List the routes of a plan."""
    rows = list(call.state.where("plan_routes", plan=call.row("plans", "plan")["id"]))
    prefix = "called_prefix" if call.version >= RENAMED else "prefix"
    for parameter, column in ((prefix, "called_prefix"), ("caller_prefix", "caller_prefix"), ("media", "media")):
        if parameter in call.args:
            rows = [row for row in rows if row[column] == call.args[parameter]]
    return page(call, [_as_version(call, row) for row in rows])


def _as_version(call: Call, route: Row) -> Row:
    if call.version >= RENAMED:
        return route
    old = Row({name: value for name, value in route.items() if name not in {"id", "called_prefix", "caller_prefix"}})
    return Row({"prefix": route["called_prefix"], **old})


@writing(
    "plans/routes/update",
    "commerce",
    _ROUTE,
    one_number_of("allow", (0, 1, 2, 3)),
    since(RENAMED, text("called_prefix", "caller_prefix")),
    text("description"),
    since(RENAMED, one_of("media", MEDIA)),
    until(RENAMED, need(one_of("media", MEDIA))),
    integer("peer1", "peer2", "peer3", low=-1, refers="peers"),
    dry_run=True,
    basis="guide 4.4; guide 3.14 for the form before 4.1",
)
def update_route(call: Call) -> Answer:
    """Change a route of a plan."""
    route = _route_of(call)
    named = {"id"} if call.version >= RENAMED else {"plan", "prefix", "media"}
    call.stop_if_validating()
    route.update({name: value for name, value in call.args.items() if name not in named})
    return done()


@writing(
    "plans/routes/delete",
    "commerce",
    _ROUTE,
    until(RENAMED, need(one_of("media", MEDIA))),
    basis="guide 4.0; from 4.1 on inferred from plans/routes/get",
)
def delete_route(call: Call) -> Answer:
    """Remove a route from a plan."""
    call.state.remove("plan_routes", _route_of(call))
    return done()


@reading("plans/get", "", need(integer("id")))
def get_plan(call: Call) -> Answer:
    """Show a plan; no authentication is needed, so anybody who knows an id sees it."""
    plan = call.state.find("plans", call.args["id"])
    if plan is None:
        raise refuse(404, "id")
    return ok(shown(plan))


@reading(
    "plans/list",
    "commerce|settings",
    paging("description|name"),
    customer(),
    flag("force", "inheritable", "parent", "reseller", "signup", "system", "us"),
    text("name"),
    specials=(Special("signup", "1", ""), Special("system", "1", "system"), Special("parent", "1", "user")),
    at_most_one=("count", "inheritable", "pages", "parent", "reseller", "signup", "system"),
)
def list_plans(call: Call) -> Answer:
    """List rate plans."""
    args, state = call.args, call.state
    if args.whole("signup"):
        rows = list(state.where("plans", signup=1))
    else:
        owner = 1 if args.whole("system") else call.customer
        if args.whole("parent"):
            owner = state.row("customers", owner).whole("parent")
        rows = list(state.where("plans", customer=owner))
    if args.whole("inheritable"):
        rows = [row for row in rows if row.whole("inheritable")]
    name = args.text("name").lower()
    return page(call, [row for row in rows if name in row.text("name").lower()])


@writing(
    "plans/features/set",
    "commerce",
    need(text("feature")),
    _plan(404),
    integer(included=0, low=0),
    integer(maximum=-1, low=-1),
    basis="guide 4.0",
)
def set_feature(call: Call) -> Answer:
    """Set how many of a feature a plan includes and allows."""
    names = {"plan": call.args["plan"], "feature": call.args["feature"]}
    row = call.state.first("plan_features", **names) or call.state.insert("plan_features", **names)
    row.update(included=call.args["included"], maximum=call.args["maximum"])
    return done()


def _ungroup(kind: str) -> Run:
    """Take an inbound or outbound group out of a plan."""

    def run(call: Call) -> Answer:
        table = f"plan_{kind}s"
        call.state.remove(table, call.only(table, kind, **{kind: call.args[kind], "plan": call.args["plan"]}))
        return done()

    return run


PLANS: tuple[Function, ...] = (
    writing("plans/create", "commerce", need(text("name")), _PLAN_OPTIONS, cut=True)(create("plans")),
    writing(
        "plans/classes/update",
        "commerce",
        subject("plan_classes"),
        text("description"),
        decimal("fee", "signup"),
        dry_run=True,
    )(update("plan_classes")),
    writing("plans/ingroups/delete", "commerce", need(integer("ingroup")), _plan(404))(_ungroup("ingroup")),
    writing("plans/outgroups/delete", "commerce", need(integer("outgroup")), _plan(404))(_ungroup("outgroup")),
)
