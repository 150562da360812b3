"""Mailboxes, their messages, and what is sent out: texts, faxes, campaigns."""

import base64

from sandbox.enswitch.billing import FAX_FEE, charge, outbound_price, require_funds
from sandbox.enswitch.fields import Fields, Row, customer, file, flag, integer, need, one_of, since, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.state import State
from sandbox.enswitch.verbs import copy_secret, create, listing, page, shown
from sandbox.enswitch.wire import Answer, done, ok, refuse

SEGMENT = 160
"""inferred: a text is billed for each begun segment of so many characters."""
SMALLEST_FAX = 4
"""inferred: shorter data cannot be a document and answers the documented 500."""


_MAILBOX: Fields = (*need(text("mailbox"), missing=404), *customer())
_FOLDER: Fields = (*_MAILBOX, *need(text("folder")))
_READERS = "features|messages|user"


MIME_TYPES = {"voicemail": "audio/x-wav", "fax": "image/tiff", "text": "text/plain"}


def leave_message(
    state: State,
    mailbox: str,
    kind: str,
    callerid: str,
    *,
    callername: str = "",
    transcription: str = "",
    duration: int = 20,
    age: int = 0,
    listened: bool = False,
) -> str:
    """Put a message at the end of a mailbox's INBOX and return its name; `duration` and `age` are in seconds.

    inferred: the columns apart from name, time and mimetype, above all `transcription`.
    """
    position = 1 + sum(1 for _ in state.where("messages", mailbox=mailbox, folder="INBOX"))
    row = state.insert(
        "messages",
        mailbox=mailbox,
        folder="INBOX",
        name=f"msg{position:04d}",
        type=kind,
        mimetype=MIME_TYPES[kind],
        callerid=callerid,
        callername=callername,
        time=state.now() - age,
        duration=duration if kind == "voicemail" else 0,
        listened=int(listened),
        transcription=transcription,
        file=transcription if kind == "text" else f"[{kind} from {callerid}]",
    )
    return row.text("name")


def _mailbox(call: Call) -> Row:
    row = call.row("mailboxes", "mailbox")
    if row.whole("customer") != call.customer and "customer" in call.args:
        raise refuse(404, "mailbox")
    return row


@reading("mailboxes/get", "administrator|residential|user", _MAILBOX)
def get_mailbox(call: Call) -> Answer:
    """Show a mailbox."""
    return ok(shown(_mailbox(call)))


def _folder(call: Call) -> list[Row]:
    mailbox = _mailbox(call)
    return list(call.state.where("messages", mailbox=mailbox["mailbox"], folder=call.args["folder"]))


@reading(
    "messages/list",
    _READERS,
    _FOLDER,
    text(caller=""),
    integer(duration_maximum=-1, low=-1),
    integer(duration_minimum=0, low=0),
    integer("end", start=0),
    one_of("type", "fax|text|voicemail|", default=""),
    one_of("sort", "caller|duration|time|", default=""),
    flag(descending=0),
    basis="guide 4.4 and 4.0",
)
def list_messages(call: Call) -> Answer:
    """List the messages of a folder, without their files."""
    args, rows = call.args, call.in_window(_folder(call))
    caller, kind = args.text("caller").lower(), args.text("type")
    rows = [row for row in rows if caller in f"{row['callerid']} {row['callername']}".lower()]
    rows = [row for row in rows if kind in {"", row["type"]}]
    rows = [row for row in rows if row["type"] != "voicemail" or _lasts(row, args)]
    if args.text("sort") == "caller":
        rows.sort(key=lambda row: row.text("callerid"))
        args = Row({**args, "sort": ""})
    listed = [Row({name: value for name, value in row.items() if name != "id"}) for row in rows]
    return page(call, listed, "name")


def _lasts(row: Row, args: Row) -> bool:
    longest = args.whole("duration_maximum")
    return args.whole("duration_minimum") <= row.whole("duration") and (longest < 0 or row.whole("duration") <= longest)


def _message(call: Call, rows: list[Row], name: str) -> Row:
    found = next((row for row in rows if row["name"] == name), None)
    if found is None:
        raise refuse(404, "message")
    return found


