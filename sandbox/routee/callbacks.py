"""Callbacks: what is to be posted to the customer's own server, and the courier that posts it."""

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from urllib.parse import urlsplit

import anyio
import httpx2

from sandbox.clock import iso
from sandbox.routee.wire import Wire, encode

ANSWER_WITHIN = 2.0
"""Documented: the receiver answers 200 within two seconds."""

REPORT_RETRIES = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600))
"""Documented: up to five more attempts without a 200; the pauses are inferred from the longer schedule."""

INBOUND_RETRIES = tuple(
    timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
)
"""Documented for inbound messages and pools: twelve more attempts, the last a day later."""

LOOKS_EVERY = 0.05
"""Real seconds between two looks at the clock, which anybody may move and which tells nobody."""


@dataclass(frozen=True)
class Target:
    """A callback as a request names it."""

    url: str
    strategy: str

    def wants(self, final: bool) -> bool:
        """Whether a change of status is to be posted."""
        return final or self.strategy in {"OnChange", "OnStep"}

    def to_wire(self) -> Wire:
        """The callback object."""
        return {"url": self.url, "strategy": self.strategy}


class Fate(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    SENDING = "sending"
    ACCEPTED = "accepted"
    GIVEN_UP = "given up"
    NOT_LOOPBACK = "refused, not a loopback address"


@dataclass
class Delivery:
    """One callback to one URL, with the answers it got."""

    id: int
    kind: str
    url: str
    payload: Wire
    due: datetime
    retries: tuple[timedelta, ...]
    copies: int
    fate: Fate = Fate.WAITING
    attempts: list[Wire] = field(default_factory=list[Wire])

    def to_wire(self) -> Wire:
        """The delivery as `/_control/routee/callbacks` shows it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "url": self.url,
            "payload": self.payload,
            "due": iso(self.due),
            "state": self.fate.value,
            "attempts": self.attempts,
        }


@dataclass
class Mischief:
    """How callbacks are disturbed on purpose."""

    delay: float = 0
    """Sandbox seconds that every callback is late."""
    duplicates: int = 0
    """How many more times each one is posted."""
    reorder: bool = False
    """Whether those that are due together are posted newest first."""

    def to_wire(self) -> Wire:
        """The settings as they are read and written."""
        return {"delay": self.delay, "duplicates": self.duplicates, "reorder": self.reorder}


class Outbox:
    """Callbacks that wait and callbacks that were tried, oldest first."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = count(1)
        self.mischief = Mischief()
        self.deliveries: list[Delivery] = []

    def post(self, kind: str, url: str, payload: Wire, retries: tuple[timedelta, ...] = REPORT_RETRIES) -> None:
        """Post a callback as soon as its delay is over; an address that is not loopback is only written down."""
        delivery = Delivery(
            id=next(self._numbers),
            kind=kind,
            url=url,
            payload=payload,
            due=self._now() + timedelta(seconds=self.mischief.delay),
            retries=retries,
            copies=1 + self.mischief.duplicates,
            fate=Fate.WAITING if is_loopback(url) else Fate.NOT_LOOPBACK,
        )
        self.deliveries.append(delivery)

    def take_due(self, now: datetime) -> list[Delivery]:
        """Take out what is due, in the order it is to be posted."""
        due = [one for one in self.deliveries if one.fate is Fate.WAITING and one.due <= now]
        due.sort(key=lambda one: (one.due, one.id), reverse=self.mischief.reorder)
        for delivery in due:
            delivery.fate = Fate.SENDING
        return due


class Courier:
    """Posts what is due; `run` does it until it is cancelled, `deliver` does it once."""

    def __init__(self, now: Callable[[], datetime], outbox: Callable[[], Outbox]) -> None:
        self._now = now
        self._outbox = outbox
        # Loading the certificates of the machine takes longer than a delivery, and loopback is plain http.
        self._trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def run(self) -> None:
        """Post callbacks when they are due, until cancelled."""
        while True:
            await self.deliver()
            await anyio.sleep(LOOKS_EVERY)

    async def deliver(self) -> int:
        """Post everything that is due now, one after another, and say how many callbacks that were."""
        due = self._outbox().take_due(self._now())
        try:
            await self._post_all(due)
        finally:
            # What a cancelled courier did not get to waits for the next one.
            for delivery in due:
                if delivery.fate is Fate.SENDING:
                    delivery.fate = Fate.WAITING
        return len(due)

    async def _post_all(self, due: list[Delivery]) -> None:
        if due:
            # Proxies from the environment would carry loopback traffic away.
            async with httpx2.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, verify=self._trust) as client:
                for delivery in due:
                    await self._attempt(client, delivery)

    async def _attempt(self, client: httpx2.AsyncClient, delivery: Delivery) -> None:
        statuses: list[int | None] = []
        for _ in range(delivery.copies):
            statuses.append(await _post(client, delivery))
            delivery.attempts.append({"at": iso(self._now()), "status": statuses[-1]})
        self._settle(delivery, 200 in statuses)

    def _settle(self, delivery: Delivery, accepted: bool) -> None:
        rounds = len(delivery.attempts) // delivery.copies
        if accepted:
            delivery.fate = Fate.ACCEPTED
        elif rounds > len(delivery.retries):
            delivery.fate = Fate.GIVEN_UP
        else:
            delivery.fate = Fate.WAITING
            delivery.due = self._now() + delivery.retries[rounds - 1]


async def _post(client: httpx2.AsyncClient, delivery: Delivery) -> int | None:
    """The status that the receiver answered; None if it did not answer in time."""
    try:
        response = await client.post(
            delivery.url, content=encode(delivery.payload), headers={"content-type": "application/json"}
        )
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return None
    return response.status_code


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine; the sandbox posts nowhere else."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.port != 0 and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        # No address, or a port that cannot be.
        return False
