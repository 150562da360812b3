"""Built-in tools: those that are no single operation of a provider, declared once and known without building a server.

    @builtin_tool("find_number", toolset="overview", effect=BuiltinEffect.PROVIDER_READ, arguments=FindNumber)
    async def find_number(asked: FindNumber, call: BuiltinCall) -> Reply:
        \"\"\"Show where a number lives, its route and its cost.\"\"\"

The docstring is the tool's description. The handler gets everything it needs from `call` and knows no protocol: what
it returns is put into the protocol's form by the server.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from clients.operation import Operation, OperationType
from clients.shared.clock import Clock
from clients.spec import Spec
from guard.action import Action, Principal
from guard.journal import Journal
from guard.rules.budget import Cap
from guard.rules.policy import Policy
from guard.undo import UndoPlanner
from tools.events.record import EventRecord
from tools.overview.views import View
from tools.policy_reader import Reader
from tools.schema import slim
from tools.spending import Ledger

A = TypeVar("A", bound=BaseModel)


class BuiltinEffect(Enum):
    """What a built-in tool may do."""

    LOCAL_READ = "looks at what is known here"
    PROVIDER_READ = "reads at providers, at no cost"
    MUTATING = "may change anything at a provider, through the guard"


class UntrustedText(str):
    """Text in a reply that somebody outside the company wrote; the server fences it before a model sees it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a built-in tool answers."""

    content: Mapping[str, Any]
    text: str | None = None
    """The answer in words, where these are not made from `content`."""

    notes: Sequence[str] = ()
    rows: str | None = None
    """The key of `content` that holds a list, shown as a table where it is long."""

    error: str | None = None
    """The kind of error; None for an answer. `text` then says what to do."""


@dataclass(frozen=True, slots=True)
class ActionReply:
    """An action as it stands, to be shown whole."""

    action: Action


class CallOutcome(Protocol):
    """What became of a provider's operation, in the protocol's form: handlers pass it on as it is."""


Outcome = Reply | ActionReply | CallOutcome


class Session(Protocol):
    """Who makes a request, and what they may reach."""

    @property
    def principal(self) -> Principal:
        """Who asks."""
        ...

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Why this session may not call an operation, by whatever tool; None where it may."""
        ...

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Report how far a long call has come."""
        ...


class OperationCaller(Protocol):
    """Makes calls of operations for a session: validated, guarded where needed, sent once."""

    async def call(self, operation: OperationType, arguments: Mapping[str, Any], session: Any) -> CallOutcome:
        """Make one call."""
        ...

    async def propose(self, call: Operation[Any], session: Any, *, note: str, heading: str) -> CallOutcome:
        """Propose a call whose arguments no model wrote. People see `note`; the model sees `heading` above the rest."""
        ...


class ToolServices(Protocol):
    """What built-in tools are given to work with. Nothing behind it is opened before it is asked for."""

    @property
    def clock(self) -> Clock: ...

    @property
    def policy(self) -> Policy: ...

    @property
    def caps(self) -> Sequence[Cap]: ...

    @property
    def set_up(self) -> Sequence[str]:
        """Names of the providers that have credentials."""
        ...

    @property
    def not_set_up(self) -> Sequence[str]:
        """Names of those that have none."""
        ...

    @property
    def builtin_tools(self) -> "Sequence[BuiltinTool]":
        """Every built-in tool, listed or not, of the providers that are set up."""
        ...

    @property
    def journal(self) -> Journal: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def events(self) -> EventRecord: ...

    @property
    def undo_planner(self) -> UndoPlanner: ...

    @property
    def can_receive_webhooks(self) -> bool:
        """True when providers can reach this server."""
        ...

    def reader(self, provider: str, session: Session) -> Reader | None:
        """What reads a provider for a session; None where the provider is not set up."""
        ...

    def views(self, session: Session) -> Mapping[str, View]:
        """The providers that are set up, by name, in the form that is common to all."""
        ...

    async def current(self, action: Action) -> Action:
        """The action as it stands now; where its outcome is open, the provider is asked."""
        ...


@dataclass(frozen=True, slots=True)
class BuiltinCall:
    """One call of a built-in tool: who makes it, and what the handler works with."""

    session: Session
    services: ToolServices
    operations: OperationCaller


Handler = Callable[[Any, BuiltinCall], Awaitable[Outcome]]


@dataclass(frozen=True, kw_only=True)
class BuiltinTool:
    """A tool that is no provider's operation."""

    name: str
    toolset: str
    description: str
    effect: BuiltinEffect
    arguments: type[BaseModel]
    handler: Handler
    synonyms: tuple[str, ...] = field(default=())
    """Words people use for this that its name and description do not have."""

    @property
    def title(self) -> str:
        """The name, as people read it."""
        return self.name.replace("_", " ").capitalize()

    @property
    def only_reads(self) -> bool:
        """True for a tool that changes nothing."""
        return self.effect is not BuiltinEffect.MUTATING

    @property
    def input_schema(self) -> dict[str, Any]:
        """The strict, slim schema of its arguments."""
        return _schema_of(self.arguments)


def builtin_tool(
    name: str, *, toolset: str, effect: BuiltinEffect, arguments: type[BaseModel], synonyms: tuple[str, ...] = ()
) -> Callable[[Handler], BuiltinTool]:
    """Declare a tool by its handler, whose docstring becomes the description.

    Raises:
        TypeError: The handler has no docstring.
    """

    def declare(handler: Handler) -> BuiltinTool:
        if not handler.__doc__:
            raise TypeError(f"{name}: the handler has no docstring to describe the tool.")
        return BuiltinTool(
            name=name,
            toolset=toolset,
            description=" ".join(handler.__doc__.split()),
            effect=effect,
            arguments=arguments,
            handler=handler,
            synonyms=synonyms,
        )

    return declare


def problem(text: str, *, kind: str) -> Reply:
    """An error that the model can act on."""
    return Reply(content={}, text=text, error=kind)


@cache
def _schema_of(arguments: type[BaseModel]) -> dict[str, Any]:
    generated = arguments.model_json_schema()
    schema: dict[str, Any] = slim(
        {key: generated[key] for key in generated if key != "description"}, generated.get("$defs", {})
    )
    return schema
