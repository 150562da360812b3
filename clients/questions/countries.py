"""Names of countries, from the table of ISO 3166 that comes with the time zones of the world (`tzdata`)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

_WITH_ARTICLE: Final = {"AE", "CF", "CZ", "DO", "NL", "PH", "US"}


def country_name(code: str) -> str:
    """Return the name of a country as it stands in a sentence: `Greece`, `the United States`; the code if unknown."""
    name = _names().get(code, code)
    return f"the {name}" if code in _WITH_ARTICLE or name.endswith("Islands") else name


@cache
def _names() -> Mapping[str, str]:
    try:
        table = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):  # some systems bring zones of their own
        return {}
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {code: name for code, name, *_ in rows}
