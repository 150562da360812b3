"""Puts refusals of the guard on the audit log."""

from contextlib import suppress
from typing import Any

from clients.operation import Operation
from guard.action import Principal, arguments_of
from guard.dependencies import GuardDependencies
from guard.errors import GuardRefusal, JournalUnavailable


class Refusals:
    """Notes why a call was refused, and to whom."""

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._journal = dependencies.journal
        self._accounts = dependencies.configured

    async def note(
        self,
        operation: Operation[Any],
        principal: Principal,
        refusal: GuardRefusal,
        *,
        account: str | None,
        about: str | None = None,
    ) -> None:
        """Put a refusal on the audit; `about` is the action or the step of a plan, where there is one."""
        if isinstance(refusal, JournalUnavailable):
            return
        detail = {"operation": operation.spec.tool_name, "arguments": arguments_of(operation), "why": str(refusal)}
        detail["refusal"] = type(refusal).__name__
        detail |= {"account": account} if account and len(self._accounts.at(operation.spec.provider.name)) > 1 else {}
        detail |= {"action": about} if about else {}
        with suppress(JournalUnavailable):
            await self._journal.note("denied", action_id=None, principal=principal.name, detail=detail)
