"""The services of one process: clients, store and guard, put together. The only composition root.

Nothing is opened before it is needed. The store is also imported only then: most sessions only read, and SQLAlchemy
takes longer to load than they take.
"""

import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from clients.deferred import Deferred
from clients.redaction import redact
from clients.settings import reveal
from clients.shared.clock import Clock, SystemClock
from clients.shared.http_client import HttpPool
from clients.shared.webhook_urls import INBOX_PATH
from guard.background import Reconciliation
from guard.errors import JournalUnavailable
from server.settings.errors import BadSettings
from server.settings.model import Settings
from server.store.door import StoreDoor
from tools.registry import provider_named, provider_names

if TYPE_CHECKING:
    import httpx2

    from clients.client import ApiClient
    from clients.resources import ClientResources
    from clients.wire.corrections import Corrections
    from guard.action import Action, Principal
    from guard.allowances.coverage import FindMembers
    from guard.allowances.fitness import Fitness
    from guard.allowances.record import AllowanceRecord
    from guard.dependencies import GuardDependencies
    from guard.journal import Journal
    from guard.own_numbers import OwnNumber
    from guard.pipeline import Guard
    from guard.plans.approvals import PlanApprovals
    from guard.plans.journal import PlanJournal
    from guard.plans.proposal import PlanProposer
    from guard.plans.run import PlanRunner
    from guard.plans.timed.schedule import Timetable
    from guard.plans.undo import PlanUndoPlanner
    from guard.receipts.record import ReceiptRecord
    from guard.rules.budget import Cap
    from guard.rules.people import PeopleChecker
    from guard.rules.policy import Policy
    from guard.rules.quote import PriceSource
    from guard.rules.rules import Rules
    from guard.undo import UndoPlanner
    from server.store.events import StoredEvents
    from server.store.reports.spending import StoredSpending
    from server.store.shared import SharedCache, SharedLimits, SharedOptOuts, SharedTokens
    from server.store.store import Store
    from tools.builtin import BuiltinTool, Session
    from tools.operation_catalog import RegisteredOperations
    from tools.overview.views import View
    from tools.policy_reader import PolicyReader, Reader
    from tools.provider import ReadCallback

logger = logging.getLogger(__name__)

WEBHOOK_SECRET: Final = "callbacks of providers"  # noqa: S105 - the purpose of a key, which is no secret
"""Purpose of the secret in webhook URLs. Another purpose would break the URLs that providers hold."""

Views: TypeAlias = "Mapping[str, View]"

