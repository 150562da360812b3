"""The steps of a guarded call, made visible from outside through what the guard takes in its constructor."""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

import anyio

from clients.client import ApiClient
from clients.operation import Exchange, Operation
from guard.action import Action, State
from guard.rules.budget import Cap, Hold
from server.store.actions import StoredJournal
from server.store.store import Store

R = TypeVar("R")


class Step(StrEnum):
    """Where a call can be interrupted."""

    PROPOSED = "the question is on the record"
    APPROVED = "the approval is on the record"
    INTENT = "the intent is on the record, and the request has not left"
    AT_THE_PROVIDER = "the request is at the provider and has not taken effect"
    IN_EFFECT = "it took effect, and the answer is held back"
    ANSWERED = "the answer has arrived, and nothing is settled"
    SPENT = "what it cost is settled, and the action is not"
    SETTLED = "the action is settled"


STARTED: Final = "started"
OVER: Final = "over"


class Signals:
    """Tells the parent which step was reached, and stands still at the one where the process is to be killed."""

    def __init__(self, pipe: int, stop_at: Step | None) -> None:
        self._pipe = pipe
        self._stop_at = stop_at

    def tell(self, line: str) -> None:
        """Write one line to the parent."""
        os.write(self._pipe, f"{line}\n".encode())

    async def reached(self, step: Step) -> None:
        """Say so, and never go on from the step where the kill is due."""
        self.tell(step)
        if step is self._stop_at:
            await anyio.sleep_forever()


class SteppedJournal(StoredJournal):
    """The journal, with a signal after each write that a call makes."""

    def __init__(self, record: Store, signals: Signals) -> None:
        super().__init__(record.database, record.audit, record.receipts)
        self._signals = signals

    async def propose(self, action: Action, *, decided: Mapping[str, Any] | None = None) -> Action:
        proposed = await super().propose(action, decided=decided)
        await self._signals.reached(Step.PROPOSED if decided is None else Step.APPROVED)
        return proposed

    async def move(self, action_id: str, allowed: Collection[State], to: State, **changes: Any) -> Action | None:
        moved = await super().move(action_id, allowed, to, **changes)
        if to is State.APPROVED:
            await self._signals.reached(Step.APPROVED)
        elif to is State.DONE:
            await self._signals.reached(Step.SETTLED)
        return moved

    async def begin(self, action_id: str, *, hold: Hold, caps: Sequence[Cap], at: datetime) -> Action | None:
        begun = await super().begin(action_id, hold=hold, caps=caps, at=at)
        await self._signals.reached(Step.INTENT)
        return begun

    async def settle(self, action_id: str, hold: Hold) -> None:
        await super().settle(action_id, hold)
        await self._signals.reached(Step.SPENT)


class SteppedClient:
    """The client of an account, with a signal once the answer to the call has arrived."""

    def __init__(self, client: ApiClient, signals: Signals) -> None:
        self._client = client
        self._signals = signals

    @property
    def account(self) -> str:
        return self._client.account

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        exchange = await self._client.exchange(operation, idempotency_key=idempotency_key)
        if not operation.spec.effect.is_plain_read:
            await self._signals.reached(Step.ANSWERED)
        return exchange

    def read_again(self, operation: Operation[R], raw: str) -> R:
        return self._client.read_again(operation, raw)
