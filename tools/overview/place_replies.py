"""What is said of a place that numbers are searched by: its codes, others of its name, and names like it."""

from typing import Any, Final

from tools.builtin import Reply, problem
from tools.overview.places import MOST_NAMED, FoundPlace, Place

MOST_CODES: Final = 6
"""So many area codes of a place are searched, each with a request to each provider."""

OVERLAYS: Final = "Newer area codes of the same place (overlays) may be missing here; search them with starts_with."

NOT_IN_DATA: Final = "Not known are places of France, Brazil, Australia and China, and small places elsewhere."


def unclear_place(text: str, found: FoundPlace) -> Reply:
    """Return the answer where a name means several places, or none. Nothing was searched."""
    if found.others:
        places = [_row(place) for place in found.others[:MOST_NAMED]]
        more = f" There are {len(found.others) - MOST_NAMED} more." if len(found.others) > MOST_NAMED else ""
        note = f"Several places have this name, so nothing was searched.{more} Give one of these as place."
        return Reply(content={"place": text, "candidates": places}, notes=[note])
    similar = f"Similar: {'; '.join(found.similar)}." if found.similar else NOT_IN_DATA
    advice = "Give place as `City, ST` or `City, country`, or starts_with: an area code."
    return problem(
        f"No place of the data is named {text!r}, so nothing was searched. {similar} {advice}", kind="NotFound"
    )


def searched_place(found: FoundPlace) -> dict[str, Any]:
    """Return which place was searched, by which codes, and what was left out."""
    place = found.place
    if place is None:
        return {}
    content: dict[str, Any] = {"place": place.title, "codes_searched": list(place.codes[:MOST_CODES])}
    if left := place.codes[MOST_CODES:]:
        content["codes_not_searched"] = list(left)
    if found.others:
        content["other_places"] = [other.title for other in found.others[:MOST_NAMED]]
    return content


def notes_on_place(found: FoundPlace) -> list[str]:
    """Return what the data of a place may lack: it has no area codes that were added to others of the same area."""
    return [OVERLAYS] if found.place is not None and found.place.region is not None else []


def _row(place: Place) -> dict[str, str]:
    return {"place": place.title, "codes": " ".join(place.codes[:MOST_CODES])}
