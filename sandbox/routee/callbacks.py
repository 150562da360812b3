"""Callbacks: what is to be posted to the customer's own server, when, and how often."""

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from pydantic import Field

from sandbox.clock import iso
from sandbox.frame.controls import Order
from sandbox.frame.wire import Wire, encode
from sandbox.routee.fields import Callback

ANSWER_WITHIN = 2.0
"""Documented: the receiver answers 200 within two seconds."""

REPORT_RETRIES = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600))
"""Documented: up to five more attempts without a 200; the pauses are inferred from the longer schedule."""

INBOUND_RETRIES = tuple(
    timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
)
"""Documented for inbound messages and pools: twelve more attempts, the last a day later."""


class DeliveryState(StrEnum):
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
    state: DeliveryState = DeliveryState.WAITING
    attempts: list[Wire] = field(default_factory=list[Wire])

    def to_wire(self) -> Wire:
        """Return the delivery as `/_control/routee/callbacks` shows it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "url": self.url,
            "payload": self.payload,
            "due": iso(self.due),
            "state": self.state.value,
            "attempts": self.attempts,
        }


class Disturbance(Order):
    """How callbacks are disturbed on purpose."""

    delay: float = Field(default=0, ge=0)
    """Sandbox seconds that every callback is late."""
    duplicates: int = Field(default=0, ge=0, le=20)
    """How many more times each one is posted."""
    reorder: bool = False
    """Whether those that are due together are posted newest first."""


class Outbox:
    """Callbacks that wait and callbacks that were tried, oldest first."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = count(1)
        self.disturbance = Disturbance()
        self.deliveries: list[Delivery] = []
        self._delivering = anyio.Lock()

    def report(
        self,
        kind: str,
        callback: Callback[Any] | None,
        final: bool,
        payload: Wire,
        retries: tuple[timedelta, ...] = REPORT_RETRIES,
    ) -> None:
        """Post a change of status, if somebody wants it."""
        if callback is not None and callback.wants(final):
            self.post(kind, callback.url, payload, retries)

    def post(self, kind: str, url: str, payload: Wire, retries: tuple[timedelta, ...] = REPORT_RETRIES) -> None:
        """Post a callback once its delay is over, if it has a URL; one that is not loopback is only written down."""
        if not url:
            return
        delivery = Delivery(
            id=next(self._numbers),
            kind=kind,
            url=url,
            payload=payload,
            due=self._now() + timedelta(seconds=self.disturbance.delay),
            retries=retries,
            copies=1 + self.disturbance.duplicates,
            state=DeliveryState.WAITING if is_loopback(url) else DeliveryState.NOT_LOOPBACK,
        )
        self.deliveries.append(delivery)

    async def deliver(self) -> int:
        """Post everything that is due now, one after another, and return how many callbacks that were.

        What is on its way already has arrived when this returns.
        """
        async with self._delivering:
            due = self._take_due()
            try:
                await self._post_all(due)
            finally:
                # If this is cancelled, what it did not get to waits for the next time.
                for delivery in due:
                    if delivery.state is DeliveryState.SENDING:
                        delivery.state = DeliveryState.WAITING
        return len(due)

    def _take_due(self) -> list[Delivery]:
        due = [one for one in self.deliveries if one.state is DeliveryState.WAITING and one.due <= self._now()]
        due.sort(key=lambda one: (one.due, one.id), reverse=self.disturbance.reorder)
        for delivery in due:
            delivery.state = DeliveryState.SENDING
        return due

    async def _post_all(self, due: list[Delivery]) -> None:
        if not due:
            return
        # Loading the certificates of the machine takes longer than a delivery, and loopback is plain http.
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Proxies from the environment would carry loopback traffic away.
        async with httpx2.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, verify=trust) as client:
            for delivery in due:
                await self._attempt(client, delivery)

    async def _attempt(self, client: httpx2.AsyncClient, delivery: Delivery) -> None:
        statuses: list[int | None] = []
        for _ in range(delivery.copies):
            statuses.append(await _post(client, delivery))
            delivery.attempts.append({"at": iso(self._now()), "status": statuses[-1]})
        rounds = len(delivery.attempts) // delivery.copies
        if 200 in statuses:
            delivery.state = DeliveryState.ACCEPTED
        elif rounds > len(delivery.retries):
            delivery.state = DeliveryState.GIVEN_UP
        else:
            delivery.state = DeliveryState.WAITING
            delivery.due = self._now() + delivery.retries[rounds - 1]


async def _post(client: httpx2.AsyncClient, delivery: Delivery) -> int | None:
    """Post a callback once and return the status of the answer; None if none came in time."""
    try:
        response = await client.post(
            delivery.url, content=encode(delivery.payload), headers={"content-type": "application/json"}
        )
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return None
    return response.status_code


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this very machine; the sandbox posts nowhere else."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.port != 0 and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        # No address, or a port that cannot be.
        return False
