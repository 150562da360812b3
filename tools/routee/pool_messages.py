"""Routee messages that are sent from a pool of numbers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from clients.effects import Charge, Effect
from clients.fields import E164, AnsweredTime, LooseText
from clients.operation import Answer, Operation, Proof, wire_fields
from clients.routee import routee
from clients.undo import Undo
from tools.routee.filters import Filter
from tools.routee.shapes import BodyAnalysis, Id, SmsText
from tools.routee.sms import NO_RECALL, MessageField, Messages, sent_since, text_warnings


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
    body_analysis: BodyAnalysis | None = None
    short_links: ShortLinks | None = Field(default=None, alias="urlShortener")


@routee.operation(
    "POST",
    "/pools/my/{pool_id}/sms",
    effect=Effect.PAID,
    toolset="pools",
    docs="send-sms-using-a-pool",
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

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RECALL)

    def settled(self, sent_at: datetime) -> Proof[Messages]:
        """The same text to the same recipient since then shows that it was sent; none proves nothing."""
        narrowed = Filter[MessageField](field="to", term=self.to)
        return sent_since(sent_at, narrowed, lambda row: row.to == self.to and row.text == self.text)

    def to_wire(self) -> dict[str, Any]:
        seconds = self.shorten_links_seconds
        wire = wire_fields(self, exclude=frozenset({"shorten_links_seconds"}))
        return wire | ({"urlShortener": {"urlValidity": seconds}} if seconds else {})
