"""Reads the requests, searches for each, and counts how often a right tool is among the first."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.builtin_list import all_builtin_tools
from tools.discovery.handlers import TOOLSET
from tools.discovery.index import index_of
from tools.discovery.ranking import Index
from tools.registry import all_operations

FILE = Path(__file__).parent / "requests.txt"
GATES: Mapping[int, float] = {1: 0.8, 5: 0.95}
"""Least recall of each half, by how many of the first results count."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and the names of the tools that are right for it."""

    text: str
    accepts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Half:
    """The requests that the ranking was tuned on, or those that were held out."""

    name: str
    requests: list[Request]


@dataclass(frozen=True, slots=True)
class Score:
    """The rank of the first right tool for each request; None where it is not among the first five."""

    places: list[int | None]
    missed: list[tuple[Request, list[str]]]

    def recall(self, top: int) -> float:
        """Return the share of requests with a right tool among the first `top`."""
        return sum(place is not None and place < top for place in self.places) / len(self.places)


def halves() -> list[Half]:
    """Return the tuned and the held-out half."""
    found = requests()
    return [Half("tuned on", found[0::2]), Half("held out", found[1::2])]


def requests() -> list[Request]:
    """Read the requests, in the order of the file."""
    groups: dict[str, list[str]] = {}
    found: list[Request] = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            name, _, members = line.partition("=")
            groups[name.strip()] = members.split()
        elif " -> " in line and not line.startswith("#"):
            text, _, names = line.rpartition(" -> ")
            accepts = [member for name in names.split() for member in groups.get(name, [name])]
            found.append(Request(text.strip(), frozenset(accepts)))
    return found


def score(half: Half) -> Score:
    """Search for each request of a half."""
    places: list[int | None] = []
    missed: list[tuple[Request, list[str]]] = []
    for request in half.requests:
        names = [entry.name for entry in whole_index().search(request.text, 5)]
        place = next((place for place, name in enumerate(names) if name in request.accepts), None)
        places.append(place)
        if place != 0:
            missed.append((request, names))
    return Score(places, missed)


@cache
def whole_index() -> Index:
    """Build the index of every operation and built-in tool, as a server with all providers has it."""
    return index_of(all_operations().values(), [tool for tool in all_builtin_tools() if tool.toolset != TOOLSET])


def latency() -> tuple[float, float]:
    """Return the median and slowest seconds of a search over all requests, without building the index."""
    index = whole_index()
    index.search("warm up")
    taken: list[float] = []
    for request in requests():
        began = time.perf_counter()
        index.search(request.text, 5)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2], max(taken)
