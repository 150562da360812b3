"""VoiceTel routing of one number: where its calls go."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from clients.effects import Effect
from clients.evidence import Evidence, same_value
from clients.fields import AnsweredNumber, UsNumber
from clients.operation import NOT_SET, UNREAD, Answer, Done, NumberForward, Operation, Undo, Verification, put_back
from clients.questions.differences import Difference, differences
from tools.voicetel.client import voicetel
from tools.voicetel.operations.phone_numbers import SYSTEM_IDS, SYSTEM_ROUTES, GetNumber, Number


class NumberRoute(Answer):
    """Where a number's calls go."""

    number: AnsweredNumber | None = None
    route: int | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/route",
    effect=Effect.REROUTES,
    subject="Send calls of {number} to route {route}",
    toolset="routing",
    docs="#numbersRoute",
    synonyms=("gateway", "point", "send calls", "trunk", "pbx"),
)
class SetRoute(Operation[NumberRoute]):
    """Send a number's calls to another gateway or system route."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    route: int = Field(ge=1)
    """Gateway or system route, from voicetel_list_gateways."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        return put_back(SetRoute, number=self.number, route=before.route)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return Verification(read=GetNumber(number=self.number), check=self._is_set)

    def _is_set(self, found: Number) -> Evidence:
        """Newer servers show the kind of the route beside its gateway, which does not say whether it is this one."""
        is_kind = found.route in SYSTEM_IDS and found.gateway is not None and found.gateway not in SYSTEM_ROUTES
        return Evidence.UNKNOWN if is_kind else same_value(found.route, self.route)


class Forward(Answer):
    """Where a number's calls are forwarded to."""

    number: AnsweredNumber | None = None
    forward_to: AnsweredNumber | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/forward",
    effect=Effect.REROUTES,
    subject="Forward calls of {number} to {destination}",
    toolset="routing",
    docs="#numbersForwardSet",
    synonyms=("divert", "redirect", "call forwarding"),
)
class SetForward(Operation[Forward]):
    """Forward a number's calls to another number, billed as outbound calls (inferred)."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    destination: UsNumber
    """Where the calls go, US or Canada."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def destinations(self) -> tuple[str, ...]:
        return (self.destination,)

    def forwards(self, before: Any) -> tuple[NumberForward, ...]:
        return (NumberForward(self.number, self.destination),)

    def differences(self, before: Any) -> tuple[Difference, ...]:
        return _forward_differences(before, self.destination)

    def warnings(self) -> tuple[str, ...]:
        return ("Each forwarded call is billed as an outbound call too (inferred).",)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number) or before.forward is None:
            return UNREAD
        if not before.forward:
            return Undo(verdict="full", operation=RemoveForward(number=self.number))
        return put_back(SetForward, number=self.number, destination=before.forward_to)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return Verification(read=GetNumber(number=self.number), check=self._is_set)

    def _is_set(self, found: Number) -> Evidence:
        if found.forward is False:
            return Evidence.NO
        return same_value(found.forward_to, self.destination)


@voicetel.operation(
    "DELETE",
    "/v2.2/numbers/{number}/forward",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="End forwarding of {number}[ to {before.forward_to}]",
    toolset="routing",
    docs="#numbersForwardDelete",
    synonyms=("stop forwarding", "end", "divert off", "redirect"),
)
class RemoveForward(Operation[Done]):
    """End call forwarding, so that calls follow the number's route again."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def differences(self, before: Any) -> tuple[Difference, ...]:
        return _forward_differences(before, None)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number) or before.forward is None:
            return UNREAD
        if not before.forward:
            return NOT_SET
        return put_back(SetForward, number=self.number, destination=before.forward_to)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return Verification(
            read=GetNumber(number=self.number),
            check=lambda found: same_value(found.forward, False),
        )


def _forward_differences(before: Any, destination: str | None) -> tuple[Difference, ...]:
    """Compare where calls are forwarded to; a number that is shown while nothing is forwarded does not count."""
    if not isinstance(before, Number):
        return ()
    return differences({"forward": before.forward_to if before.forward else None}, {"forward": destination})


class Translation(Answer):
    """Digits delivered for a number's calls."""

    number: AnsweredNumber | None = None
    translation: AnsweredNumber | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/numbers/{number}/translation",
    effect=Effect.REROUTES,
    subject="Deliver calls of {number} as {translation}",
    toolset="routing",
    docs="#numbersTranslation",
    synonyms=("called number", "digits", "did", "rewrite"),
)
class SetDnisTranslation(Operation[Translation]):
    """Change the called number (DNIS) that the gateway receives with a number's calls."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    translation: UsNumber
    """Digits to deliver; the number itself for no translation."""

    sets: ClassVar[Mapping[str, str]] = {"translation": "translated"}

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Number):
            return UNREAD
        return put_back(SetDnisTranslation, number=self.number, translation=before.translated)

    def verification(self, sent_at: datetime) -> Verification[Number]:
        return Verification(
            read=GetNumber(number=self.number),
            check=lambda found: same_value(found.translated, self.translation),
        )
