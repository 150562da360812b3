"""An MCP client as a model drives it, and the person who sits before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitRequestURLParams, ElicitResult, InputRequiredResult

Era = Literal["auto", "legacy"]
"""`auto` speaks 2026-07-28, `legacy` 2025-11-25."""

Reaction = Literal["accept", "decline", "cancel", "leave unticked"]


class Person:
    """Whoever sits at the client: remembers the questions and reacts as told. Opens every page that it is sent to."""

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.pages: list[str] = []
        self.reaction: Reaction = "decline"

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        if isinstance(params, ElicitRequestURLParams):
            self.pages.append(params.url)
            return ElicitResult(action="accept")
        self.questions.append(params.message)
        match self.reaction:
            case "accept":
                return ElicitResult(action="accept", content={"approve": True})
            case "leave unticked":
                return ElicitResult(action="accept", content={"approve": False})
            case "decline":
                return ElicitResult(action="decline")
            case "cancel":
                return ElicitResult(action="cancel")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call gave back."""

    text: str
    content: Mapping[str, Any]
    is_error: bool

    @property
    def waits(self) -> bool:
        """True when nothing was sent because a person has to answer."""
        return self.is_error and self.content.get("state") == "proposed"

    @property
    def action(self) -> str:
        """Id of the action; empty if there is none."""
        return str(self.content.get("action", ""))

    @property
    def error(self) -> str:
        """Which refusal or error it is; empty if it is none."""
        return str(self.content.get("error", ""))


@dataclass(frozen=True, slots=True)
class Carried:
    """What a modern client carries from a question to the repeated call."""

    answers: Mapping[str, ElicitResult]
    state: str | None


@dataclass(frozen=True, slots=True)
class Assistant:
    """One connected client. Without a person it declares that it cannot ask."""

    client: Client
    person: Person | None
    heard: list[str] = field(default_factory=list[str])
    """Every answer that the model saw, as text."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Reply:
        """Call a tool; the person answers what is asked."""
        return self.read(await self.client.call_tool(tool, dict(arguments)))

    def read(self, result: CallToolResult) -> Reply:
        """A result as the model sees it."""
        self.heard.append(result.model_dump_json())
        text = "\n".join(str(getattr(block, "text", "")) for block in result.content)
        return Reply(text, result.structured_content or {}, bool(result.is_error))

    async def question(self, tool: str, arguments: Mapping[str, Any]) -> InputRequiredResult:
        """Call up to the question, in the modern era, and leave it unanswered.

        Raises:
            TypeError: Nothing was asked.
        """
        asked = await self.client.session.call_tool(tool, dict(arguments), allow_input_required=True)
        if not isinstance(asked, InputRequiredResult):
            raise TypeError("nothing was asked")
        return asked

    async def call_with_answer(
        self, tool: str, arguments: Mapping[str, Any], carried: Carried
    ) -> Reply | InputRequiredResult:
        """Call with what a client brings along, whoever made it."""
        result = await self.client.session.call_tool(
            tool,
            dict(arguments),
            input_responses=dict(carried.answers),
            request_state=carried.state,
            allow_input_required=True,
        )
        return self.read(result) if isinstance(result, CallToolResult) else result

    async def call_answering(self, tool: str, arguments: Mapping[str, Any], reaction: Reaction) -> tuple[Reply, int]:
        """Call with a person who reacts so; returns how many questions were put as well."""
        if self.person is None:
            raise ValueError("this client has nobody to ask")
        before = len(self.person.questions)
        self.person.reaction = reaction
        try:
            return await self.call(tool, arguments), len(self.person.questions) - before
        finally:
            self.person.reaction = "decline"
