"""2-step verification: send a code, confirm it, cancel it, count them."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from sandbox.routee import networks
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import CountryCode, Phone
from sandbox.routee.networks import is_callable, require_country
from sandbox.routee.operations.sms import Restrictions
from sandbox.routee.records import Verification
from sandbox.routee.state import State
from sandbox.routee.wire import Answer, Wire, ok, refused, timestamp

CODE = "4829157360"
"""Every code is made of its first digits, as many as were asked for: known, so that tests can confirm one."""

STATUSES = ("Pending", "Verified", "Cancelled", "Expired", "Failed")


class VerificationBody(Body):
    """Body of `POST /2step`; bounds and defaults are inferred."""

    method: Literal["sms", "voice"]
    type: Literal["code"]
    recipient: Phone
    template: str = Field(pattern="@@pin")
    arguments: dict[str, str] = {}
    templateCountry: CountryCode | None = None
    originator: str | None = None
    lifetimeInSeconds: int = Field(default=300, ge=1)
    maxRetries: int = Field(default=3, ge=1)
    digits: int = Field(default=4, ge=4, le=10)
    restrictions: Restrictions | None = None


class AnswerForm(Body):
    """The form of `POST /2step/{trackingId}`."""

    answer: str = Field(min_length=1)


def start_verification(call: Call, body: VerificationBody) -> Answer:
    """Send a code; it is charged once the recipient has confirmed it (inferred from "per successful verification")."""
    if not is_callable(body.recipient):
        raise refused("400011001", f"{body.recipient} is not a valid recipient.")
    state = call.state
    state.require(_price(body.method))
    verification = Verification(
        id=state.new_id("verification"),
        method=body.method,
        recipient=body.recipient,
        country=require_country(body.recipient).iso,
        code=CODE[: body.digits],
        application=call.application.id,
        max_retries=body.maxRetries,
        updated=state.now(),
        expires=state.now() + timedelta(seconds=body.lifetimeInSeconds),
    )
    state.verifications[verification.id] = verification
    state.agenda.at(verification.expires, lambda: _expire(state, verification))
    return ok(_wire(verification))


def show_verification(call: Call) -> Answer:
    """How a verification stands."""
    return ok(_wire(_known(call)))


def confirm_verification(call: Call, form: AnswerForm) -> Answer:
    """Try a code; a wrong one answers 200 too, and too many make the verification Failed."""
    verification = _pending(call)
    verification.tried += 1
    verification.updated = call.state.now()
    if form.answer == verification.code:
        call.state.pay(f"two_step_{verification.method}", 1, _price(verification.method), verification.id)
        verification.status = "Verified"
    elif verification.tried >= verification.max_retries:
        verification.status = "Failed"
    return ok(_wire(verification))


def cancel_verification(call: Call) -> Answer:
    """Make a pending code useless."""
    verification = _pending(call)
    verification.status = "Cancelled"
    verification.updated = call.state.now()
    return ok(_wire(verification))


def report_verifications(call: Call) -> Answer:
    """How many verifications are in each status, over all and for each country."""
    return ok(_report(list(call.state.verifications.values())))


def report_application(call: Call) -> Answer:
    """The same for one application."""
    if call.path["appId"] not in call.state.desk.applications:
        raise refused("404010002", "The application does not exist.")
    own = [one for one in call.state.verifications.values() if one.application == call.path["appId"]]
    return ok(_report(own))


def _price(method: str) -> Decimal:
    return networks.TWO_STEP_SMS if method == "sms" else networks.TWO_STEP_VOICE


def _expire(state: State, verification: Verification) -> None:
    if verification.status == "Pending":
        verification.status = "Expired"
        verification.updated = state.now()


def _known(call: Call) -> Verification:
    verification = call.state.verifications.get(call.path["trackingId"])
    if verification is None:
        raise refused("404011006", "The verification does not exist.")
    return verification


def _pending(call: Call) -> Verification:
    verification = _known(call)
    if verification.status != "Pending":
        # inferred: which of the documented codes 400011001 to 400011005 means this is not published
        raise refused("400011003", f"The verification is {verification.status}.")
    return verification


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


def _wire(verification: Verification) -> Wire:
    return {
        "trackingId": verification.id,
        "status": verification.status,
        "updatedAt": timestamp(verification.updated),
        "expiresAt": timestamp(verification.expires),
        "maxRetries": verification.max_retries,
        "timesTried": verification.tried,
    }
