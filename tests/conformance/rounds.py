"""Fixtures that ask in rounds: an answer that requires input, then the same call with the answers and the state."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp.server.mcpserver import Context
from mcp.types import (
    CallToolResult,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)

from tests.conformance.contents import form, text

Told = Callable[[Any, Context[Any, Any]], Awaitable[CallToolResult | InputRequiredResult]]


def elicit(message: str, **properties: dict[str, Any]) -> ElicitRequest:
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=form(**properties)))


def sample(words: str, tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=words))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=tokens))


NAME = {"type": "string"}
ANSWERS = {
    "elicitation/create": ElicitResult,
    "sampling/createMessage": CreateMessageResult,
    "roots/list": ListRootsResult,
}


def _asking(
    requests: Mapping[str, InputRequest], said: Callable[[Mapping[str, Any]], str], *, state: str | None = None
) -> Told:
    async def told(_given: Any, context: Context[Any, Any]) -> CallToolResult | InputRequiredResult:
        answers = _fitting(requests, context)
        if len(answers) < len(requests) or context.request_state != state:
            return InputRequiredResult(input_requests=dict(requests), request_state=state)
        return CallToolResult(content=[text(said(answers))])

    return told


def _fitting(requests: Mapping[str, InputRequest], context: Context[Any, Any]) -> dict[str, Any]:
    """Return the answers that fit what was asked; ignore any other."""
    given: Mapping[str, Any] = context.input_responses or {}
    fits = {key: ANSWERS[str(asked.method)] for key, asked in requests.items()}
    return {key: given[key] for key, kind in fits.items() if isinstance(given.get(key), kind)}


async def _in_steps(_given: Any, context: Context[Any, Any]) -> CallToolResult | InputRequiredResult:
    given: Mapping[str, Any] = context.input_responses or {}
    if context.request_state == "after step 1" and "step2" in given:
        return CallToolResult(content=[text("Both steps are done.")])
    if context.request_state == "step 1" and "step1" in given:
        asked: InputRequest = elicit("Step 2: What is your favorite color?", color=NAME)
        return InputRequiredResult(input_requests={"step2": asked}, request_state="after step 1")
    first: InputRequest = elicit("Step 1: What is your name?", name=NAME)
    return InputRequiredResult(input_requests={"step1": first}, request_state="step 1")


async def _what_the_client_can(_given: Any, context: Context[Any, Any]) -> CallToolResult | InputRequiredResult:
    """Ask only for what the client declared on this very request."""
    capabilities = context.client_capabilities
    asked: dict[str, InputRequest] = {}
    if capabilities and capabilities.elicitation is not None:
        asked["name"] = elicit("What is your name?", name=NAME)
    if capabilities and capabilities.sampling is not None:
        asked["capital"] = sample("What is the capital of France?", 100)
    if context.input_responses or not asked:
        return CallToolResult(content=[text("Nothing more is asked.")])
    return InputRequiredResult(input_requests=asked)


ROUNDS: dict[str, Told] = {
    "test_input_required_result_elicitation": _asking(
        {"user_name": elicit("What is your name?", name=NAME)},
        lambda answers: f"Hello, {answers['user_name'].content['name']}!",
    ),
    "test_input_required_result_sampling": _asking(
        {"capital_question": sample("What is the capital of France?", 100)},
        lambda answers: str(getattr(answers["capital_question"].content, "text", "")),
    ),
    "test_input_required_result_list_roots": _asking(
        {"client_roots": ListRootsRequest()},
        lambda answers: ", ".join(str(root.uri) for root in answers["client_roots"].roots),
    ),
    "test_input_required_result_request_state": _asking(
        {"confirm": elicit("Please confirm", ok={"type": "boolean"})}, lambda _answers: "state-ok", state="asked once"
    ),
    "test_input_required_result_multiple_inputs": _asking(
        {
            "user_name": elicit("What is your name?", name=NAME),
            "greeting": sample("Generate a greeting", 50),
            "client_roots": ListRootsRequest(),
        },
        lambda _answers: "All three were answered.",
        state="asked for three",
    ),
    "test_input_required_result_multi_round": _in_steps,
    "test_input_required_result_tampered_state": _asking(
        {"confirm": elicit("Please confirm", ok={"type": "boolean"})}, lambda _answers: "state-ok", state="sealed"
    ),
    "test_input_required_result_capabilities": _what_the_client_can,
}
