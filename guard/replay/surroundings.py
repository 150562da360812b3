"""What checks look at when past calls are decided about again: the record as far as it went then, and no provider."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from clients.errors import NotSent
from clients.operation import Exchange, Operation
from guard.accounts import Account, Accounts, ProviderClient
from guard.action import Action, ArchivedAction, Principal, State
from guard.allowances.allowance import Allowance, AllowanceRequest, Terms, Usage
from guard.catalog import OperationCatalog
from guard.injection.taint import OutsideSource
from guard.operator_commands import OperatorCommands
from guard.own_numbers import NoOwnNumbers, OwnNumbers
from guard.replay.ledger import Ledger
from guard.replay.recorded import CallRecord
from guard.rules.budget import Cap, Spent
from guard.rules.rules import Rules

R = TypeVar("R")

LATER_KEPT = 100
"""How many of the latest calls are kept for whoever looks for one that changed the same thing."""


@dataclass(slots=True)
class PastClock:
    """The time of the call that is decided about."""

    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return that time."""
        return self.at


class PastCalls:
    """Implements `guard.journal.History` over the calls that were decided about again so far."""

    def __init__(self, record: CallRecord, ledger: Ledger, remembers: timedelta) -> None:
        """`remembers` is how long a call counts as done or declined just before."""
        self._record = record
        self._ledger = ledger
        self._remembers = remembers
        self._answered: dict[str, Action] = {}
        self._in_order: deque[Action] = deque()
        self._done: deque[Action] = deque(maxlen=LATER_KEPT)

    def add(self, action: Action) -> None:
        """Remember a call that was carried out or declined, and forget those that are too long ago to count."""
        self._answered[action.digest] = action
        self._in_order.append(action)
        if action.state is State.DONE:
            self._done.append(action)
        while self._in_order and _ended(self._in_order[0]) < action.created_at - self._remembers:
            gone = self._in_order.popleft()
            if self._answered.get(gone.digest) is gone:
                del self._answered[gone.digest]

    async def find(self, action_id: str) -> Action | None:
        """Return the action of this id from the record."""
        return await self._record.find(action_id)

    async def find_archived(self, subject_id: str) -> ArchivedAction | None:
        """Return nothing: what is archived is not decided about again."""
        return None

    async def last_answered(self, digest: str, since: datetime) -> Action | None:
        """Return the last call of this digest that was carried out or declined since then."""
        found = self._answered.get(digest)
        return found if found is not None and _ended(found) >= since else None

    async def spent(self, caps: Sequence[Cap], now: datetime) -> list[Spent]:
        """Return what would be spent in the window of each cap."""
        return self._ledger.spent(caps, now)

    async def latest(
        self, limit: int, *, states: Collection[State] | None = None, principal: str | None = None, skip: int = 0
    ) -> list[Action]:
        """Return the latest calls that were carried out, newest first."""
        return list(reversed(self._done))[skip : skip + limit]

    async def is_frozen(self) -> bool:
        """Return False: what was asked then was not stopped."""
        return False


class NoSigns:
    """Implements `OptOuts` and `Taint`: who opted out, and what repeated text from outside, is on record as it was."""

    async def among(self, numbers: Sequence[str]) -> list[str]:
        """Return nobody."""
        return []

    async def unclear(self, numbers: Sequence[str]) -> list[str]:
        """Return nobody."""
        return []

    async def found_in(
        self, principal: Principal, arguments: Mapping[str, Any], *, ours: Collection[str]
    ) -> Mapping[str, OutsideSource]:
        """Return nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class RecordedAccount:
    """An account as the record names it. No provider is asked."""

    account: str

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Refuse: nothing is read or sent.

        Raises:
            NotSent: Always.
        """
        raise NotSent("No provider is asked about calls of the past.")

    def read_again(self, operation: Operation[R], raw: str) -> R:
        """Refuse, as `exchange` does."""
        raise NotSent("No provider is asked about calls of the past.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Implements `guard.dependencies.CheckDependencies` for calls of the past."""

    journal: PastCalls
    catalog: OperationCatalog
    rules: Rules
    clock: PastClock
    optouts: NoSigns = field(default_factory=NoSigns)
    taint: NoSigns = field(default_factory=NoSigns)
    own_numbers: OwnNumbers = field(default_factory=NoOwnNumbers)
    commands: OperatorCommands = field(default_factory=OperatorCommands)
    sent_at: datetime | None = None
    clients: dict[str, ProviderClient] = field(default_factory=dict[str, ProviderClient])
    providers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def configured(self) -> Accounts:
        """The accounts that the record names."""
        return Accounts(self.clients, self.providers)

    def account_of(self, action: Action) -> Account:
        """Return the account of a call, under the name that the record has."""
        name = action.made_on
        client = self.clients.get(name)
        if client is None or client.account != action.account:
            client = self.clients[name] = RecordedAccount(action.account)
            self.providers[name] = action.provider
        return Account(name, action.provider, client)


class StandingAllowances:
    """Implements `AllowanceRecord`: allowances as if they had been in force all the time."""

    def __init__(self, allowances: Sequence[Allowance], record: CallRecord) -> None:
        self._record = record
        self._by_call: dict[tuple[str, str], list[Allowance]] = {}
        for one in allowances:
            self._by_call.setdefault((one.terms.operation, one.terms.principal), []).append(one)

    async def in_force(self, operation: str, principal: str | None, at: datetime) -> Sequence[Allowance]:
        """Return the allowances for an operation and whoever asks."""
        return self._by_call.get((operation, principal or ""), ())

    async def usage(self, found: Sequence[Allowance], at: datetime) -> Mapping[str, Usage]:
        """Return nothing: the ledger counts."""
        return {}

    async def texted_us(self, numbers: Collection[str], since: datetime, until: datetime) -> frozenset[str]:
        """Return those of the numbers that sent a text between two times."""
        return await self._record.texted_us(numbers, since, until)

    async def request(self, terms: Terms, reason: str, at: datetime) -> AllowanceRequest | None:
        """Record nothing."""
        return None


def _ended(action: Action) -> datetime:
    return action.finished_at or action.decided_at or action.created_at
