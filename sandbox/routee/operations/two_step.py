"""2-step verification: send a code, confirm it, cancel it, count them."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sandbox.frame.inputs import Found, Query
from sandbox.frame.wire import Answer, Wire
from sandbox.routee.endpoint import PAGE, SOURCES, Call, operation
from sandbox.routee.fields import CountryCode, Phone, Positive, Restrictions, Text
from sandbox.routee.networks import TWO_STEP_SMS, TWO_STEP_VOICE, is_callable, require_country
from sandbox.routee.records import Verification
from sandbox.routee.state import State
from sandbox.routee.wire import ok, refuse, timestamp

CODE = "4829157360"
"""Every code is made of its first digits, as many as were asked for: known, so that tests can confirm one."""

STATUSES = ("Pending", "Verified", "Cancelled", "Expired", "Failed")


def _known(call: Call) -> Verification:
    verification = call.state.verifications.get(call.path["trackingId"])
    if verification is None:
        raise refuse("404011006", "The verification does not exist.")
    return verification


def _pending(call: Call) -> Verification:
    verification = _known(call)
    if verification.status != "Pending":
        # inferred: which of the documented codes 400011001 to 400011005 means this is not published
        raise refuse("400011003", f"The verification is {verification.status}.")
    return verification


PathVerification = Annotated[Verification, Found(_known)]
PendingVerification = Annotated[Verification, Found(_pending)]


class AnswerForm(Query):
    """The form of `POST /2step/{trackingId}`."""

    answer: Text


@operation("POST", "/2step", PAGE, "2step", paid=True, inferred="charged when it is verified; bounds and defaults")
def start_verification(
    call: Call,
    *,
    method: Literal["sms", "voice"],
    type_: Literal["code"],
    recipient: Phone,
    template: Annotated[str, StringConstraints(pattern="@@pin")],
    arguments: dict[str, str] | None = None,
    templateCountry: CountryCode | None = None,
    originator: str | None = None,
    lifetimeInSeconds: Positive = 300,
    maxRetries: Positive = 3,
    digits: Annotated[int, Field(ge=4, le=10)] = 4,
    restrictions: Restrictions | None = None,
) -> Answer:
    """Send a code; it is charged once the recipient has confirmed it (inferred from "per successful verification").

    inferred: the bounds and defaults.
    """
    if not is_callable(recipient):
        raise refuse("400011001", f"{recipient} is not a valid recipient.")
    state = call.state
    state.require(_price(method))
    verification = Verification(
        id=state.new_id("verification"),
        method=method,
        recipient=recipient,
        country=require_country(recipient).iso,
        code=CODE[:digits],
        application=call.application.id,
        max_retries=maxRetries,
        updated=state.now(),
        expires=state.now() + timedelta(seconds=lifetimeInSeconds),
    )
    state.verifications[verification.id] = verification
    state.agenda.at(verification.expires, lambda: _expire(state, verification))
    return ok(_to_wire(verification))


@operation("GET", "/2step/{trackingId}", SOURCES, "2step")
def show_verification(call: Call, verification: PathVerification) -> Answer:
    """Show a verification."""
    return ok(_to_wire(verification))


@operation("POST", "/2step/{trackingId}", SOURCES, "2step")
def confirm_verification(call: Call, verification: PendingVerification, form: AnswerForm) -> Answer:
    """Try a code; a wrong one answers 200 too, and too many make the verification Failed."""
    verification.tried += 1
    verification.updated = call.state.now()
    if form.answer == verification.code:
        call.state.pay(f"two_step_{verification.method}", 1, _price(verification.method), verification.id)
        verification.status = "Verified"
    elif verification.tried >= verification.max_retries:
        verification.status = "Failed"
    return ok(_to_wire(verification))


@operation("DELETE", "/2step/{trackingId}", SOURCES, "2step")
def cancel_verification(call: Call, verification: PendingVerification) -> Answer:
    """Make a pending code useless."""
    verification.status = "Cancelled"
    verification.updated = call.state.now()
    return ok(_to_wire(verification))


@operation("GET", "/2step/reports", SOURCES, "2step")
def report_verifications(call: Call) -> Answer:
    """Report how many verifications are in each status, over all and for each country."""
    return ok(_report(list(call.state.verifications.values())))


@operation("GET", "/2step/reports/applications/{appId}", SOURCES, "2step")
def report_application(call: Call) -> Answer:
    """Report the same for one application."""
    if call.path["appId"] not in call.state.tokens.applications:
        raise refuse("404010002", "The application does not exist.")
    own = [one for one in call.state.verifications.values() if one.application == call.path["appId"]]
    return ok(_report(own))


def _price(method: str) -> Decimal:
    return TWO_STEP_SMS if method == "sms" else TWO_STEP_VOICE


def _expire(state: State, verification: Verification) -> None:
    if verification.status == "Pending":
        verification.status = "Expired"
        verification.updated = state.now()


def _report(verifications: list[Verification]) -> Wire:
    countries = sorted({one.country for one in verifications})
    return {
        "total": len(verifications),
        "totals": _counts(verifications),
        "perCountry": {
            country: _counts([one for one in verifications if one.country == country]) for country in countries
        },
    }


def _counts(verifications: list[Verification]) -> Wire:
    names = [one.status for one in verifications]
    return {status: names.count(status) for status in STATUSES}


def _to_wire(verification: Verification) -> Wire:
    return {
        "trackingId": verification.id,
        "status": verification.status,
        "updatedAt": timestamp(verification.updated),
        "expiresAt": timestamp(verification.expires),
        "maxRetries": verification.max_retries,
        "timesTried": verification.tried,
    }
