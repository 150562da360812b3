"""Enswitch mailboxes, their messages, and the texts and faxes that are sent.

Rests on guides 4.0 and 4.4 and operators' copies. The page of mailboxes/create was read as far as `pager`: what
follows, and the group `notify_*`, are left out, and so are envelope and pager, a fax's cover and header, and the
attachments of texts (`filenameX`, `fileX`), whose counting no page shows. Columns of messages other than name, time and
type are inferred.
"""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.fields import KeptFromModel, LooseText, Moment, OutsideText, Secret
from clients.operation import Answer, Operation, Verification, wire_fields
from clients.segments import FitsTextMessage, Visible, segments
from clients.shared.inbound_texts import InboundText
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    AS_TEXT,
    Kind,
    Mail,
    Number,
    Sender,
    ShownNumber,
    ShownTime,
    Target,
    Text,
    Whole,
    Words,
    dialled_numbers,
    new_pin,
)
from tools.enswitch.groups import Accepted, Created, ForCustomer, Listing, as_row
from tools.enswitch.updates import same_settings, settings_of

MailboxName = Words
MessageName = Annotated[str, Field(pattern=r"^[^,\s]+$")]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$"), AS_TEXT]


class Mailbox(Answer):
    """A mailbox. Columns are named as the parameters are (inferred)."""

    mailbox: LooseText | None = None
    customer: int | None = None
    description: str | None = None
    owner: int | None = None
    callerid: ShownNumber | None = None
    dtype: str | None = None
    dnumber: ShownNumber | None = None


class Mailboxes(Listing):
    """Mailboxes."""

    mailboxes: list[Mailbox] = []


@enswitch.function(
    "mailboxes/list",
    effect=Effect.READ,
    toolset="messages",
    basis=COLUMNS_INFERRED,
    rows="mailboxes",
    synonyms=("voicemail boxes", "inboxes"),
)
class ListMailboxes(ForCustomer, Operation[Mailboxes]):
    """List a customer's mailboxes."""


@enswitch.function(
    "mailboxes/get",
    effect=Effect.READ,
    toolset="messages",
    basis=COLUMNS_INFERRED,
    synonyms=("voicemail box", "inbox settings"),
)
class GetMailbox(ForCustomer, Operation[Mailbox]):
    """Show a mailbox, without its PIN."""

    mailbox: MailboxName
    """From enswitch_list_mailboxes."""


@enswitch.function(
    "mailboxes/create",
    effect=Effect.PRIVILEGED,
    subject="Create the mailbox {mailbox}",
    toolset="messages",
    basis=COLUMNS_INFERRED,
    synonyms=("voicemail box", "add inbox", "answering machine"),
)
class CreateMailbox(ForCustomer, Operation[Created]):
    """Create a mailbox with a PIN kept for the operator. Not every setting is offered."""

    mailbox: MailboxName
    """Its number."""

    pin: Annotated[Secret, KeptFromModel(generate=new_pin)]
    """Its PIN."""

    description: Text | None = None
    """Description."""

    dtype: Kind | None = None
    """Destination type for callers who do not leave a message."""

    dnumber: Target | None = None
    """That destination."""

    owner: Whole | None = None
    """From enswitch_list_people; 0 none."""

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.dtype, self.dnumber))

    def verification(self, sent_at: datetime) -> Verification[Mailbox]:
        # A mailbox of this number may be an older one, for no read shows whose PIN it has.
        read = GetMailbox(mailbox=self.mailbox, customer=self.customer)
        return Verification(
            read=read, check=lambda found: same_settings(settings_of(self), found), if_absent=Evidence.NO
        )


class Message(Answer):
    """A voicemail, fax or text that came in. Its content comes from outside."""

    name: str | None = None
    """What tools take; names shift when a message is deleted."""

    type: str | None = None
    mimetype: str | None = None
    caller: OutsideText | None = Field(default=None, alias="callerid")
    caller_name: OutsideText | None = Field(default=None, alias="callername")
    time: ShownTime = None
    seconds: int | None = Field(default=None, alias="duration")
    listened: bool | None = None
    transcription: OutsideText | None = None

    def text_received(self, mailbox: str, text: str | None) -> tuple[InboundText, ...]:
        """Return the text of a text message; what a voicemail is taken to say is not for sure."""
        if self.type != "text" or not text:
            return ()
        return (InboundText(self.caller, text, mailbox, at=self.time),)


class Messages(Listing):
    """Messages of one folder."""

    messages: list[Message] = []


@enswitch.function(
    "messages/list",
    effect=Effect.READ,
    toolset="messages",
    basis=COLUMNS_INFERRED,
    rows="messages",
    synonyms=("voicemail", "inbox", "faxes received", "texts received", "missed"),
)
class ListMessages(ForCustomer, Operation[Messages]):
    """List the voicemails, faxes and texts in a mailbox's folder, in Enswitch's order."""

    mailbox: MailboxName
    """From enswitch_list_mailboxes."""

    folder: Words = "INBOX"
    """Folder."""

    type: Literal["fax", "text", "voicemail"] | None = None
    """Only this type."""

    caller: Words | None = None
    """Only callers that have this."""

    since: Moment | None = Field(default=None, serialization_alias="start")
    """Older bound, with zone."""

    until: Moment | None = Field(default=None, serialization_alias="end")
    """Newer bound, with zone."""

    def inbound_texts(self, answer: Messages) -> tuple[InboundText, ...]:
        # That a text's own words are in `transcription` is inferred; messages/get shows them for sure.
        return tuple(text for row in answer.messages for text in row.text_received(self.mailbox, row.transcription))


