"""A model, its user and the operator before a simulated Enswitch, for tests that go through the tools."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import CallToolResult

from sandbox.enswitch.seed import password_of
from server.settings.model import settings_class
from tests.clients.enswitch_accounts import OWNER, Installation
from tests.connecting import Person, connect, content_of, server_for
from tests.operator_side import OperatorSide, call_approved


class EnswitchSession:
    """A client whose user and operator say yes to everything."""

    def __init__(self, client: Client, person: Person, operator: OperatorSide) -> None:
        self.person = person
        self.operator = operator
        self._client = client

    async def ask(self, tool: str, **arguments: Any) -> CallToolResult:
        """Call a tool as its model does."""
        return await self._client.call_tool(tool, arguments)

    async def do(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool, with whatever approval it needs."""
        result = await call_approved(self._client, self.operator, tool, arguments)
        assert not result.is_error, text_of(result)
        return content_of(result)


@asynccontextmanager
async def open_session(
    installation: Installation, folder: Path, username: str = OWNER, **more: Any
) -> AsyncGenerator[EnswitchSession]:
    """Yield a session as one of the seeded people."""
    account = {"base_url": installation.enswitch, "username": username, "password": password_of(username), **more}
    settings = settings_class().model_validate(
        {"enswitch": account, "state_folder": folder, "toolsets": ["enswitch", "overview"]}
    )
    services, server = server_for(settings)
    person = Person()
    try:
        async with connect(server, person=person) as client:
            yield EnswitchSession(client, person, OperatorSide(settings.state_folder))
    finally:
        await services.close()


def text_of(result: CallToolResult) -> str:
    """Return the text of a result, as a model reads it."""
    return "\n".join(getattr(block, "text", "") for block in result.content)