@reading(
    "messages/get",
    _READERS,
    _FOLDER,
    need(text("message"), missing=404),
    flag(listened=1),
    one_of("encoding", "base64|raw", default="raw"),
    one_of("wrap", "json|none", default="json"),
    basis="guide 4.4 and 4.0",
)
def get_message(call: Call) -> Answer:
    """Show a message with its file; it counts as listened to unless `listened=0` (documented)."""
    message = _message(call, _folder(call), call.args.text("message"))
    if call.args.whole("listened"):
        message["listened"] = 1
    content = message.text("file")
    if call.args.text("encoding") == "base64":
        content = base64.b64encode(content.encode()).decode()
    if call.args.text("wrap") == "none":
        return Answer((), plain=content.encode())
    # inferred: the name of the member that holds the file
    return ok({**{name: value for name, value in shown(message).items() if name != "id"}, "file": content})


@writing("messages/delete", _READERS, _FOLDER, need(text("messages")), basis="guide 4.4")
def delete_messages(call: Call) -> Answer:
    """Delete all messages or none (inferred); those left are renamed to close the gaps (documented)."""
    rows = _folder(call)
    names = [name.strip() for name in call.args.text("messages").split(",") if name.strip()]
    for row in [_message(call, rows, name) for name in names]:
        if row in rows:
            rows.remove(row)
            call.state.remove("messages", row)
    for position, row in enumerate(rows, start=1):
        row["name"] = f"msg{position:04d}"
    return done()


@writing(
    "messages/text/send",
    "send messages",
    need(text("cnumber", "message", "snumber")),
    customer(),
    text("stype"),
    # filenameX and fileX: X is a position; three are declared here (inferred)
    since((4, 2), text("filename1", "filename2", "filename3") + file("file1", "file2", "file3")),
)
def send_text(call: Call) -> Answer:
    """Send a text, asynchronously; each segment is billed at the price of the destination."""
    args, state, payer = call.args, call.state, call.customer
    if (args.text("stype") or "number") == "number":
        sender = state.find("numbers", args["snumber"])
        if sender is None or sender["customer"] != payer:
            # inferred: only a number of one's own may be the sender
            raise refuse(400, "snumber", "is not one of your numbers")
    price = outbound_price(state, state.row("customers", payer).whole("plan"), args.text("cnumber"))
    if not price.allowed:
        # inferred: a destination that the plan's routes forbid is what 403 means here
        raise refuse(403, "cnumber")
    segments = -(-len(args.text("message")) // SEGMENT)
    cost = price.message * segments
    require_funds(state, payer, cost)
    columns = {name: args[name] for name in ("snumber", "cnumber", "message")}
    sent = state.insert("text_messages", customer=payer, time=state.now(), cost=cost, **columns)
    charge(state, payer, "text_message", cost, f"text {sent['id']}", segments)
    return done()


@writing(
    "faxes/send",
    "send faxes",
    need(text("cnumber") + file("data")),
    text("cover", "email", "header", "mailbox", "snumber"),
    customer(),
    basis="guide 4.4 and an operator's copy, which returns an id",
)
def send_fax(call: Call) -> Answer:
    """Send a fax, asynchronously; it is billed."""
    args, state, payer = call.args, call.state, call.customer
    if len(base64.b64decode(args.text("data"))) < SMALLEST_FAX:
        raise refuse(500, "data", "is no document")
    if not outbound_price(state, state.row("customers", payer).whole("plan"), args.text("cnumber")).allowed:
        raise refuse(403, "cnumber")
    require_funds(state, payer, FAX_FEE)
    fax = state.insert("faxes", customer=payer, time=state.now(), cnumber=args["cnumber"], cost=FAX_FEE)
    charge(state, payer, "fax", FAX_FEE, f"fax {fax['id']}")
    return done()


MESSAGES: tuple[Function, ...] = (
    writing(
        "mailboxes/create",
        "administrator",
        need(text("mailbox")),
        text("pin", "copy_pin", "dtype", "dnumber", callerid="", description="", pager=""),
        customer(),
        flag(envelope=0),
        integer(owner=0),
        exactly_one=("pin", "copy_pin"),
        cut=True,
        basis="guide 4.4; notify_* is named as a group only and left out",
    )(create("mailboxes", feature="mailboxes", check=copy_secret("mailboxes", "pin", "mailbox"))),
    reading("mailboxes/list", "features|residential|user", customer())(listing("mailboxes")),
    reading("bulk/campaigns/list", "user", customer(), basis="an operator's copy")(listing("bulk_campaigns")),
)
