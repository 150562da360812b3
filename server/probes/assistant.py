"""An MCP client as a model uses it, and the person at the client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitRequestURLParams, ElicitResult, InputRequiredResult

from server.mcp.tabular import read_tables

Era = Literal["auto", "legacy"]
"""`auto` speaks 2026-07-28, `legacy` 2025-11-25."""

Reaction = Literal["accept", "decline", "cancel", "leave unticked"]


class Person:
    """The person at a client: records the questions, reacts as set, and opens every page."""

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.pages: list[str] = []
        self.reaction: Reaction = "decline"

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Record a question and answer it with the set reaction; record and accept a page."""
        if isinstance(params, ElicitRequestURLParams):
            self.pages.append(params.url)
            return ElicitResult(action="accept")
        self.questions.append(params.message)
        match self.reaction:
            case "accept":
                return ElicitResult(action="accept", content={"approve": True, "for_good": True})
            case "leave unticked":
                return ElicitResult(action="accept", content={"approve": False})
            case "decline":
                return ElicitResult(action="decline")
            case "cancel":
                return ElicitResult(action="cancel")


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a call."""

    text: str
    content: Mapping[str, Any]
    is_error: bool

    @property
    def waits(self) -> bool:
        """True when nothing was sent because the call waits for approval."""
        return self.is_error and self.content.get("state") == "proposed"

    @property
    def action(self) -> str:
        """The id of the action; empty if there is none."""
        return str(self.content.get("action", ""))

    @property
    def error(self) -> str:
        """The name of the refusal or error; empty if there is none."""
        return str(self.content.get("error", ""))


@dataclass(frozen=True, slots=True)
class Continuation:
    """The answers and state that a modern client sends with the repeated call."""

    answers: Mapping[str, ElicitResult]
    state: str | None


@dataclass(frozen=True, slots=True)
class Assistant:
    """One connected client; without a person it declares that it cannot ask."""

    client: Client
    person: Person | None
    heard: list[str] = field(default_factory=list[str])
    """Every result that the model saw, as text."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Reply:
        """Call a tool; the person answers its questions."""
        return self.read(await self.client.call_tool(tool, dict(arguments)))

    def read(self, result: CallToolResult) -> Reply:
        """Convert a result to what the model sees, and record it."""
        self.heard.append(result.model_dump_json())
        text = "\n".join(str(getattr(block, "text", "")) for block in result.content)
        return Reply(text, read_tables(result.structured_content or {}), bool(result.is_error))

    async def question(self, tool: str, arguments: Mapping[str, Any]) -> InputRequiredResult:
        """Call a tool in the modern era and leave its question unanswered.

        Raises:
            TypeError: Nothing was asked.
        """
        asked = await self.client.session.call_tool(tool, dict(arguments), allow_input_required=True)
        if not isinstance(asked, InputRequiredResult):
            raise TypeError(f"nothing was asked: {self.read(asked).text[:200]}")
        return asked

    async def call_with_answer(
        self, tool: str, arguments: Mapping[str, Any], continuation: Continuation
    ) -> Reply | InputRequiredResult:
        """Call a tool with answers and a state, genuine or forged."""
        result = await self.client.session.call_tool(
            tool,
            dict(arguments),
            input_responses=dict(continuation.answers),
            request_state=continuation.state,
            allow_input_required=True,
        )
        return self.read(result) if isinstance(result, CallToolResult) else result

    async def call_answering(self, tool: str, arguments: Mapping[str, Any], reaction: Reaction) -> tuple[Reply, int]:
        """Call a tool with a person who reacts this way; return the reply and how many questions were asked."""
        if self.person is None:
            raise ValueError("this client has nobody to ask")
        before = len(self.person.questions)
        self.person.reaction = reaction
        try:
            return await self.call(tool, arguments), len(self.person.questions) - before
        finally:
            self.person.reaction = "decline"
