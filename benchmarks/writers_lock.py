"""Reads from PostgreSQL's log how long writers wait for the lock that they share, and how long each holds it.

The log names every statement when it is done. A lock is held from the statement that takes it to the end of its
transaction. Its times are whole milliseconds, so a figure is the mean of many calls.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

LOGGING: Final = ("log_line_prefix=%n:%p:", "fsync=on", "synchronous_commit=on")
"""Settings of the server: when, and which connection, before each line; and commits that survive a crash."""

LOG_STATEMENTS: Final = "SET log_min_duration_statement = 0"
"""A setting of the database whose locks are measured; the others are not slowed by a log."""

_LINE: Final = re.compile(
    r"^(?P<at>\d+\.\d+):(?P<connection>\d+):LOG:\s+duration: (?P<took>[\d.]+) ms\s+"
    r"(?:statement|execute [^:]*): (?P<statement>.*)$"
)
_LOCK: Final = re.compile(r"pg_advisory_xact_lock\((-?\d+)\)", re.IGNORECASE)
_WAIT: Final = "pg_advisory_xact_lock"
_END: Final = re.compile(r"^(COMMIT|ROLLBACK)\b(?! TO)", re.IGNORECASE)


@dataclass(slots=True)
class LockTimes:
    """How long the locks of a log were held, in milliseconds by the lock's number, and waited for in all."""

    held: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    """Of locks that one transaction holds alone; those that many hold together keep no writer waiting."""

    waited: float = 0.0

    def held_of(self, statements: Iterable[str]) -> float:
        """Return how long the locks that these statements take were held."""
        return sum(self.held.get(number, 0.0) for statement in statements for number in _LOCK.findall(statement))


def read_lock_times(lines: Iterable[str]) -> LockTimes:
    """Sum up the locks in a log."""
    times = LockTimes()
    connections: dict[str, dict[str, float]] = defaultdict(dict)
    for found in filter(None, map(_LINE.match, lines)):
        at, statement = 1000 * float(found["at"]), found["statement"]
        since = connections[found["connection"]]
        if _WAIT in statement:
            times.waited += float(found["took"])
        for number in _LOCK.findall(statement):
            since.setdefault(number, at)
        if _END.match(statement):
            for number, began in since.items():
                times.held[number] += at - began
            since.clear()
    return times
