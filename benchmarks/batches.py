"""A batch: the calls that one or several callers make in a fixed time, and what they cost the servers."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from benchmarks.processes import cpu_seconds

MEDIAN: Final = "median, ms"
P99: Final = "p99, ms"
SPREAD: Final = "p99 / median"
CALLS: Final = "calls"
RATE: Final = "calls a second"
CPU: Final = "server CPU a call, ms"

Figures = Mapping[str, float]
"""Figures by what they count, such as `median, ms`."""


@dataclass(frozen=True, slots=True)
class Load:
    """Callers that call at the same time, each by its own function, and the processes that serve them."""

    calls: Sequence[Callable[[], object]]
    servers: Sequence[int]

    def measure(self, seconds: float) -> Figures:
        """Let every caller call until the time is over."""
        before = self._cpu()
        began = time.perf_counter()
        if len(self.calls) == 1:
            taken = _call_until(self.calls[0], began + seconds)
        else:
            with ThreadPoolExecutor(len(self.calls)) as pool:
                batches = pool.map(_call_until, self.calls, [began + seconds] * len(self.calls))
                taken = [one for batch in batches for one in batch]
        passed = time.perf_counter() - began
        median, p99 = statistics.median(taken), _quantile(taken, 0.99)
        return {
            MEDIAN: 1000 * median,
            P99: 1000 * p99,
            SPREAD: p99 / median,
            CALLS: len(taken),
            RATE: len(taken) / passed,
            CPU: 1000 * (self._cpu() - before) / len(taken),
        }

    def _cpu(self) -> float:
        return sum(cpu_seconds(pid) for pid in self.servers)


def _call_until(call: Callable[[], object], end: float) -> list[float]:
    """Call again and again until the time is over, at least once; return what each call took, in seconds."""
    taken: list[float] = []
    while not taken or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return taken


def _quantile(taken: Sequence[float], share: float) -> float:
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]
