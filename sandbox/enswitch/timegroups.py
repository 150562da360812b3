"""Time groups: when they are active, and what uses them."""

from sandbox.enswitch.fields import Row, Value, customer, flag, integer, need
from sandbox.enswitch.function import Call, reading
from sandbox.enswitch.verbs import page
from sandbox.enswitch.wire import Answer, ok


@reading("timegroups/list", "administrator|user|wholesale", flag(available=0), customer())
def list_timegroups(call: Call) -> Answer:
    """List a customer's time groups; `available=1` adds those that others share."""
    rows = list(call.state.where("timegroups", customer=call.customer))
    if call.args.whole("available"):
        rows += [row for row in call.state.where("timegroups", shared=1) if row not in rows]
    return page(call, rows)


@reading("timegroups/periods/list", "administrator", need(integer("timegroup", refers="timegroups"), missing=404))
def list_periods(call: Call) -> Answer:
    """List the periods of a time group."""
    timegroup = call.row("timegroups", "timegroup")
    return page(call, call.state.where("time_periods", timegroup=timegroup["id"]))


@reading("timegroups/usage", "administrator|user", need(integer("id", refers="timegroups"), missing=404), since=(4, 0))
def list_uses(call: Call) -> Answer:
    """List what uses a time group, and where its calls go meanwhile."""
    timegroup = call.row("timegroups", "id")
    return ok([_use(row) for row in call.state.where("number_times", timegroup=timegroup["id"])])


def _use(row: Row) -> dict[str, Value]:
    return {"stype": "number", "snumber": row["number"], "dtype": row["dtype"], "dnumber": row["dnumber"]}
