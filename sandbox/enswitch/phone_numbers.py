"""Numbers: the pool, buying one, where its calls go, and giving it up."""

from decimal import Decimal

from sandbox.enswitch.billing import NOTHING, charge, require_funds
from sandbox.enswitch.fields import Row, customer, flag, integer, need, one_of, paging, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import check_destinations, get, listing, shown, update
from sandbox.enswitch.wire import Answer, done, ok, refuse

POOL = 0
"""`customer` of a number that nobody has (documented default of numbers/system/create)."""
MOST_NUMBERS = 1_000_000
SETTINGS_RESET = Row({"dtype": "hangup", "dnumber": "", "owner": 0, "status": "active"})


_NUMBER = need(text("number"), missing=404)
_OWNERS = "administrator|user|wholesale"


def _price(call: Call, number: Row, customer_id: int) -> tuple[Decimal, Decimal]:
    """Return the purchase price and the fee for a period, from the number's class.

    inferred: a plan's own row for the class wins over the system plan's.
    """
    plan = call.state.row("customers", customer_id).whole("plan")
    for priced in (plan, 1):
        found = call.state.first("plan_classes", plan=priced, **{"class": number["class"]})
        if found is not None:
            return found.money("signup"), found.money("fee")
    return NOTHING, NOTHING


@reading("numbers/get", "", _NUMBER, basis="guide 4.2")
def get_number(call: Call) -> Answer:
    """Show a number; without authentication only one that nobody has."""
    number = call.state.find("numbers", call.args["number"])
    if number is None or not (number["customer"] == POOL or call.reach.sees("numbers", number)):
        raise refuse(404, "number")
    return ok(shown(number))


@reading(
    "numbers/available/list",
    "",
    need(integer("ingroup", refers="ingroups")),
    integer(count=10, low=0),
    integer(class_=0, low=0),
    integer("customer"),
    text("preferred"),
    basis="guide 3.13",
)
def list_available(call: Call) -> Answer:
    """List numbers of the pool as plain strings."""
    free = [row for row in call.state.where("numbers", customer=POOL) if row["ingroup"] == call.args["ingroup"]]
    if call.args.whole("class"):
        free = [row for row in free if row["class"] == call.args["class"]]
    preferred = call.args.text("preferred")
    free.sort(key=lambda row: preferred not in row.text("number"))
    return ok([row["number"] for row in free][: call.args.whole("count")])


@writing("numbers/purchase", "administrator|wholesale", _NUMBER, integer("ingroup", refers="ingroups"), customer())
def purchase(call: Call) -> Answer:
    """Buy a number; the signup price and the first period's fee are taken at once (inferred)."""
    name = call.args.text("number")
    number = call.state.find("numbers", name)
    buyer = call.customer
    if number is None and "ingroup" in call.args:
        return _port(call, name, buyer)
    if number is None or number["customer"] != POOL:
        # inferred: 404 is not among the documented codes
        raise refuse(400, "number", "is not available")
    signup, fee = _price(call, number, buyer)
    require_funds(call.state, buyer, signup + fee)
    number.update(SETTINGS_RESET)
    number["customer"] = buyer
    charge(call.state, buyer, "number_purchase", signup + fee, name)
    return done()


def _port(call: Call, name: str, buyer: int) -> Answer:
    """inferred: a number that is not in the pool is ported in when an inbound group is given; it stays pending."""
    if not name.isdecimal():
        raise refuse(400, "number", "must be digits")
    number = Row({"number": name, "customer": buyer, "ingroup": call.args["ingroup"], "class": 1, "stype": "number"})
    signup, fee = _price(call, number, buyer)
    require_funds(call.state, buyer, signup + fee)
    call.state.insert("numbers", **{**number, **SETTINGS_RESET, "status": "porting"})
    charge(call.state, buyer, "number_port_in", signup + fee, name)
    return done()


def _check_owned(call: Call, row: Row) -> None:
    """Documented: a number must be purchased before it is updated."""
    if row["customer"] == POOL:
        raise refuse(400, "number", "must be purchased first")


@writing("numbers/delete", "administrator|wholesale", _NUMBER, basis="inferred: named in another page")
def give_up(call: Call) -> Answer:
    """Return a number to the pool; "with billing" is all that is known, so nothing is refunded (inferred)."""
    number = call.row("numbers", "number")
    _check_owned(call, number)
    number.update(SETTINGS_RESET)
    number["customer"] = POOL
    return done()


