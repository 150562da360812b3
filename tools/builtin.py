"""Built-in tools: tools that are not an operation of one provider. They are declared once, without building a server.

    @builtin_tool("find_number", toolset="overview", effect=BuiltinEffect.PROVIDER_READ, arguments=FindNumber)
    async def find_number(query: FindNumber, call: BuiltinCall) -> Reply:
        \"\"\"Show where a number lives, its route and its cost.\"\"\"

The docstring is the tool's description. The handler gets everything it needs from `call` and knows no protocol: the
server turns what it returns into a result.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Protocol, TypeVar, cast

from pydantic import BaseModel

from clients.operation import Operation, OperationType
from clients.shared.clock import Clock
from clients.spec import Spec
from guard.action import Action, Principal
from guard.allowances.fitness import Fitness
from guard.allowances.record import AllowanceRecord
from guard.journal import Journal
from guard.plans.journal import PlanJournal
from guard.plans.proposal import PlanPreview, PlanRequest
from guard.plans.undo import PlanUndoPlanner
from guard.receipts.record import ReceiptRecord
from guard.rules.budget import Cap
from guard.rules.people import PeopleChecker
from guard.rules.policy import Policy
from guard.undo import UndoPlanner
from tools.events.record import EventRecord
from tools.overview.views import View
from tools.policy_reader import Reader
from tools.schema import portable, slim
from tools.spending import Ledger

A = TypeVar("A", bound=BaseModel)


class BuiltinEffect(Enum):
    """What a built-in tool may do."""

    LOCAL_READ = "reads what this server stores"
    PROVIDER_READ = "reads at providers, at no cost"
    MUTATING = "may change anything at a provider, through the guard"


class UntrustedText(str):
    """Text from outside in a reply; the server fences it before a model sees it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer of a built-in tool."""

    content: Mapping[str, Any]
    text: str | None = None
    """The answer as text, where it is not rendered from `content`."""

    notes: Sequence[str] = ()
    rows: str | None = None
    """The key of a list in `content` that is shown as a table where it is long."""

    error: str | None = None
    """The kind of error, with `text` saying what to do; None for an answer."""


@dataclass(frozen=True, slots=True)
class ActionReply:
    """An action to show with everything that is recorded about it."""

    action: Action
    receipts: Sequence[str] = ()
    """Ids of its signed receipts, the oldest first."""


class OperationResult(Protocol):
    """The protocol's result of a provider's operation. Handlers pass it on unchanged."""


Outcome = Reply | ActionReply | OperationResult


class Session(Protocol):
    """Who makes a request, and which operations they may call."""

    @property
    def principal(self) -> Principal:
        """Who makes the request."""
        ...

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Return why this session may not call an operation through any tool; None where it may."""
        ...

    def why_tool_out_of_reach(self, name: str, *, only_reads: bool) -> str | None:
        """Return why this session may not call a tool, listed or not; None where it may."""
        ...

    @property
    def is_bound_to_accounts(self) -> bool:
        """True if this session may use some accounts only."""
        ...

    def may_use(self, account: str) -> bool:
        """Return True if this session may use an account."""
        ...

    def sees(self, name: str) -> bool:
        """Return True for a tool that the client sees in its list."""
        ...

    @property
    def shows_cards(self) -> bool:
        """True where the client shows cards, which read with `get_action` without the assistant's knowing."""
        ...

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Report the progress of a long call, if the client asked for progress."""
        ...


class OperationCaller(Protocol):
    """Calls operations for a session: validated, guarded where needed, sent once."""

    async def call(
        self, operation: OperationType, arguments: Mapping[str, Any], session: Any, *, reason: str = ""
    ) -> OperationResult:
        """Call an operation; `reason` is why, in the assistant's words, for whoever approves it."""
        ...

    async def call_builtin(self, tool: "BuiltinTool", arguments: Mapping[str, Any], session: Any) -> OperationResult:
        """Call a built-in tool."""
        ...

    async def propose(
        self, call: Operation[Any], session: Any, *, account: str, note: str, heading: str
    ) -> OperationResult:
        """Propose a call on an account whose arguments no model wrote.

        People see `note`; the result begins with `heading`.
        """
        ...

    async def propose_plan(self, request: PlanRequest, session: Any) -> OperationResult:
        """Propose several calls for one approval."""
        ...

    async def preview_plan(self, request: PlanRequest, session: Any) -> PlanPreview:
        """Check and price several calls as `propose_plan` does, and record nothing.

        Raises:
            GuardRefusal: No plan may be proposed now, or its rows cannot be read.
        """
        ...

    async def run_plan(self, plan_id: str, session: Any) -> OperationResult:
        """Carry out an approved plan."""
        ...

    async def show_plan(self, plan_id: str, session: Any) -> OperationResult:
        """Show a plan and what became of its steps."""
        ...


