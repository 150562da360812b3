"""The services of one process: clients, store and guard, put together. The only composition root.

Nothing is opened before it is needed. The store and what stands on it are imported then, too: most sessions only read,
and SQLAlchemy takes longer to load than they take.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import httpx2

from clients.client import ApiClient
from clients.redaction import redact
from clients.settings import reveal
from clients.shared.cache import CachedAnswer
from clients.shared.clock import Clock, SystemClock
from clients.shared.http_client import HttpPool
from clients.shared.limits import Limit
from clients.shared.resources import ClientResources
from clients.shared.webhook_urls import INBOX_PATH
from guard.action import Action
from guard.background import Reconciliation
from guard.dependencies import GuardDependencies
from guard.errors import JournalUnavailable
from guard.journal import Journal
from guard.pipeline import Guard
from guard.rules.budget import Cap
from guard.rules.policy import Policy
from guard.rules.quote import PriceSource
from guard.undo import UndoPlanner
from server.settings.model import Settings
from server.store.door import StoreDoor
from tools.builtin import BuiltinTool, Session
from tools.builtin_list import builtin_tools
from tools.operation_catalog import RegisteredOperations
from tools.overview.views import View
from tools.policy_reader import PolicyReader, Reader
from tools.provider import ReadCallback
from tools.registry import provider_named, provider_names

if TYPE_CHECKING:
    from server.store.events import StoredEvents
    from server.store.spending import StoredSpending
    from server.store.store import Store

logger = logging.getLogger(__name__)

WEBHOOK_SECRET: Final = "callbacks of providers"  # noqa: S105 - the purpose of a key, which is no secret
"""What the secret in the inbox's addresses is derived for. Changing it would break addresses that providers hold."""