@writing(
    "numbers/times/update",
    _OWNERS,
    _NUMBER,
    need(integer("timegroup", refers="timegroups"), missing=404),
    text("dtype", "dnumber"),
    dry_run=True,
)
def update_times(call: Call) -> Answer:
    """Set another destination for while a time group is active."""
    number = call.row("numbers", "number")
    timegroup = call.row("timegroups", "timegroup")
    check_destinations(call, call.args, number.whole("customer"))
    names = {"number": number["number"], "timegroup": timegroup["id"]}
    there = call.state.first("number_times", **names)
    if there is None:
        # inferred: an update of a time group that was never added to the number
        raise refuse(404, "timegroup")
    call.stop_if_validating()
    there.update({name: value for name, value in call.args.items() if name in {"dtype", "dnumber"}})
    return done()


@writing(
    "numbers/system/create",
    "system",
    need(text("start")),
    need(integer("class", low=1) + integer("ingroup", refers="ingroups")),
    text("end", alias="", region=""),
    flag(charge_customer=0),
    integer(customer=0, low=0),
    one_of("stype", "number|callerid", default="number"),
    dry_run=True,
)
def create_in_system(call: Call) -> Answer:
    """Create up to a million numbers from `start` to `end`; those that exist are passed over."""
    start, end = call.args.text("start"), call.args.text("end") or call.args.text("start")
    if not (start.isdecimal() and end.isdecimal() and len(start) == len(end) and start <= end):
        raise refuse(400, "end", "must be digits, as long as start and not below it")
    if int(end) - int(start) >= MOST_NUMBERS:
        raise refuse(400, "end", f"at most {MOST_NUMBERS} numbers")
    # inferred: this sandbox stores no more than ten thousand of them at once
    if int(end) - int(start) >= 10_000:
        raise refuse(500, "end", "the sandbox holds no such range")
    receiver = call.args.whole("customer")
    if receiver and not call.reach.has(receiver):
        raise refuse(400, "customer")
    call.stop_if_validating()
    taken = {row["number"] for row in call.state.tables["numbers"]}
    names = [f"{number:0{len(start)}d}" for number in range(int(start), int(end) + 1)]
    columns = {name: value for name, value in call.args.items() if name not in {"start", "end", "charge_customer"}}
    new = [name for name in names if name not in taken]
    for name in new:
        call.state.insert("numbers", **{"number": name, **columns, **SETTINGS_RESET, "customer": receiver})
    if new and receiver and call.args.whole("charge_customer"):
        signup, fee = _price(call, call.state.row("numbers", new[0]), receiver)
        charge(call.state, receiver, "number_purchase", (signup + fee) * len(new), f"{start}-{end}", len(new))
    return ok({"count": len(new)})


@writing("numbers/system/delete", "system", _NUMBER)
def delete_in_system(call: Call) -> Answer:
    """Remove a number from the system."""
    number = call.row("numbers", "number")
    for times in list(call.state.where("number_times", number=number["number"])):
        call.state.remove("number_times", times)
    call.state.remove("numbers", number)
    return done()


NUMBERS: tuple[Function, ...] = (
    reading(
        "numbers/list",
        "user|wholesale",
        text("callerid", "callerid_location"),
        customer(),
        paging("destination|dnumber|number"),
    )(listing("numbers", equal="callerid callerid_location")),
    writing(
        "numbers/update",
        _OWNERS,
        _NUMBER,
        flag("allow_callerid", "direct", "directory", "emergency_register", "fax_detect", "panel"),
        text("callerid", "description", "dtype", "dnumber", "fax_dtype", "fax_dnumber", "language", "password"),
        text("play_message"),
        integer("maximum_seconds", "music", low=-1),
        integer("owner", low=0, refers="people"),
        dry_run=True,
        cut=True,
        basis="guide 4.4; validation inferred",
    )(update("numbers", "number", check=_check_owned)),
    reading("numbers/system/get", "system", _NUMBER)(get("numbers", "number")),
    writing(
        "numbers/system/update",
        "system",
        _NUMBER,
        text("alias", "region", "shortcut"),
        integer("class", low=1),
        integer("customer", low=0),
        dry_run=True,
    )(update("numbers", "number")),
)
