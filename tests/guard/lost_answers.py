"""Calls whose answer is lost, before or after the effect, at the simulated providers; and what looking then finds."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.types import CallToolResult

from clients.effects import Effect
from guard.action import State
from guard.reconcile import GRACE
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import settings_class
from server.settings.sandbox_settings import sandbox_accounts
from tests.clients.accounts import http_client
from tests.clocks import ShiftedClock
from tests.connecting import connect
from tests.operator_side import OperatorSide, call_approved
from tests.sandbox_control import Sandbox, sandboxes
from tools.registry import all_operations, operations_of

ALLOW: dict[str, Any] = {
    "paid": "allow",
    "reroutes": "allow",
    "destructive": "allow",
    "privileged": "allow",
    "outward": "allow",
    "irreversible": "allow",
}


@dataclass(frozen=True, kw_only=True)
class Lost:
    """One operation whose answer is lost, and what its proof can tell."""

    tool: str
    arguments: dict[str, Any]
    first: tuple[tuple[str, dict[str, Any]], ...] = ()
    """Calls that must come before it."""

    shows_undone: bool = True
    """False where a read that does not find the effect proves nothing."""

    shows_done: bool = True
    """False where a read that finds the effect proves nothing."""

    @property
    def can_be_seen(self) -> tuple[State, State]:
        """What looking should find where the call never came, and where it took effect."""
        return (
            State.REFUSED if self.shows_undone else State.UNKNOWN,
            State.DONE if self.shows_done else State.UNKNOWN,
        )

    account: dict[str, Any] = field(default_factory=dict[str, Any])
    """Settings of its provider that differ from the seeded account's."""


class Bench:
    """A server without a question to anybody, whose clock can be moved, before a sandbox that loses answers."""

    def __init__(self, sandbox: Sandbox, client: Client, operator: OperatorSide, clock: ShiftedClock) -> None:
        self.sandbox = sandbox
        self.operator = operator
        self._client = client
        self._clock = clock

    async def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Make a call; what only the operator may approve, the operator approves."""
        return await call_approved(self._client, self.operator, tool, arguments)

    async def lose(self, lost: Lost, how: str) -> dict[str, Any]:
        """Make the call and lose its answer: `drop_before` or `drop_after` the effect."""
        spec = all_operations()[lost.tool].spec
        path = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(spec.path)) + "$"
        await self.sandbox.break_with(how, provider=spec.provider.name, method=spec.method, path=path, times=None)
        result = await self.call(lost.tool, lost.arguments)
        await self.sandbox.mend()
        action = await self.newest()
        assert action["call"] == lost.tool, text_of(result)
        assert action["state"] == State.UNKNOWN, text_of(result)
        return action

    async def newest(self) -> dict[str, Any]:
        """Return the action that was proposed last, as list_actions shows it."""
        listed: dict[str, Any] = (await self._client.call_tool("list_actions", {"limit": 1})).structured_content or {}
        action: dict[str, Any] = listed["actions"][0]
        return action

    async def pass_time(self, time: timedelta) -> None:
        """Move the clocks, ours and the provider's."""
        self._clock.ahead += time
        await self.sandbox.advance(time.total_seconds())

    async def look(self, action: Mapping[str, Any]) -> State:
        """Return the state that a check at the provider finds, once the request can no longer be under way."""
        await self.pass_time(GRACE * 2)
        shown = await self._client.call_tool("get_action", {"action_id": action["action"]})
        return State((shown.structured_content or {})["state"])

    async def look_in_vain(self, action: Mapping[str, Any]) -> State:
        """Return the state after a check while the provider answers no read."""
        provider = all_operations()[action["call"]].spec.provider.name
        await self.sandbox.break_with("status", provider=provider, status=500, times=None)
        state = await self.look(action)
        await self.sandbox.mend()
        return state

    async def close(self, action: Mapping[str, Any]) -> None:
        """Close an action of which no read can tell, as the operator does."""
        await self.operator.resolve(action["action"], "refused")

    async def seen(self, lost: Lost) -> tuple[State, State]:
        """Return the states that a check finds if the call never reached the provider, and if it took effect.

        Both must be unknown while the provider answers no read.
        """
        for tool, arguments in lost.first:
            done = await self.call(tool, arguments)
            assert not done.is_error, text_of(done)
        never_came = await self.lose(lost, "drop_before")
        assert await self.look_in_vain(never_came) is State.UNKNOWN, lost.tool
        undone = await self.look(never_came)
        if undone is State.UNKNOWN:
            await self.close(never_came)
        took_effect = await self.lose(lost, "drop_after")
        assert await self.look_in_vain(took_effect) is State.UNKNOWN, lost.tool
        return undone, await self.look(took_effect)


@asynccontextmanager
async def open_bench(folder: Path, provider: str, **account_settings: Any) -> AsyncGenerator[Bench]:
    """Yield a server with one provider, before a fresh sandbox.

    `account_settings` replace those of the seeded account.
    """
    clock = ShiftedClock()
    async with sandboxes() as sandbox, http_client() as http:
        account = sandbox_accounts(sandbox.url)[provider].model_copy(update=account_settings)
        services = _services(provider, account, folder, http, clock)
        async with connect(build_server(services)) as client:
            yield Bench(sandbox, client, OperatorSide(services.settings.state_folder), clock)


def _services(provider: str, account: Any, folder: Path, http: httpx2.AsyncClient, clock: ShiftedClock) -> Services:
    settings = settings_class().model_validate(
        {
            provider: account,
            "state_folder": folder,
            "toolsets": ["all"],
            "policy": ALLOW,
            # No call waits for the operator, whose clock is not moved and would find each question long expired.
            "prices": {
                name: {"amount": "1"}
                for name, operation in operations_of(provider).items()
                if Effect.PAID in operation.spec.effect
            },
            "destinations": {"countries": ["US", "CA", "GB", "GR", "DE", "ES"]},
        }
    )
    return Services(settings, given_http=http, clock=clock)


def text_of(result: CallToolResult) -> str:
    """Return the text of a result."""
    return "\n".join(getattr(block, "text", "") for block in result.content)
