"""Reads the requests of each writer, searches for them, and counts how often a right tool comes first."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from tools.builtin_list import all_builtin_tools
from tools.discovery.handlers import TOOLSET
from tools.discovery.index import index_of
from tools.discovery.ranking import Index
from tools.registry import all_operations

FOLDER = Path(__file__).parent
SHOWN = 5

Way = Literal["own words", "first call"]
"""How a search is asked for: in the person's own words, or in the words that an assistant makes of them."""

Kind = Literal["read", "change", "paid"]
Part = Literal["kind", "toolset"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and the names of the tools that are right for it; none where nothing is."""

    text: str
    accepts: frozenset[str]

    @property
    def groups(self) -> tuple[Kind, str] | None:
        """Kind and toolset of the right operation; None where the right ones differ in them."""
        right = [found for name in self.accepts if (found := all_operations().get(name))]
        kinds: set[Kind] = {_kind(one.spec.effect.labels) for one in right}
        toolsets = {one.spec.toolset for one in right}
        return (kinds.pop(), toolsets.pop()) if len(kinds) == 1 and len(toolsets) == 1 else None


@dataclass(frozen=True, slots=True)
class RequestSet:
    """What one writer asks for, in one of the two ways."""

    name: str
    writer: str
    way: Way
    was_looked_at: bool
    """True if it was looked at while the search was tuned: it says nothing about other people's requests."""

    requests: tuple[Request, ...]

    @property
    def is_impossible(self) -> bool:
        """True for requests that no operation does."""
        return not self.requests[0].accepts


@dataclass(frozen=True, slots=True)
class Place:
    """What a search found for a request."""

    request: Request
    shown: tuple[str, ...]

    @property
    def rank(self) -> int | None:
        """How many tools come before the first right one; None where none is shown."""
        return next((place for place, name in enumerate(self.shown) if name in self.request.accepts), None)

    @property
    def takes_wrong(self) -> bool:
        """True if what comes first is not right and removes, gives up or reroutes something."""
        first = all_operations().get(self.shown[0]) if self.shown else None
        if first is None or first.spec.tool_name in self.request.accepts:
            return False
        return not {"destructive", "reroutes"}.isdisjoint(first.spec.effect.labels)

    @property
    def is_guarded(self) -> bool:
        """True if what comes first is an operation that passes the guard, or undoes one that did."""
        first = all_operations().get(self.shown[0]) if self.shown else None
        return self.shown[:1] == ("undo_action",) or (first is not None and first.spec.effect.is_guarded)


@dataclass(frozen=True, slots=True)
class Score:
    """What the searches for several requests found."""

    places: tuple[Place, ...]

    def recall(self, top: int) -> float:
        """Return the share of requests with a right tool among the first `top`."""
        return sum(place.rank is not None and place.rank < top for place in self.places) / len(self.places)

    @property
    def wrong_taken(self) -> float:
        """The share of requests whose first answer is wrong and removes, gives up or reroutes something."""
        return sum(place.takes_wrong for place in self.places) / len(self.places)

    @property
    def guarded(self) -> float:
        """The share of requests whose first answer passes the guard."""
        return sum(place.is_guarded for place in self.places) / len(self.places)

    @property
    def confusions(self) -> Counter[tuple[str, str]]:
        """How often a wrong tool came first instead of a right one."""
        wrong = (place for place in self.places if place.rank != 0 and place.shown)
        return Counter((min(place.request.accepts, default="nothing"), place.shown[0]) for place in wrong)


def score(requests: RequestSet | tuple[Request, ...]) -> Score:
    """Search for each of some requests."""
    wanted = requests.requests if isinstance(requests, RequestSet) else requests
    return Score(tuple(_place(request) for request in wanted))


@cache
def _place(request: Request) -> Place:
    return Place(request, tuple(entry.name for entry in whole_index().search(request.text, SHOWN)))


def by_group(sets: list[RequestSet], part: Part) -> Mapping[str, Score]:
    """Score the requests of several sets by kind or toolset of the right operation."""
    groups: dict[str, list[Place]] = {}
    for place in (_place(request) for one in sets for request in one.requests):
        if (found := place.request.groups) is not None:
            groups.setdefault(found[("kind", "toolset").index(part)], []).append(place)
    return {name: Score(tuple(places)) for name, places in sorted(groups.items())}


@cache
def request_sets() -> tuple[RequestSet, ...]:
    """Read every writer's requests, those that were looked at first."""
    found = [one for file in sorted((FOLDER / "writers").glob("*.txt")) for one in _read(file)]
    return tuple(sorted(found, key=lambda one: (not one.was_looked_at, one.is_impossible)))


def _read(file: Path) -> Iterator[RequestSet]:
    """Yield the set of a file in each way that it has: `own words || first call -> right tools`."""
    lines = file.read_text(encoding="utf-8").splitlines()
    heads = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    words = tuple(_request(row, 0) for row in rows)
    looked_at = heads["looked at"] == "yes"
    yield RequestSet(file.stem, heads["writer"], "own words", looked_at, words)
    if " || " in rows[0]:
        calls = tuple(_request(row, 1) for row in rows)
        yield RequestSet(file.stem, heads["writer"], "first call", looked_at, calls)


def _request(row: str, way: Literal[0, 1]) -> Request:
    asked, names = row.rsplit(" -> ", 1) if " -> " in row else (row, "")
    accepts = (member for name in names.split() for member in _same_jobs().get(name, (name,)))
    return Request(asked.split(" || ")[way].strip(), frozenset(accepts))


@cache
def _same_jobs() -> Mapping[str, tuple[str, ...]]:
    """Read the operations that do the same job at different providers."""
    lines = (FOLDER / "groups.txt").read_text(encoding="utf-8").splitlines()
    named = (line.partition("=") for line in lines if line.startswith("@"))
    return {name.strip(): tuple(members.split()) for name, _, members in named}


def _kind(labels: list[str]) -> Kind:
    if labels == ["read"]:
        return "read"
    return "paid" if "paid" in labels else "change"


@cache
def whole_index() -> Index:
    """Build the index of every operation and built-in tool, as a server with all providers has it."""
    return index_of(all_operations().values(), [tool for tool in all_builtin_tools() if tool.toolset != TOOLSET])


def latency() -> tuple[float, float]:
    """Return the median and slowest seconds of a search over all requests, without building the index."""
    index = whole_index()
    index.search("warm up")
    taken: list[float] = []
    for request in (request for one in request_sets() for request in one.requests):
        began = time.perf_counter()
        index.search(request.text, SHOWN)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2], max(taken)
