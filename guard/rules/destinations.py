"""Where calls and messages may go. None of it can be loosened by an argument of a call."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, shortnumberinfo

from guard.errors import DestinationRefused

_SATELLITE_AND_INTERNATIONAL = {870, 878, 881, 882, 883, 888, 979}
"""Country codes without a country: satellite and international premium networks, the usual goal of toll fraud."""

_EXPENSIVE = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
}
_LONGEST_EXTENSION = 6


@dataclass(frozen=True, slots=True)
class Destinations:
    """The operator's rules. Emergency, premium, shared-cost and satellite numbers are refused whatever they say."""

    countries: frozenset[str] = frozenset({"US", "CA"})
    """ISO codes of countries that may be called and texted."""

    refused_prefixes: tuple[str, ...] = field(default=())
    """Further prefixes to refuse, in E.164."""

    home: str = "US"
    """Country whose emergency numbers count where a number has no country code."""

    def check(self, numbers: Sequence[str]) -> None:
        """Check every destination of a call.

        Raises:
            DestinationRefused: One of them may not be reached; the message names it and the rule.
        """
        for number in numbers:
            reason = self._refusal(number)
            if reason is not None:
                raise DestinationRefused(f"{number} is {reason}; nothing was sent.")

    def _refusal(self, number: str) -> str | None:
        if not number.startswith("+"):
            return self._refusal_of_short(number)
        try:
            parsed = phonenumbers.parse(number)
        except NumberParseException:
            return "not a telephone number"
        if (written := phonenumbers.format_number(parsed, PhoneNumberFormat.E164)) != number:
            return f"not written in E.164, as {written} is"  # rules compare letter by letter; a provider may not
        if parsed.country_code in _SATELLITE_AND_INTERNATIONAL:
            return "a satellite or international premium number, which is always refused"
        if _is_pay_per_call_exchange(parsed):
            return "a pay-per-call number (976), which is always refused"
        kind = _EXPENSIVE.get(phonenumbers.number_type(parsed)) or self._emergency(parsed)
        if kind is not None:
            return f"{kind}, which is always refused"
        if not phonenumbers.is_possible_number(parsed):
            return "not a telephone number: too short or too long for its country"
        if any(number.startswith(prefix) for prefix in self.refused_prefixes):
            return "refused by destinations.refused_prefixes"
        return self._refusal_by_country(parsed)

    def _refusal_by_country(self, parsed: PhoneNumber) -> str | None:
        country = phonenumbers.region_code_for_number(parsed)
        if country is None:
            possible = set(phonenumbers.region_codes_for_country_code(parsed.country_code or 0))
            return None if possible & self.countries else "in no country that destinations.countries names"
        if country not in self.countries:
            return f"in {country}, and destinations.countries allows {', '.join(sorted(self.countries))}"
        return None

    def _refusal_of_short(self, number: str) -> str | None:
        if self._is_emergency(number, self.home):
            return "an emergency number, which is always refused"
        if number.isascii() and number.isdigit() and len(number) <= _LONGEST_EXTENSION:
            return None
        return "not in E.164 (+12015550123)"

    def _emergency(self, parsed: PhoneNumber) -> str | None:
        if self._is_emergency(str(parsed.national_number), phonenumbers.region_code_for_number(parsed)):
            return "an emergency number"
        return "an emergency number of a country with that code" if _is_emergency_abroad(parsed) else None

    def _is_emergency(self, number: str, region: str | None) -> bool:
        regions = {self.home, *([region] if region else [])}
        return any(shortnumberinfo.connects_to_emergency_number(number, region) for region in regions)


def _is_emergency_abroad(parsed: PhoneNumber) -> bool:
    """Exactly: for a longer number only its own country counts, where Raleigh's 919 is no emergency."""
    national = str(parsed.national_number).rjust(3, "0")  # leading zeros, as in 000, are not part of a parsed number
    regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    return any(shortnumberinfo.is_emergency_number(national, region) for region in regions)


def _is_pay_per_call_exchange(parsed: PhoneNumber) -> bool:
    national = str(parsed.national_number)
    return parsed.country_code == 1 and len(national) == 10 and national[3:6] == "976"
