"""Field types that Enswitch operations share.

The guide's types: flags are 0 and 1, times are Unix seconds, amounts are decimal text, and -1 means without limit.
Lists can also be counted (`count`) and cut for a page selector (`pages`); neither is offered: both change the answer.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializationInfo,
    ValidationInfo,
    WithJsonSchema,
)

from clients.fields import NUMBER_ALONE, RECORDED, WIRE, Email, FromOutside
from clients.phone_numbers import require_full_sender, require_harmless_caller, strip_separators, valid_form

AS_TEXT: Final = WithJsonSchema({"type": "string"})
AS_WHOLE: Final = WithJsonSchema({"type": "integer"})
# Bounds that go without saying are checked, but not shown: there are hundreds of fields, and each word costs context.

Id = Annotated[int, Field(ge=1), AS_WHOLE]
Whole = Annotated[int, Field(ge=0), AS_WHOLE]
Limit = Annotated[int, Field(ge=-1), AS_WHOLE]
"""-1 means without limit."""

Words = Annotated[str, Field(min_length=1), AS_TEXT]
Text = str
"""Any text; empty clears."""

Kind = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
"""A type of source or destination. The guide closes the set for queues only."""

Prefix = Annotated[str, Field(pattern=r"^(\+|\+?[0-9*#]+)$")]
AnyPrefix = Annotated[str, Field(pattern=r"^\+?[0-9*#]*$")]
"""Leading digits as the installation writes numbers, some with a plus sign; it is sent as it is given."""
Csv = Annotated[str, Field(min_length=1), AS_TEXT]
Mail = Annotated[Email, AS_TEXT]
Media = Literal["fax", "voice", "voice_fax"]
BillType = Literal["external", "none", "prepaid", "prepaid_invoices", "prepaid_calls", "postpaid"]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Hour = Annotated[int, Field(ge=0, le=23), AS_WHOLE]
Minute = Annotated[int, Field(ge=0, le=59), AS_WHOLE]


def _flag(value: bool, info: SerializationInfo) -> int | bool:
    return int(value) if info.context == WIRE else value


Flag = Annotated[bool, PlainSerializer(_flag)]
"""True or false; 1 or 0 on the wire."""


def _decimal(value: Decimal) -> str:
    return f"{value:f}"


Amount = Annotated[
    Decimal,
    Field(ge=0, max_digits=15, decimal_places=6),
    PlainSerializer(_decimal),
    AS_TEXT,
]
"""An amount or price, in the currency of the plan or customer it belongs to."""

Positive = Annotated[Amount, Field(gt=0), AS_TEXT]

SpendLimit = Annotated[
    Decimal,
    Field(ge=-2, max_digits=15, decimal_places=6),
    PlainSerializer(_decimal),
    AS_TEXT,
]
"""An amount; -1 is without limit and -2 as the rate plan says."""


_NANP: Final = re.compile(r"1[2-9][0-9]{2}[2-9][0-9]{6}")
_DIALLED: Final = re.compile(r"\+?[0-9]+")


def _as_enswitch_writes(value: object, info: ValidationInfo) -> object:
    """Return a number as the installation has it: `+` and punctuation are ours."""
    if not isinstance(value, str):
        return value
    bare = strip_separators(value)
    if not _DIALLED.fullmatch(bare):
        return value
    valid = valid_form(bare)
    if valid not in (None, bare) and info.context != RECORDED:
        raise ValueError(f"{value[:40]} is not written in E.164: write {valid}")
    return bare.removeprefix("+")


def _harmless(value: str, info: ValidationInfo) -> str:
    """Refuse a caller ID that alarms; a call that is on the record stays readable."""
    return value if info.context == RECORDED else require_harmless_caller(value)


def _full(value: str, info: ValidationInfo) -> str:
    """Refuse a sender that is no complete number; a call that is on the record stays readable."""
    return value if info.context == RECORDED else require_full_sender(value)


Number = Annotated[str, Field(pattern=r"^[0-9*#]+$"), BeforeValidator(_as_enswitch_writes), AS_TEXT]
"""A telephone number as the installation writes it, without +; a leading + is taken off."""

Sender = Annotated[Number, AfterValidator(_full)]
"""A number of the customer's that a message is sent from."""

