"""VoiceTel messaging health: which numbers have trouble with texts, and what carriers blocked.

Known from VoiceTel's own Python SDK, 2.2.15 and later; its API page of 2.2.10 does not have these calls. The SDK shows
method, path and what is sent. What is answered it only describes in words, so it is passed on as it came.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, cast

from pydantic import model_validator

from clients.effects import Effect
from clients.evidence import same_value
from clients.fields import FromOutside, UsNumber
from clients.grades import Grades
from clients.operation import UNREAD, Answer, Operation, Undo, Verification, put_back
from clients.shared.limits import Limit
from tools.voicetel.client import voicetel

KNOWN_FROM_THE_SDK: Final = Grades(method="seen", path="seen", request="seen", answer="inferred")

CHECKS_AN_HOUR: Final = Limit("voicetel messaging checks", calls=30, seconds=3600, per="account")
"""30 an hour and account, by the SDK."""

ONE_WORD: Final = re.compile(r"[\w+*:.\-]{0,40}")
"""A number, a time, a status: nothing that could carry instructions."""


class UndescribedAnswer(Answer):
    """An answer whose members no document names."""

    content: Annotated[object, FromOutside(unless=ONE_WORD)] = None
    """What VoiceTel answered, as it came."""

    @model_validator(mode="before")
    @classmethod
    def _as_it_came(cls, data: object) -> object:
        found = cast("Mapping[str, Any] | list[Any]", data) if isinstance(data, Mapping | list) else None
        return {"content": found} if found else {}


@voicetel.operation(
    "GET",
    "/v2.2/messaging/health",
    effect=Effect.READ,
    basis=KNOWN_FROM_THE_SDK,
    toolset="messaging",
    docs="",
    synonyms=("trouble", "problems", "deliverability", "failing texts", "10dlc", "attention", "overview"),
)
class GetMessagingHealth(Operation[UndescribedAnswer]):
    """Show which numbers have trouble with texts and how to mend it, campaigns in review, and 14 days of deliveries.

    VoiceTel renews it every hour. Newer servers only.
    """


@voicetel.operation(
    "POST",
    "/v2.2/messaging/health/check",
    effect=Effect.READ,
    basis=KNOWN_FROM_THE_SDK,
    toolset="messaging",
    docs="",
    limit=CHECKS_AN_HOUR,
    synonyms=("trouble", "why no texts", "deliverability", "diagnose", "live"),
)
class CheckMessagingHealth(Operation[UndescribedAnswer]):
    """Check one number's texting now: service, campaign, assignment, failures of a day. 30 an hour; newer servers."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""


@voicetel.operation(
    "GET",
    "/v2.2/messaging/health/samples",
    effect=Effect.READ,
    basis=KNOWN_FROM_THE_SDK,
    toolset="messaging",
    docs="",
    synonyms=("spam", "filtered", "rejected", "not delivered", "content"),
)
class ListBlockedMessages(Operation[UndescribedAnswer]):
    """Show up to 3 recent texts of a number that carriers blocked as spam, and why. Newer servers only."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""


class MessagingAlerts(Answer):
    """Whether VoiceTel mails the account when texts begin to fail."""

    enabled: bool | None = None


@voicetel.operation(
    "GET",
    "/v2.2/messaging/health/alerts",
    effect=Effect.READ,
    basis=KNOWN_FROM_THE_SDK,
    toolset="messaging",
    docs="",
    synonyms=("mail", "warnings", "notify", "email"),
)
class GetMessagingAlerts(Operation[MessagingAlerts]):
    """Show whether VoiceTel mails the account about new trouble with texts. Newer servers only."""


@voicetel.operation(
    "PUT",
    "/v2.2/messaging/health/alerts",
    effect=Effect.WRITE,
    subject="Switch mails about trouble with texts {enabled}",
    basis=KNOWN_FROM_THE_SDK,
    toolset="messaging",
    docs="",
    synonyms=("mail", "warnings", "notify", "email", "switch"),
)
class SetMessagingAlerts(Operation[MessagingAlerts]):
    """Switch mails to the account about new trouble with texts, one in 20 hours at most. Newer servers only."""

    enabled: bool
    """True to have them sent."""

    def before(self) -> GetMessagingAlerts:
        return GetMessagingAlerts()

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, MessagingAlerts) or before.enabled is None:
            return UNREAD
        return put_back(SetMessagingAlerts, enabled=before.enabled)

    def verification(self, sent_at: datetime) -> Verification[MessagingAlerts]:
        return Verification(read=GetMessagingAlerts(), check=lambda found: same_value(found.enabled, self.enabled))
