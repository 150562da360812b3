"""From the answer, or the lack of one, to a settled action."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, SecretStr

from clients.errors import Conflict, OutcomeUnknown, TelephonyError, UnexpectedAnswer
from clients.exchange import Exchange
from clients.fields import KeptFromModel
from clients.operation import Operation
from clients.redaction import redact, redact_answer
from guard.action import Action, State
from guard.budget import Hold
from guard.errors import JournalUnavailable
from guard.journal import Journal, Vault
from guard.money import Money

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R]):
    """What became of a guarded call."""

    action: Action
    answer: R | None
    error: TelephonyError | None = None
    kept_secrets: tuple[str, ...] = ()
    """Names of secrets that the operator finds in the vault."""


class Settlement:
    """Writes down what became of an action that was sent."""

    def __init__(self, journal: Journal, vault: Vault, now: Callable[[], datetime]) -> None:
        self._journal = journal
        self._vault = vault
        self._now = now

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
        kept = list(sent)
        if isinstance(exchange.answer, BaseModel):
            for name, secret in _secrets(exchange.answer):
                redact.learn(secret)
                await self._vault.keep(action.id, name, secret)
                kept.append(name)
        await self._settle_spent(action, operation.spent(exchange.answer))
        told = f"Carried out. {remark}".rstrip()
        done = await self.finish(action, State.DONE, told, answer=redact_answer(exchange.raw))
        return Receipt(done, exchange.answer, kept_secrets=tuple(kept))

    async def failed(
        self, action: Action, operation: Operation[Any], error: TelephonyError, sent: tuple[str, ...]
    ) -> Receipt[Any]:
        """The provider refused, did a part, or gave no clear answer."""
        answer, told = None, str(error)
        match error:
            case OutcomeUnknown():
                state, told = State.UNKNOWN, f"{told}{_no_read(operation)}"
            case UnexpectedAnswer():
                state, answer = State.DONE, redact_answer(error.raw)
            case Conflict() if error.is_partly_done:
                state = State.DONE
            case _:
                state = State.REFUSED
        return Receipt(await self.finish(action, state, told, answer=answer), None, error, sent)

    async def _settle_spent(self, action: Action, amount: Decimal | None) -> None:
        """What the provider says it took replaces what was held; where it does not say, the quote stands."""
        if amount is None or action.quote.amount is None:
            return
        with suppress(JournalUnavailable):
            await self._journal.settle(action.id, Hold(action.provider, Money(amount, action.quote.amount.currency)))

    async def finish(self, action: Action, state: State, outcome: str, *, answer: str | None = None) -> Action:
        """Close the action. A store that fails now must not hide from the caller what the provider did."""
        told = redact(outcome)
        try:
            moved = await self._journal.move(
                action.id, {State.SENDING}, state, finished_at=self._now(), outcome=told, answer=answer
            )
        except JournalUnavailable as lost:
            return replace(action, state=state, outcome=f"{told} (Not on the record: {lost})", answer=answer)
        return moved or await self._journal.find(action.id) or action


def _is_of_settings(operation: Operation[Any], name: str) -> bool:
    rules = (rule for rule in type(operation).model_fields[name].metadata if isinstance(rule, KeptFromModel))
    return any(rule.generate is None for rule in rules)


def _no_read(operation: Operation[Any]) -> str:
    unseen = operation.spec.unseen
    return f" No read can tell: {unseen}." if unseen else ""


def _secrets(model: BaseModel) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in type(model).model_fields:
        value: object = getattr(model, name)
        if isinstance(value, SecretStr):
            found.append((name, value.get_secret_value()))
    return found