class OpenedMessage(Message):
    """A message with its text. Recordings and fax pages are left to the operator: only their size is shown."""

    text: OutsideText | None = None
    file_bytes: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _file_is_text_or_size(cls, data: object) -> object:
        row = as_row(data)
        file = row.get("file") if row else None
        if row is None or not isinstance(file, str):
            return data
        content = _decoded(file)
        if str(row.get("mimetype", "")).startswith("text/") or row.get("type") == "text":
            return {**row, "text": content.decode("utf-8", errors="replace")}
        return {**row, "file_bytes": len(content)}


@enswitch.function(
    "messages/get",
    effect=Effect.READ,
    toolset="messages",
    basis=COLUMNS_INFERRED,
    synonyms=("voicemail", "read", "transcript", "open", "fax"),
)
class GetMessage(ForCustomer, Operation[OpenedMessage]):
    """Show a message and its text; it stays marked as not listened to."""

    mailbox: MailboxName
    """From enswitch_list_mailboxes."""

    folder: Words = "INBOX"
    """Folder."""

    message: Words
    """Name, from enswitch_list_messages."""

    def inbound_texts(self, answer: OpenedMessage) -> tuple[InboundText, ...]:
        return answer.text_received(self.mailbox, answer.text)

    def to_wire(self) -> dict[str, Any]:
        # `listened` is 1 if left out (since 3.14), which would mark it; base64 keeps any file within JSON.
        return {**wire_fields(self), "listened": 0, "encoding": "base64"}


@enswitch.function(
    "messages/delete",
    effect=Effect.DESTRUCTIVE,
    subject="Delete {messages:message} of mailbox {mailbox} for good",
    toolset="messages",
    unverifiable="the messages that are left are renamed",
    irreversible=True,
    synonyms=("voicemail", "clear", "empty", "remove"),
)
class DeleteMessages(ForCustomer, Operation[Accepted]):
    """Delete messages for good; those left are renamed, so list them again before the next call."""

    mailbox: MailboxName
    """From enswitch_list_mailboxes."""

    folder: Words = "INBOX"
    """Folder."""

    messages: list[MessageName] = Field(min_length=1)
    """Names, from enswitch_list_messages."""

    def before(self) -> ListMessages:
        return ListMessages(mailbox=self.mailbox, folder=self.folder, customer=self.customer)

    def to_wire(self) -> dict[str, Any]:
        return {**wire_fields(self), "messages": ",".join(self.messages)}


@enswitch.function(
    "messages/text/send",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Text {cnumber:number}[, {message:parts}]",
    toolset="messages",
    unverifiable="no documented call lists texts that were sent",
    synonyms=("sms", "text", "notify", "reply"),
)
class SendText(ForCustomer, Operation[Accepted]):
    """Send a text message, billed by segment; no delivery report."""

    cnumber: Number
    """Number that gets it."""

    snumber: Sender
    """Number of yours that sends it, from enswitch_list_numbers."""

    message: Annotated[Words, Visible, FitsTextMessage]
    """Text."""

    stype: Kind | None = None
    """Type of the sender."""

    def charge(self) -> Charge:
        why = "The price is the destination's on the rate plan; no documented call finds it for one number."
        return Charge(item="text segment", quantity=segments(self.message).count, unknown=why)

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((None, self.cnumber))


@enswitch.function(
    "faxes/send",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Fax {cnumber:number}",
    toolset="messages",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists faxes that were sent",
    synonyms=("fax", "document", "pdf"),
)
class SendFax(ForCustomer, Operation[Created]):
    """Send a fax, which is billed; no delivery report."""

    cnumber: Number
    """Number that gets it."""

    data: Base64
    """Document, base64 encoded."""

    snumber: Sender | None = None
    """Number of yours that sends it, from enswitch_list_numbers."""

    email: Mail | None = None
    """Mail address that gets the outcome."""

    mailbox: MailboxName | None = None
    """Mailbox that keeps a copy."""

    def charge(self) -> Charge:
        return Charge(item="fax", unknown="The price is the destination's on the rate plan, by the minute.")

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((None, self.cnumber))


class Campaign(Answer):
    """A bulk campaign. Its columns are inferred."""

    id: int | None = None
    name: str | None = None
    customer: int | None = None
    status: str | None = None


class Campaigns(Listing):
    """Bulk campaigns."""

    campaigns: list[Campaign] = []


@enswitch.function(
    "bulk/campaigns/list",
    effect=Effect.READ,
    toolset="messages",
    basis=COLUMNS_INFERRED,
    synonyms=("robocall", "broadcast", "auto dialer", "mass calling"),
)
class ListBulkCampaigns(ForCustomer, Operation[Campaigns]):
    """List a customer's bulk call campaigns."""


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return content.encode("utf-8")
