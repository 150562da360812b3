"""Customers: the tree of them, their balances, topping up, importing and exporting."""

import csv
import io

from sandbox.enswitch.billing import NOTHING, add_balance
from sandbox.enswitch.fields import Fields, Row, decimal, flag, integer, kept, need, one_number_of, one_of, paging, text
from sandbox.enswitch.function import Call, reading, writing
from sandbox.enswitch.plans import BILL_TYPES
from sandbox.enswitch.state import State
from sandbox.enswitch.verbs import page, shown, subject
from sandbox.enswitch.wire import Answer, created, done, ok, refuse

EXPORTED = ("phones", "numbers", "mailboxes", "queues", "people")
"""inferred: the tables of customers/export; with `data=1` messages come too, files and all."""


_CUSTOMER: Fields = (
    *text("account", "address1", "address2", "address3", "address_city", "address_code", "address_other"),
    *text("address_state", "bill_ref"),
    *flag("auto_topup"),
    *decimal(balance="0.00", call_maximum="-2"),
    *one_of("bill_type", BILL_TYPES),
    *integer(bulk_calls=-2, low=-2),
)
"""The page goes on (affiliate_*, bank_*, …); those are named as groups only and left out."""
_REQUIRED: Fields = need((*text("name"), *integer("plan", refers="plans"), *text("email")))


@reading(
    "customers/list",
    "callshop|commerce",
    one_number_of("deleted", (-1, 0, 1), default=0),
    one_of("bill_type", BILL_TYPES),
    paging("account|description|name"),
    flag("directory", "recursive"),
    text("name"),
    integer("parent", low=0),
)
def list_customers(call: Call) -> Answer:
    """List the sub-customers of `parent`, or everyone below it with `recursive=1`."""
    args, state = call.args, call.state
    parent = args.whole("parent") or call.caller.whole("customer")
    if not call.reach.has(parent):
        raise refuse(400, "parent", "Invalid customer specified.")
    below = state.below(parent) - {parent}
    rows = [row for row in state.tables["customers"] if row.whole("id") in below]
    if not args.whole("recursive"):
        rows = [row for row in rows if row["parent"] == parent]
    if args.whole("deleted") >= 0:
        rows = [row for row in rows if row["deleted"] == args["deleted"]]
    if "bill_type" in args:
        rows = [row for row in rows if row["bill_type"] == args["bill_type"]]
    name = args.text("name").lower()
    return page(call, [row for row in rows if name in row.text("name").lower()])


@writing("customers/create", "commerce", _REQUIRED, _CUSTOMER, cut=True)
def create_customer(call: Call) -> Answer:
    """Create a customer below the caller's."""
    call.stop_if_validating()
    columns = {name: value for name, value in call.args.items() if name != "balance"}
    customer = new_customer(call.state, call.caller.whole("customer"), Row(columns))
    if call.args.money("balance"):
        add_balance(call.state, customer.whole("id"), "balance_set", call.args.money("balance"), "credit")
    return created(customer["id"])


def new_customer(state: State, parent: int, columns: Row) -> Row:
    """Return a customer with the columns that every customer has."""
    always: Row = Row({"parent": parent, "deleted": 0, "balance": NOTHING, "bill_type": "prepaid"})
    always.update(call_maximum=-2, bulk_calls=-2, currency=state.row("plans", columns["plan"]).text("currency"))
    return state.insert("customers", **{**always, **columns})


@writing(
    "customers/update",
    "administrator|commerce|wholesale",
    subject("customers"),
    kept(_REQUIRED),
    kept(_CUSTOMER),
    cut=True,
)
def update_customer(call: Call) -> Answer:
    """Change a customer; without the commerce privilege only one's own."""
    customer = call.row("customers")
    if not call.may("commerce") and customer["id"] != call.caller["customer"]:
        raise refuse(402)
    call.stop_if_validating()
    customer.update({name: value for name, value in call.args.items() if name not in {"id", "balance"}})
    if "balance" in call.args:
        difference = call.args.money("balance") - customer.money("balance")
        add_balance(call.state, customer.whole("id"), "balance_set", difference, "credit")
    return done()


@writing("customers/delete", "commerce", subject("customers"))
def delete_customer(call: Call) -> Answer:
    """Mark a customer as deleted; refused while it has sub-customers."""
    customer = call.row("customers")
    if any(call.state.where("customers", parent=customer["id"], deleted=0)):
        raise refuse(400, "id", "The customer has sub-customers.")
    customer["deleted"] = 1
    return done()


@writing("customers/undelete", "commerce", subject("customers"), basis="inferred: named in customers/delete")
def undelete_customer(call: Call) -> Answer:
    """Take the mark off a deleted customer (inferred)."""
    call.row("customers")["deleted"] = 0
    return done()


