"""The MCP server before the simulated Routee, with a person at the client and an operator behind it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import CallToolResult

from server.settings.model import Settings, settings_class
from server.settings.sandbox_settings import sandbox_accounts
from tests.clients.accounts import http_client
from tests.clients.routee_accounts import sandboxes
from tests.connecting import Person, connect, content_of, server_for
from tests.operator_side import OperatorSide, call_approved
from tests.sandbox_control import Sandbox


class RouteeSession:
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
        return await self._client.call_tool(_full_name(tool), arguments)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Make a call that must succeed; its structured content."""
        result = await call_approved(self._client, self.operator, _full_name(tool), arguments)
        assert not result.is_error, text_of(result)
        return content_of(result)

    async def control(self, method: str, path: str, body: dict[str, Any]) -> None:
        """Do something to the simulated Routee from outside."""
        async with http_client() as http:
            answer = await http.request(method, f"{self.sandbox.url}/_control/routee/{path}", json=body)
            assert answer.is_success, answer.text

    async def advance(self, seconds: float) -> None:
        """Let time pass, and let Routee notice."""
        await self.sandbox.advance(seconds)
        await self.call("get_balance")


def _full_name(tool: str) -> str:
    return tool if tool in {"undo_action", "get_action"} else f"routee_{tool}"


def text_of(result: CallToolResult) -> str:
    """Return the text of a result."""
    return "\n".join(getattr(block, "text", "") for block in result.content)


def settings_before(sandbox: Sandbox, folder: Path, **more: Any) -> Settings:
    """Return the settings of a server before a sandbox."""
    given = {
        "routee": sandbox_accounts(sandbox.url)["routee"],
        "state_folder": folder,
        "toolsets": ["routee"],
        "destinations": {"countries": ["GR", "GB", "US"]},
    }
    return settings_class().model_validate({**given, **more})


@asynccontextmanager
async def open_session(
    folder: Path, *, person: Person | None = None, label_form: str | None = None, **more: Any
) -> AsyncGenerator[RouteeSession]:
    """Yield a session of a server before a fresh sandbox; the countries of its customers are allowed destinations."""
    person = person or Person()
    async with sandboxes() as sandbox, http_client() as http:
        account = sandbox_accounts(sandbox.url)["routee"].model_copy(update={"label_form": label_form})
        settings = settings_before(sandbox, folder, **{"routee": account, **more})
        _, server = server_for(settings, http=http)
        async with connect(server, person=person) as client:
            yield RouteeSession(sandbox, client, person, OperatorSide(settings.state_folder))
