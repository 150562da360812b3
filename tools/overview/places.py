"""Places by name, with the area codes of their numbers.

`places.json` is derived from the geocoding data of phonenumbers (Apache License 2.0), which takes seconds to load;
`tests/tools/test_places.py` compares the two. It has the US and Canada by state and province, and countries whose
places have codes of their own. It is read when somebody first searches by a place.
"""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

from clients.questions.countries import country_name

FILE: Final = Path(__file__).parent / "places.json"

DOMINATES: Final = 10
"""A place so many times as large as the next of its name is the one that is meant."""

LARGE_CITY: Final = 100
"""Weight of a city that is meant where its state has the same name, such as New York."""

MOST_NAMED: Final = 10
"""So many candidates, other places or similar names are named at most."""

SIMILAR: Final = 0.75
"""Least similarity of a name that is offered for a misspelled one."""

ALSO_CALLED: Final[Mapping[str, str]] = {
    "usa": "US", "u s a": "US", "united states of america": "US", "uk": "GB", "great britain": "GB", "england": "GB",
    "united kingdom": "GB", "scotland": "GB", "wales": "GB", "nyc": "New York, NY", "la": "Los Angeles, CA",
    "sf": "San Francisco, CA", "dc": "Washington, DC",
}  # fmt: skip
"""Names of countries and cities that no data has, and what they mean."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place, with the codes with which its numbers begin after the country's code, the largest first."""

    name: str
    country: str
    region: str | None
    """State or province, two letters; None outside North America."""

    codes: tuple[str, ...]
    weight: int
    """How large it is beside other places of its name: its number of prefixes."""

    is_region: bool = False

    @property
    def title(self) -> str:
        """The name by which this place alone is found: `Springfield, IL`."""
        if self.is_region:
            return f"{self.name}, {self.country}"
        return f"{self.name}, {self.region or self.country}"


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """What a name may mean."""

    place: Place | None = None
    """The place that is meant; None where none is, or one of several."""

    others: Sequence[Place] = ()
    """Other places of the name, the largest first; where no place is meant, one has to be chosen from them."""

    similar: Sequence[str] = ()
    """Names that are spelled like an unknown one."""


def find_place(text: str, country: str | None = None) -> FoundPlace:
    """Find the place that a text names: `San Francisco`, `Springfield, IL`, `London, UK`, `California`.

    `country` is where it lies, if that is known.
    """
    text = _renamed(text)
    named = _candidates(text, country)
    if not named:
        return FoundPlace(similar=_similar(text, country))
    first, *others = sorted(named, key=lambda place: (-place.weight, place.title))
    is_meant = not others or first.weight >= DOMINATES * max(place.weight for place in others)
    return FoundPlace(first, others) if is_meant else FoundPlace(others=[first, *others])


def _candidates(text: str, country: str | None) -> list[Place]:
    """Return the places of a name, narrowed by the state, province or country after it."""
    for name, within in _readings(text):
        found = [place for place in _places().get(_plain(name), ()) if country in (None, place.country)]
        if within is not None:
            found = [place for place in found if _lies_in(place, within)]
        if found:
            # A state and its largest city often share a name. The state has all of the city's codes.
            cities = [place for place in found if not place.is_region]
            return cities if cities and max(place.weight for place in cities) >= LARGE_CITY else found
    return []


def _readings(text: str) -> list[tuple[str, str | None]]:
    """Return what of a text may be the name, and what the place that it lies in."""
    named, comma, within = text.partition(",")
    if comma:
        return [(named.strip(), within.strip())]
    *words, last = text.split()
    return [(text, None), *([(" ".join(words), last)] if words else [])]


def _lies_in(place: Place, within: str) -> bool:
    """Return True where a place lies in the state, province or country of a name or code."""
    meant = {_plain(part) for part in (within, *within.split(","))}
    region = _region_names().get((place.country, place.region or ""), "")
    known = {place.country, place.region or "", region, country_name(place.country).removeprefix("the ")}
    known |= {name for name, code in ALSO_CALLED.items() if code == place.country}
    return bool(meant & ({_plain(name) for name in known} - {""}))


def _similar(text: str, country: str | None) -> list[str]:
    known = _places()
    name = _plain(text.partition(",")[0])
    close = get_close_matches(name, known, n=MOST_NAMED, cutoff=SIMILAR)
    places = [place for one in close for place in known[one] if country in (None, place.country)]
    return list(dict.fromkeys(place.title for place in places))[:MOST_NAMED]


def _renamed(text: str) -> str:
    known = ALSO_CALLED.get(_plain(text), text)
    return known if "," in known else text


def _plain(text: str) -> str:
    """Return a name as names are compared: without accents, case and punctuation, `Saint` as `St`."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return re.sub(r"^saint ", "st ", " ".join(re.sub(r"[^\w]+", " ", bare.casefold()).split()))


@cache
def _kept() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    kept: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(FILE.read_text(encoding="utf-8"))["places"]
    return kept


@cache
def _region_names() -> Mapping[tuple[str, str], str]:
    """Return the names of states and provinces, by country and code."""
    return {
        (country, region): places[""].partition("|")[0]
        for country, regions in _kept().items()
        for region, places in regions.items()
        if "" in places
    }


@cache
def _places() -> Mapping[str, Sequence[Place]]:
    """Return every place, by each of its names as names are compared."""
    found: defaultdict[str, list[Place]] = defaultdict(list)
    for country, regions in _kept().items():
        for region, places in regions.items():
            for name, value in places.items():
                place = _place(name, value, country, region)
                for one in {place.name, *place.name.split("/")}:
                    found[_plain(one)].append(place)
    return found


def _place(name: str, value: str, country: str, region: str) -> Place:
    if not name:
        title, _, codes = value.partition("|")
        return Place(title, country, region, tuple(codes.split()), len(codes.split()), is_region=True)
    weight, *rest = value.split()
    return Place(name, country, region or None, tuple(rest), int(weight))
