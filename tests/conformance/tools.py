"""The tools that the suite calls."""

from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolResult,
    ContentBlock,
    CreateMessageResult,
    SamplingMessage,
    TextContent,
    Tool,
)
from pydantic import BaseModel, ConfigDict

from tests.conformance.contents import RICH_SCHEMA, audio, embedded, form, image, text
from tests.conformance.rounds import ROUNDS, Told

PAUSE_SECONDS = 0.05
"""The suite asks for it, to see that notifications come while the tool works."""

Asking = Context[Any, Any]


class Anything(BaseModel):
    """Arguments as they come."""

    model_config = ConfigDict(extra="allow")


def _plain(*contents: ContentBlock) -> Told:
    async def told(_given: Anything, _context: Asking) -> CallToolResult:
        return CallToolResult(content=list(contents))

    return told


async def _failing(_given: Anything, _context: Asking) -> CallToolResult:
    return CallToolResult(content=[text("This tool intentionally returns an error for testing")], is_error=True)


async def _logging(_given: Anything, context: Asking) -> CallToolResult:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.log("info", words)  # pyright: ignore[reportDeprecated] - the suite of 2025-11-25 asks for it
        await anyio.sleep(PAUSE_SECONDS)
    return CallToolResult(content=[text("Three lines were logged.")])


async def _progressing(_given: Anything, context: Asking) -> CallToolResult:
    for done in (0, 50, 100):
        await context.report_progress(done, 100)
        await anyio.sleep(PAUSE_SECONDS)
    return CallToolResult(content=[text("Progress was reported.")])


async def _sampling(given: Anything, context: Asking) -> CallToolResult:
    prompt = SamplingMessage(role="user", content=TextContent(text=str((given.model_extra or {}).get("prompt"))))
    session = context.session
    result = await session.create_message(  # pyright: ignore[reportDeprecated] - the suite of 2025-11-25 asks for it
        [prompt], max_tokens=100, related_request_id=context.request_id
    )
    return CallToolResult(content=[text(f"LLM response: {_said(result)}")])


def _said(result: CreateMessageResult) -> str:
    return str(getattr(result.content, "text", result.content))


def _eliciting(begins: str, message: str | None, schema: dict[str, Any]) -> Told:
    async def told(given: Anything, context: Asking) -> CallToolResult:
        words = message or str((given.model_extra or {}).get("message"))
        result = await context.session.elicit_form(words, schema, related_request_id=context.request_id)
        return CallToolResult(content=[text(f"{begins}: action={result.action}, content={result.content}")])

    return told


async def _reconnecting(_given: Anything, context: Asking) -> CallToolResult:
    await context.close_sse_stream()
    await anyio.sleep(PAUSE_SECONDS)
    return CallToolResult(content=[text("The stream was closed and picked up again.")])


async def _needs_sampling(_given: Anything, context: Asking) -> CallToolResult:
    capabilities = context.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="The client does not sample.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return CallToolResult(content=[text("The client samples.")])


_TEXT = {"type": "string"}
_DEFAULTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}


def _titled(prefix: str, *titles: str) -> list[dict[str, str]]:
    return [{"const": f"{prefix}{number}", "title": title} for number, title in enumerate(titles, 1)]


_ENUMS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": _titled("value", "First Option", "Second Option", "Third Option")},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {
            "type": "array",
            "items": {"anyOf": _titled("value", "First Choice", "Second Choice", "Third Choice")},
        },
    },
}
_MIXED = '{"test":"data","value":123}'
_HEADERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "query": {"type": "string"},
    },
}

TOOLS: dict[str, tuple[Told, dict[str, Any]]] = {
    "test_simple_text": (_plain(text("This is a simple text response for testing.")), {"type": "object"}),
    "test_image_content": (_plain(image()), {"type": "object"}),
    "test_audio_content": (_plain(audio()), {"type": "object"}),
    "test_embedded_resource": (
        _plain(embedded("test://embedded-resource", "This is an embedded resource content.")),
        {"type": "object"},
    ),
    "test_multiple_content_types": (
        _plain(
            text("Multiple content types test:"),
            image(),
            embedded("test://mixed-content-resource", _MIXED, "application/json"),
        ),
        {"type": "object"},
    ),
    "test_error_handling": (_failing, {"type": "object"}),
    "test_tool_with_logging": (_logging, {"type": "object"}),
    "test_tool_with_progress": (_progressing, {"type": "object"}),
    "test_sampling": (_sampling, form(prompt=_TEXT)),
    "test_elicitation": (_eliciting("User response", None, form(username=_TEXT, email=_TEXT)), form(message=_TEXT)),
    "test_elicitation_sep1034_defaults": (
        _eliciting("Elicitation completed", "Please check", _DEFAULTS),
        {"type": "object"},
    ),
    "test_elicitation_sep1330_enums": (
        _eliciting("Elicitation completed", "Please choose", _ENUMS),
        {"type": "object"},
    ),
    "test_reconnection": (_reconnecting, {"type": "object"}),
    "test_missing_capability": (_needs_sampling, {"type": "object"}),
    "test_streaming_elicitation": (ROUNDS["test_input_required_result_elicitation"], {"type": "object"}),
    "test_logging_tool": (_logging, {"type": "object"}),
    "test_custom_headers": (_plain(text("The headers fit the arguments.")), _HEADERS),
    "json_schema_2020_12_tool": (_plain(text("ok")), RICH_SCHEMA),
    **{name: (told, {"type": "object"}) for name, told in ROUNDS.items()},
}


@dataclass(frozen=True, slots=True)
class Fixture:
    """A tool of the suite."""

    listed: Tool
    answer: Told


def fixture_tools() -> dict[str, Fixture]:
    """Return every tool that the suite asks for, by name."""
    return {
        name: Fixture(
            Tool(name=name, description=f"Fixture {name} of the conformance suite.", input_schema=schema), answer
        )
        for name, (answer, schema) in TOOLS.items()
    }
