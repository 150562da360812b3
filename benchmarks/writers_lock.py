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
_LOCK: Final = re.compile(r"pg_advisory_xact_lock\w*\(([^)]*)\)", re.IGNORECASE)
_END: Final = re.compile(r"^(COMMIT|ROLLBACK)\b(?! TO)", re.IGNORECASE)


@dataclass(slots=True)
class LockTimes:
    """What one lock cost in all, in milliseconds."""

    taken: int = 0
    waited: float = 0.0
    held: float = 0.0
    longest: float = 0.0


@dataclass(slots=True)
class _Connection:
    since: dict[str, float] = field(default_factory=dict[str, float])


def read_lock_times(lines: Iterable[str]) -> dict[str, LockTimes]:
    """Sum up the locks in a log, by the lock's key."""
    times: dict[str, LockTimes] = defaultdict(LockTimes)
    connections: dict[str, _Connection] = defaultdict(_Connection)
    for found in filter(None, map(_LINE.match, lines)):
        at, statement = 1000 * float(found["at"]), found["statement"]
        held = connections[found["connection"]].since
        for key in _LOCK.findall(statement):
            if key not in held:
                held[key] = at
                times[key].taken += 1
                times[key].waited += float(found["took"])
        if _END.match(statement):
            for key, since in held.items():
                times[key].held += at - since
                times[key].longest = max(times[key].longest, at - since)
            held.clear()
    return dict(times)
