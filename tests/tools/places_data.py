"""Derives the places that numbers are searched by from the geocoding data of phonenumbers (Apache License 2.0).

Its package loads all of its data at once, which takes seconds; so the part that is used is kept in `places.json`. Only
tests import this: they compare the two, and `RINGFENCE_WRITE_PLACES=1` writes the file.
"""

import importlib.util
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import phonenumbers

Kept = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By country and region (none outside North America), the places with their weight and their codes.

The place of the empty name is the region itself, and the first word of its value its name.
"""

PARTS: Final = sorted(
    (Path(phonenumbers.__file__).parent / "geodata").glob("data*.py"), key=lambda file: int(file.stem[4:])
)
"""The files of phonenumbers' data, which are sorted by prefix."""

NORTH_AMERICA: Final = 4
"""So many of them hold all prefixes of North America."""

CANADA: Final = {
    "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
    "NL": "Newfoundland and Labrador", "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut",
    "ON": "Ontario", "PE": "Prince Edward Island", "QC": "Quebec", "SK": "Saskatchewan", "YT": "Yukon",
}  # fmt: skip
UNITED_STATES: Final = {
    "AK": "Alaska", "AL": "Alabama", "AR": "Arkansas", "AZ": "Arizona", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DC": "District of Columbia", "DE": "Delaware", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "IA": "Iowa", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "MA": "Massachusetts", "MD": "Maryland", "ME": "Maine", "MI": "Michigan", "MN": "Minnesota",
    "MO": "Missouri", "MS": "Mississippi", "MT": "Montana", "NC": "North Carolina", "ND": "North Dakota",
    "NE": "Nebraska", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NV": "Nevada", "NY": "New York",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina",
    "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VA": "Virginia", "VI": "Virgin Islands",
    "VT": "Vermont", "WA": "Washington", "WI": "Wisconsin", "WV": "West Virginia", "WY": "Wyoming",
}  # fmt: skip
REGIONS: Final = UNITED_STATES | CANADA
SPELLED: Final = {"Washington State": "Washington", "British Colombia": "British Columbia"}
"""Regions that phonenumbers writes otherwise."""

AREA_CODE: Final = 3
EDGE: Final = 20
"""An area code with less than one in so many of a place's prefixes is left out: the place only touches it."""

WHOLE_CODE: Final = 100
"""For so many prefixes counts an area code that phonenumbers has for one place alone."""

OTHERWISE: Final = {"Washington D.C.": "Washington, DC"}
"""Places that phonenumbers writes without the region, and how it writes all others."""

SHORT: Final = 3
"""Digits of the area code of a large city outside North America."""

FEWEST_PLACES: Final = 50
"""In a country with fewer, a short code is no sign of a large place: its numbers are short, too."""

LEFT_OUT: Final = frozenset({"33", "55", "61", "86"})
"""France, Brazil, Australia, China: phonenumbers names their many exchanges, not their area codes."""

_CITY: Final = re.compile(r"(?P<city>.+), (?P<region>[A-Z]{2})")


def names_by_prefix(parts: Iterable[Path] = PARTS) -> dict[str, str]:
    """Return the English names of phonenumbers' data, by prefix with the country code."""
    found: dict[str, str] = {}
    for part in parts:
        found |= {prefix: names["en"] for prefix, names in _load(part).items() if "en" in names}
    return found


def north_america(names: Mapping[str, str]) -> Kept:
    """Return the regions and places of the US and Canada. The weight of a place is its number of prefixes."""
    cities: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    regions: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for code, name in ((prefix[1:], OTHERWISE.get(name, name)) for prefix, name in names.items() if prefix[0] == "1"):
        if found := _CITY.fullmatch(name):
            cities[found["region"], found["city"]][code[:AREA_CODE]] += WHOLE_CODE if len(code) == AREA_CODE else 1
            regions[found["region"]][code[:AREA_CODE]] += 1
        for region in _regions_named(name) if len(code) == AREA_CODE else ():
            regions[region][code] += WHOLE_CODE
    kept: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for region, codes in sorted(regions.items()):
        largest = [code for code, count in codes.most_common() if count * 2 > _most(regions, code)]
        kept[_country(region)][region] = {"": f"{REGIONS[region]}|{' '.join(largest)}"}
    for (region, city), codes in sorted(cities.items()):
        kept[_country(region)][region][city] = f"{codes.total()} {' '.join(_main(codes))}"
    return kept


def _country(region: str) -> str:
    return "CA" if region in CANADA else "US"


def _regions_named(name: str) -> list[str]:
    """Return the regions that an area code is named after."""
    named = [SPELLED.get(part, part) for part in name.split("/")]
    return [region for region, title in REGIONS.items() if title in named]


def _most(regions: Mapping[str, Counter[str]], code: str) -> int:
    """Return how often the region that has most of an area code is found with it: others only touch it."""
    return max(codes[code] for codes in regions.values())


def elsewhere(names: Mapping[str, str]) -> Kept:
    """Return the places of the other countries, each with the shortest codes that are its alone."""
    by_country: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for prefix, name in names.items():
        country = next(prefix[:digits] for digits in (1, 2, 3) if _regions(prefix[:digits]))
        if country not in LEFT_OUT | {"1"}:
            by_country[country][prefix[len(country) :]] = name
    kept: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for country, found in sorted(by_country.items()):
        codes: defaultdict[str, list[str]] = defaultdict(list)
        for prefix, name in sorted(_shortened(found).items()):
            codes[name].append(prefix)
        is_large = len(codes) >= FEWEST_PLACES
        places = {name: f"{_weight(of, is_large=is_large)} {' '.join(of)}" for name, of in sorted(codes.items())}
        kept[_regions(country)[0]] = {"": places}
    return kept


def _weight(codes: list[str], *, is_large: bool) -> int:
    """Return how much a place counts beside others of its name: a short area code is that of a large city."""
    return WHOLE_CODE if is_large and min(map(len, codes)) <= SHORT else len(codes)


def _main(codes: Counter[str]) -> list[str]:
    return [code for code, count in codes.most_common() if count * EDGE >= codes.total()]


def _shortened(names: Mapping[str, str]) -> dict[str, str]:
    """Return the prefixes with those that share a name and all but the last digit made one."""
    kept = dict(names)
    for digits in range(max(map(len, kept)), 1, -1):
        siblings: defaultdict[str, list[str]] = defaultdict(list)
        for prefix in [prefix for prefix in kept if len(prefix) == digits]:
            siblings[prefix[:-1]].append(prefix)
        for shorter, prefixes in siblings.items():
            shared = {kept[prefix] for prefix in (*prefixes, shorter) if prefix in kept}
            if len(shared) == 1:
                kept[shorter] = shared.pop()
                for prefix in prefixes:
                    del kept[prefix]
    return kept


def _regions(code: str) -> tuple[str, ...]:
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())


def _load(part: Path) -> Mapping[str, Mapping[str, str]]:
    """Load one file of phonenumbers' data, without the package that loads all of them."""
    spec = importlib.util.spec_from_file_location(f"phonenumbers.geodata.{part.stem}", part)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data: Mapping[str, Mapping[str, str]] = module.data
    return data