# What the services are made of. Deferred: a client waits for the list of tools, which needs none of it.
CLIENT_RESOURCES: Final["Deferred[type[ClientResources]]"] = Deferred("clients.resources:ClientResources")
CORRECTIONS_OF: Final["Deferred[Callable[[Settings], Corrections]]"] = Deferred(
    "server.settings.corrections:corrections_of"
)
SHARED_LIMITS: Final["Deferred[type[SharedLimits]]"] = Deferred("server.store.shared:SharedLimits")
SHARED_CACHE: Final["Deferred[type[SharedCache]]"] = Deferred("server.store.shared:SharedCache")
SHARED_TOKENS: Final["Deferred[type[SharedTokens]]"] = Deferred("server.store.shared:SharedTokens")
SHARED_OPT_OUTS: Final["Deferred[type[SharedOptOuts]]"] = Deferred("server.store.shared:SharedOptOuts")
GUARD: Final["Deferred[type[Guard]]"] = Deferred("guard.pipeline:Guard")
GUARD_DEPENDENCIES: Final["Deferred[type[GuardDependencies]]"] = Deferred("guard.dependencies:GuardDependencies")
REGISTERED_OPERATIONS: Final["Deferred[type[RegisteredOperations]]"] = Deferred(
    "tools.operation_catalog:RegisteredOperations"
)
PLAN_PROPOSER: Final["Deferred[type[PlanProposer]]"] = Deferred("guard.plans.proposal:PlanProposer")
TIMETABLE: Final["Deferred[type[Timetable]]"] = Deferred("guard.plans.timed.schedule:Timetable")
PLAN_RUNNER: Final["Deferred[type[PlanRunner]]"] = Deferred("guard.plans.run:PlanRunner")
PLAN_APPROVALS: Final["Deferred[type[PlanApprovals]]"] = Deferred("guard.plans.approvals:PlanApprovals")
UNDO_PLANNER: Final["Deferred[type[UndoPlanner]]"] = Deferred("guard.undo:UndoPlanner")
PLAN_UNDO_PLANNER: Final["Deferred[type[PlanUndoPlanner]]"] = Deferred("guard.plans.undo:PlanUndoPlanner")
PEOPLE_CHECKER: Final["Deferred[type[PeopleChecker]]"] = Deferred("guard.rules.people:PeopleChecker")
FITNESS_OF: Final["Deferred[Callable[[Settings], Fitness]]"] = Deferred("server.settings.allowances:fitness_of")
BUILTIN_TOOLS: Final["Deferred[Callable[[Collection[str]], tuple[BuiltinTool, ...]]]"] = Deferred(
    "tools.builtin_list:builtin_tools"
)
POLICY_READER: Final["Deferred[type[PolicyReader]]"] = Deferred("tools.policy_reader:PolicyReader")
FIND_OWN_NUMBERS: Final["Deferred[Callable[[Views, Collection[str]], Awaitable[Mapping[str, OwnNumber]]]]"] = Deferred(
    "tools.overview.own_numbers:find_own_numbers"
)
ALL_OWN_NUMBERS: Final["Deferred[Callable[[Views], Awaitable[Sequence[OwnNumber]]]]"] = Deferred(
    "tools.overview.own_numbers:all_own_numbers"
)


