"""The accounts that the guard may call: by name for a new call, by what identifies them for an action on the record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from clients.operation import Exchange, Operation
from guard.errors import AccountGone, AccountNotNamed

R = TypeVar("R")

MOST_TITLE: Final = 200
"""Characters of a title on the record."""


class ProviderClient(Protocol):
    """The client of one provider account, as far as the guard uses it."""

    @property
    def account(self) -> str:
        """Identifies the account among all accounts of the provider."""
        ...

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Make one call.

        Raises:
            TelephonyError: The provider refused the call, or its outcome is unknown.
        """
        ...

    def read_again(self, operation: Operation[R], raw: str) -> R:
        """Parse an answer again that was stored as text.

        Raises:
            TelephonyError: It is not an answer to this operation.
        """
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """One account at a provider, by the name that the operator gave it."""

    name: str
    provider: str
    client: ProviderClient

    @property
    def identity(self) -> str:
        """Identifies the account itself, whatever its name: what digests are bound to, and records keep."""
        return self.client.account


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that are set up."""

    clients: Mapping[str, ProviderClient]
    """The client of each account, by the account's name."""

    providers: Mapping[str, str]
    """The provider of each account that is not named like its provider."""

    def at(self, provider: str) -> Sequence[Account]:
        """Return the accounts at a provider, in the order of the settings."""
        return [
            Account(name, provider, client)
            for name, client in self.clients.items()
            if self.providers.get(name, name) == provider
        ]

    def select(self, provider: str, name: str | None) -> Account:
        """Return the account of a new call; without a name, the only one at the provider.

        Raises:
            AccountNotNamed: There is no such account, or no name although there are several.
        """
        there = self.at(provider)
        found = [account for account in there if name in (None, account.name)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(account.name for account in there) or "none"
        raise AccountNotNamed(
            f"{'This call names no account' if name is None else f'There is no account {name[:60]!r} at {provider}'}; "
            f"nothing was sent. Accounts: {names}."
        )

    def find(self, provider: str, identity: str) -> Account | None:
        """Return the account that a record names; None where it is not set up (any more)."""
        return next((account for account in self.at(provider) if account.identity == identity), None)

    def require(self, provider: str, identity: str) -> Account:
        """Return the account that an approved call is bound to.

        Raises:
            AccountGone: It is not set up here any more.
        """
        found = self.find(provider, identity)
        if found is None:
            raise AccountGone(
                f"The account of this call ({identity}) is not set up here any more; nothing was sent, and no other "
                "account is used in its place."
            )
        return found

    def with_account(self, title: str, account: Account) -> str:
        """Name the account at the end of a title, where its provider has more than one."""
        suffix = self.suffix(account)
        return title[: MOST_TITLE - len(suffix)] + suffix if suffix else title

    def suffix(self, account: Account) -> str:
        """Return the end of a title that names the account; empty where its provider has only one."""
        return f" (account {account.name})" if len(self.at(account.provider)) > 1 else ""
