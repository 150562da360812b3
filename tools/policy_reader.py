"""Reads that tools of our own make for a model: one that policy or the surface keeps from it is not made.

What the guard reads for itself (prices, the state before, what became of a call) is no model's read and goes past this.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from clients.client import ApiClient
from clients.operation import Operation
from clients.spec import Spec
from guard.errors import GuardRefusal
from guard.rules.policy import Decision, Policy

R = TypeVar("R")


class NotAllowed(GuardRefusal):
    """A tool of our own needs a read that is not plainly allowed; nothing was sent for it."""

    advice = "Tell the user which rule it is; only the operator can change it."


class Reader(Protocol):
    """What a tool of our own reads a provider with."""

    async def send(self, operation: Operation[R], /) -> R:
        """The typed answer.

        Raises:
            NotAllowed: The model may not have it.
            TelephonyError: It could not be read.
        """
        ...


class PolicyReader:
    """Sends what a call of the operation itself would send without asking anybody, and nothing else."""

    def __init__(self, client: ApiClient, *, policy: Policy, bar: Callable[[Spec], str | None]) -> None:
        """`bar` says why the session at hand may not call an operation."""
        self._client = client
        self._policy = policy
        self._bar = bar

    async def send(self, operation: Operation[R], /) -> R:
        """The typed answer, where it is allowed."""
        why = self._bar(operation.spec) or self._ruled_out(operation.spec)
        if why is not None:
            raise NotAllowed(f"{operation.spec.tool_name} is not read: {why}.")
        return await self._client.send(operation)

    def _ruled_out(self, spec: Spec) -> str | None:
        if not self._policy.guards(spec):
            return None
        ruling = self._policy.ruling(spec)
        if ruling.decision is Decision.DENY:
            return ruling.rule
        if ruling.decision is Decision.ALLOW:
            return "it does more than read"
        return f"{ruling.rule}, and only a call by its own name asks a person"
