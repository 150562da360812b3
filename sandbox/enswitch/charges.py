"""What customers owe: charges, taxes, transactions and invoices."""

import base64
from collections.abc import Iterable

from sandbox.enswitch.billing import charge, note
from sandbox.enswitch.calls import customers_meant
from sandbox.enswitch.fields import (
    Fields,
    Row,
    customer,
    decimal,
    flag,
    integer,
    kept,
    need,
    one_number_of,
    one_of,
    paging,
    text,
)
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import create, page, shown, subject, update
from sandbox.enswitch.wire import Answer, done, ok, refuse

STATUSES = "approved|cancelled|due|overdue|paid|payment_refused|pending|prepaid|queued|superceded"
LIABLE_TABLES = {"cardgroup": "card_groups", "charge": "charges", "customer": "customers"}
"""`product` is the fourth type; no page about products was read, so its numbers are not looked up."""


_WINDOW: Fields = integer("start", "end", low=0)
_TAX: Fields = (
    *text("currency", accounts="", description=""),
    *decimal(amount="0.00", rate="0.00"),
    *flag(calls=0, cardgroups=0, charges=0, features=0, messages=0, numbers=0, products=0, shared=0),
    *customer(),
    *one_number_of("liable", (0, 1, 2), default=0),
)
"""inferred: the types and defaults of all but liable, where 2 means new and existing customers."""
_LIABLE: Fields = (
    *subject("taxes", "tax"),
    *need(one_of("type", "cardgroup|charge|customer|product")),
    *need(integer("number")),
)


def _check_charge(call: Call, row: Row) -> None:
    """Give a charge of a plan to the plan's own customer; a charge belongs to one customer or to a plan."""
    if "plan" in call.args:
        row["customer"] = call.state.row("plans", call.args["plan"]).whole("customer")
        row["of_plan"] = 1
    row["charged"] = 0


def _after_charge(call: Call, row: Row) -> None:
    """Documented: a period left empty means that it is billed immediately."""
    if row.text("period") == "":
        _bill(call, row)


def _payers(call: Call, row: Row) -> Iterable[Row]:
    if row.whole("of_plan"):
        return list(call.state.where("customers", plan=row["plan"], deleted=0))
    return [call.state.row("customers", row.whole("customer"))]


def _bill(call: Call, row: Row) -> None:
    """Charge every customer on the plan, or the one customer; pro rata is left out (inferred)."""
    amount = row.money("amount") * max(row.whole("number"), 1)
    for payer in _payers(call, row):
        charge(call.state, payer.whole("id"), f"charge: {row.text('name')}", amount, f"charge {row['id']}")
    row["charged"] = 1


@writing("charges/charge", "commerce", subject("charges"))
def bill_now(call: Call) -> Answer:
    """Bill a charge now."""
    row = call.row("charges")
    if row.text("period") == "once" and row.whole("charged"):
        # inferred: what is charged once cannot be charged again
        raise refuse(400, "id", "has been charged")
    _bill(call, row)
    return done()


@reading("charges/list", "commerce", customer(), integer("plan", refers="plans"), exactly_one=("customer", "plan"))
def list_charges(call: Call) -> Answer:
    """List the charges of a customer or of a plan."""
    if "plan" in call.args:
        return ok([shown(row) for row in call.state.where("charges", plan=call.args["plan"], of_plan=1)])
    rows = call.state.where("charges", customer=call.customer)
    return ok([shown(row) for row in rows if not row.whole("of_plan")])


@reading(
    "transactions/list",
    "reports",
    _WINDOW,
    flag("archive"),
    customer(),
    integer("invoice", low=0),
    text("sort"),
    paging(names="descending"),
)
def list_transactions(call: Call) -> Answer:
    """List changes of a customer's balance."""
    rows = call.in_window(call.state.where("transactions", customer=call.customer))
    if "invoice" in call.args:
        rows = [row for row in rows if row["invoice"] == call.args["invoice"]]
    return page(call, rows)


@reading(
    "invoices/list",
    "callshop|reports",
    _WINDOW,
    text("customer", "sort"),
    paging(),
    one_of("status", f"both|{STATUSES}"),
)
def list_invoices(call: Call) -> Answer:
    """List invoices."""
    customers = customers_meant(call)
    rows = [row for row in call.in_window(call.state.tables["invoices"]) if row.whole("customer") in customers]
    status = call.args.text("status")
    if status:
        wanted = {"approved", "queued"} if status == "both" else {status}
        rows = [row for row in rows if row["status"] in wanted]
    return page(call, rows)


