"""Where calls and messages may go. None of it can be loosened by an argument of a call.

Which numbers exist, which are expensive, and which reach an emergency service are facts of the library phonenumbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ShortNumberCost,
    ValidationResult,
    shortnumberinfo,
)

from clients.phone_numbers import canonical, spellings, valid_form
from guard.errors import BadDestination, DestinationRefused

_SATELLITE_AND_INTERNATIONAL: Final = {870, 878, 881, 882, 883, 888, 979}
"""Country codes without a country: satellite and international premium networks, the usual goal of toll fraud."""

_EXPENSIVE: Final = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number, which costs like a premium-rate number",
    PhoneNumberType.PAGER: "a pager's number, which costs like a premium-rate number",
}
_LONGEST_EXTENSION: Final = 6
_LONGEST_SPECIAL: Final = 3
"""Any short number of at most three digits is a service of the network, such as 411 and 988."""

_LONGEST_EMERGENCY: Final = 6
"""Digits of the longest emergency number that phonenumbers knows of; a test counts again."""

_OUTSIDE_LINE: Final = ("0", "1", "8", "9")
"""Digits that exchanges expect before a number outside, and the 1 of long distance."""

_OUTSIDE_LINE_DIGITS: Final = (1, 2)
"""How many digits may stand before an emergency number that an exchange still connects: 9-911 and 9-1-911."""

_NORTH_AMERICA: Final = 1
_LONG_ENOUGH: Final = 10


@dataclass(frozen=True, slots=True)
class Destinations:
    """The operator's rules. Emergency, premium, personal and satellite numbers are refused whatever they say."""

    countries: frozenset[str] = frozenset({"US", "CA"})
    """ISO codes of countries that may be called and texted."""

    refused_prefixes: tuple[str, ...] = field(default=())
    """Further prefixes to refuse, in E.164."""

    home: str = "US"
    """Country whose emergency numbers and special services count where a number has no country code."""

    def check(self, numbers: Sequence[str]) -> None:
        """Check every destination of a call.

        Raises:
            BadDestination: One of them is no telephone number or not in E.164; the message says what would be right.
            DestinationRefused: One of them may not be reached; the message names it and the rule.
        """
        for number in numbers:
            fault, rule = _verdict(self, number)
            if fault is not None:
                raise BadDestination(f"{number} is {fault}; nothing was sent.")
            if rule is not None:
                raise DestinationRefused(f"{number} is {rule}; nothing was sent.")

    def fault_of_form(self, number: str) -> str | None:
        """Say why this is no number that exists anywhere; None for one that may exist, and for what a rule refuses."""
        if not number.startswith("+"):
            return None if _is_short(number) else "not in E.164 (+12015550123)"
        try:
            parsed = phonenumbers.parse(number)
        except NumberParseException:
            return "not a telephone number"
        written = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        if written != number:
            return f"not written in E.164, as {valid_form(number) or written} is"  # rules compare letter by letter
        if (valid := valid_form(number)) not in (None, number):
            return f"a former form: the number is {valid} today"
        if _refusal_of_kind(parsed) is not None:
            return None
        match phonenumbers.is_possible_number_with_reason(parsed):
            case ValidationResult.IS_POSSIBLE:
                pass
            case ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
                return "not a telephone number: too short, its area code is missing"
            case _:
                return "not a telephone number: too short or too long for its country"
        if parsed.country_code == _NORTH_AMERICA and phonenumbers.region_code_for_number(parsed) is None:
            return "not a telephone number: its area code does not exist, or its exchange does not"
        return None

    def refusal(self, number: str) -> str | None:
        """Return the rule that refuses a number; None where none does."""
        if not number.startswith("+"):
            return self._refusal_of_short(number)
        parsed = phonenumbers.parse(number)
        if (kind := _refusal_of_kind(parsed)) is not None:
            return f"{kind}, which is always refused"
        if any(form.startswith(prefix) for prefix in self._prefixes() for form in spellings(number)):
            return "refused by destinations.refused_prefixes"
        return self._refusal_by_country(parsed)

    def _prefixes(self) -> tuple[str, ...]:
        """Return the operator's prefixes; one that is a whole number refuses that telephone in every form."""
        return tuple(canonical(prefix) or prefix for prefix in self.refused_prefixes) + self.refused_prefixes

    def _refusal_by_country(self, parsed: PhoneNumber) -> str | None:
        country = phonenumbers.region_code_for_number(parsed)
        if country is None:
            possible = set(phonenumbers.region_codes_for_country_code(parsed.country_code or 0))
            return None if possible & self.countries else "in no country that destinations.countries names"
        if country not in self.countries:
            return f"in {country}, and destinations.countries allows {', '.join(sorted(self.countries))}"
        return None

    def _refusal_of_short(self, number: str) -> str | None:
        """Refuse short and local forms that a telephone network takes for more than an extension."""
        if self._reaches_emergency(number):
            return "an emergency number, which is always refused"
        if any(self._reaches_emergency(number[digits:]) for digits in _OUTSIDE_LINE_DIGITS):
            return "an emergency number after the digits for an outside line, which is always refused"
        if self._is_special_service(number) or (number[:1] in _OUTSIDE_LINE and self._is_special_service(number[1:])):
            return f"a special service of {self.home} (directory assistance, a crisis line), which is always refused"
        return None

    def _reaches_emergency(self, number: str) -> bool:
        return shortnumberinfo.connects_to_emergency_number(number, self.home)

    def _is_special_service(self, number: str) -> bool:
        """Return True for a code that costs or alarms.

        Codes of texting services and of single carriers have the form of extensions, so only the expensive ones count.
        """
        try:
            parsed = phonenumbers.parse(number, self.home)
        except NumberParseException:
            return False
        if not shortnumberinfo.is_valid_short_number_for_region(parsed, self.home):
            return False
        if len(number) <= _LONGEST_SPECIAL:
            return True
        looks_like_extension = shortnumberinfo.is_sms_service_for_region(
            parsed, self.home
        ) or shortnumberinfo.is_carrier_specific_for_region(parsed, self.home)
        cost = shortnumberinfo.expected_cost_for_region(parsed, self.home)
        return not looks_like_extension or cost == ShortNumberCost.PREMIUM_RATE


