"""What a client can offer while somebody types an argument of a prompt, or the address of a document."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta

from mcp.types import Completion, CompletionArgument, PromptReference, ResourceTemplateReference

from prompts.library import guides
from server.mcp.session import current_headers
from server.services import Services, principal_of
from tools.selection import ToolSelection, from_headers

MOST = 20
KEPT = timedelta(minutes=1)
"""How long the numbers and groups are offered again before providers are asked anew: people type faster than that."""

Source = Callable[[], Awaitable[Iterable[str]]]


class Completions:
    """Offers values that begin with, or have in them, what was typed.

    What cannot be asked offers nothing, and neither does what a model may not read.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: dict[tuple[str, ToolSelection | None], tuple[datetime, list[str]]] = {}
        self._sources: Mapping[str, Source] = {
            "number": self._numbers,
            "group": self._groups,
            "ringfence://operations/{name}": self._operations,
            "ringfence://providers/{name}": self._providers,
            "ringfence://actions/{action_id}": self._actions,
        }

    async def __call__(
        self, ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, _context: object
    ) -> Completion:
        """A completion handler, as the SDK calls it."""
        source = self._sources.get(_kind(ref, argument.name) or "")
        typed = argument.value.strip().lower()
        values: list[str] = list(await source()) if source is not None else []
        fitting = [value for value in values if typed in value.lower()]
        fitting.sort(key=lambda value: (not value.lower().startswith(typed), value))
        return Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)

    async def _numbers(self) -> Iterable[str]:
        from tools.overview.gather import gather

        async def read() -> Iterable[str]:
            gathered = await gather(self._services.views, lambda view: view.numbers())
            return sorted({line.number for lines in gathered.found.values() for line in lines})

        return await self._keep("numbers", read)

    async def _groups(self) -> Iterable[str]:
        from clients.errors import TelephonyError
        from tools.policy_reader import NotAllowed
        from tools.routee.operations.groups import ListGroups

        reader = self._services.readers.get("routee")
        if reader is None:
            return []

        async def read() -> Iterable[str]:
            try:
                found = await reader.send(ListGroups())
            except (TelephonyError, NotAllowed):
                return []
            return [group.name for group in found.groups if group.name]

        return await self._keep("groups", read)

    async def _operations(self) -> Iterable[str]:
        from tools.registry import operations_of

        return [name for provider in self._services.clients for name in operations_of(provider)]

    async def _providers(self) -> Iterable[str]:
        return list(self._services.clients)

    async def _actions(self) -> Iterable[str]:
        asking = principal_of()
        return [action.id for action in await self._services.store.journal.latest(100, principal=asking.name)]

    async def _keep(self, name: str, read: Source) -> Iterable[str]:
        """What was read lately, for a session whose headers leave it as much as this one."""
        now, key = self._services.clock.now(), (name, from_headers(current_headers()))
        if key not in self._kept or self._kept[key][0] <= now:
            values = list(await read())
            fresh = {other: kept for other, kept in self._kept.items() if kept[0] > now}
            self._kept = fresh | {key: (now + KEPT, values)}
        return self._kept[key][1]


def _kind(ref: PromptReference | ResourceTemplateReference, argument: str) -> str | None:
    if isinstance(ref, ResourceTemplateReference):
        return ref.uri
    guide = next((guide for guide in guides() if guide.name == ref.name), None)
    found = next((one for one in guide.arguments if one.name == argument), None) if guide else None
    return found.completes if found else None
