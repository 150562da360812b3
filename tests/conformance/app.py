"""`python -m tests.conformance.app PORT [--sessions]`: our HTTP server with the suite's fixtures on it."""

import base64
import socket
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp.types import (
    BlobResourceContents,
    CallToolRequestParams,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    ElicitResult,
    GetPromptRequestParams,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextResourceContents,
)
from pydantic import BaseModel

from server.http.app import http_server, mount
from server.mcp.listing.cache import RegisteredTool
from server.mcp.listing.registry import ToolRegistry
from server.services import Services
from server.settings.model import Settings, settings_class
from tests.conformance.contents import RED_PIXEL, embedded, image
from tests.conformance.rounds import NAME, elicit
from tests.conformance.tools import Anything, Fixture, fixture_tools
from tools.selection import ToolInfo

HOST = "127.0.0.1"


class FixtureRegistry(ToolRegistry):
    """The fixtures beside our own tools."""

    def __init__(self, settings: Settings, fixtures: Mapping[str, Fixture]) -> None:
        super().__init__(settings)
        for name, fixture in fixtures.items():
            info = ToolInfo(name, frozenset({"fixtures"}), only_reads=True)
            self.listed[name] = RegisteredTool(fixture.listed, info, None)


class FixtureServer:
    """Answers what is asked of the fixtures, and hands on everything else to our server's own handlers."""

    def __init__(self, server: Server[None], tools: Mapping[str, Fixture]) -> None:
        self._ours = server
        self._tools = tools
        self._fixtures = MCPServer("fixtures")
        add_resources(self._fixtures)
        add_prompts(self._fixtures)

    def install(self) -> None:
        """Wrap the handlers of our server."""
        wrapped: list[tuple[str, type[BaseModel], Any]] = [
            ("tools/call", CallToolRequestParams, self._call_tool),
            ("resources/read", ReadResourceRequestParams, self._read_resource),
            ("resources/list", PaginatedRequestParams, self._list_resources),
            ("resources/templates/list", PaginatedRequestParams, self._list_templates),
            ("prompts/list", PaginatedRequestParams, self._list_prompts),
            ("prompts/get", GetPromptRequestParams, self._get_prompt),
            ("completion/complete", CompleteRequestParams, self._complete),
        ]
        for method, params, handler in wrapped:
            ours = self._ours.get_request_handler(method)
            assert ours is not None, method
            self._ours.add_request_handler(method, params, partial(handler, ours.handler))

    def _context(self, context: Any, params: Any) -> Context[Any, Any]:
        return Context(request_context=context, mcp_server=self._fixtures, input_params=params)

    async def _call_tool(self, ours: Any, context: Any, params: CallToolRequestParams) -> Any:
        fixture = self._tools.get(params.name)
        if fixture is None:
            return await ours(context, params)
        given = Anything.model_validate(params.arguments or {})
        return await fixture.answer(given, self._context(context, params))

    async def _list_resources(self, ours: Any, context: Any, params: Any) -> ListResourcesResult:
        listed = await ours(context, params)
        return ListResourcesResult(resources=[*listed.resources, *await self._fixtures.list_resources()])

    async def _list_templates(self, ours: Any, context: Any, params: Any) -> ListResourceTemplatesResult:
        listed = await ours(context, params)
        more = await self._fixtures.list_resource_templates()
        return ListResourceTemplatesResult(resource_templates=[*listed.resource_templates, *more])

    async def _read_resource(self, ours: Any, context: Any, params: ReadResourceRequestParams) -> Any:
        try:
            found = await self._fixtures.read_resource(params.uri, self._context(context, params))
        except ResourceNotFoundError:
            return await ours(context, params)
        assert not isinstance(found, InputRequiredResult)
        return ReadResourceResult(contents=[_contents(str(params.uri), one.content, one.mime_type) for one in found])

    async def _list_prompts(self, ours: Any, context: Any, params: Any) -> ListPromptsResult:
        listed = await ours(context, params)
        return ListPromptsResult(prompts=[*listed.prompts, *await self._fixtures.list_prompts()])

    async def _get_prompt(self, ours: Any, context: Any, params: GetPromptRequestParams) -> Any:
        if params.name not in {prompt.name for prompt in await self._fixtures.list_prompts()}:
            return await ours(context, params)
        return await self._fixtures.get_prompt(params.name, params.arguments, self._context(context, params))

    async def _complete(self, _ours: Any, _context: Any, params: CompleteRequestParams) -> CompleteResult:
        words = [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
        return CompleteResult(completion=Completion(values=words))


def _contents(uri: str, content: str | bytes, mime_type: str | None) -> TextResourceContents | BlobResourceContents:
    if isinstance(content, bytes):
        return BlobResourceContents(uri=uri, blob=base64.b64encode(content).decode(), mime_type=mime_type)
    return TextResourceContents(uri=uri, text=content, mime_type=mime_type)


def add_resources(server: MCPServer) -> None:
    """Add the resources that the suite reads."""

    @server.resource("test://static-text", name="Static text", mime_type="text/plain", description="A fixed text.")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", name="Static binary", mime_type="image/png", description="One red pixel.")
    def static_binary() -> bytes:
        return RED_PIXEL

    @server.resource("test://template/{id}/data", name="Template", mime_type="application/json", description="By id.")
    def template(id: str) -> str:  # noqa: A002 - the suite's name
        return f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'

    @server.resource("test://watched-resource", name="Watched", mime_type="text/plain", description="To subscribe to.")
    def watched() -> str:
        return "Watched."


def add_prompts(server: MCPServer) -> None:
    """Add the prompts that the suite gets, and completions for them."""

    @server.prompt(name="test_simple_prompt", description="A simple prompt.")
    def simple() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(name="test_prompt_with_arguments", description="A prompt with two arguments.")
    def with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(name="test_prompt_with_embedded_resource", description="A prompt with a resource.")
    def with_resource(resourceUri: str) -> list[Message]:
        resource = embedded(resourceUri, "Embedded resource content for testing.")
        return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]

    @server.prompt(name="test_prompt_with_image", description="A prompt with an image.")
    def with_image() -> list[Message]:
        return [UserMessage(image()), UserMessage("Please analyze the image above.")]

    @server.prompt(name="test_input_required_result_prompt", description="A prompt that asks first.")
    def asking(ctx: Context[Any, Any]) -> str | InputRequiredResult:
        given = (ctx.input_responses or {}).get("user_context")
        if not isinstance(given, ElicitResult):
            asked = elicit("What context should the prompt use?", context=NAME)
            return InputRequiredResult(input_requests={"user_context": asked})
        return f"Use this context: {(given.content or {}).get('context')}"


def main() -> None:
    """Serve until the process is ended."""
    port, sessions = int(sys.argv[1]), "--sessions" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        services, fixtures = Services(settings_class()(state_folder=Path(folder))), fixture_tools()
        server = http_server(services, HOST, port, registry=FixtureRegistry(services.settings, fixtures))
        FixtureServer(server, fixtures).install()
        with socket.create_server((HOST, port)) as listener:
            sys.stdout.write("listening\n")  # connections wait from here on
            sys.stdout.flush()
            app = mount(services, server, HOST, port, stateless=not sessions)
            config = uvicorn.Config(app, log_config=None, access_log=False)
            uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
