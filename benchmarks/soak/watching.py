"""Samples of what a process holds, and how fast that grows."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process held at one second of the run."""

    at: float
    pid: int
    rss: float
    """Mebibytes."""
    descriptors: int
    threads: int
    connections: int
    """Connections of all processes to PostgreSQL; -1 while it is down."""


def sample(pid: int, at: float, connections: int) -> Sample | None:
    """Read what a process holds; None if it has ended."""
    place = Path(f"/proc/{pid}")
    try:
        rss = int((place / "statm").read_text(encoding="ascii").split()[1]) * PAGE / 2**20
        return Sample(at, pid, rss, len(os.listdir(place / "fd")), len(os.listdir(place / "task")), connections)
    except (FileNotFoundError, ProcessLookupError):
        return None


def slope(points: list[tuple[float, float]]) -> float | None:
    """Return the growth a minute by least squares over the second half of the points; None for fewer than ten."""
    late = points[len(points) // 2 :]
    if len(late) < 5:
        return None
    middle = sum(at for at, _ in late) / len(late)
    mean = sum(value for _, value in late) / len(late)
    spread = sum((at - middle) ** 2 for at, _ in late)
    return 60 * sum((at - middle) * (value - mean) for at, value in late) / spread if spread else None
