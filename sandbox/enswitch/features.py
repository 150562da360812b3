"""The other telephony features: hunt groups, menus, conferences, speed dials, SIP addresses, feature codes."""

from sandbox.enswitch.fields import Fields, Row, customer, flag, integer, need, one_of, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import create, listing, shown
from sandbox.enswitch.wire import Answer, ok, refuse

PINS = ("adminpin", "listenpin", "talkpin")


_SHARED: Fields = (*customer(), *text(description=""), *integer(owner=0), *flag(panel=0))
"""Parameters that most features have; that owner is a person's id is inferred."""


def _check_conference(call: Call, row: Row) -> None:
    if not any(row.text(pin) for pin in PINS):
        # documented: at least one of the three
        raise refuse(400, "talkpin", "at least one of adminpin, listenpin and talkpin is required")


@reading("codes/get", "user", need(text("code"), missing=404), customer())
def get_code(call: Call) -> Answer:
    """Show a feature code."""
    return ok(shown(call.only("codes", "code", code=call.args["code"], customer=call.customer)))


@reading("codes/callers/list", "administrator|user|wholesale", need(text("code"), missing=404), customer())
def list_code_callers(call: Call) -> Answer:
    """List who may dial a feature code."""
    code = call.only("codes", "code", code=call.args["code"], customer=call.customer)
    rows = call.state.where("code_callers", code=code["code"], customer=call.customer)
    return ok([shown(row) for row in rows])


FEATURES: tuple[Function, ...] = (
    writing(
        "huntgroups/create",
        "administrator",
        need(text("name")),
        _SHARED,
        flag(allow_forwards=0, music_ringing=0, screen=0),
        text(atype="hangup", btype="hangup", dtype="hangup", anumber="", bnumber="", dnumber=""),
        integer(music=0, recordgroup=0),
        integer(ringtime=10, low=1),
        one_of("type", "circular|linear|smart_circular|smart_linear", default="linear"),
        dry_run=True,
        basis="guide 4.4; defaults other than ringtime inferred",
    )(create("huntgroups", feature="huntgroups")),
    writing(
        "ivrs/create",
        "administrator",
        need(text("name")),
        flag(allow_number=0, panel=0, speech_reco=0),
        customer(),
        text("password", description=""),
        integer(timeout=5, low=0),
        dry_run=True,
    )(create("ivrs", feature="ivrs")),
    writing(
        "conferences/create",
        "user",
        need(text("code")),
        text(*PINS),
        text("repeats", callerid=""),
        integer("year", "month", "day", "hour", "minute", count=0, duration=0, maximum=0, low=0),
        _SHARED,
        flag(record_name=0),
        integer(wait_music=0),
        dry_run=True,
        basis="guide 4.4; play_* left out, the names between year and minute inferred",
    )(create("conferences", feature="conferences", check=_check_conference)),
    writing(
        "speeddials/create",
        "user",
        need(text("stype", "snumber", "sdial", "dnumber")),
        text("button", description="", dname=""),
        customer(),
        dry_run=True,
    )(create("speeddials", feature="speeddials", unique="sdial customer stype snumber")),
    writing(
        "addresses/create",
        "addresses",
        need(text("user", "domain", "dtype", "dnumber")),
        text(callerid="", language="", sname="", sname_action=""),
        _SHARED,
        integer(maximum_seconds=-1, low=-1),
        integer(music=0, recordgroup=0),
        flag(screen=0),
        dry_run=True,
    )(create("addresses", feature="addresses", unique="user domain")),
    reading("addresses/list", "addresses|user", customer())(listing("addresses")),
)
