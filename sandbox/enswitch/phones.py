"""Telephone lines and the hardware they are provisioned on."""

from sandbox.enswitch.billing import PHONE_FEE, charge, require_funds
from sandbox.enswitch.fields import Fields, Row, customer, flag, integer, kept, need, one_number_of, paging, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import copy_secret, create, delete, page, shown, subject, update
from sandbox.enswitch.wire import Answer, done, ok, refuse

_NAME: Fields = need(text("name"), missing=404)
_PHONE: Fields = (
    *flag(acr=0, aoc=0, direct=0),
    *text("delivery", "dialplan", allowed_ua="", btype="", bnumber="", codec="", description=""),
    *integer(call_maximum=-1, low=-1),
    *integer(cos=0, low=0),
)
"""callerid_* and callername_* are named as groups only, and the page goes on; those are left out."""
_RESETS: Fields = (*flag(aoc=0), *text(allowed_ua=""))
"""Documented defaults of phones/update that are not the current value (consequence inferred)."""


def _displayed(row: Row) -> Row:
    """Return the row as phones/list has it, with the extra field `display` (its form is inferred)."""
    return Row({**row, "display": f"{row['name']} {row.text('description')}".strip()})


@reading(
    "phones/list",
    "residential|user",
    customer(),
    paging(names="count limit offset pages"),
    basis="an operator's copy of the guide",
)
def list_phones(call: Call) -> Answer:
    """List a customer's telephone lines."""
    return page(call, [_displayed(row) for row in call.state.where("phones", customer=call.customer)], "name")


@reading("phones/list/panel", "panel", customer(), basis="guide 4.1")
def list_panel(call: Call) -> Answer:
    """List telephone lines for a panel; which columns it keeps is inferred."""
    columns = ("name", "description", "registered", "dnd")
    rows = call.state.where("phones", customer=call.customer)
    return ok([{column: row[column] for column in columns if column in row} for row in rows])


@reading(
    "phones/system/list",
    "telephone line reports",
    one_number_of("registered", (-1, 0, 1), default=-1),
    basis="guide 4.4; default inferred",
)
def list_in_system(call: Call) -> Answer:
    """List the lines of every customer in reach."""
    rows = [row for row in call.state.tables["phones"] if call.reach.sees("phones", row)]
    if call.args.whole("registered") >= 0:
        rows = [row for row in rows if row.whole("registered") == call.args.whole("registered")]
    return ok([shown(row) for row in rows])


@reading("phones/get", "residential|user|wholesale", _NAME, flag(password=0), basis="guide 4.2")
def get_phone(call: Call) -> Answer:
    """Show a line; `password=1` adds the SIP password for administrators and the line's owner (documented)."""
    row = call.row("phones", "name")
    answer: dict[str, object] = dict(shown(row))
    if call.args.whole("password"):
        if not (call.may("administrator") or row.whole("owner") == call.caller["id"]):
            raise refuse(402)
        answer["password"] = row["password"]
    return ok(answer)


def _check_phone(call: Call, row: Row) -> None:
    copy_secret("phones", "password", "telephone")(call, row)
    row["registered"] = 0
    require_funds(call.state, call.customer, PHONE_FEE)


def _charge_fee(call: Call, row: Row) -> None:
    """Documented in the intro: creating a telephone adds a transaction and changes the balance."""
    charge(call.state, call.customer, "phone_creation", PHONE_FEE, f"phone {row['name']}")


@writing("phones/unregister", "administrator", _NAME)
def unregister(call: Call) -> Answer:
    """Drop the SIP registration of a line."""
    call.row("phones", "name")["registered"] = 0
    return done()


def _check_hardware(call: Call, row: Row) -> None:
    phone = call.state.find("phones", row["phone"])
    if phone is None or not call.reach.sees("phones", phone):
        raise refuse(400, "phone", "no such telephone")
    if call.state.first("phone_hardware", hardware_address=row["hardware_address"]) is not None:
        raise refuse(400, "hardware_address", "already exists")


PHONES: tuple[Function, ...] = (
    writing(
        "phones/create",
        "administrator|wholesale",
        need(text("name")),
        text("password", "copy_password"),
        customer(),
        _PHONE,
        exactly_one=("password", "copy_password"),
        cut=True,
    )(create("phones", feature="phones", check=_check_phone, after=_charge_fee)),
    writing(
        "phones/update",
        "administrator|residential|user|wholesale",
        _NAME,
        text("password", "dtype", "dnumber"),
        tuple(field for field in kept(_PHONE) if field.name not in {"aoc", "allowed_ua"}),
        _RESETS,
        flag("dnd"),
        cut=True,
    )(update("phones", "name")),
    writing(
        "phones/hardware/create",
        "phones",
        need(text("phone", "hardware_address")),
        text(provision1="", provisioning=""),
    )(create("phone_hardware", check=_check_hardware)),
    writing("phones/hardware/delete", "phones", subject("phone_hardware"), since=(4, 3))(delete("phone_hardware")),
)