@dataclass(frozen=True)
class Services:
    """One process's clients, store and guard."""

    settings: Settings
    given_http: "httpx2.AsyncClient | None" = None
    """A connection pool that the caller opened, and closes."""

    clock: Clock = field(default_factory=SystemClock)

    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    """Runs beside the requests of the server that uses these services."""

    @cached_property
    def clients(self) -> "Mapping[str, ApiClient]":
        """A client for each account that is set up, by the account's name.

        Raises:
            BadSettings: Two of them are the same account: rules for one would not hold for the other.
        """
        found = {name: self._connect(name) for name in self.settings.account_names}
        names: dict[str, str] = {}
        for name, client in found.items():
            if (other := names.setdefault(client.account, name)) != name:
                raise BadSettings(f"The accounts {other} and {name} are the same one: remove one of them.")
        return found

    def require_distinct_accounts(self) -> None:
        """Refuse two accounts that are the same one. Connects only where a provider has several.

        Raises:
            BadSettings: Two of them are the same account.
        """
        if len(self.settings.account_names) > len(self.settings.set_up):
            _ = self.clients

    @cached_property
    def http(self) -> HttpPool:
        """The connection pool that all clients share."""
        return HttpPool(self.settings.timeout_seconds, given=self.given_http)

    @cached_property
    def door(self) -> StoreDoor:
        """The door to the store, for objects that are made before the store is needed."""
        settings = self.settings
        return StoreDoor(settings.store_address, settings.state_folder, reveal(settings.state_key))

    @property
    def store(self) -> "Store":
        """The store, opened on first use."""
        return self.door.store

    @cached_property
    def guard(self) -> "Guard":
        """The guard. Opens the store."""
        return GUARD.load()(self.guard_dependencies)

    @cached_property
    def guard_dependencies(self) -> "GuardDependencies":
        """The objects that the guard works with. Opens the store."""
        return GUARD_DEPENDENCIES.load()(
            journal=self.store.journal,
            vault=self.store.vault,
            tracker=self.store.events,
            optouts=self.store.optouts,
            taint=self.store.taint,
            allowances=self.store.allowances,
            groups=self.groups,
            accounts=self.clients,
            prices=_prices(self.clients),
            providers=self._providers,
            catalog=REGISTERED_OPERATIONS.load()(),
            own_numbers=AccountNumbers(self, self.clients),
            rules=self.rules,
            clock=self.clock,
            reconciliation=self.reconciliation,
            approval_lifetime=timedelta(minutes=self.settings.approval_minutes),
            answer_within=timedelta(seconds=self.settings.timeout_seconds),
            commands=self.settings.commands,
        )

    @cached_property
    def plan_proposer(self) -> "PlanProposer":
        """Proposes plans. Opens the store."""
        return PLAN_PROPOSER.load()(
            self.guard_dependencies,
            self.store.plans,
            self.shared_reads,
            lifetime=timedelta(minutes=self.settings.plan_minutes),
            timetable=TIMETABLE.load()(timedelta(days=self.settings.plan_days), self.settings.time_zone),
            run_by_server=self.runs_on_approval,
        )

    @property
    def runs_on_approval(self) -> bool:
        """True if the operator has the server carry out what was approved."""
        return self.settings.approvals.run == "server"

    @property
    def shared_reads(self) -> "SharedReads":
        """Shares reads between the calls of one job."""
        return SharedReads(self)

    @cached_property
    def plan_runner(self) -> "PlanRunner":
        """Carries out plans. Opens the store."""
        return PLAN_RUNNER.load()(self.guard, self.guard_dependencies, self.store.plans, self.shared_reads)

    @property
    def plan_approvals(self) -> "PlanApprovals":
        """Records answers to plans. Opens the store."""
        return PLAN_APPROVALS.load()(self.store.plans, self.clock, self.rules, REGISTERED_OPERATIONS.load()())

    @property
    def plans(self) -> "PlanJournal":
        """The record of plans."""
        return self.store.plans

    @property
    def undo_planner(self) -> "UndoPlanner":
        """The planner of undos."""
        return UNDO_PLANNER.load()(self.guard_dependencies)

    @property
    def plan_undo(self) -> "PlanUndoPlanner":
        """The planner of undos of plans."""
        return PLAN_UNDO_PLANNER.load()(self.undo_planner, self.store.plans)

    @property
    def people_checker(self) -> "PeopleChecker":
        """The checker of lists of people. Opens the store."""
        return PEOPLE_CHECKER.load()(self.guard_dependencies)

    @property
    def journal(self) -> "Journal":
        """The record of guarded calls."""
        return self.store.journal

    @property
    def allowances(self) -> "AllowanceRecord":
        """The record of what the operator allowed beforehand."""
        return self.store.allowances

    @property
    def allowance_fitness(self) -> "Fitness":
        """What conditions of allowances may ask for here."""
        return FITNESS_OF.load()(self.settings)

    @property
    def receipts(self) -> "ReceiptRecord":
        """The record of signed receipts."""
        return self.store.receipts

    @property
    def ledger(self) -> "StoredSpending":
        """The record of what guarded calls cost."""
        return self.store.spending

    @property
    def events(self) -> "StoredEvents":
        """The record of received webhooks."""
        return self.store.events

    @property
    def policy(self) -> "Policy":
        """The operator's policy with what this session tightens."""
        return self._policy

    @property
    def rules(self) -> "Rules":
        """The operator's rules, with what this session tightens."""
        return self.settings.rules.rules(self.policy)

    @property
    def caps(self) -> "Sequence[Cap]":
        """The operator's caps on spending."""
        return self.rules.caps

    @property
    def shares_spending(self) -> bool:
        """True if the operator lets every principal see what all of them spend."""
        return self.settings.share_spending

    def shows_budgets(self, principal: "Principal") -> bool:
        """Return True if a principal may see what is left of the caps: the local user can read the store anyway."""
        return self.shares_spending or principal.is_local

    @property
    def set_up(self) -> tuple[str, ...]:
        """Names of the providers that have credentials."""
        return tuple(self._accounts)

    def accounts_of(self, provider: str) -> tuple[str, ...]:
        """Return the names of a provider's accounts that are set up."""
        return self._accounts.get(provider, ())

    @cached_property
    def _accounts(self) -> "Mapping[str, tuple[str, ...]]":
        """The names of the accounts that are set up, by provider: every call asks, and settings are read once."""
        return {provider: self.settings.accounts_of(provider) for provider in self.settings.set_up}

    def default_account(self, provider: str, usable: Sequence[str]) -> str | None:
        """Return the account of a call that names none, among those that may be used; None where it has to name one."""
        if len(usable) == 1:
            return usable[0]
        default = self.settings.default_accounts.get(provider)
        return default if default in usable else None

    @property
    def not_set_up(self) -> tuple[str, ...]:
        """Names of the providers that have none."""
        return tuple(name for name in provider_names() if name not in self.set_up)

    @property
    def builtin_tools(self) -> "tuple[BuiltinTool, ...]":
        """The built-in tools for the providers that are set up, listed or not."""
        return BUILTIN_TOOLS.load()(self.set_up)

    @property
    def can_receive_webhooks(self) -> bool:
        """True when providers can reach this server: over HTTP, at an address that is known outside."""
        return self._public_address is not None

    def reader(self, account: str, session: "Session") -> "Reader | None":
        """Return the reader through which built-in tools read an account; it reaches no more than operations do.

        None where the account is not set up, or the session may not use it.
        """
        client = self.clients.get(account) if session.may_use(account) else None
        return POLICY_READER.load()(client, policy=self.policy.at(account), access=session) if client else None

    def views(self, session: "Session") -> "Mapping[str, View]":
        """Return the views of the accounts that the session may use, by the account's name."""
        found: dict[str, View] = {}
        for name, provider in self._providers.items():
            make, reader = provider_named(provider).view, self.reader(name, session)
            if make is not None and reader is not None:
                found[name] = make.load()(reader, self.settings.account(name))
        return found

    def provider_of(self, account: str) -> str:
        """Return the provider of an account that is set up."""
        return self.settings.provider_of(account)

    def views_of_guard(self, clients: "Mapping[str, ApiClient]") -> "Mapping[str, View]":
        """Return the views through which the guard itself reads with these clients; no session narrows them."""
        made = ((name, provider_named(provider).view) for name, provider in self._providers.items())
        return {
            name: view.load()(clients[name], self.settings.account(name)) for name, view in made if view is not None
        }

    async def current(self, action: "Action") -> "Action":
        """Return the action as it stands now; an unknown outcome is first checked at the provider."""
        return await self.guard.refresh(action)

    @property
    def groups(self) -> "Mapping[str, FindMembers]":
        """How to find the members of a group, by the name of a provider that has such groups."""
        made = ((name, provider_named(name).group_members) for name in self.set_up)
        return {name: find.load() for name, find in made if find is not None}

    def callback_readers(self) -> "Mapping[str, ReadCallback]":
        """Return the reader of webhooks of each account whose provider posts some, by the account's name."""
        chosen = ((name, provider_named(provider).read_callback) for name, provider in self._providers.items())
        return {name: read.load() for name, read in chosen if read is not None}

    def webhook_secret(self, account: str | None = None) -> str:
        """Return the secret part of an account's webhook URLs; the redactor learns it, so that nothing shows it.

        Accounts that are named like their provider share one, which the URLs of 0.1 have.
        """
        has_own = account is not None and self.settings.provider_of(account) != account
        secret = self.store.seal.derive(f"{WEBHOOK_SECRET} {account}" if has_own else WEBHOOK_SECRET).hex()[:40]
        redact.learn(secret)
        return secret

    def webhook_url(self, account: str, kind: str) -> str | None:
        """Return the URL to which a provider posts one kind of an account's webhooks; None where it could not."""
        base = self._public_address
        return f"{base.rstrip('/')}{INBOX_PATH}{account}/{self.webhook_secret(account)}/{kind}" if base else None

    def request_state_key(self) -> bytes:
        """Return the key that seals what clients carry between two rounds; replicas share it through the store.

        Where the store's key can be neither read nor made, every guarded call is refused, and any key will do.
        """
        try:
            return self.store.seal.derive("request state")
        except JournalUnavailable as unavailable:
            logger.warning("%s Plain reads still work.", unavailable)
            return secrets.token_bytes(32)

    async def close(self) -> None:
        """Close what was opened."""
        await self.http.close()
        await self.door.close()

    @cached_property
    def _policy(self) -> "Policy":
        return self.settings.session_policy()

    @property
    def _public_address(self) -> str | None:
        return self.settings.http.public_address or self.settings.approvals.address

    @property
    def _providers(self) -> dict[str, str]:
        """The provider of each account."""
        return {name: self.settings.provider_of(name) for name in self.settings.account_names}

    def _connect(self, account: str) -> "ApiClient":
        provider = self.settings.provider_of(account)
        resources = CLIENT_RESOURCES.load()(
            http=self.http,
            limits=SHARED_LIMITS.load()(self.door, None if account == provider else account),
            cache=SHARED_CACHE.load()(self.door),
            tokens=SHARED_TOKENS.load()(self.door),
            inbox=WebhookInbox(self, account),
            corrections=CORRECTIONS_OF.load()(self.settings),
        )
        client = provider_named(provider).connect.load()(self.settings.account(account), resources)
        client.name = account
        client.report_texts_to(SHARED_OPT_OUTS.load()(self.door, account))
        return client


