"""Field types and parts of answers that several of Routee's resources share."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SerializationInfo, ValidationInfo

from clients.fields import RECORDED, WIRE, AnsweredTime, FromOutside, LooseText, ScheduledMoment
from clients.operation import Answer
from clients.phone_numbers import require_full_sender
from clients.segments import FitsTextMessage, Visible
from tools.hosts import WebHost, require_web_host
from tools.webhooks import PLAIN_SENDER

Text = Annotated[str, Field(min_length=1)]

SmsText = Annotated[str, Field(min_length=1, max_length=1600), Visible, FitsTextMessage]

HttpsUrl = Annotated[str, Field(pattern=r"^https://\S+$"), WebHost]
"""An address that Routee posts to or reads a dialplan from. No document asks for https, but what goes there is personal
data, or what a call does next."""

WebPage = Annotated[str, Field(pattern=r"^https?://\S+$"), WebHost]
"""A page that the recipient opens."""


def _inbox_or_host(value: str) -> str:
    return value if value == "inbox" else require_web_host(value)


PostsTo = Annotated[str, Field(pattern=r"^(inbox|https://\S+)$"), AfterValidator(_inbox_or_host)]
"""Where callbacks are posted: an address, or the inbox of this server, whose address the client fills in."""

WavUrl = Annotated[str, Field(pattern=r"^https?://\S+\.(wav|WAV)(\?\S*)?$"), WebHost]
"""A WAV file (documented); a signed address has a query after its name."""

Label = Annotated[str, Field(min_length=1, max_length=350)]

CampaignName = Annotated[str, Field(pattern=r"^[A-Za-z0-9 -]{2,30}$")]

GroupName = Annotated[str, Field(min_length=2, max_length=30)]

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]

Id = str
"""An identifier that Routee made; no document says what it looks like."""

Service = Literal["Sms", "Voice", "Viber", "TwoStep", "Lookup", "NumberValidator"]

Gender = Literal["male", "female"]

LANGUAGES: Final = (
    "en-US", "de-DE", "fr-FR", "it-IT", "pt-BR", "es-ES", "es-LA", "en-GB", "el-GR", "bg-BG", "pl-PL", "hu-HU",
    "sv-SE", "ru-RU",
)  # fmt: skip


def _is_spoken(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"one of {', '.join(LANGUAGES)}")
    return value


Language = Annotated[str, Field(pattern=r"^[a-z]{2}-[A-Z]{2}$"), AfterValidator(_is_spoken)]
"""A language that Routee speaks. The list stands in the error, since in the schema of each tool it would be long."""

When = Literal["now"] | ScheduledMoment
"""Routee acts at once on what has no date. Here the caller always says which."""


def scheduled(when: Literal["now"] | datetime) -> str | None:
    """`scheduledDate`; none for now."""
    return None if when == "now" else iso(when)


def iso(moment: datetime) -> str:
    """Return a time as Routee writes it: to the second (documented for scheduled dates)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def timing_warnings(when: Literal["now"] | datetime, at_once: str) -> list[str]:
    """Return what the time of a bulk send means."""
    if when == "now":
        return [at_once]
    if when <= datetime.now(UTC):
        return ["The time is past; what Routee does then is not documented, it may act at once."]
    return []


def _without_plus(value: str, info: SerializationInfo) -> str:
    return value.removeprefix("+") if info.context == WIRE else value


def _is_sender(value: str, info: ValidationInfo) -> str:
    if not re.fullmatch(r"\+?[0-9]{1,16}|[A-Za-z0-9 .&_-]{1,11}", value):
        raise ValueError("a number of up to 16 digits, or up to 11 letters, digits and spaces")
    return value if info.context == RECORDED else require_full_sender(value)


Sender = Annotated[str, AfterValidator(_is_sender), PlainSerializer(_without_plus)]
"""A number of up to 16 digits or up to 11 letters and digits (documented); a rented number goes without its plus."""


