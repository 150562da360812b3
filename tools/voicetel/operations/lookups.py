"""VoiceTel lookups: who a number belongs to. Each is billed, so none is a free read, though the method is GET.

Documented; that `rates.cnam` and `rates.lrn` of the account are their prices is inferred.
"""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.fields import AnsweredNumber, LooseText, OutsideText, UsNumber
from clients.operation import Answer, Operation, Undo
from tools.voicetel.client import voicetel


class CallerName(Answer):
    """The name registered for a number, written by whoever holds it."""

    number: AnsweredNumber | None = None
    caller_name: OutsideText | None = Field(default=None, alias="cnam")


@voicetel.operation(
    "GET",
    "/v2.2/cnam/{number}",
    effect=Effect.READ | Effect.PAID,
    subject="Look up the caller name of {number}",
    toolset="lookups",
    docs="#cnamLookup",
    unverifiable="a lookup leaves nothing behind but its charge, which no list names",
    synonyms=("caller id", "who is calling", "who called", "name", "owner"),
)
class LookUpCnam(Operation[CallerName]):
    """Look up the caller name (CNAM) registered for a US number; each lookup is billed."""

    number: UsNumber
    """Number to look up."""

    def charge(self) -> Charge:
        return Charge(item="CNAM lookup", rate="cnam")

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="A lookup that was made stays charged.")


class Routing(Answer):
    """Where calls to a number go in the network. Older documents write the field names in capitals."""

    lrn: AnsweredNumber | None = None
    """Location routing number."""

    carrier: str | None = Field(default=None, alias="lec")
    carrier_type: str | None = Field(default=None, alias="lectype")
    ocn: LooseText | None = None
    """Operating company number of the carrier."""

    city: str | None = None
    state: str | None = None
    rate_center: str | None = Field(default=None, alias="rc")
    lata: LooseText | None = None
    jurisdiction: str | None = None
    local: LooseText | None = None
    """Whether the call is a local one."""

    @model_validator(mode="before")
    @classmethod
    def _in_either_case(cls, data: object) -> object:
        if not isinstance(data, Mapping):
            return data
        return {name.lower(): value for name, value in cast("Mapping[str, Any]", data).items()}


class RoutingLookup(Answer):
    """What was found for a call from one number to another."""

    destination: AnsweredNumber | None = None
    caller: AnsweredNumber | None = Field(default=None, alias="ani")
    lrn: Routing | None = None


@voicetel.operation(
    "GET",
    "/v2.2/lrn/{number}/{caller}",
    effect=Effect.READ | Effect.PAID,
    subject="Look up the carrier of {number}, as seen from {caller}",
    toolset="lookups",
    docs="#lrnLookup",
    unverifiable="a lookup leaves nothing behind but its charge, which no list names",
    synonyms=("carrier", "provider", "mobile or landline", "ported", "network", "routing"),
)
class LookUpLrn(Operation[RoutingLookup]):
    """Look up a number's carrier, routing number (LRN) and place as seen from a caller; each lookup is billed."""

    number: UsNumber
    """Number to look up."""

    caller: UsNumber
    """Number the call would come from."""

    def charge(self) -> Charge:
        return Charge(item="LRN lookup", rate="lrn")

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="A lookup that was made stays charged.")