@lru_cache(maxsize=8192)
def _verdict(rules: Destinations, number: str) -> tuple[str | None, str | None]:
    """Return why a number is none, or which rule refuses it; remembered, because it takes half a millisecond."""
    fault = rules.fault_of_form(number)
    return fault, rules.refusal(number) if fault is None else None


def _is_short(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) <= _LONGEST_EXTENSION


def _refusal_of_kind(parsed: PhoneNumber) -> str | None:
    """Return what a number is, where that alone refuses it."""
    if parsed.country_code in _SATELLITE_AND_INTERNATIONAL:
        return "a satellite or international premium number"
    if _is_pay_per_call_exchange(parsed):
        return "a pay-per-call number (976)"
    if _is_directory_assistance(parsed):
        return "directory assistance (555-1212)"
    if (kind := _EXPENSIVE.get(phonenumbers.number_type(parsed))) is not None:
        return kind
    return "an emergency number of a country with that code" if _is_emergency(parsed) else None


def _is_emergency(parsed: PhoneNumber) -> bool:
    """Return True if the whole national number is an emergency number: a longer one only begins like it."""
    national = str(parsed.national_number)
    if len(national) > _LONGEST_EMERGENCY:
        return False  # at once: looking in each of the 25 countries of +1 takes a millisecond a number
    forms = {national, national.rjust(3, "0")}  # leading zeros, as in 000, are not part of a parsed number
    regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    return any(shortnumberinfo.is_emergency_number(form, region) for form in forms for region in regions)


def _is_pay_per_call_exchange(parsed: PhoneNumber) -> bool:
    national = _ten_digits(parsed)
    return national is not None and national[3:6] == "976"


def _is_directory_assistance(parsed: PhoneNumber) -> bool:
    """North American Numbering Plan Administrator: 555-1212 in each area code."""
    national = _ten_digits(parsed)
    return national is not None and national[3:] == "5551212"


def _ten_digits(parsed: PhoneNumber) -> str | None:
    national = str(parsed.national_number)
    return national if parsed.country_code == _NORTH_AMERICA and len(national) == _LONG_ENOUGH else None
