"""Countries, their mobile networks, and what reaching them costs; all prices are made up, in EUR."""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True)
class Network:
    """A mobile network and what one part of an SMS to it costs."""

    mcc: str
    mnc: str
    name: str
    sms: Decimal


@dataclass(frozen=True)
class Country:
    """A country that can be reached; voice prices are for a minute."""

    iso: str
    iso3: str
    name: str
    local_name: str
    prefix: str
    mobile: str
    """Regular expression of the national part of a mobile number."""
    fixed: str
    networks: tuple[Network, ...]
    landline: Decimal
    mobile_voice: Decimal
    offset: timedelta
    """Local time less UTC, without summer time; inferred, good enough for quiet hours."""

    @property
    def mccs(self) -> tuple[str, ...]:
        """Every mobile country code of its networks; large countries have several."""
        return tuple(sorted({network.mcc for network in self.networks}))


def _network(mcc: str, mnc: str, name: str, sms: str) -> Network:
    return Network(mcc, mnc, name, Decimal(sms))


COUNTRIES = (
    Country(
        "GR", "GRC", "Greece", "Ελλάδα", "30", r"69[0-9]{8}", r"2[0-9]{9}",
        (_network("202", "01", "Cosmote", "0.0450"), _network("202", "05", "Vodafone", "0.0480"),
         _network("202", "10", "Nova", "0.0470")),
        Decimal("0.0250"), Decimal("0.0600"), timedelta(hours=2),
    ),
    Country(
        "GB", "GBR", "United Kingdom", "United Kingdom", "44", r"7[0-9]{9}", r"[1-38][0-9]{8,9}",
        (_network("234", "10", "O2", "0.0330"), _network("234", "15", "Vodafone", "0.0330"),
         _network("234", "30", "EE", "0.0345")),
        Decimal("0.0110"), Decimal("0.0320"), timedelta(0),
    ),
    Country(
        "US", "USA", "United States", "United States", "1", r"[2-9][0-9]{9}", r"[2-9][0-9]{9}",
        (_network("311", "180", "AT&T", "0.0079"), _network("310", "260", "T-Mobile", "0.0079"),
         _network("310", "004", "Verizon", "0.0083")),
        Decimal("0.0125"), Decimal("0.0125"), timedelta(hours=-5),
    ),
    Country(
        "DE", "DEU", "Germany", "Deutschland", "49", r"1[567][0-9]{8,9}", r"[2-9][0-9]{5,10}",
        (_network("262", "01", "Telekom", "0.0690"), _network("262", "02", "Vodafone", "0.0690"),
         _network("262", "03", "O2", "0.0710")),
        Decimal("0.0140"), Decimal("0.0380"), timedelta(hours=1),
    ),
    Country(
        "CY", "CYP", "Cyprus", "Κύπρος", "357", r"9[0-9]{7}", r"2[0-9]{7}",
        (_network("280", "01", "Cytamobile", "0.0310"), _network("280", "10", "Epic", "0.0320")),
        Decimal("0.0420"), Decimal("0.0780"), timedelta(hours=2),
    ),
    Country(
        "FR", "FRA", "France", "France", "33", r"[67][0-9]{8}", r"[1-59][0-9]{8}",
        (_network("208", "01", "Orange", "0.0520"), _network("208", "10", "SFR", "0.0520")),
        Decimal("0.0090"), Decimal("0.0350"), timedelta(hours=1),
    ),
)  # fmt: skip

QUIET_HOURS_COUNTRIES = frozenset({"GR", "GB", "DE", "CY"})
"""inferred: which countries are supported is only known to the API."""

LOOKUP = Decimal("0.0060")
VALIDATION = Decimal("0.0030")
VALIDATION_PORTED = Decimal("0.0090")
TWO_STEP_SMS = Decimal("0.0550")
TWO_STEP_VOICE = Decimal("0.0900")
VIBER_TRANSACTIONAL = Decimal("0.0120")
VIBER_PROMOTIONAL = Decimal("0.0180")


def country_of(number: str) -> Country | None:
    """Return the country of a number with '+'; None if it is no number or of a country that cannot be reached."""
    if E164.fullmatch(number) is None:
        return None
    return next((country for country in COUNTRIES if number[1:].startswith(country.prefix)), None)


def is_mobile(number: str) -> bool:
    """Return whether an SMS can be sent to a number with '+'."""
    country = country_of(number)
    return country is not None and re.fullmatch(country.mobile, number[1 + len(country.prefix) :]) is not None


def is_callable(number: str) -> bool:
    """Return whether a number with '+' can be called."""
    country = country_of(number)
    if country is None:
        return False
    return re.fullmatch(f"{country.mobile}|{country.fixed}", number[1 + len(country.prefix) :]) is not None


def require_country(number: str) -> Country:
    """Return the country of a number that was checked before."""
    country = country_of(number)
    if country is None:
        raise LookupError(f"{number} was not checked")
    return country


def network_of(number: str) -> Network:
    """Return the network of a mobile number that was checked before; made up from its fifth digit from the end."""
    networks = require_country(number).networks
    return networks[int(number[-5]) % len(networks)]


def voice_price(number: str) -> Decimal:
    """Return what a minute to this number costs."""
    country = require_country(number)
    return country.mobile_voice if is_mobile(number) else country.landline
