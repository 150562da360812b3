"""The four tools that reach every operation: search, describe, and call, for reading and for all else."""

from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from typing import Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, InputRequiredResult
from pydantic import BaseModel, ConfigDict, Field, field_validator

from guard.rules.policy import Policy
from server.mcp.dispatcher import AccessCheck, Dispatcher
from server.mcp.results import problem, shown
from tools.builtin import LOCAL_READ, MUTATING, PROVIDER_READ, builtin_tool
from tools.discovery.describe import ASKED, CALL_READ, CALL_WRITE, caller, describe
from tools.discovery.index import index_of
from tools.discovery.ranking import Entry, Index
from tools.registry import OperationType, operation_named, operations_of
from tools.suggestions import nearest_tools, reads_of

Outcome = CallToolResult | InputRequiredResult
Kind = Literal["read", "change", "paid"]


class Searching(BaseModel):
    """Arguments of search_operations."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=2, max_length=300, description="What is to be done, in the user's words.")
    provider: str | None = Field(default=None, description="Only this provider's.")
    kind: Kind | None = Field(default=None, description="Only free reads, changes, or what costs money.")
    limit: int = Field(default=5, ge=1, le=20, description="How many, best first.")

    @field_validator("provider")
    @classmethod
    def _as_providers_are_named(cls, provider: str | None) -> str | None:
        return provider.strip().lower() if provider else provider


class Naming(BaseModel):
    """Arguments of describe_operation."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(max_length=80, description="Name, from search_operations.")


class Calling(BaseModel):
    """Arguments of the two tools that call."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(max_length=80, description="Name, from search_operations.")
    arguments: dict[str, Any] = Field(default={}, description="As describe_operation shows them.")


class DiscoveryHandlers:
    """Finds and calls the operations of the providers that are set up, as far as the session reaches them."""

    def __init__(
        self,
        *,
        desk: Dispatcher,
        policy: Policy,
        providers: Collection[str],
        bar: AccessCheck,
        listed: Callable[[], Iterable[Tool]],
    ) -> None:
        self._desk = desk
        self._policy = policy
        self._providers = providers
        self._bar = bar
        self._listed = listed

    async def search(self, asked: Searching, context: Context[Any, Any]) -> Outcome:
        """The operations and tools that fit a request best."""
        if asked.provider is not None and asked.provider not in self._providers:
            there = ", ".join(self._providers) or "none"
            return problem(f"{asked.provider} is not set up here. Set up: {there}.", kind="NotConfigured")
        found = self._index.search(asked.query, limit=200)
        rows = [row for entry in found if (row := self._row(entry, asked, context)) is not None][: asked.limit]
        if not rows:
            return problem("Nothing fits. Say it in other words, or leave out provider and kind.", kind="NotFound")
        return shown({"operations": rows})

    async def describe(self, asked: Naming, context: Context[Any, Any]) -> Outcome:
        """Everything about one operation."""
        operation = self._known(asked.operation, context)
        if isinstance(operation, CallToolResult):
            return operation
        told = describe(operation, self._policy)
        return shown({name: value for name, value in told.items() if value is not None})

    async def read(self, asked: Calling, context: Context[Any, Any]) -> Outcome:
        """Make a plain read."""
        operation = self._known(asked.operation, context)
        if isinstance(operation, CallToolResult):
            return operation
        if not operation.spec.effect.is_plain_read:
            effect = " and ".join(operation.spec.effect.labels)
            return problem(
                f"{asked.operation} is no plain read ({effect}), so it was not called. Use {CALL_WRITE}.",
                kind="NotARead",
            )
        return await self._desk.call(operation, asked.arguments, context)

    async def write(self, asked: Calling, context: Context[Any, Any]) -> Outcome:
        """Make any call, through the guard where it is not harmless."""
        operation = self._known(asked.operation, context)
        return (
            operation
            if isinstance(operation, CallToolResult)
            else await self._desk.call(operation, asked.arguments, context)
        )

    @cached_property
    def _index(self) -> Index:
        return index_of((one for name in self._providers for one in operations_of(name).values()), self._listed())

    @cached_property
    def _own(self) -> dict[str, bool]:
        """The tools that are no operation, with whether each only reads."""
        own = [*self._listed(), *discovery_tools(self)]
        return {tool.name: bool(tool.annotations and tool.annotations.read_only_hint) for tool in own}

    def _known(self, name: str, context: Context[Any, Any]) -> OperationType | CallToolResult:
        operation = operation_named(name)
        if operation is not None and operation.spec.provider.name in self._providers:
            return operation
        if operation is not None:
            return problem(
                f"{operation.spec.provider.title} is not set up here; nothing was sent.", kind="NotConfigured"
            )
        if name in self._own:
            return problem(f"`{name}` is a tool of its own; call it directly. Nothing was sent.", kind="NotAnOperation")
        every = (one for provider in self._providers for one in operations_of(provider).values())
        reached = reads_of(one for one in every if not self._bar(one.spec, context))
        close = nearest_tools(name, reached | self._own)
        told = [f"{one} (a tool of its own)" if one in self._own else one for one in close]
        hint = f"Did you mean {' or '.join(told)}?" if told else "Look it up with search_operations."
        return problem(f"There is no operation {name!r}; nothing was sent. {hint}", kind="NotFound")

    def _row(self, entry: Entry, asked: Searching, context: Context[Any, Any]) -> dict[str, Any] | None:
        operation = operation_named(entry.name) if entry.provider else None
        if operation is None:
            if asked.provider is not None or asked.kind not in (None, "read"):
                return None
            return {"name": entry.name, "does": entry.texts["description"], "call_with": "the tool itself"}
        if asked.provider not in (None, entry.provider) or not _fits(operation, asked.kind):
            return None
        if self._bar(operation.spec, context):
            return None
        return {
            "name": entry.name,
            "does": " ".join((operation.__doc__ or "").split()),
            "effect": operation.spec.effect.labels,
            "asked": ASKED[self._policy.decide(operation.spec)],
            "call_with": caller(operation),
        }


def _fits(operation: OperationType, kind: Kind | None) -> bool:
    effect = operation.spec.effect
    match kind:
        case None:
            return True
        case "read":
            return effect.is_plain_read
        case "paid":
            return "paid" in effect.labels
        case "change":
            return not effect.is_plain_read


def discovery_tools(desk: DiscoveryHandlers) -> list[Tool]:
    """The tools that find and call operations."""
    return [
        builtin_tool(
            "search_operations",
            "Find the operations for a job among all providers; most are not listed as tools.",
            Searching,
            desk.search,
            LOCAL_READ,
        ),
        builtin_tool(
            "describe_operation",
            "Show an operation's arguments, effect, price rule, who is asked, and an example.",
            Naming,
            desk.describe,
            LOCAL_READ,
        ),
        builtin_tool(
            CALL_READ, "Call an operation that only reads and costs nothing.", Calling, desk.read, PROVIDER_READ
        ),
        builtin_tool(
            CALL_WRITE,
            "Call any other operation; a person is asked where it costs, removes, reroutes or touches credentials.",
            Calling,
            desk.write,
            MUTATING,
        ),
    ]
