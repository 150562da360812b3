"""Actions whose answer was lost: settled by looking at the provider, never by sending again."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from clients.errors import NotFound, TelephonyError
from clients.operation import Exchange, Operation, Verification, answer_type
from guard.action import Action, State
from guard.journal import Journal
from guard.verification_hint import Operations

R = TypeVar("R")

ANSWER_WITHIN = timedelta(seconds=30)
"""How long a provider is commonly given to answer."""

MAX_READS = 6
"""How many reads one proof may lead through before it counts as unable to tell."""

GRACE = 2 * ANSWER_WITHIN
"""A request whose answer was lost may still be worked on: for this long, not finding its effect proves nothing."""

LOST_AFTER = 10 * ANSWER_WITHIN
"""An action of another machine that is still under way after this long has lost its process."""


class ProviderClient(Protocol):
    """The client of one account, as far as looking needs it."""

    @property
    def account(self) -> str:
        """What tells this account from another."""
        ...

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Make one call."""
        ...


class Reconciler:
    """Finds actions whose process ended, and finds out what became of those whose outcome is unknown."""

    def __init__(
        self,
        *,
        journal: Journal,
        senders: Mapping[str, ProviderClient],
        operations: Operations,
        verification_hint: Callable[[Action], str],
        now: Callable[[], datetime],
        answer_within: timedelta = ANSWER_WITHIN,
    ) -> None:
        """`answer_within` is how long the provider is given to answer; the times above grow and shrink with it."""
        self._journal = journal
        self._senders = senders
        self._operations = operations
        self._verification_hint = verification_hint
        self._now = now
        self._grace = GRACE * (answer_within / ANSWER_WITHIN)
        self._lost_after = LOST_AFTER * (answer_within / ANSWER_WITHIN)

    async def run(self) -> list[Action]:
        """Look after every abandoned action, and every unknown one."""
        await self._mark_abandoned()
        unknown = await self._journal.latest(1000, states={State.UNKNOWN})
        return [await self.look(action) for action in unknown]

    async def look(self, action: Action) -> Action:
        """The action as it stands after looking at the provider: done, refused, or still unknown.

        One that is under way is left alone as long as its process may still bring the answer. One of another account is
        always left alone: what this account does not show says nothing about it.
        """
        if action.state is State.SENDING:
            await self._mark_abandoned()
            action = await self._journal.find(action.id) or action
        if action.state is not State.UNKNOWN:
            return action
        call, sender = self._call(action), self._senders.get(action.provider)
        proof = call.verification(action.sent_at) if call and action.sent_at else None
        if call is None or proof is None or sender is None or action.sent_at is None:
            return action
        if sender.account != action.account:
            return action
        happened = await self._happened(proof, sender, action.sent_at)
        if happened and proof.may_be_older and not _is_newer_than_before(action, call, proof):
            return action
        if happened is None or (not happened and self._now() < action.sent_at + self._grace):
            return action
        outcome = "Found done by looking." if happened else "Found not done by looking."
        moved = await self._journal.move(
            action.id,
            {State.UNKNOWN},
            State.DONE if happened else State.REFUSED,
            finished_at=self._now(),
            outcome=outcome,
        )
        return moved or await self._journal.find(action.id) or action

    async def _mark_abandoned(self) -> None:
        for action in await self._journal.abandoned(self._now() - self._lost_after):
            told = f"The process ended while the request was under way. {self._verification_hint(action)}"
            await self._journal.move(action.id, {State.SENDING}, State.UNKNOWN, outcome=told)

    def _call(self, action: Action) -> Operation[Any] | None:
        operation = self._operations(action.operation)
        try:
            return operation.model_validate(dict(action.arguments)) if operation else None
        except ValidationError:
            return None

    async def _happened(self, proof: Verification[Any], sender: ProviderClient, sent_at: datetime) -> bool | None:
        for _ in range(MAX_READS):
            try:
                exchange = await sender.exchange(proof.read)
            except NotFound:
                return proof.if_absent
            except TelephonyError:
                return None
            if exchange.attempts == 0 and exchange.received_at < sent_at:
                return None  # an answer kept from before the call proves nothing
            shown = proof.check(exchange.answer)
            if not isinstance(shown, Verification):
                return shown
            proof = shown
        return None


def _is_newer_than_before(action: Action, call: Operation[Any], proof: Verification[Any]) -> bool:
    """True if the state before the call was read, and did not show what the call was to bring about."""
    read = call.before()
    if read is None or read != proof.read or action.before is None:
        return False
    if not action.before:
        return proof.if_absent is False
    kept: Any = answer_type(type(read))
    try:
        shown = proof.check(kept.model_validate(action.before))
    except ValidationError:
        return False
    return shown is False or shown is None
