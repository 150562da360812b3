"""The MCP server before the simulated Convirza, with a person at the client and an operator behind it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import CallToolResult

from server.settings.model import settings_class
from server.settings.sandbox_settings import sandbox_accounts
from tests.clients.accounts import http_client
from tests.clients.convirza_accounts import sandboxes
from tests.connecting import Person, connect, content_of, server_for
from tests.operator_side import OperatorSide, call_approved
from tests.sandbox_control import Sandbox


class ConvirzaSession:
    """Calls tools; what only the operator may approve, the operator approves."""

    def __init__(self, sandbox: Sandbox, client: Client, person: Person, operator: OperatorSide) -> None:
        self.sandbox = sandbox
        self.person = person
        self.operator = operator
        self._client = client

    @property
    def question(self) -> str:
        """What the person at the client was asked last."""
        return self.person.questions[-1]

    async def attempt(self, tool: str, **arguments: Any) -> CallToolResult:
        """Make a call."""
        return await self._client.call_tool(f"convirza_{tool}", arguments)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Make a call that must succeed; its structured content."""
        result = await call_approved(self._client, self.operator, f"convirza_{tool}", arguments)
        assert not result.is_error, "\n".join(getattr(block, "text", "") for block in result.content)
        return content_of(result)


@asynccontextmanager
async def open_session(folder: Path, *, person: Person | None = None, **more: Any) -> AsyncGenerator[ConvirzaSession]:
    """Yield a session of a server with every tool, before a fresh sandbox."""
    person = person or Person()
    async with sandboxes() as sandbox, http_client() as http:
        account = sandbox_accounts(sandbox.url)["convirza"]
        settings = settings_class().model_validate(
            {"convirza": account, "state_folder": folder, "toolsets": ["all"], **more}
        )
        _, server = server_for(settings, http=http)
        async with connect(server, person=person) as client:
            yield ConvirzaSession(sandbox, client, person, OperatorSide(settings.state_folder))
