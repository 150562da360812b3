"""Field types that operations and answers share.

Inside, telephone numbers are E.164, times are aware and amounts are Decimal; the provider's own form exists only on the
wire, which a model is dumped to with `context=WIRE`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    SerializationInfo,
    ValidationInfo,
)
from pydantic.fields import FieldInfo

from clients.phone_numbers import read_with_country_code, strip_separators, valid_form

WIRE: Final = "wire"
"""Serialization context that asks for the provider's form."""

RECORDED: Final = "recorded"
"""Validation context of arguments from the record, which names the content of a file and does not hold it."""

_SHOWN: Final = 40
"""How much of a wrong argument its refusal repeats."""

_NANP = re.compile(r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def _us_number(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _NANP.fullmatch(value) or _NANP.fullmatch(strip_separators(value))
    return "+1" + found[1] if found else value


def _required_us_number(value: object, info: ValidationInfo) -> object:
    """Refuse what is no US or Canadian number in a sentence; arguments from the record stay as they were sent."""
    number = _us_number(value)
    if not isinstance(number, str) or info.context == RECORDED or _NANP.fullmatch(number):
        return number
    raise ValueError(f"{number[:_SHOWN]} is not a US or Canadian number, such as +12015550123")


def _ten_digits(value: str, info: SerializationInfo) -> str:
    return value[2:] if info.context == WIRE else value


UsNumber = Annotated[
    str,
    Field(pattern=r"^\+1[2-9][0-9]{2}[2-9][0-9]{6}$"),
    BeforeValidator(_required_us_number),
    PlainSerializer(_ten_digits),
]
"""A US or Canadian number: E.164 inside, ten digits on the wire. Ten digits are accepted and normalised."""


def _answered_number(value: object) -> object:
    return _us_number(str(value)) if isinstance(value, int) and not isinstance(value, bool) else _us_number(value)


def _required_e164(value: object, info: ValidationInfo) -> object:
    """Leave out what people write between digits, and refuse any other fault of form with the corrected form.

    Nothing else is corrected: a person approves the number that the caller wrote. Arguments from the record stay as
    they were sent.
    """
    if not isinstance(value, str):
        return value
    number = strip_separators(value)
    if info.context == RECORDED:
        return number
    valid = valid_form(number) or read_with_country_code(number)
    if valid is not None and valid != number:
        raise ValueError(f"{value[:_SHOWN]} is not written in E.164: write {valid}")
    if not _E164.fullmatch(number):
        raise ValueError(
            f"{value[:_SHOWN]} is not a telephone number in E.164, with + and its country code, such as +12015550123"
        )
    return number


def _digits(value: str, info: SerializationInfo) -> str:
    return value.removeprefix("+") if info.context == WIRE else value


E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$"), BeforeValidator(_required_e164)]
"""A number of any country, in E.164 with its plus sign, also on the wire."""

E164OrUsDigits = Annotated[E164, BeforeValidator(_us_number)]
"""The same, where ten digits without a country are a US or Canadian number."""

E164Digits = Annotated[E164, PlainSerializer(_digits)]
"""The same, where the provider wants it without the plus sign."""


def _epoch(value: datetime, info: SerializationInfo) -> int | str:
    return int(value.timestamp()) if info.context == WIRE else value.isoformat()


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_utc), PlainSerializer(_epoch)]
"""A time with its zone, kept in UTC: ISO 8601 for people, epoch seconds on the wire."""


def require_in_order(older: str, since: object, newer: str, until: object) -> None:
    """Refuse an empty time range before it spends a call; `older` and `newer` are the names of its bounds.

    Raises:
        ValueError: The range ends before it begins.
    """
    if isinstance(since, datetime) and isinstance(until, datetime) and since > until:
        raise ValueError(f"{older}: the older bound is later than {newer}, so the range is empty")