@dataclass(frozen=True, slots=True)
class SharedReads:
    """Implements `guard.plans.read_sharing.ReadSharing` over the clients of a process."""

    services: Services

    @asynccontextmanager
    async def open(self) -> "AsyncGenerator[GuardDependencies]":
        """Yield the guard's dependencies over clients that make each plain read once, and one view of the store."""
        sharing = self._clients()
        async with self.services.store.database.snapshot():
            yield replace(
                self.services.guard_dependencies,
                accounts=sharing,
                prices=_prices(sharing),
                own_numbers=AccountNumbers(self.services, sharing),
            )

    def prices(self) -> "Mapping[str, PriceSource]":
        """Return the sources of prices over clients that make each plain read once."""
        return _prices(self._clients())

    def _clients(self) -> "dict[str, ApiClient]":
        return {name: client.sharing_reads() for name, client in self.services.clients.items()}


def _prices(clients: "Mapping[str, ApiClient]") -> "dict[str, PriceSource]":
    """Return the source of prices of each account whose provider has one."""
    sources = ((name, provider_named(client.provider.name).prices, client) for name, client in clients.items())
    return {name: source.load()(client) for name, source, client in sources if source is not None}


@dataclass(frozen=True, slots=True)
class AccountNumbers:
    """Finds numbers in the accounts of all providers that are set up."""

    services: Services
    clients: "Mapping[str, ApiClient]"

    async def find(self, numbers: Collection[str]) -> "Mapping[str, OwnNumber]":
        """Return those of the numbers, in E.164, that are known to be ours."""
        return await FIND_OWN_NUMBERS.load()(self.services.views_of_guard(self.clients), numbers)

    async def find_all(self) -> "Sequence[OwnNumber]":
        """Return the numbers of all accounts, as far as they can be read."""
        return await ALL_OWN_NUMBERS.load()(self.services.views_of_guard(self.clients))


@dataclass(frozen=True, slots=True)
class WebhookInbox:
    """Knows the URLs at which one account's webhooks arrive."""

    services: Services
    account: str

    def url(self, kind: str) -> str | None:
        """Return the URL for one kind of webhook; None where the provider could not reach it."""
        return self.services.webhook_url(self.account, kind)