class ToolServices(Protocol):
    """What built-in tools work with. Each part is opened when it is first used."""

    @property
    def clock(self) -> Clock:
        """The clock of the process."""
        ...

    @property
    def policy(self) -> Policy:
        """The operator's policy with what the session tightens."""
        ...

    @property
    def caps(self) -> Sequence[Cap]:
        """The operator's caps on spending."""
        ...

    @property
    def shares_spending(self) -> bool:
        """True if the operator lets every principal see what all of them spend."""
        ...

    @property
    def set_up(self) -> Sequence[str]:
        """Names of the providers that have credentials."""
        ...

    @property
    def not_set_up(self) -> Sequence[str]:
        """Names of the providers that have none."""
        ...

    @property
    def builtin_tools(self) -> "Sequence[BuiltinTool]":
        """The built-in tools for the providers that are set up, listed or not."""
        ...

    @property
    def journal(self) -> Journal:
        """The record of guarded calls."""
        ...

    @property
    def plans(self) -> PlanJournal:
        """The record of plans."""
        ...

    @property
    def allowances(self) -> AllowanceRecord:
        """The record of what the operator allowed beforehand."""
        ...

    @property
    def allowance_fitness(self) -> Fitness:
        """What conditions of allowances may ask for here."""
        ...

    @property
    def ledger(self) -> Ledger:
        """The record of what guarded calls cost."""
        ...

    @property
    def receipts(self) -> ReceiptRecord:
        """The record of signed receipts."""
        ...

    @property
    def events(self) -> EventRecord:
        """The record of received webhooks."""
        ...

    @property
    def undo_planner(self) -> UndoPlanner:
        """The planner of undos."""
        ...

    @property
    def plan_undo(self) -> PlanUndoPlanner:
        """The planner of undos of plans."""
        ...

    @property
    def people_checker(self) -> PeopleChecker:
        """The checker of lists of people."""
        ...

    @property
    def can_receive_webhooks(self) -> bool:
        """True when providers can reach this server."""
        ...

    def accounts_of(self, provider: str) -> Sequence[str]:
        """Return the names of a provider's accounts that are set up."""
        ...

    def provider_of(self, account: str) -> str:
        """Return the provider of an account that is set up."""
        ...

    def default_account(self, provider: str, usable: Sequence[str]) -> str | None:
        """Return the account of a call that names none, among those that may be used; None where it has to name one."""
        ...

    def reader(self, account: str, session: Session) -> Reader | None:
        """Return the reader of an account for a session; None where it is not set up or may not be used."""
        ...

    def views(self, session: Session) -> Mapping[str, View]:
        """Return the views of the accounts that a session may use, by the account's name."""
        ...

    async def current(self, action: Action) -> Action:
        """Return the action as it stands now; an unknown outcome is first checked at the provider."""
        ...


@dataclass(frozen=True, slots=True)
class BuiltinCall:
    """One call of a built-in tool: who makes it, and what its handler works with."""

    session: Session
    services: ToolServices
    operations: OperationCaller
    account: str | None = None
    """Name of the account that a tool of one provider is called for; None for a tool over all providers."""


Handler = Callable[[Any, BuiltinCall], Awaitable[Outcome]]


@dataclass(frozen=True, kw_only=True)
class BuiltinTool:
    """A tool that is not an operation of one provider."""

    name: str
    toolset: str
    description: str
    effect: BuiltinEffect
    arguments: type[BaseModel]
    handler: Handler
    synonyms: tuple[str, ...] = field(default=())
    """Words people use for this that are not in its name or description."""

    @property
    def title(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ").capitalize()

    @property
    def only_reads(self) -> bool:
        """True for a tool that changes nothing."""
        return self.effect is not BuiltinEffect.MUTATING

    @property
    def input_schema(self) -> dict[str, Any]:
        """The schema that clients get, in the part of JSON Schema that all of them pass on."""
        return _portable_schema_of(self.arguments)

    @property
    def argument_schema(self) -> dict[str, Any]:
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
    """Build an error that the model can act on."""
    return Reply(content={}, text=text, error=kind)


@cache
def _schema_of(arguments: type[BaseModel]) -> dict[str, Any]:
    generated = arguments.model_json_schema()
    schema: dict[str, Any] = slim(
        {key: generated[key] for key in generated if key != "description"}, generated.get("$defs", {})
    )
    return schema


@cache
def _portable_schema_of(arguments: type[BaseModel]) -> dict[str, Any]:
    return cast("dict[str, Any]", portable(_schema_of(arguments)))
