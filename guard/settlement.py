"""From the answer, or the lack of one, to a settled action."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, SecretStr

from clients.errors import Conflict, OutcomeUnknown, TelephonyError, UnexpectedAnswer
from clients.fields import KeptFromModel
from clients.operation import CHECKED_ONLY, Exchange, Operation, is_dry_run
from clients.redaction import redact, redact_answer
from guard.action import Action, State
from guard.dependencies import GuardDependencies
from guard.errors import JournalUnavailable
from guard.money import Money
from guard.pending_writes import PendingWrites, Write
from guard.rules.budget import Hold

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R]):
    """What became of a guarded call."""

    action: Action
    answer: R | None
    error: TelephonyError | None = None
    kept_secrets: tuple[str, ...] = ()
    """Names of secrets that the operator finds in the vault."""

    unwritten: str = ""
    """Why it is not on the record yet; empty where it is."""


class Settlement:
    """Writes down what became of an action that was sent.

    What the store does not take then is owed: the caller learns at once what the provider did, and the record as soon
    as it can be written.
    """

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._journal = dependencies.journal
        self._vault = dependencies.vault
        self._tracker = dependencies.tracker
        self._clock = dependencies.clock
        self.owed = PendingWrites()

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

    async def answered(
        self,
        action: Action,
        operation: Operation[R],
        exchange: Exchange[R],
        sent: tuple[str, ...],
        *,
        remark: str = "",
    ) -> Receipt[R]:
        """The provider confirmed. `sent` names the secrets that were kept before the request left.

        `remark` is what else the record should say.
        """
        secrets = _secrets(exchange.answer) if isinstance(exchange.answer, BaseModel) else []
        for _, secret in secrets:
            redact.learn(secret)
        before = [self._keeping(action, name, secret) for name, secret in secrets]
        cost = _cost(action, operation, exchange.answer)
        before += self._spending(action, cost)
        before += self._tracking(action, tuple(operation.message_ids(exchange.answer)))
        outcome = CHECKED_ONLY if is_dry_run(operation) else "Carried out."
        took = f"It cost {cost}." if cost is not None else ""
        told, answer = " ".join(filter(None, [outcome, took, remark])), redact_answer(exchange.raw)
        done, lost = await self._closed(action, State.DONE, told, answer=answer, before=before)
        kept = (*sent, *(name for name, _ in secrets))
        return Receipt(done, exchange.answer, kept_secrets=kept, unwritten=lost)

    async def failed(self, action: Action, error: TelephonyError, sent: tuple[str, ...]) -> Receipt[Any]:
        """The provider refused, did a part, or gave no clear answer."""
        answer = None
        match error:
            case OutcomeUnknown():
                state = State.UNKNOWN
            case UnexpectedAnswer():
                state, answer = State.DONE, redact_answer(error.raw)
            case Conflict() if error.is_partly_done:
                state = State.DONE
            case _:
                state = State.REFUSED
        closed, lost = await self._closed(action, state, str(error), answer=answer)
        return Receipt(closed, None, error, sent, unwritten=lost)

    async def broken_off(self, action: Action, crash: BaseException) -> None:
        """Something of our own went wrong after the request left."""
        await self._closed(action, State.UNKNOWN, f"{type(crash).__name__} after the request left.")

    async def _closed(
        self, action: Action, state: State, outcome: str, *, answer: str | None = None, before: Sequence[Write] = ()
    ) -> tuple[Action, str]:
        """Close the action, after the writes that go before it. Returns why it is not on the record, if it is not."""
        told = redact(outcome)
        finished = replace(action, state=state, finished_at=self._clock.now(), outcome=told, answer=answer)
        # Another process may have taken this one for lost and called the outcome unknown. An answer outranks that.
        allowed = {State.SENDING} if state is State.UNKNOWN else {State.SENDING, State.UNKNOWN}

        moved: list[Action | None] = []

        async def close() -> None:
            changes = {"finished_at": finished.finished_at, "outcome": told, "answer": answer}
            moved.append(await self._journal.move(action.id, allowed, state, **changes))

        lost = await self.owed.make(*before, close)
        if lost is not None:
            return finished, str(lost)
        return moved[-1] or await self._as_recorded(finished), ""

    async def _as_recorded(self, finished: Action) -> Action:
        """The action as somebody else closed it meanwhile."""
        with suppress(JournalUnavailable):
            return await self._journal.find(finished.id) or finished
        return finished

    def _keeping(self, action: Action, name: str, secret: str) -> Write:
        async def keep() -> None:
            await self._vault.keep(action.id, name, secret)

        return keep

    def _tracking(self, action: Action, subjects: Sequence[str]) -> list[Write]:
        """The ids under which the provider will report, on the record before the action is closed."""
        if not subjects:
            return []

        async def track() -> None:
            await self._tracker.track(action.provider, subjects, action.id)

        return [track]

    def _spending(self, action: Action, cost: Money | None) -> list[Write]:
        """What the provider says it took replaces what was held; where it does not say, the quote stands."""
        if cost is None:
            return []
        spent = Hold(action.provider, cost)

        async def settle() -> None:
            await self._journal.settle(action.id, spent)

        return [settle]


def _cost(action: Action, operation: Operation[R], answer: R) -> Money | None:
    """What the provider says that the call took, also where no price was known beforehand."""
    amount, charge = operation.spent(answer), operation.charge()
    if amount is None or amount < 0 or charge is None:
        return None
    return Money(amount, action.quote.amount.currency if action.quote.amount else charge.currency)


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
