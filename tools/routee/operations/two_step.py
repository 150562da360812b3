"""Routee 2-step verification: send a code, check it, cancel it, count them.

An old SDK calls the prices "per successful verification"; no page says when they are charged, so that both the sending
and the check of a code are taken to be paid.
"""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from clients.effects import Charge, Effect
from clients.evidence import Evidence, same_value
from clients.fields import E164, AnsweredTime
from clients.operation import Answer, Operation, Undo, Verification, wire_fields
from tools.routee.client import routee
from tools.routee.field_types import Country, Id, Sender, Text
from tools.routee.grades import PAGES_BUT_ANSWER, SEEN

ONCE: Final = "taken to be charged once for each successful verification (one old source)"


class TwoStepVerification(Answer):
    """A verification."""

    tracking_id: str | None = None
    status: str | None = None
    """Pending, Verified, Cancelled, Expired or Failed."""

    updated_at: AnsweredTime | None = None
    expires_at: AnsweredTime | None = None
    max_retries: int | None = None
    times_tried: int | None = None


@routee.operation(
    "POST",
    "/2step",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Send a one-time code to {recipient} by {method}",
    toolset="verification",
    docs="verification",
    basis=PAGES_BUT_ANSWER,
    confirmed_by=("tracking_id",),
    unverifiable="it is shown only by the id that its answer brings",
    synonyms=("otp", "2fa", "one-time password", "code", "verify a number"),
)
class SendVerification(Operation[TwoStepVerification]):
    """Send a one-time code by SMS or call; billed."""

    method: Literal["sms", "voice"]
    """How it is sent."""

    recipient: E164
    """Number to verify."""

    template: str = Field(pattern="@@pin")
    """Text with @@pin where the code goes."""

    arguments: dict[str, str] | None = None
    """Values of other @@names in the template."""

    template_country: Country | None = None
    """Country whose translated template is used."""

    originator: Sender | None = None
    """Sender of the SMS."""

    lifetime_in_seconds: int | None = Field(default=None, ge=1)
    """Seconds until it expires."""

    max_retries: int | None = Field(default=None, ge=1)
    """Tries before it fails."""

    digits: int | None = Field(default=None, ge=1)
    """Digits of the code."""

    def to_wire(self) -> dict[str, Any]:
        """`code` is the only type there is."""
        return wire_fields(self) | {"type": "code"}

    def charge(self) -> Charge:
        return Charge(item="verification", rate=f"two step {self.method}", source=ONCE)

    def destinations(self) -> tuple[str, ...]:
        return (self.recipient,)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(answer, TwoStepVerification) or answer.tracking_id is None:
            return Undo(verdict="none", lost="The answer has no id of the verification.")
        return Undo(
            verdict="partial",
            operation=CancelVerification(verification_id=answer.tracking_id),
            lost="The message was sent.",
        )


@routee.operation(
    "GET",
    "/2step/{verification_id}",
    effect=Effect.READ,
    toolset="verification",
    docs="retrieve-a-verification-status",
    basis=SEEN,
    confirmed_by=("tracking_id", "status"),
    synonyms=("otp", "2fa", "verified", "expired"),
)
class GetVerification(Operation[TwoStepVerification]):
    """Show how a verification stands."""

    verification_id: Id
    """`tracking_id` from routee_send_verification."""


@routee.operation(
    "POST",
    "/2step/{verification_id}",
    effect=Effect.PAID,
    subject="Check the code of verification {verification_id}",
    toolset="verification",
    docs="confirm-verification",
    basis=SEEN,
    confirmed_by=("status",),
    carrier="form",
    synonyms=("otp", "2fa", "verify", "code right", "correct code", "typed", "entered"),
)
class ConfirmVerification(Operation[TwoStepVerification]):
    """Check the code that the recipient gave; a wrong one counts as a try."""

    verification_id: Id
    """`tracking_id` from routee_send_verification."""

    code: str = Field(pattern=r"^[0-9]+$", serialization_alias="answer")
    """What the recipient gave."""

    def charge(self) -> Charge:
        return Charge(
            item="verification",
            unknown="The price that was quoted when the code was sent may be charged only now, if the code is right.",
        )

    def before(self) -> GetVerification:
        return GetVerification(verification_id=self.verification_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="The attempt counts.")

    def verification(self, sent_at: datetime) -> Verification[TwoStepVerification]:
        # A code that was right shows; one that was wrong looks like one that was never checked.
        return Verification(
            read=self.before(),
            check=lambda found: Evidence.yes_if(found.status == "Verified"),
            must_be_new=True,
            check_before=lambda found: same_value(found.status, "Verified"),
        )


@routee.operation(
    "DELETE",
    "/2step/{verification_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Make the code of verification {verification_id} useless",
    toolset="verification",
    docs="cancel-verification",
    basis=SEEN,
    confirmed_by=("status",),
    synonyms=("otp", "revoke", "invalidate"),
)
class CancelVerification(Operation[TwoStepVerification]):
    """Make a pending code useless."""

    verification_id: Id
    """`tracking_id` from routee_send_verification."""

    def before(self) -> GetVerification:
        return GetVerification(verification_id=self.verification_id)

    def verification(self, sent_at: datetime) -> Verification[TwoStepVerification]:
        return Verification(
            read=self.before(), check=lambda found: same_value(found.status, "Cancelled"), must_be_new=True
        )

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="A cancelled code stays useless; another can be sent.")


class VerificationReport(Answer):
    """How many verifications are in each status."""

    application_id: str | None = None
    total: int | None = None
    totals: dict[str, int] = {}
    per_country: dict[str, dict[str, int]] = {}


@routee.operation(
    "GET",
    "/2step/reports",
    effect=Effect.READ,
    toolset="verification",
    docs="verification-reports",
    basis=SEEN,
    synonyms=("statistics", "success rate", "how many"),
)
class ReportVerifications(Operation[VerificationReport]):
    """Count verifications by status and country."""


@routee.operation(
    "GET",
    "/2step/reports/applications/{application_id}",
    effect=Effect.READ,
    toolset="verification",
    docs="verification-reports-application",
    basis=SEEN,
    synonyms=("statistics", "success rate"),
)
class ReportAppVerifications(Operation[VerificationReport]):
    """Count the verifications of one application."""

    application_id: Text
    """Id of the application, from Routee's platform."""
