"""Routes under `/_control/enswitch`: settings of the installation, what clients did wrong, what strangers do."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from sandbox.clock import iso
from sandbox.enswitch.catalog import FUNCTIONS
from sandbox.enswitch.fields import VERSIONS, Row
from sandbox.enswitch.messages import leave_message
from sandbox.enswitch.state import Settings, Sighting, State
from sandbox.frame.controls import Control, ControlError, control
from sandbox.frame.wire import Wire

KNOWN = {f"{major}.{minor}": (major, minor) for major, minor in VERSIONS}


@control("GET", "/settings")
def show_settings(state: State) -> Wire:
    """Show the settings."""
    return _settings(state.settings)


@control("PUT", "/settings")
def change_settings(
    state: State,
    *,
    version: str | None = None,
    token_lifetime: Annotated[int, Field(ge=0)] | None = None,
    ignore_undocumented_validation: bool | None = None,
    integer_codes: bool | None = None,
    mirror_status: bool | None = None,
    refuse_topups: bool | None = None,
) -> Wire:
    """Change the settings that are given."""
    if version is not None and version not in KNOWN:
        raise ControlError(f"version is one of {', '.join(KNOWN)}", 400)
    given = {
        "version": KNOWN.get(version or ""),
        "token_lifetime": token_lifetime,
        "ignore_undocumented_validation": ignore_undocumented_validation,
        "integer_codes": integer_codes,
        "mirror_status": mirror_status,
        "refuse_topups": refuse_topups,
    }
    for name, value in given.items():
        if value is not None:
            setattr(state.settings, name, value)
    return _settings(state.settings)


@control("GET", "/leaks")
def list_leaks(state: State) -> Wire:
    """List requests that carried credentials in their URL; the values are not kept."""
    return _sightings(state.leaks)


@control("GET", "/ignored_validations")
def list_ignored_validations(state: State) -> Wire:
    """List requests that asked for a dry run where there is none; the function acted."""
    return _sightings(state.ignored_validations)


@control("GET", "/functions")
def list_functions(state: State) -> list[Wire]:
    """List every function of the version in force, with its parameters and the document it rests on."""
    version = state.settings.version
    return [each.to_wire(version) for each in FUNCTIONS if each.since <= version]


@control("GET", "/tables")
def show_tables(state: State) -> Wire:
    """Show every database table, for comparing before and after."""
    return {name: _plain(rows) for name, rows in state.tables.items()}


@control("GET", "/tables/{table}")
def show_table(state: State, table: str) -> list[Wire]:
    """Show a database table as it is, secrets included."""
    if table not in state.tables:
        raise ControlError("no such table")
    return _plain(state.tables[table])


@control("PUT", "/balance/{customer:int}")
def set_balance(state: State, customer: int, *, balance: Decimal) -> Wire:
    """Set a customer's balance, without a transaction and without the ledger."""
    row = state.find("customers", customer)
    if row is None:
        raise ControlError("no such customer")
    row["balance"] = balance
    return {"balance": str(balance)}


@control("POST", "/messages", status=201)
def receive_message(
    state: State,
    *,
    mailbox: str,
    type_: Literal["fax", "text", "voicemail"] = "voicemail",
    callerid: str,
    callername: str = "",
    transcription: str = "",
    duration: int = 20,
) -> Wire:
    """Let a stranger's voicemail, text or fax come into a mailbox's INBOX."""
    if state.find("mailboxes", mailbox) is None:
        raise ControlError("no such mailbox")
    name = leave_message(
        state, mailbox, type_, callerid, callername=callername, transcription=transcription, duration=duration
    )
    return {"name": name}


def _plain(rows: Sequence[Row]) -> list[Wire]:
    return [{name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()} for row in rows]


def _settings(settings: Settings) -> Wire:
    return {**settings.__dict__, "version": ".".join(map(str, settings.version))}


def _sightings(sightings: Sequence[Sighting]) -> Wire:
    rows = [
        {"at": iso(each.at), "function": each.function, "method": each.method, "parameters": list(each.parameters)}
        for each in sightings
    ]
    return {"count": len(rows), "requests": rows}


CONTROLS: tuple[Control, ...] = (
    *(show_settings, change_settings, list_leaks, list_ignored_validations, list_functions),
    *(show_tables, show_table, set_balance, receive_message),
)
