"""What the guard needs from its surroundings, handed on as one object."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from clients.shared.clock import Clock, SystemClock
from guard.accounts import Accounts, ProviderClient
from guard.allowances.coverage import FindMembers
from guard.allowances.record import AllowanceRecord, NoAllowances
from guard.background import Reconciliation
from guard.catalog import OperationCatalog
from guard.journal import History, Journal, Taint, Tracker, Vault
from guard.operator_commands import OperatorCommands
from guard.own_numbers import NoOwnNumbers, OwnNumbers
from guard.rules.compliance import OptOuts
from guard.rules.quote import PriceSource
from guard.rules.rules import Rules

APPROVAL_LIFETIME = timedelta(minutes=15)
"""How long a question waits for an answer, and an approval for its call."""

ANSWER_WITHIN = timedelta(seconds=30)
"""How long a provider is commonly given to answer."""


class CheckDependencies(Protocol):
    """What checks of a call look at: the guard's dependencies, or the record of past calls in their place."""

    @property
    def journal(self) -> History:
        """What was done and spent before."""
        ...

    @property
    def optouts(self) -> OptOuts:
        """Whose owners want nothing sent."""
        ...

    @property
    def taint(self) -> Taint:
        """Which text from outside was read."""
        ...

    @property
    def own_numbers(self) -> OwnNumbers:
        """Which numbers are ours."""
        ...

    @property
    def catalog(self) -> OperationCatalog:
        """The operations that exist."""
        ...

    @property
    def rules(self) -> Rules:
        """The operator's rules."""
        ...

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def sent_at(self) -> datetime | None:
        """When the calls that are checked are sent, where that is later than now."""
        ...

    @property
    def commands(self) -> OperatorCommands:
        """How questions print the operator's commands."""
        ...

    @property
    def configured(self) -> Accounts:
        """The accounts that are set up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardDependencies:
    """The store, the providers, the operator's rules and the clock, as the guard uses them."""

    journal: Journal
    vault: Vault
    tracker: Tracker
    optouts: OptOuts
    taint: Taint

    accounts: Mapping[str, ProviderClient]
    """The client of each account that is set up, by the account's name."""

    prices: Mapping[str, PriceSource]
    """Where to read prices and balance, by the account's name."""

    providers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The provider of each account that is not named like its provider."""

    catalog: OperationCatalog
    own_numbers: OwnNumbers = field(default_factory=NoOwnNumbers)
    allowances: AllowanceRecord = field(default_factory=NoAllowances)
    groups: Mapping[str, FindMembers] = field(default_factory=dict[str, FindMembers])
    """How to find the members of a group, by the provider's name."""

    rules: Rules = field(default_factory=Rules)
    clock: Clock = field(default_factory=SystemClock)
    approval_lifetime: timedelta = APPROVAL_LIFETIME

    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    """Whoever serves requests runs it beside them."""

    commands: OperatorCommands = field(default_factory=OperatorCommands)
    """How questions print the operator's commands."""

    sent_at: datetime | None = None
    """When the calls that are checked will be sent, where that is later than now: quiet hours are those of then."""

    answer_within: timedelta = ANSWER_WITHIN
    """How long providers are given to answer. How soon a call counts as lost depends on it."""

    @property
    def configured(self) -> Accounts:
        """The accounts that are set up, with the provider of each."""
        return Accounts(self.accounts, self.providers)
