"""Reads telephone numbers, and brings each to one form by which numbers are compared.

One telephone may be written in several ways: with Mexico's former 1, with or without Argentina's mobile 9, in the
length that a country's numbers had before it changed its plan. Opt-outs, repetitions, destinations and recipients are
compared by `canonical`. A number that is dialled is never rewritten: a former form is refused with the valid one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult, shortnumberinfo

_SEPARATORS: Final = re.compile(
    r"[\s().\-/\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2064\u2066-\u2069\u2212\ufe58\ufe63\uff0d\ufeff]"
)
"""What stands between digits: blanks, parentheses, the dashes of Unicode, and invisible characters."""

_NUMBER: Final = re.compile(r"\+?[0-9]+")
_INTERNATIONAL: Final = "00"
"""The prefix before a country code that ITU-T E.123 has for international calls in most countries."""

_TEN_DIGITS: Final = re.compile(r"[2-9][0-9]{9}")
TEN_DIGITS_ARE_OF: Final = "US"
"""Country of ten digits without a country code; its numbers and those of Canada are ten digits long."""


_LONGEST_ALARMING: Final = 6
_SPECIAL_SERVICE: Final = 3
"""Digits of a special service of North America, such as 411 and 988."""


@dataclass(frozen=True, slots=True)
class _FormerPlan:
    """How the numbers of a country were written before it changed its numbering plan."""

    former: re.Pattern[str]
    """The digits of a former number, with the country code."""

    valid: str | Callable[[re.Match[str]], str]
    """The replacement, as `re.sub` takes it."""


_VIETNAM: Final = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip

_FORMER_PLANS: Final = (
    # Mexico: the 1 before mobile numbers is gone since 2019-08-03 (communication to ITU-T of 2018-06-12).
    _FormerPlan(re.compile(r"521([0-9]{10})"), r"52\1"),
    # Brazil: mobile numbers got a ninth digit from 2012 to 2016 (Anatel, resolution 553/2010).
    _FormerPlan(re.compile(r"55([1-9][1-9])([6-9][0-9]{7})"), r"55\g<1>9\2"),
    # Benin: 01 stands before the eight digits of before 2024-11-30 (ARCEP Bénin).
    _FormerPlan(re.compile(r"229([0-9]{8})"), r"22901\1"),
    # Viet Nam: eleven digits became ten in 2018 (Ministry of Information and Communications, decision of 2018-05-25).
    _FormerPlan(
        re.compile(rf"84({'|'.join(_VIETNAM)})([0-9]{{7}})"), lambda found: f"84{_VIETNAM[found[1]]}{found[2]}"
    ),
)


def strip_separators(text: str) -> str:
    """Remove blanks, dashes, parentheses and invisible characters from a number as people write it."""
    return _SEPARATORS.sub("", text)


@lru_cache(maxsize=4096)
def canonical(number: str, region: str | None = None) -> str | None:
    """Return the form by which numbers are compared, one for each telephone; None for anything but a number.

    It looks like E.164, but is for comparing only: for Argentina it lacks the 9 that a mobile is dialled with. Without
    a region, only a number with a plus sign and its country code counts.
    """
    valid = valid_form(number, region)
    if valid is None:
        return None
    code = phonenumbers.parse(valid).country_code or 0
    token = phonenumbers.country_mobile_token(code)
    return f"+{code}{valid.removeprefix(f'+{code}').removeprefix(token)}" if token else valid


@lru_cache(maxsize=4096)
def valid_form(number: str, region: str | None = None) -> str | None:
    """Return a number in E.164 as it is dialled today; None for anything but a number.

    A former form is brought up to date, and what is written between the digits is left out. Without a region, only a
    number with a plus sign and its country code counts.
    """
    digits = strip_separators(number)
    if not _NUMBER.fullmatch(digits):
        return None
    if region is None and not digits.startswith("+"):
        return None
    try:
        parsed = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    written = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(parsed) and (current := _current(written)) is not None:
        return current
    return written if has_possible_length(parsed) else None


def has_possible_length(parsed: PhoneNumber) -> bool:
    """Return True if a number has as many digits as numbers of its country have, with their area code."""
    return phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE


def read_with_country_code(text: str) -> str | None:
    """Return E.164 for a number as providers post it, with its country code and often without plus; None if unclear.

    Ten digits are a number of the US or Canada, unless they are also a valid number with a country code: then nobody
    can tell which of the two it is.
    """
    digits = strip_separators(text)
    if not _NUMBER.fullmatch(digits):
        return None
    if digits.startswith("+"):
        return valid_form(digits)
    if digits.startswith(_INTERNATIONAL):
        return valid_form(f"+{digits.removeprefix(_INTERNATIONAL)}")
    home = valid_form(digits, TEN_DIGITS_ARE_OF) if _TEN_DIGITS.fullmatch(digits) else None
    if home is None or not is_assigned(home):
        return valid_form(f"+{digits}")
    return None if is_assigned(f"+{digits}") else home


def require_full_sender(sender: str) -> str:
    """Return a sender that is a name, or a number with its country code.

    Raises:
        ValueError: It is a short number, such as an emergency number, or its country code is missing.
    """
    digits = strip_separators(sender)
    full = read_with_country_code(digits)
    if not _NUMBER.fullmatch(digits) or full == f"+{digits.removeprefix('+')}":
        return sender
    advice = f"write {full}" if full else "give a number with + and its country code"
    raise ValueError(
        f"{sender[:20]} is not a complete number, and nobody may send as an emergency or short number: {advice}"
    )


def require_harmless_caller(caller: str) -> str:
    """Return a caller ID that nobody takes for an emergency service.

    Raises:
        ValueError: It is the emergency number of a country, or a special service of North America such as 411.
    """
    if _is_alarming(strip_separators(caller).removeprefix("+")):
        raise ValueError(f"{caller[:20]} is an emergency number or a special service, and nobody may call as one")
    return caller


@lru_cache(maxsize=256)
def _is_alarming(digits: str) -> bool:
    if not _NUMBER.fullmatch(digits) or len(digits) > _LONGEST_ALARMING:
        return False
    if any(shortnumberinfo.is_emergency_number(digits, region) for region in phonenumbers.SUPPORTED_REGIONS):
        return True
    service = PhoneNumber(country_code=1, national_number=int(digits))
    return len(digits) == _SPECIAL_SERVICE and shortnumberinfo.is_valid_short_number_for_region(
        service, TEN_DIGITS_ARE_OF
    )


def format_for_people(number: str) -> str:
    """Return a number as people write and dial it: `+1 201 555 0142`. What is no number is returned as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return number
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


def country_of(number: str) -> str | None:
    """Return the ISO code of the country of a number in E.164; None where it belongs to none, or to several."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except NumberParseException:
        return None


def is_assigned(number: str) -> bool:
    """Return True if a number in E.164 is in a range that its country has given out, as far as phonenumbers knows."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except NumberParseException:
        return False


@lru_cache(maxsize=4096)
def spellings(number: str) -> tuple[str, ...]:
    """Return every form in which the telephone of a number is written: the canonical one, others of today, its own."""
    found = canonical(number)
    if found is None:
        return (number,)
    code = phonenumbers.parse(found).country_code or 0
    token = phonenumbers.country_mobile_token(code)
    mobile = f"+{code}{token}{found.removeprefix(f'+{code}')}"
    return tuple(dict.fromkeys((found, mobile, number)))


def _current(written: str) -> str | None:
    """Return the valid form of a number in a former one; None where it is in none."""
    digits = written.removeprefix("+")
    for plan in _FORMER_PLANS:
        if plan.former.fullmatch(digits):
            current = "+" + plan.former.sub(plan.valid, digits)
            return current if is_assigned(current) else None
    return None
