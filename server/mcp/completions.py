"""Completion: offers values while somebody types an argument of a prompt, or the URI of a document."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.types import (
    CompleteRequestParams,
    CompleteResult,
    Completion,
    PromptReference,
    ResourceTemplateReference,
)

from prompts.library import guides
from server.mcp.session import Session, TokenGrant
from server.services import Services
from tools.actions.handlers import is_own
from tools.overview.gather import gather
from tools.registry import operations_of, provider_named
from tools.selection import ToolSelection, usable_accounts

OFFERED_AT_MOST = 20
CACHED_FOR = timedelta(minutes=1)
"""Every letter that is typed is a request of its own, and providers need not be read for each."""

Source = Callable[[Session], Awaitable[Iterable[str]]]


class Completions:
    """Offers values that begin with what was typed, then those that contain it.

    A provider that cannot be read, or that the model may not read, adds no values.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._selection = services.settings.selection
        self._cached: dict[tuple[str, ToolSelection | None, TokenGrant], tuple[datetime, list[str]]] = {}
        self._sources: Mapping[str, Source] = {
            "number": self._numbers,
            "ringfence://operations/{name}": self._operations,
            "ringfence://providers/{name}": self._providers,
            "ringfence://actions/{action_id}": self._actions,
        }

    async def complete(self, context: ServerRequestContext[None, Any], params: CompleteRequestParams) -> CompleteResult:
        """Complete one argument."""
        session = Session(context, self._selection)
        values = list(await self._values(_kind(params.ref, params.argument.name), session))
        typed = params.argument.value.strip().lower()
        fitting = [value for value in values if typed in value.lower()]
        fitting.sort(key=lambda value: (not value.lower().startswith(typed), value))
        return CompleteResult(
            completion=Completion(
                values=fitting[:OFFERED_AT_MOST], total=len(fitting), has_more=len(fitting) > OFFERED_AT_MOST
            )
        )

    async def _values(self, kind: str | None, session: Session) -> Iterable[str]:
        if kind is None:
            return []
        if kind in self._sources:
            return await self._sources[kind](session)
        return await self._from_providers(kind, session)

    async def _numbers(self, session: Session) -> Iterable[str]:
        async def read() -> list[str]:
            gathered = await gather(self._services.views(session), lambda view: view.numbers())
            return sorted({one.number for numbers in gathered.found.values() for one in numbers})

        return await self._cache("number", session, read)

    async def _from_providers(self, kind: str, session: Session) -> Iterable[str]:
        """Return the values of one kind from all providers that are set up."""

        async def read() -> list[str]:
            found: list[str] = []
            for name in self._services.clients:
                provider = provider_named(self._services.provider_of(name))
                complete, reader = provider.completions.get(kind), self._services.reader(name, session)
                if complete is not None and reader is not None:
                    found += await complete.load()(reader)
            return found

        return await self._cache(kind, session, read)

    async def _operations(self, session: Session) -> Iterable[str]:
        return [name for provider in await self._providers(session) for name in operations_of(provider)]

    async def _providers(self, session: Session) -> Iterable[str]:
        return [name for name in self._services.set_up if usable_accounts(name, session, self._services)]

    async def _actions(self, session: Session) -> Iterable[str]:
        found = await self._services.journal.latest(100, principal=session.principal.name)
        return [action.id for action in found if is_own(action, session)]

    async def _cache(self, kind: str, session: Session, read: Callable[[], Awaitable[list[str]]]) -> Iterable[str]:
        """Return values read within `CACHED_FOR`, for sessions that may use the same; else read them."""
        now, key = self._services.clock.now(), (kind, session.narrowed, session.grant)
        if key not in self._cached or self._cached[key][0] <= now:
            values = await read()
            fresh = {other: cached for other, cached in self._cached.items() if cached[0] > now}
            self._cached = fresh | {key: (now + CACHED_FOR, values)}
        return self._cached[key][1]


def _kind(reference: PromptReference | ResourceTemplateReference, argument: str) -> str | None:
    if isinstance(reference, ResourceTemplateReference):
        return reference.uri
    guide = next((guide for guide in guides() if guide.name == reference.name), None)
    found = next((one for one in guide.arguments if one.name == argument), None) if guide else None
    return found.completes if found else None
