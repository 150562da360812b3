"""Reads that built-in tools make for a model: only those that policy and session allow without approval.

The guard's own reads (prices, the state before, whether a call happened) do not go through here.
"""

from typing import Protocol, TypeVar

from clients.client import ApiClient
from clients.operation import Exchange, Operation
from clients.spec import Spec
from guard.errors import GuardRefusal
from guard.rules.policy import Decision, Policy

R = TypeVar("R")


class NotAllowed(GuardRefusal):
    """A built-in tool needs a read that is not allowed without approval; nothing was sent for it."""

    advice = "Tell the user which rule it is; only the operator can change it."


class Reader(Protocol):
    """Reads a provider for a built-in tool."""

    async def send(self, operation: Operation[R], /) -> R:
        """Make a read and return its typed answer.

        Raises:
            NotAllowed: Policy or the session does not allow it without approval.
            TelephonyError: The read failed.
        """
        ...

    async def exchange(self, operation: Operation[R], /) -> Exchange[R]:
        """Make a read and return its answer with the time when it came; raises as `send` does."""
        ...


class Access(Protocol):
    """The operations that a session may call."""

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Return why this session may not call an operation through any tool; None where it may."""
        ...


class PolicyReader:
    """Sends a read only where a call of the operation itself would need no approval."""

    def __init__(self, client: ApiClient, *, policy: Policy, access: Access) -> None:
        self._client = client
        self._policy = policy
        self._access = access

    async def send(self, operation: Operation[R], /) -> R:
        """Make a read that is allowed and return its typed answer.

        Raises:
            NotAllowed: Policy or the session keeps it from the model; nothing was sent.
        """
        return (await self.exchange(operation)).answer

    async def exchange(self, operation: Operation[R], /) -> Exchange[R]:
        """Make a read that is allowed and return its answer with the time when it came; raises as `send` does."""
        why = self._access.why_out_of_reach(operation.spec) or self._why_ruled_out(operation.spec)
        if why is not None:
            raise NotAllowed(f"{operation.spec.tool_name} was not read: {why}.")
        return await self._client.exchange(operation)

    def _why_ruled_out(self, spec: Spec) -> str | None:
        if not self._policy.guards(spec):
            return None
        ruling = self._policy.ruling(spec)
        if ruling.decision is Decision.DENY:
            return ruling.rule
        if ruling.decision is Decision.ALLOW:
            return "it does more than read"
        return f"{ruling.rule}, and approval is only possible for a call of the operation itself"
