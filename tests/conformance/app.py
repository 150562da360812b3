"""`python -m tests.conformance.app PORT [--sessions]`: our HTTP server with the suite's fixtures on it."""

import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp.server.mcpserver.tools import Tool
from mcp.types import Completion, ElicitResult, InputRequiredResult

from server.http.app import http_server, mount
from server.mcp.registry import RegisteredTool, ToolRegistry, as_listed
from server.services import Services
from server.settings.model import Settings
from tests.conformance.contents import RED_PIXEL, embedded, image
from tests.conformance.rounds import NAME, elicit
from tests.conformance.tools import fixture_tools
from tools.selection import ToolInfo

HOST = "127.0.0.1"


class FixtureShelf(ToolRegistry):
    """The fixtures beside our own tools."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._fixtures = {tool.name: tool for tool in fixture_tools()}
        for name, tool in self._fixtures.items():
            self.listed[name] = RegisteredTool(
                as_listed(tool), ToolInfo(name, frozenset({"fixtures"}), reads=True), None
            )

    def tool(self, name: str) -> Tool | None:
        """A fixture, or a tool of ours."""
        return self._fixtures.get(name) or super().tool(name)


def add_resources(server: MCPServer) -> None:
    """The resources that the suite reads."""

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
    """The prompts that the suite gets, and completions for them."""

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

    async def complete(_reference: Any, argument: Any, _context: Any) -> Completion:
        return Completion(values=[word for word in ("paris", "park", "party") if word.startswith(argument.value)])

    complete_by: Any = server.completion  # the SDK leaves it untyped
    complete_by()(complete)


def main() -> None:
    """Serve until the process is ended."""
    port, sessions = int(sys.argv[1]), "--sessions" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(state_folder=Path(folder)))
        server = http_server(services, HOST, port, shelf=FixtureShelf(services))
        add_resources(server)
        add_prompts(server)
        with socket.create_server((HOST, port)) as listener:
            sys.stdout.write("listening\n")  # connections wait from here on
            sys.stdout.flush()
            app = mount(services, server, HOST, port, stateless=not sessions)
            config = uvicorn.Config(app, log_config=None, access_log=False)
            uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
