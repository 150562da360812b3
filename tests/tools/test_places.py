"""Places by name become the codes that numbers are searched by."""

import json
import os
from collections.abc import Mapping
from typing import Any

import phonenumbers
import pytest

from tests.tools.places_data import NORTH_AMERICA, PARTS, elsewhere, names_by_prefix, north_america
from tools.overview.places import FILE, find_place

WRITE = os.environ.get("RINGFENCE_WRITE_PLACES") == "1"
ORIGIN = "Derived from the geocoding data of phonenumbers, Apache License 2.0, by tests/tools/places_data.py."


def test_the_kept_places_are_those_of_phonenumbers() -> None:
    """North America only: the rest of the data takes seconds to load."""
    if WRITE:
        names = names_by_prefix()
        _write({**north_america(names), **elsewhere(names)})
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    derived = north_america(names_by_prefix(PARTS[:NORTH_AMERICA]))
    assert {country: kept["places"][country] for country in derived} == derived
    assert kept["origin"] == ORIGIN


def _write(places: Mapping[str, Any]) -> None:
    content = {"origin": ORIGIN, "version": phonenumbers.__version__, "places": places}
    FILE.write_text(json.dumps(content, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "country", "title", "codes"),
    [
        ("San Francisco", None, "San Francisco, CA", ("415",)),
        ("san francisco, california", None, "San Francisco, CA", ("415",)),
        ("SF", None, "San Francisco, CA", ("415",)),
        ("Toronto", None, "Toronto, ON", ("437", "942", "416")),
        ("Springfield IL", None, "Springfield, IL", ("217",)),
        ("Springfield, Illinois", "US", "Springfield, IL", ("217",)),
        ("New York", None, "New York, NY", ("212", "332", "934")),
        ("Saint Louis", None, "St. Louis, MO", ("314",)),
        ("Montréal", None, "Montreal, QC", ("263", "514")),
        ("London", "GB", "London, GB", ("20",)),
        ("London, UK", None, "London, GB", ("20",)),
        ("London, Ontario", None, "London, ON", ("519",)),
        ("Athens", "GR", "Athens/Piraeus/Salamina, GR", ("21",)),
        ("Nova Scotia", None, "Nova Scotia, CA", ("902", "782")),
    ],
)
def test_a_place_is_found_with_its_codes(text: str, country: str | None, title: str, codes: tuple[str, ...]) -> None:
    found = find_place(text, country)
    assert found.place is not None
    assert found.place.title == title
    assert found.place.codes == codes


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Springfield", {"Springfield, IL", "Springfield, MA", "Springfield, MO"}),
        ("London", {"London, GB", "London, ON"}),
        ("Athens", {"Athens, GA", "Athens/Piraeus/Salamina, GR"}),
    ],
)
def test_a_name_of_several_places_means_none_of_them(text: str, titles: set[str]) -> None:
    found = find_place(text)
    assert found.place is None
    assert titles <= {place.title for place in found.others}


@pytest.mark.parametrize(
    ("text", "similar"), [("San Fransisco", "San Francisco, CA"), ("Chicgo", "Chicago, IL"), ("Xqzt", None)]
)
def test_an_unknown_place_has_the_nearest_spellings(text: str, similar: str | None) -> None:
    found = find_place(text)
    assert found.place is None
    assert not found.others
    assert next(iter(found.similar), None) == similar


def test_every_title_finds_its_own_place_alone() -> None:
    for text in ("Springfield", "Washington", "Paris", "Portland"):
        found = find_place(text)
        for place in [*found.others, *([found.place] if found.place else [])]:
            assert find_place(place.title).place == place
