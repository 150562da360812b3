"""Emergency address records (operations 17 to 22)."""

import re
from dataclasses import asdict
from typing import Annotated

from sandbox.frame.inputs import Body, Found
from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Text, Tn, path_number
from sandbox.voicetel.state import Account, Address, E911Record, State
from sandbox.voicetel.wire import Refusal, created, no_content, success

CALLER_NAME_LIMIT = 20
"""The site's limit; the schema has none."""

# fmt: off
US_STATES = frozenset({
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS",
    "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC",
    "ND", "OH", "OK", "OR", "PA", "PR", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI",
    "WY",
})
# fmt: on


class AddressBody(Body):
    """A street address to validate."""

    address1: Text
    city: Text
    zip: Text
    state: Text
    address2: str = ""


class RecordBody(AddressBody):
    """An address with the number and the caller name that it is for."""

    dn: Tn
    callername: Text


def _owned(call: Call) -> str:
    number = path_number(call.path["dn"])
    if number not in call.account.numbers:
        raise Refusal(401, "The number is not on this account.")
    return number


OwnDn = Annotated[str, Found(_owned)]


@operation("POST", "e911/validations")
def validate_address(call: Call, body: AddressBody) -> Answer:
    """Check and normalise an address; nothing on the account changes."""
    address = _validated(call.state, body)
    return success(address={"addressid": address.id, **asdict(address)})


@operation("POST", "e911")
def create_record(call: Call, body: RecordBody) -> Answer:
    """Validate an address and bind it to a number; replaces an existing record (inferred)."""
    if body.dn not in call.account.numbers:
        raise Refusal(403, "The number is not on this account.")
    address = _validated(call.state, body)
    record = _provision(call.account, body.dn, body.callername, address)
    return created(record=_to_wire(record))


@operation("PUT", "e911/{dn}")
def provision_record(call: Call, number: OwnDn, *, addressid: int, callername: Text) -> Answer:
    """Bind a validated address to a number."""
    address = call.state.addresses.get(addressid)
    if address is None:
        raise Refusal(409, "Provisioning failed: unknown addressid.")
    return success(record=_to_wire(_provision(call.account, number, callername, address)))


@operation("GET", "e911/{dn}")
def show_record(call: Call, number: OwnDn) -> Answer:
    """Show the record of one number; 401 for a number that is not on the account, 409 without a record (inferred)."""
    record = call.account.e911.get(number)
    if record is None:
        raise Refusal(409, "The e911 query failed: no record for this number.")
    return success(record=_to_wire(record))


@operation("DELETE", "e911/{dn}")
def remove_record(call: Call, number: OwnDn) -> Answer:
    """Remove the record of a number."""
    if call.account.e911.pop(number, None) is None:
        raise Refusal(409, "The e911 record could not be removed.")
    return no_content()


@operation("GET", "e911")
def list_records(call: Call) -> Answer:
    """List all records; 404 if there are none."""
    if not call.account.e911:
        raise Refusal(404, "No e911 records found.")
    return success(records=[_to_wire(record) for record in call.account.e911.values()])


def _validated(state: State, body: AddressBody) -> Address:
    """Return the normalised address, remembered under its addressid.

    inferred: it must start with a house number, be in a US state and have a five-digit (or ZIP+4) code.
    """
    state_code = body.state.strip().upper()
    plausible = (
        re.match(r"\s*[0-9]+\S*\s+\S", body.address1)
        and re.fullmatch(r"[0-9]{5}(-[0-9]{4})?", body.zip.strip())
        and state_code in US_STATES
    )
    if not plausible:
        raise Refusal(409, "The address could not be validated.")
    address = Address(
        address1=_normal(body.address1),
        address2=_normal(body.address2),
        city=_normal(body.city),
        state=state_code,
        zip=body.zip.strip()[:5],
    )
    state.addresses[address.id] = address
    return address


def _normal(text: str) -> str:
    return " ".join(text.upper().replace(".", "").split())


def _provision(account: Account, number: str, caller_name: str, address: Address) -> E911Record:
    if not account.services.get("e911", False):
        raise Refusal(409, "Provisioning failed: e911 is not enabled on this account.")
    if len(caller_name) > CALLER_NAME_LIMIT:
        raise Refusal(409, f"Provisioning failed: callername has more than {CALLER_NAME_LIMIT} characters.")
    record = E911Record(number, caller_name, address)
    account.e911[number] = record
    return record


def _to_wire(record: E911Record) -> dict[str, object]:
    """Return a record, which carries eleven digits where requests carry ten."""
    return {"dn": f"1{record.number}", "callername": record.caller_name, **asdict(record.address)}
