"""A probe and its finding."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from server.probes.bench import Bench
from server.probes.planning import Way

Rules = Literal["asking", "permissive", "allowed"]
"""The rules that a probe runs under: the defaults of a server; paid calls allowed within limits by policy; or the same
by allowances, under which policy still asks."""


class Broken(Exception):
    """The guard let something through. The message is the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One attack. `run` returns the evidence in one line, or raises `Broken` with it."""

    name: str
    tries: str
    """What is tried, in one sentence."""

    matters: str
    """The class of failure that it looks for, as seen in other servers."""

    run: Callable[[Bench], Awaitable[str]]
    rules: Rules = "asking"
    ways: tuple[Way, ...] = ("calls", "plans")
    """The ways in which it can be tried; one that makes no guarded call, or makes plans itself, has one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a probe."""

    probe: Probe
    held: bool
    evidence: str
    seconds: float


def expect(held: bool, otherwise: str) -> None:
    """Require that something held.

    Raises:
        Broken: It did not; `otherwise` says what happened instead.
    """
    if not held:
        raise Broken(otherwise)