@reading(
    "invoices/get",
    "callshop|reports",
    customer(),
    integer("id", refers="invoices"),
    one_of("encoding", "raw|base64", default="raw"),
    flag(file=0),
    exactly_one=("customer", "id"),
)
def get_invoice(call: Call) -> Answer:
    """Show one invoice by id, or a customer's last; `file=1` adds the document."""
    if "id" in call.args:
        invoice = call.row("invoices")
    else:
        invoices = sorted(
            call.state.where("invoices", customer=call.customer), key=lambda row: (row.whole("time"), row.whole("id"))
        )
        if not invoices:
            raise refuse(404, "customer")
        invoice = invoices[-1]
    answer: dict[str, object] = dict(shown(invoice))
    if call.args.whole("file"):
        # inferred: the member's name, and that the stored file is what `raw` returns
        document = invoice.text("file")
        encoded = call.args.text("encoding") == "base64"
        answer["file"] = base64.b64encode(document.encode()).decode() if encoded else document
    return ok(answer)


@writing("invoices/update", "commerce", subject("invoices"), one_of("status", STATUSES))
def update_invoice(call: Call) -> Answer:
    """Set the status of an invoice, such as paid or cancelled."""
    invoice = call.row("invoices")
    if "status" in call.args and invoice["status"] != call.args["status"]:
        invoice["status"] = call.args["status"]
        what = f"invoice_{call.args['status']}"
        note(call.state, invoice.whole("customer"), what, invoice.money("total"), f"invoice {invoice['id']}")
    return done()


@writing(
    "invoices/send",
    "commerce",
    integer("reseller"),
    one_of("status", "approved|queued|both", default="approved"),
    basis="guide 4.4; default of status inferred",
)
def send_invoices(call: Call) -> Answer:
    """Mail every matching invoice of the reseller's customers."""
    reseller = call.args.whole("reseller") or call.caller.whole("customer")
    if not call.reach.has(reseller):
        raise refuse(400, "reseller", "Invalid customer specified.")
    status = call.args.text("status")
    wanted = {"approved", "queued"} if status == "both" else {status}
    customers = call.state.below(reseller)
    matching = [
        row for row in call.state.tables["invoices"] if row["status"] in wanted and row.whole("customer") in customers
    ]
    for invoice in matching:
        invoice["sent"] = call.state.now()
        # inferred: a sent invoice is due
        invoice["status"] = "due"
        note(call.state, invoice.whole("customer"), "invoice_sent", invoice.money("total"), f"invoice {invoice['id']}")
    return ok({"count": len(matching)})


def _liability(call: Call) -> tuple[Row, Row | None]:
    tax = call.row("taxes", "tax")
    kind, number = call.args.text("type"), call.args.whole("number")
    table = LIABLE_TABLES.get(kind)
    if table:
        row = call.state.find(table, number)
        if row is None or not call.reach.sees(table, row):
            raise refuse(404, "number")
    return tax, call.state.first("tax_liable", tax=tax["id"], type=kind, number=number)


@reading("taxes/liable/get", "commerce", _LIABLE)
def get_liable(call: Call) -> Answer:
    """Show whether something is liable to a tax."""
    tax, row = _liability(call)
    liable = row.whole("liable") if row else int(tax.whole("liable") > 0)
    return ok({"liable": liable})


@writing("taxes/liable/set", "commerce", _LIABLE, need(flag("liable")))
def set_liable(call: Call) -> Answer:
    """Set whether something is liable to a tax."""
    _, row = _liability(call)
    row = row or call.state.insert("tax_liable", **{name: call.args[name] for name in ("tax", "type", "number")})
    row["liable"] = call.args["liable"]
    return done()


CHARGES: tuple[Function, ...] = (
    writing(
        "charges/create",
        "administrator|wholesale",
        need(text("name")),
        customer(),
        integer("plan", refers="plans"),
        decimal(amount="0.00", buy="0.00"),
        text("currency", description=""),
        integer("start", "end", low=-1),
        integer(number=1, low=1),
        one_of("period", "once|monthly|quarterly|annually|", default="once"),
        exactly_one=("customer", "plan"),
        dry_run=True,
        basis="guide 4.4; default of period inferred",
    )(create("charges", check=_check_charge, after=_after_charge)),
    writing("taxes/create", "commerce", need(text("name")), _TAX, dry_run=True)(create("taxes")),
    writing("taxes/update", "commerce", subject("taxes"), text("name"), kept(_TAX), dry_run=True)(update("taxes")),
)