@writing("customers/purge", "commerce", subject("customers"))
def purge_customer(call: Call) -> Answer:
    """Remove a customer for good, which must be marked as deleted."""
    customer = call.row("customers")
    if not customer["deleted"]:
        raise refuse(400, "id", "The customer must be deleted first.")
    call.state.remove("customers", customer)
    for table in EXPORTED:
        for row in list(call.state.where(table, customer=customer["id"])):
            if table == "numbers":
                row["customer"] = 0
            else:
                call.state.remove(table, row)
    return done()


@writing(
    "customers/move",
    "system",
    subject("customers"),
    subject("customers", "parent"),
    need(integer("plan", refers="plans")),
)
def move_customer(call: Call) -> Answer:
    """Move a customer below another one, onto a new plan."""
    customer, parent = call.row("customers"), call.row("customers", "parent")
    if parent.whole("id") in call.state.below(customer.whole("id")):
        raise refuse(400, "parent", "must not be the customer itself or below it")
    customer.update(parent=parent["id"], plan=call.args["plan"])
    return done()


@writing("customers/import", "system owner", need(text("csv")))
def import_customers(call: Call) -> Answer:
    """Create customers from CSV; its columns are inferred to be those that creating one requires."""
    lines = list(csv.DictReader(io.StringIO(call.args.text("csv"))))
    rows: list[Row] = []
    for number, line in enumerate(lines, start=2):
        name, plan, email = (line.get(column) or "" for column in ("name", "plan", "email"))
        if not (name and email and plan.isdecimal() and call.state.find("plans", int(plan))):
            raise refuse(400, "csv", f"line {number}: name, plan and email are required")
        rows.append(Row({"name": name, "plan": int(plan), "email": email}))
    for row in rows:
        new_customer(call.state, call.caller.whole("customer"), row)
    return ok({"count": len(rows)})


@reading("customers/export", "system", integer("customer"), flag(deleted=0, recursive=0, data=0), basis="guide 3.14")
def export_customers(call: Call) -> Answer:
    """Export customers; `data=1` gives away mailboxes with their messages; the shape is inferred."""
    args, state = call.args, call.state
    top = args.whole("customer") or call.caller.whole("customer")
    if not call.reach.has(top):
        raise refuse(400, "customer", "Invalid customer specified.")
    meant = state.below(top) if args.whole("recursive") else {top}
    exported: list[dict[str, object]] = []
    for row in state.tables["customers"]:
        if row.whole("id") not in meant or (row["deleted"] and not args.whole("deleted")):
            continue
        tables = {table: [shown(each) for each in state.where(table, customer=row["id"])] for table in EXPORTED}
        if args.whole("data"):
            own = {mailbox["mailbox"] for mailbox in state.where("mailboxes", customer=row["id"])}
            tables["messages"] = [dict(each) for each in state.tables["messages"] if each["mailbox"] in own]
        exported.append({**shown(row), **tables})
    return ok(exported)


@writing(
    "customers/balance/add",
    "commerce",
    subject("customers"),
    need(decimal("amount")),
    text("currency", "description"),
    one_of("transaction", "credit|topup|", default=""),
    basis="guide 4.2 and one client library; default of transaction inferred",
)
def add_balance_to(call: Call) -> Answer:
    """Add to a balance, at once; `transaction` left empty leaves no record of it."""
    customer = call.row("customers")
    amount = call.args.money("amount")
    if amount <= 0:
        # inferred: negative amounts are not described anywhere
        raise refuse(400, "amount", "must be positive")
    if call.args.text("currency") not in {"", customer.text("currency")}:
        # inferred: nothing says that amounts are converted
        raise refuse(400, "currency", "is not the customer's")
    kind, description = call.args.text("transaction"), call.args.text("description")
    add_balance(call.state, customer.whole("id"), "balance_added", amount, kind, description)
    return done()


@writing(
    "customers/topup/request", "payment", need(decimal("amount")), integer("id", refers="customers"), integer(invoice=0)
)
def request_topup(call: Call) -> Answer:
    """Charge the stored card; a refusal by the bank is still code 200 (inferred)."""
    customer = call.row("customers") if "id" in call.args else call.state.row("customers", call.customer)
    amount = call.args.money("amount")
    if amount <= 0:
        raise refuse(400, "amount", "must be positive")
    if call.state.settings.refuse_topups:
        return ok({"status": "refused", "error": 1, "message": "The payment was refused."})
    add_balance(call.state, customer.whole("id"), "topup", amount, "topup")
    return ok({"status": "accepted", "error": "", "message": ""})


@writing("vouchers/use", "payment", need(text("serial")), integer("customer"))
def use_voucher(call: Call) -> Answer:
    """Add a voucher's amount to the balance."""
    voucher = call.state.first("vouchers", serial=call.args["serial"], used=0)
    if voucher is None:
        raise refuse(404, "serial")
    voucher["used"] = 1
    add_balance(call.state, call.customer, "voucher", voucher.money("amount"), "credit")
    balance = call.state.row("customers", call.customer).money("balance")
    return ok({"amount": voucher["amount"], "balance": balance})
