"""Settles an action that was sent: from the provider's answer, or the lack of one, to its final state."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import anyio
from pydantic import BaseModel, SecretStr

from clients.errors import Conflict, OutcomeUnknown, TelephonyError, UnexpectedAnswer
from clients.fields import KeptFromModel
from clients.operation import CHECKED_ONLY, Exchange, Operation, is_dry_run
from clients.redaction import redact, redact_answer
from clients.telemetry.spans import traced
from guard.action import Action, State
from guard.dependencies import GuardDependencies
from guard.errors import JournalUnavailable
from guard.money import Money, NotAPrice, price
from guard.rules.budget import Hold

R = TypeVar("R")

Write = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R]):
    """The outcome of a guarded call."""

    action: Action
    answer: R | None
    error: TelephonyError | None = None
    kept_secrets: tuple[str, ...] = ()
    """Names of secrets that the operator finds in the vault."""

    unread: tuple[str, ...] = ()
    """Paths of what the answer holds in a form that cannot be read."""

    unwritten: str = ""
    """Why it is not on the record yet; empty where it is."""


class PendingWrites:
    """In-memory retry queue, in order, for writes that failed because the store was unavailable.

    Each is a write that may be made twice.
    """

    def __init__(self) -> None:
        self._writes: deque[Write] = deque()
        self._flushing = anyio.Lock()

    async def write(self, *writes: Write) -> JournalUnavailable | None:
        """Make writes in their order. Queue those that the store does not take; return its error, if any."""
        for done, write in enumerate(writes):
            try:
                await write()
            except JournalUnavailable as unavailable:
                self._writes.extend(writes[done:])
                return unavailable
        return None

    async def flush(self) -> None:
        """Make every queued write.

        Raises:
            JournalUnavailable: The store still fails.
        """
        async with self._flushing:
            while self._writes:
                await self._writes[0]()
                self._writes.popleft()


class Settlement:
    """Records the outcome of an action that was sent.

    What the store does not take is queued: the caller learns the outcome at once, and the record follows as soon as it
    can be written.
    """

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._journal = dependencies.journal
        self._vault = dependencies.vault
        self._tracker = dependencies.tracker
        self._clock = dependencies.clock
        self.pending = PendingWrites()

    async def keep_secret_inputs(self, action: Action, operation: Operation[Any]) -> tuple[str, ...]:
        """Put the secrets that are about to be sent into the vault, so that a crash cannot lose a new password.

        Those of the settings the operator has already.
        """
        kept: list[str] = []
        for name, secret in _secrets(operation):
            redact.learn(secret)
            if _is_of_settings(operation, name):
                continue
            await self._vault.keep(action.id, f"{name} (sent)", secret)
            kept.append(f"{name} (sent)")
        return tuple(kept)

    async def record_answer(
        self,
        action: Action,
        operation: Operation[R],
        exchange: Exchange[R],
        sent: tuple[str, ...],
        *,
        remark: str = "",
    ) -> Receipt[R]:
        """Record that the provider confirmed. `sent` names the secrets that were kept before the request left.

        `remark` is what else the record should say.
        """
        secrets = _secrets(exchange.answer) if isinstance(exchange.answer, BaseModel) else []
        for _, secret in secrets:
            redact.learn(secret)
        before = [self._write_secret(action, name, secret) for name, secret in secrets]
        cost, not_booked = _cost(action, operation, exchange.answer)
        before += self._write_cost(action, cost)
        before += self._write_message_ids(action, tuple(operation.message_ids(exchange.answer)))
        outcome = CHECKED_ONLY if is_dry_run(operation) else "Carried out."
        took = f"It cost {cost}." if cost is not None else ""
        told, answer = " ".join(filter(None, [outcome, took, not_booked, remark])), redact_answer(exchange.raw)
        done, lost = await self._close(action, State.DONE, told, answer=answer, before=before)
        kept = (*sent, *(name for name, _ in secrets))
        return Receipt(done, exchange.answer, kept_secrets=kept, unread=exchange.unread, unwritten=lost)

    async def record_error(self, action: Action, error: TelephonyError, sent: tuple[str, ...]) -> Receipt[Any]:
        """Record that the provider refused, did a part, or gave no clear answer."""
        answer = None
        match error:
            case OutcomeUnknown() | UnexpectedAnswer():
                state, answer = State.UNKNOWN, redact_answer(error.raw) if error.raw else None
            case Conflict() if error.is_partly_done:
                state = State.DONE
            case _:
                state = State.REFUSED
        closed, lost = await self._close(action, state, str(error), answer=answer)
        return Receipt(closed, None, error, sent, unwritten=lost)

    async def record_crash(self, action: Action, crash: BaseException) -> None:
        """Record that something of our own failed after the request left."""
        await self._close(action, State.UNKNOWN, f"{type(crash).__name__} after the request left.")

    @traced("guard: settle")
    async def _close(
        self, action: Action, state: State, outcome: str, *, answer: str | None = None, before: Sequence[Write] = ()
    ) -> tuple[Action, str]:
        """Close the action, after the writes that go before it. Returns why it is not on the record, if it is not."""
        told = redact(outcome)
        finished = replace(action, state=state, finished_at=self._clock.now(), outcome=told, answer=answer)
        # Another process may have marked this action as unknown, taking its process for dead. An answer outranks that.
        allowed = {State.SENDING} if state is State.UNKNOWN else {State.SENDING, State.UNKNOWN}

        moved: list[Action | None] = []

        async def close() -> None:
            changes = {"finished_at": finished.finished_at, "outcome": told, "answer": answer}
            moved.append(await self._journal.move(action.id, allowed, state, **changes))

        lost = await self.pending.write(*before, close)
        if lost is not None:
            return finished, str(lost)
        return moved[-1] or await self._as_recorded(finished), ""

    async def _as_recorded(self, finished: Action) -> Action:
        """Return the action as another process closed it meanwhile."""
        with suppress(JournalUnavailable):
            return await self._journal.find(finished.id) or finished
        return finished

    def _write_secret(self, action: Action, name: str, secret: str) -> Write:
        async def keep() -> None:
            await self._vault.keep(action.id, name, secret)

        return keep

    def _write_message_ids(self, action: Action, subjects: Sequence[str]) -> list[Write]:
        """Prepare to record the ids under which the provider will report, before the action is closed."""
        if not subjects:
            return []

        async def track() -> None:
            await self._tracker.track(action.provider, subjects, action.id, account=action.made_on)

        return [track]

    def _write_cost(self, action: Action, cost: Money | None) -> list[Write]:
        """Prepare to replace what was held by what the provider says it cost; if it does not say, the quote stands."""
        if cost is None:
            return []
        spent = Hold(action.provider, cost, action.account_name)

        async def settle() -> None:
            await self._journal.settle(action.id, spent)

        return [settle]


def _cost(action: Action, operation: Operation[R], answer: R) -> tuple[Money | None, str]:
    """Return what the provider says that the call cost, also where no price was known beforehand.

    Where what it says is no price, return the reason instead, as a sentence for the record.
    """
    amount, charge = operation.spent(answer), operation.charge()
    if amount is None or charge is None:
        return None, ""
    try:
        return price(amount, action.quote.most.currency if action.quote.most else charge.currency), ""
    except NotAPrice as wrong:
        return None, f"What the provider says it cost is not booked: {wrong}"


def _is_of_settings(operation: Operation[Any], name: str) -> bool:
    rules = (rule for rule in type(operation).model_fields[name].metadata if isinstance(rule, KeptFromModel))
    return any(rule.generate is None for rule in rules)


def _secrets(model: BaseModel) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in type(model).model_fields:
        value: object = getattr(model, name)
        if isinstance(value, SecretStr):
            found.append((name, value.get_secret_value()))
    return found
