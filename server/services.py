"""Puts clients, guard and store together. Nothing is opened or imported before it is needed."""

import getpass
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx2
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context
from pydantic import SecretStr

from clients.cache import CachedAnswer
from clients.client import ApiClient
from clients.http_client import open_http_client
from clients.limits import Limit
from clients.operation import Spec
from guard.action import Principal
from guard.errors import JournalUnavailable
from guard.rules.quote import PriceSource
from server.console.urls import ApprovalPage, NoPage
from server.mcp.dispatcher import Dispatcher
from server.mcp.session import current_headers
from server.settings.model import Settings
from server.webhooks.urls import InboxUrl
from tools.actions.handlers import ActionHandlers
from tools.policy_reader import PolicyReader
from tools.provider import SETUPS, Shared, revealed
from tools.registry import operation_named
from tools.related_reads import related_reads
from tools.selection import ToolSelection, from_headers

if TYPE_CHECKING:
    from guard.pipeline import Guard
    from guard.undo import UndoPlanner
    from server.store.spending import StoredSpending
    from server.store.store import Store
    from server.webhooks.endpoint import Reader
    from tools.overview.views import View


logger = logging.getLogger(__name__)


class Services:
    """One process's clients, store and guard."""

    def __init__(
        self,
        settings: Settings,
        *,
        http: httpx2.AsyncClient | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.surface = ToolSelection(
            tuple(settings.toolsets), tuple(settings.tools), tuple(settings.exclude_tools), settings.read_only
        )
        self.now = now
        self._given_http = http
        self.policy = settings.session_policy()
        self.page: ApprovalPage = NoPage()
        """Whoever serves puts the page here that it serves."""

        self.clients = self._clients()
        self.desk = Dispatcher(
            clients=self.clients,
            policy=self.policy,
            guard=lambda: self.guard,
            taint=lambda: self.store.taint,
            principal=principal_of,
            bar=self.bar,
            settings=self._provider_setting,
            page_for=lambda action: self.page.address_for(action.id),
            wait_seconds=settings.approvals.wait_seconds,
        )

        self.actions = ActionHandlers(
            desk=self.desk,
            journal=lambda: self.store.journal,
            undoing=lambda: self.undoing,
            principal=principal_of,
            current=lambda action: self.guard.current(action),
        )

    @cached_property
    def undoing(self) -> "UndoPlanner":
        """Plans for taking actions back."""
        from guard.undo import UndoPlanner

        return UndoPlanner(journal=self.store.journal, senders=self.clients, operations=operation_named)

    @cached_property
    def store(self) -> "Store":
        """The store. Imported here: most sessions only read, and SQLAlchemy takes longer to load than they take."""
        from server.store.store import open_store

        settings = self.settings
        return open_store(settings.store_address, settings.state_folder, revealed(settings.state_key))

    @cached_property
    def guard(self) -> "Guard":
        """The guard, with its store. Imported here for the same reason."""
        from guard.pipeline import Guard

        return Guard(
            journal=self.store.journal,
            vault=self.store.vault,
            tracker=self.store.events,
            optouts=self.store.optouts,
            taint=self.store.taint,
            senders=self.clients,
            prices=self._prices(),
            operations=operation_named,
            related_reads=related_reads,
            rules=self.settings.rules.rules(self.policy),
            now=self.now,
            lifetime=timedelta(minutes=self.settings.approval_minutes),
            answer_within=timedelta(seconds=self.settings.timeout_seconds),
        )

    @cached_property
    def views(self) -> "dict[str, View]":
        """Each provider that is set up, in the form that is common to all."""
        return {name: SETUPS[name].view(reader, self.settings) for name, reader in self.readers.items()}

    @cached_property
    def readers(self) -> dict[str, PolicyReader]:
        """What tools of our own and completions read each provider with: they reach no more than its operations do."""
        return {
            name: PolicyReader(client, policy=self.policy, bar=lambda spec: self._bar(spec, current_headers()))
            for name, client in self.clients.items()
        }

    @cached_property
    def spending(self) -> "StoredSpending":
        """What guarded calls cost."""
        from server.store.spending import StoredSpending

        return StoredSpending(self.store.database)

    @cached_property
    def http(self) -> httpx2.AsyncClient:
        """The pool that all clients share."""
        return self._given_http or open_http_client(self.settings.timeout_seconds)

    def bar(self, spec: Spec, context: Context[Any, Any]) -> str | None:
        """Why this session may not call an operation, by whatever tool; None where it may."""
        return self._bar(spec, context.headers)

    def _bar(self, spec: Spec, headers: Mapping[str, str] | None) -> str | None:
        client = from_headers(headers)
        barred = self.surface.bar(spec.tool_name, reads=spec.effect.is_plain_read)
        return barred or (client.bar(spec.tool_name, reads=spec.effect.is_plain_read) if client else None)

    @property
    def is_reached_by_providers(self) -> bool:
        """True when callbacks can come in: over HTTP, at an address that is known outside."""
        return bool(self.settings.http.public_address or self.settings.approvals.address)

    def callback_readers(self) -> "dict[str, Reader]":
        """What reads the callbacks of each provider that posts some."""
        from tools.routee.webhooks import read_callback

        return {"routee": read_callback} if "routee" in self.clients else {}

    def state_key(self) -> bytes:
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
        if "http" in self.__dict__:
            await self.http.aclose()
        if "store" in self.__dict__:
            await self.store.database.close()

    def _clients(self) -> dict[str, ApiClient]:
        shared = Shared(
            http=lambda: self.http,
            limits=SharedLimits(lambda: self.store),
            cache=SharedCache(lambda: self.store),
            tokens=SharedTokens(lambda: self.store),
            inbox=lambda name: InboxUrl(self.settings, lambda: self.store, name),
        )
        return {
            name: setup.client(self.settings, shared)
            for name, setup in SETUPS.items()
            if setup.section(self.settings).is_complete
        }

    def _prices(self) -> dict[str, PriceSource]:
        sources = {name: SETUPS[name].prices(client) for name, client in self.clients.items()}
        return {name: source for name, source in sources.items() if source is not None}

    def _provider_setting(self, provider: str, name: str) -> str | None:
        value = getattr(SETUPS[provider].section(self.settings), name, None)
        return value.get_secret_value() if isinstance(value, SecretStr) else value


class SharedLimits:
    """The store's limits, without opening the store before a limit is touched."""

    def __init__(self, record: "Callable[[], Store]") -> None:
        self._record = record

    async def take(self, limit: Limit) -> None:
        await self._record().limits.take(limit)


class SharedCache:
    """The store's cache of answers, without opening the store before an answer is kept."""

    def __init__(self, record: "Callable[[], Store]") -> None:
        self._record = record

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        return await self._record().cache.get(account, name)

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        await self._record().cache.put(account, name, answer)

    async def mark_stale(self, account: str) -> None:
        await self._record().cache.mark_stale(account)


class SharedTokens:
    """The store's sessions, without opening the store before a client logs in."""

    def __init__(self, record: "Callable[[], Store]") -> None:
        self._record = record

    async def get(self, name: str) -> str | None:
        return await self._record().tokens.get(name)

    async def put(self, name: str, value: str) -> None:
        await self._record().tokens.put(name, value)

    async def drop(self, name: str) -> None:
        await self._record().tokens.drop(name)


def principal_of(_context: Context[Any, Any] | None = None) -> Principal:
    """Who makes the request at hand: the token's holder on HTTP, the local user otherwise."""
    token = get_access_token()
    if token is not None:
        return Principal(f"token:{token.subject or token.client_id}")
    return Principal(f"local:{getpass.getuser()}")
