"""The other telephony features: hunt groups, menus, conferences, speed dials, SIP addresses, feature codes."""

from sandbox.enswitch.fields import Fields, Row, customer, flag, integer, need, one_of, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import create, listing, shown
from sandbox.enswitch.wire import Answer, ok, refuse

PINS = ("adminpin", "listenpin", "talkpin")


def _check_conference(call: Call, row: Row) -> None:
    if not any(row.text(pin) for pin in PINS):
        # documented: at least one of the three
        raise refuse(400, "talkpin", "at least one of adminpin, listenpin and talkpin is required")


def _check_speeddial(call: Call, row: Row) -> None:
    same = {name: row[name] for name in ("customer", "stype", "snumber", "sdial")}
    if call.state.first("speeddials", **same) is not None:
        raise refuse(400, "sdial", "already exists")


def _check_address(call: Call, row: Row) -> None:
    if call.state.first("addresses", user=row["user"], domain=row["domain"]) is not None:
        raise refuse(400, "user", "already exists")


def get_code(call: Call) -> Answer:
    """codes/get."""
    code = call.state.first("codes", code=call.args["code"], customer=call.customer)
    if code is None:
        raise refuse(404, "code")
    return ok(shown(code))


def list_code_callers(call: Call) -> Answer:
    """codes/callers/list: who may dial a feature code."""
    if call.state.first("codes", code=call.args["code"], customer=call.customer) is None:
        raise refuse(404, "code")
    rows = call.state.where("code_callers", code=call.args["code"], customer=call.customer)
    return ok([shown(row) for row in rows])


_SHARED: Fields = (
    *customer(),
    *text("description", default=""),
    *integer("owner", default=0),
    *flag("panel", default=0),
)
"""Parameters that most features have; that owner is a person's id is inferred."""

FEATURES: tuple[Function, ...] = (
    writing(
        "huntgroups/create",
        "administrator",
        create("huntgroups", feature="huntgroups"),
        (
            *need(text("name")),
            *_SHARED,
            *flag("allow_forwards", default=0),
            *text("atype", "btype", "dtype", default="hangup"),
            *text("anumber", "bnumber", "dnumber", default=""),
            *integer("music", default=0),
            *flag("music_ringing", default=0),
            *integer("recordgroup", default=0),
            *integer("ringtime", default=10, low=1),
            *flag("screen", default=0),
            *one_of("type", "circular|linear|smart_circular|smart_linear", default="linear"),
        ),
        dry_run=True,
        basis="guide 4.4; defaults other than ringtime inferred",
    ),
    writing(
        "ivrs/create",
        "administrator",
        create("ivrs", feature="ivrs"),
        (
            *need(text("name")),
            *flag("allow_number", default=0),
            *customer(),
            *text("description", default=""),
            *flag("panel", default=0),
            *text("password"),
            *integer("timeout", default=5, low=0),
            *flag("speech_reco", default=0),
        ),
        dry_run=True,
    ),
    writing(
        "conferences/create",
        "user",
        create("conferences", feature="conferences", check=_check_conference),
        (
            *need(text("code")),
            *text(*PINS),
            *text("callerid", default=""),
            *integer("count", default=0, low=0),
            *_SHARED,
            *integer("duration", "maximum", default=0, low=0),
            *flag("record_name", default=0),
            *text("repeats"),
            *integer("wait_music", default=0),
            *integer("year", "month", "day", "hour", "minute", low=0),
        ),
        dry_run=True,
        basis="guide 4.4; play_* left out, the names between year and minute inferred",
    ),
    writing(
        "speeddials/create",
        "user",
        create("speeddials", feature="speeddials", check=_check_speeddial),
        (
            *need(text("stype", "snumber", "sdial", "dnumber")),
            *text("button"),
            *customer(),
            *text("description", "dname", default=""),
        ),
        dry_run=True,
    ),
    writing(
        "addresses/create",
        "addresses",
        create("addresses", feature="addresses", check=_check_address),
        (
            *need(text("user", "domain", "dtype", "dnumber")),
            *text("callerid", default=""),
            *_SHARED,
            *text("language", default=""),
            *integer("maximum_seconds", default=-1, low=-1),
            *integer("music", "recordgroup", default=0),
            *flag("screen", default=0),
            *text("sname", "sname_action", default=""),
        ),
        dry_run=True,
    ),
    reading("addresses/list", "addresses|user", listing("addresses"), customer()),
    reading("codes/get", "user", get_code, (*need(text("code"), missing=404), *customer())),
    reading(
        "codes/callers/list",
        "administrator|user|wholesale",
        list_code_callers,
        (*need(text("code"), missing=404), *customer()),
    ),
)
