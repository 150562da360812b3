"""Routee messages that are sent from a pool of numbers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.fields import E164, AnsweredTime, LooseText
from clients.operation import Answer, Operation, Undo, Verification, wire_fields
from tools.routee.client import routee
from tools.routee.field_types import BodyAnalysis, Id, SmsText, same_number
from tools.routee.filters import Filter
from tools.routee.grades import PAGES_BUT_REQUEST
from tools.routee.operations.pools import GetPool, ListPoolNumbers, SmsSettings
from tools.routee.operations.sms import (
    NO_RECALL,
    MessageField,
    MessagePart,
    Messages,
    is_text_to,
    messages_since,
    only_match,
    text_warnings,
)


class ShortLink(Answer):
    """A link and what stands for it."""

    long_url: str | None = None
    short_url: str | None = None


class ShortLinks(Answer):
    """Links that were shortened."""

    urls: list[ShortLink] = []
    seconds: int | None = Field(default=None, alias="urlValidity")


class SentFromPool(Answer):
    """A message that was accepted, and the sender that was chosen."""

    tracking_id: str | None = None
    status: str | None = None
    created_at: AnsweredTime | None = None
    pool_id: str | None = None
    pool_name: str | None = None
    pool_strategy: str | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    to: LooseText | None = None
    text: str | None = Field(default=None, alias="body")
    settings: SmsSettings | None = Field(default=None, alias="smsSettings")
    """The settings of the pool."""

    body_analysis: BodyAnalysis | None = None
    short_links: ShortLinks | None = Field(default=None, alias="urlShortener")


@routee.operation(
    "POST",
    "/pools/my/{pool_id}/sms",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Text {people} from pool {pool_id}[shorten_links_seconds?|, {text:parts}]",
    toolset="pools",
    docs="send-sms-using-a-pool",
    basis=PAGES_BUT_REQUEST,
    confirmed_by=("tracking_id",),
    synonyms=("text", "local sender", "sticky sender"),
)
class SendPoolSms(Operation[SentFromPool]):
    """Send a text message from the sender that a pool chooses; billed by part."""

    pool_id: Id
    """Pool from routee_list_pools."""

    to: E164
    """Recipient."""

    text: SmsText = Field(serialization_alias="body")
    """What it says."""

    strategy: Literal["Numeric", "Alphanumeric"] = Field(serialization_alias="poolStrategy")
    """Send from a number of the pool, or under its name."""

    shorten_links_seconds: int | None = Field(default=None, ge=3600, le=2592000)
    """Shorten links, valid for this long."""

    def charge(self) -> Charge:
        return Charge(item="SMS", rate="pool sms")

    def destinations(self) -> tuple[str, ...]:
        return (self.to,)

    def warnings(self) -> tuple[str, ...]:
        return (
            NO_RECALL,
            "Where no number fits, the pool's name is the sender, or else InfoSMS.",
            *text_warnings(self.text),
        )

    def message_ids(self, answer: SentFromPool) -> tuple[str, ...]:
        return (answer.tracking_id,) if answer.tracking_id else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RECALL)

    def verification(self, sent_at: datetime) -> Verification[Messages]:
        # The one message like it since then, from a sender of the pool, shows that it was sent; else nobody knows.

        def check(found: Messages) -> Evidence | Verification[Any]:
            row = only_match(found, self._may_be_this)
            return self._sent_from_the_pool(row.sender or "") if row else Evidence.UNKNOWN

        return Verification(read=messages_since(sent_at, Filter[MessageField](field="to", term=self.to)), check=check)

    def _may_be_this(self, row: MessagePart) -> bool:
        return is_text_to(row, self.to, self.text) and not row.label

    def _sent_from_the_pool(self, sender: str) -> Verification[Any]:
        """Return the read that shows whether the pool chooses this sender.

        That a name stands in for a number where none fits is left aside: others may send under that name too.
        """
        if self.strategy == "Alphanumeric":
            return Verification(
                read=GetPool(pool_id=self.pool_id), check=lambda pool: Evidence.yes_if(pool.name_of_sender == sender)
            )
        return Verification(
            read=ListPoolNumbers(pool_id=self.pool_id),
            check=lambda pool: Evidence.yes_if(any(same_number(number, sender) for number in pool.numbers)),
        )

    def to_wire(self) -> dict[str, Any]:
        seconds = self.shorten_links_seconds
        wire = wire_fields(self, exclude=frozenset({"shorten_links_seconds"}))
        return wire | ({"urlShortener": {"urlValidity": seconds}} if seconds else {})