@dataclass(frozen=True)
class Services:
    """One process's clients, store and guard."""

    settings: Settings
    given_http: httpx2.AsyncClient | None = None
    """A connection pool that the caller opened, and closes."""

    clock: Clock = field(default_factory=SystemClock)

    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    """Whoever serves requests runs it beside them."""

    @cached_property
    def clients(self) -> Mapping[str, ApiClient]:
        """A client for each provider that is set up."""
        return {name: provider_named(name).connect.load()(*self._client_parts(name)) for name in self.set_up}

    @cached_property
    def http(self) -> HttpPool:
        """The connection pool that all clients share."""
        return HttpPool(self.settings.timeout_seconds, given=self.given_http)

    @cached_property
    def door(self) -> StoreDoor:
        """The door to the store, for what needs the store later."""
        settings = self.settings
        return StoreDoor(settings.store_address, settings.state_folder, reveal(settings.state_key))

    @property
    def store(self) -> "Store":
        """The store, opened on first use."""
        return self.door.store

    @cached_property
    def guard(self) -> Guard:
        """The guard, with its store."""
        return Guard(self.guard_dependencies)

    @cached_property
    def guard_dependencies(self) -> GuardDependencies:
        """What the guard works with. Opens the store."""
        return GuardDependencies(
            journal=self.store.journal,
            vault=self.store.vault,
            tracker=self.store.events,
            optouts=self.store.optouts,
            taint=self.store.taint,
            accounts=self.clients,
            prices=self._prices(),
            catalog=RegisteredOperations(),
            rules=self.settings.rules.rules(self.policy),
            clock=self.clock,
            reconciliation=self.reconciliation,
            approval_lifetime=timedelta(minutes=self.settings.approval_minutes),
            answer_within=timedelta(seconds=self.settings.timeout_seconds),
        )

    @cached_property
    def undo_planner(self) -> UndoPlanner:
        """Plans for undoing actions."""
        return UndoPlanner(self.guard_dependencies)

    @property
    def journal(self) -> Journal:
        """The actions on the record."""
        return self.store.journal

    @property
    def ledger(self) -> "StoredSpending":
        """What guarded calls cost."""
        return self.store.spending

    @property
    def events(self) -> "StoredEvents":
        """The webhooks that were taken in."""
        return self.store.events

    @cached_property
    def policy(self) -> Policy:
        """The operator's policy, made stricter by what this session adds."""
        return self.settings.session_policy()

    @property
    def caps(self) -> Sequence[Cap]:
        """The operator's caps on spending."""
        return self.settings.rules.rules(self.policy).caps

    @cached_property
    def set_up(self) -> tuple[str, ...]:
        """Names of the providers that have credentials."""
        return self.settings.set_up

    @property
    def not_set_up(self) -> tuple[str, ...]:
        """Names of the providers that have none."""
        return tuple(name for name in provider_names() if name not in self.set_up)

    @cached_property
    def builtin_tools(self) -> tuple[BuiltinTool, ...]:
        """Every built-in tool, listed or not, of the providers that are set up."""
        return builtin_tools(self.set_up)

    @property
    def can_receive_webhooks(self) -> bool:
        """True when providers can reach this server: over HTTP, at an address that is known outside."""
        return self._public_address is not None

    def reader(self, provider: str, session: Session) -> Reader | None:
        """What built-in tools read a provider with: they reach no more than its operations do."""
        client = self.clients.get(provider)
        return PolicyReader(client, policy=self.policy, access=session) if client else None

    def views(self, session: Session) -> Mapping[str, View]:
        """The providers that are set up, by name, in the form that is common to all."""
        found: dict[str, View] = {}
        for name in self.set_up:
            make, reader = provider_named(name).view, self.reader(name, session)
            if make is not None and reader is not None:
                found[name] = make.load()(reader, self.settings.account(name))
        return found

    async def current(self, action: Action) -> Action:
        """The action as it stands now; where its outcome is open, the provider is asked."""
        return await self.guard.refresh(action)

    def callback_readers(self) -> Mapping[str, ReadCallback]:
        """What reads the webhooks of each provider that posts some."""
        chosen = ((name, provider_named(name).read_callback) for name in self.set_up)
        return {name: read.load() for name, read in chosen if read is not None}

    def webhook_secret(self) -> str:
        """The secret part of the inbox's addresses; the redactor learns it, so that nothing shows it."""
        secret = self.store.seal.derive(WEBHOOK_SECRET).hex()[:40]
        redact.learn(secret)
        return secret

    def webhook_url(self, provider: str, kind: str) -> str | None:
        """Where a provider posts one kind of webhook; None where nobody outside could reach it."""
        base = self._public_address
        return f"{base.rstrip('/')}{INBOX_PATH}{provider}/{self.webhook_secret()}/{kind}" if base else None

    def request_state_key(self) -> bytes:
        """Seals what clients carry between two rounds; replicas that share it can answer for each other.

        Where the store's key can be neither read nor made, every guarded call is refused, and any key will do.
        """
        try:
            return self.store.seal.derive("request state")
        except JournalUnavailable as unavailable:
            logger.warning("%s Plain reads go on.", unavailable)
            return secrets.token_bytes(32)

    async def close(self) -> None:
        """Close what was opened."""
        await self.http.close()
        await self.door.close()

    @property
    def _public_address(self) -> str | None:
        return self.settings.http.public_address or self.settings.approvals.address

    def _client_parts(self, provider: str) -> tuple[object, ClientResources]:

        resources = ClientResources(
            http=self.http,
            limits=_SharedLimits(self),
            cache=_SharedCache(self),
            tokens=_SharedTokens(self),
            inbox=_Inbox(self, provider),
            paths=self.settings.paths,
        )
        return self.settings.account(provider), resources

    def _prices(self) -> dict[str, PriceSource]:
        sources = ((name, provider_named(name).prices, client) for name, client in self.clients.items())
        return {name: source.load()(client) for name, source, client in sources if source is not None}


@dataclass(frozen=True, slots=True)
class _SharedLimits:
    """The store's limits, without opening the store before a limit is touched."""

    services: Services

    async def take(self, limit: Limit) -> None:
        await self.services.store.limits.take(limit)


@dataclass(frozen=True, slots=True)
class _SharedCache:
    """The store's cache of answers, without opening the store before an answer is kept."""

    services: Services

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        return await self.services.store.cache.get(account, name)

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        await self.services.store.cache.put(account, name, answer)

    async def mark_stale(self, account: str) -> None:
        await self.services.store.cache.mark_stale(account)


@dataclass(frozen=True, slots=True)
class _SharedTokens:
    """The store's sessions, without opening the store before a client logs in."""

    services: Services

    async def get(self, name: str) -> str | None:
        return await self.services.store.tokens.get(name)

    async def put(self, name: str, value: str) -> None:
        await self.services.store.tokens.put(name, value)

    async def drop(self, name: str) -> None:
        await self.services.store.tokens.drop(name)


@dataclass(frozen=True, slots=True)
class _Inbox:
    """Where one provider's webhooks arrive."""

    services: Services
    provider: str

    def url(self, kind: str) -> str | None:
        return self.services.webhook_url(self.provider, kind)