def in_e164(shown: object) -> str | None:
    """Return a number in E.164, which answers show with its plus or without; None for anything else."""
    digits = str(shown).removeprefix("+")
    is_number = isinstance(shown, str | int) and digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15
    return f"+{digits}" if is_number else None


def same_number(shown: str | None, wanted: str | None) -> bool:
    """Return True for the same number or name, with its plus or without."""
    return shown is not None and wanted is not None and shown.removeprefix("+") == wanted.removeprefix("+")


SENDER_ALONE: Final = FromOutside(unless=PLAIN_SENDER)
"""Who texts or calls may send any text as the number; a number, and one word of a sender's length, say nothing."""

AnsweredSender = Annotated[LooseText, SENDER_ALONE]
"""Who sent a message or called: one of ours, or anybody."""


def without_description(schema: dict[str, Any]) -> None:
    """Leaves a nested argument's docstring, which is for readers of the code, out of what a model reads."""
    schema.pop("description", None)


def callback(url: str | None, *, final_only: bool | None) -> dict[str, str] | None:
    """Return the callback object: posted at every change of status, or at the final one."""
    return {"url": url, "strategy": "OnCompletion" if final_only else "OnChange"} if url else None


def without_none(**fields: Any) -> dict[str, Any]:
    """Return the fields that are set."""
    return {name: value for name, value in fields.items() if value is not None}


def _listed(value: object) -> object:
    return [cast("object", value)] if isinstance(value, dict) else value


def _plainly(value: Decimal) -> str:
    return format(value, "f")


Amount = Annotated[Decimal, PlainSerializer(_plainly)]
"""An amount without its currency, in all the places that Routee gives it: 0.00600000, never 0E-8."""


class Cost(Answer):
    """A price with its currency."""

    price: Amount | None = None
    currency: str | None = None
    service: str | None = None


Costs = Annotated[list[Cost], BeforeValidator(_listed)]
"""Prices that samples show as an object here and as an array there."""


class Transcoding(Answer):
    """The text in the GSM alphabet, if that is possible."""

    message: str | None = None
    parts: int | None = None


class BodyAnalysis(Answer):
    """What a text takes."""

    characters: int | None = None
    parts: int | None = None
    """Parts that are billed."""

    transcode: Transcoding | None = None
    unicode: bool | None = None
    unsupported: list[str] = Field(default=[], alias="unsupportedGSMCharacters")
    """Characters that make it unicode, of which a part holds fewer."""


class Reason(Answer):
    """Why a status came about."""

    detailed_status: str | None = None
    description: str | None = None


class Status(Answer):
    """A status and since when. Trackings call it `status` and `date`, callbacks and failovers `name` and the like."""

    status: str | None = None
    date: AnsweredTime | None = None
    name: str | None = None
    updated_date: AnsweredTime | None = None
    reason: Reason | None = None


class Callback(Answer):
    """Where Routee posts what changes."""

    url: str | None = None
    strategy: str | None = None

    @property
    def is_final_only(self) -> bool | None:
        """True where only the final status is posted; None where that is not shown."""
        return self.strategy == "OnCompletion" if self.strategy else None


class Recipient(Answer):
    """One contact among the recipients."""

    recipient: LooseText | None = None
    recipient_country: str | None = None
    blacklisted: bool | None = None
    """True when it is left out."""


class Fault(Answer):
    """What is wrong with the recipients."""

    code: LooseText | None = None
    developer_message: str | None = None
    property: LooseText | None = None
    """The invalid numbers."""


class Audience(Answer):
    """Who a bulk send goes to."""

    number_of_recipients: int | None = None
    recipients_per_country: dict[str, int] = {}
    recipient_countries: dict[str, str] = {}
    recipients_per_group: dict[str, int] = {}
    total_in_groups: int | None = None
    contacts: dict[str, Recipient] = {}
    body_analysis: BodyAnalysis | None = None
    errors: list[Fault] = []
