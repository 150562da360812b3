"""Makes an account of the company an operator, with the role that the settings give it at each sign-in."""

import re
from typing import Final

from clients.shared.clock import Clock
from guard.operators.roles import BadOperator, Operator
from server.console.oidc.accounts import CompanyAccount
from server.console.oidc.errors import AccountRefused
from server.store.store import Store

BY: Final = "single sign-on"
"""Who added an operator or changed a role, on the record."""

LONGEST_NAME: Final = 64

_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9._@+-]+")


class Admission:
    """Finds the operator of an account, or adds one. Who is disabled here stays out, whatever the provider says."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def operator_of(self, account: CompanyAccount) -> Operator:
        """Return the operator of an account, with the role of now.

        Raises:
            AccountRefused: The operator is disabled, or another one has the name.
        """
        found = await self._store.operators.find_subject(account.subject) or await self._add(account)
        if not found.is_enabled:
            raise AccountRefused(
                f"The operator {found.name} is disabled. Ask whoever runs Ringfence.", subject=account.subject
            )
        if found.role is account.role:
            return found
        return await self._store.operators.set_role(found.name, account.role, by=BY, at=self._clock.now())

    async def shut_out(self, subject: str) -> None:
        """End the sessions of an account that has no role any more."""
        found, now = await self._store.operators.find_subject(subject), self._clock.now()
        if found is None:
            return
        for session in await self._store.sessions.open(now):
            if session.operator == found.name:
                await self._store.sessions.end(session.id, by=BY, at=now)

    async def _add(self, account: CompanyAccount) -> Operator:
        name, now = name_of(account), self._clock.now()
        try:
            return await self._store.operators.add(name, account.role, by=BY, at=now, subject=account.subject)
        except BadOperator:
            at_the_same_time = await self._store.operators.find_subject(account.subject)
            if at_the_same_time is not None:
                return at_the_same_time
            raise AccountRefused(
                f"Another operator has the name {name}, so your account cannot have it. Ask whoever runs Ringfence.",
                subject=account.subject,
            ) from None


def name_of(account: CompanyAccount) -> str:
    """Return the name that the operator of an account gets, in the letters that names have."""
    return _NOT_IN_NAMES.sub("-", account.name.lower()).lstrip("._@+-")[:LONGEST_NAME] or "account"