CallerId = Annotated[Number, AfterValidator(_harmless)]
"""A number that is shown as the caller's."""

CallerIdText = Annotated[str, AfterValidator(_harmless)]
"""What is shown as the caller's number, in whatever form the installation takes it."""

Target = Annotated[str, BeforeValidator(_as_enswitch_writes)]
"""What a type and number name together: a line, a mailbox, a queue's id, or a telephone number."""

CallerIdTarget = Annotated[Target, AfterValidator(_harmless)]
"""A line or number that is shown as the caller's."""


def _shown_number(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return f"+{text}" if isinstance(text, str) and _NANP.fullmatch(text) else text


ShownNumber = Annotated[str, BeforeValidator(_shown_number)]
"""A number in an answer: E.164 where it has the 1 of the US and Canada, otherwise as the installation writes it.

Nothing is added but the plus sign, so that the number can be given back to any tool.
"""


CallerNumber = Annotated[ShownNumber, FromOutside(unless=NUMBER_ALONE)]
"""The number of an end of a call: a caller may send any text as theirs, so anything else is text from outside."""


def _unix(value: object) -> object:
    """Unix seconds, as number or text; 0 and -1 are no time."""
    text = str(value)
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        return value
    seconds = int(text)
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds > 0 else None


ShownTime = Annotated[AwareDatetime | None, BeforeValidator(_unix)]
"""A time in an answer."""

ALLOW: Final[Mapping[str, int]] = {"forbid": 0, "allow": 1, "in_timegroup": 2, "outside_timegroup": 3}
"""plans/routes/create: 2 allows while a time group is active, 3 while it is not."""


def _allow(value: str, info: SerializationInfo) -> str | int:
    return ALLOW[value] if info.context == WIRE else value


Allow = Annotated[Literal["forbid", "allow", "in_timegroup", "outside_timegroup"], PlainSerializer(_allow)]


def _shown_allow(value: object) -> object:
    words = {str(number): word for word, number in ALLOW.items()}
    return words.get(str(value), value)


ShownAllow = Annotated[str, BeforeValidator(_shown_allow)]


def new_password() -> str:
    """Return a new random password of 144 bits."""
    return secrets.token_urlsafe(18)


def new_pin() -> str:
    """Eight random digits. No page says how long a PIN may be."""
    return f"{secrets.randbelow(10**8):08d}"


INSIDE: Final = frozenset({
    "hangup", "phone", "queue", "huntgroup", "ivr", "conference", "mailbox", "address", "peer", "code", "music",
})  # fmt: skip
"""Types that stay inside the installation (inferred from the modules' names); any other may leave it."""


SHORT: Final = 7
"""Longest number that may be an extension."""

OUTSIDE: Final = frozenset({"external", "forward", "number"})
"""Types whose number is dialled_numbers as it stands."""


_URI: Final = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._ -]*")
"""A line, or a person at another exchange."""

_LONG: Final = re.compile(rf"\d{{{SHORT + 1},}}")


def dialled_numbers(*ends: tuple[str | None, str | None]) -> tuple[str, ...]:
    """Return the telephone numbers among types and numbers, in E.164 where they are long enough to be.

    Whatever may be dialled but is no plain number (`*67…`, letters) is passed on as it is: the guard refuses what it
    cannot read. Only names and short numbers of an inside type are left out.
    """
    found = (_number_dialled(kind, target) for kind, target in ends if target)
    return tuple(number for number in found if number is not None)


def _number_dialled(kind: str | None, target: str) -> str | None:
    if kind in INSIDE and not _LONG.search(target):
        return None
    is_uri = kind == "sipuri" or _URI.match(target) is not None
    number = re.split("[@;]", unquote(_URI.sub("", target)), maxsplit=1)[0] if is_uri else target
    digits = number.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        return f"+{digits}" if len(digits) > SHORT else digits
    is_name = kind not in OUTSIDE and _NAME.fullmatch(number) is not None
    return None if is_name else number


def is_given(model: Any, *names: str) -> int:
    """How many of these fields are set."""
    return sum(getattr(model, name) is not None for name in names)