def _iso(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


IsoMoment = Annotated[AwareDatetime, AfterValidator(_utc), PlainSerializer(_iso)]
"""A time with its zone, kept in UTC: ISO 8601 with Z, also on the wire."""


def _iso_utc(value: datetime) -> str:
    return _iso(_utc(value))


ScheduledMoment = Annotated[AwareDatetime, PlainSerializer(_iso_utc)]
"""A time at which something goes out: in UTC in the record and on the wire, and with the offset it was written with
in the call itself, so that a question can say whether that offset is in force there."""


def _aware(value: object) -> object:
    """Epoch seconds and times without a zone are UTC."""
    if isinstance(value, int | float | Decimal):
        try:
            return datetime.fromtimestamp(float(value), tz=UTC)
        except (OverflowError, OSError):
            raise ValueError("the time is out of range") from None
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return value
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return value


AnsweredTime = Annotated[AwareDatetime, BeforeValidator(_aware)]
"""A time in an answer: always aware; UTC where the provider names no zone."""


def _dollars(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    return f"{value:.2f} USD" if isinstance(exponent, int) and exponent > -2 else f"{value} USD"


def _amount(value: object) -> object:
    return value.removesuffix(" USD") if isinstance(value, str) else value


Dollars = Annotated[Decimal, BeforeValidator(_amount), PlainSerializer(_dollars)]
"""An amount in an answer, of an account that is kept in US dollars."""


def _text(value: object) -> object:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


LooseText = Annotated[str, BeforeValidator(_text)]
"""Text in an answer that some sources show as a number."""


Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")]
"""A mail address."""


@dataclass(frozen=True, slots=True)
class FromOutside:
    """Marks an answer field with text from outside the company: shown sanitised and delimited, never obeyed."""

    unless: re.Pattern[str] | None = None
    """A form that cannot carry instructions, such as a number: text of that form is shown as it is."""

    def is_suspect(self, text: str) -> bool:
        """Return True for text that could carry instructions."""
        return self.unless is None or self.unless.fullmatch(text) is None


def outside_marker(metadata: Sequence[Any], annotation: Any) -> FromOutside | None:
    """Return the `FromOutside` of a field, however its type is wrapped; None for a field that has none."""
    if (found := next((item for item in metadata if isinstance(item, FromOutside)), None)) is not None:
        return found
    inner = (outside_marker(getattr(part, "__metadata__", ()), part) for part in get_args(annotation))
    return next((marker for marker in inner if marker is not None), None)


@lru_cache(maxsize=4096)  # asked for each row of every answer; bounded, because plans make classes of their own
def outside_markers(model: type[BaseModel]) -> Mapping[str, FromOutside | None]:
    """Return the `FromOutside` of every field of a model, None for those that have none."""
    return {name: outside_marker(field.metadata, field.annotation) for name, field in model.model_fields.items()}


OutsideText = Annotated[str, FromOutside()]

NUMBER_ALONE: Final = re.compile(r"[+(]?[0-9\s().\-*#]{0,32}")

AnsweredNumber = Annotated[str, BeforeValidator(_answered_number), FromOutside(unless=NUMBER_ALONE)]
"""A number in an answer: E.164 where it is a US or Canadian number, otherwise as the provider wrote it.

A caller or texter may send any text as the number, so anything but a number is text from outside.
"""

_ADDRESS_ALONE = re.compile(r"[A-Za-z0-9._+\-]{1,40}@[A-Za-z0-9.\-]{1,60}")

AnsweredEmail = Annotated[str, FromOutside(unless=_ADDRESS_ALONE)]
"""A mail address in an answer, of somebody outside the company; anything but a plain address is text from outside."""


@dataclass(frozen=True, slots=True)
class KeptFromModel:
    """Marks an input that is never a tool argument: a secret, or what goes with one. The server fills it in.

    `generate` makes a new secret, which is kept for the operator; without it the value is one of the provider's
    settings, named by `setting`, which the operator has anyway.
    """

    generate: Callable[[], str] | None = None
    setting: str | None = None


Secret = SecretStr
"""A secret in an answer: kept for the operator, never shown to the model or written to a log."""


def is_secret(annotation: Any) -> bool:
    """Return True for a field type that holds a secret, however it is wrapped."""
    return annotation is SecretStr or any(is_secret(part) for part in get_args(annotation))


@lru_cache(maxsize=4096)
def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of a model's fields that hold secrets."""
    return frozenset(name for name, field in model.model_fields.items() if is_secret(field.annotation))


def is_filled_by_server(field: FieldInfo) -> bool:
    """Return True for an input that no caller gives: a secret, or what belongs to one."""
    return is_secret(field.annotation) or any(isinstance(rule, KeptFromModel) for rule in field.metadata)
