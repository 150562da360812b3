"""Calls beyond a token's scopes: the client hears which scopes to ask for, and nothing is sent."""

from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.oauth.sites import FORWARD, STATIC, Site, site
from tests.over_http import connect_over_http
from tests.sandbox_control import sandboxes

WRITE: Final = "voicetel_set_forward"
READS: Final = "voicetel_list_numbers"


async def call(here: Site, token: str, tool: str, arguments: dict[str, Any], *, identifier: Any = 7) -> httpx2.Response:
    """Call a tool as a client without a session does."""
    params = {"name": tool, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": identifier, "method": "tools/call", "params": params}
    return await here.post(message, headers={"Authorization": f"Bearer {token}"})


def scope_in(answer: httpx2.Response) -> str | None:
    """Return the scopes that an answer tells the client to ask for."""
    told = answer.headers.get("www-authenticate", "")
    if answer.status_code != 403 or 'error="insufficient_scope"' not in told:
        return None
    assert told.count("scope=") == 1
    return str(told.partition('scope="')[2].partition('"')[0])


async def test_a_call_beyond_the_scopes_is_answered_with_those_that_it_takes(tmp_path: Path) -> None:
    inner = {"operation": WRITE, "arguments": FORWARD}
    async with sandboxes() as sandbox, site(tmp_path, sandbox.voicetel) as here:
        reads, narrow = here.token(scope="read"), here.token(scope="read voicetel.messaging")
        cases = {
            "a write": (await call(here, reads, WRITE, FORWARD), "write"),
            "a write through another tool": (await call(here, reads, "call_write_operation", inner), "write"),
            "a read": (await call(here, reads, READS, {}), None),
            "a write, narrowed": (await call(here, narrow, WRITE, FORWARD), "write voicetel.routing"),
            "a write within": (await call(here, narrow, "voicetel_send_message", {}), "write voicetel.messaging"),
            "a read, narrowed": (await call(here, narrow, READS, {}), "read voicetel.numbers"),
            "a tool that is not there": (await call(here, reads, "voicetel_set_forwrad", {}), None),
            "a provider that is not set up": (await call(here, reads, "enswitch_create_user", {}), None),
            "everything": (await call(here, here.token(scope="write"), READS, {}), None),
            "a token of the settings": (await call(here, STATIC, READS, {}), None),
        }
        assert {name: scope_in(answer) for name, (answer, _) in cases.items()} == {
            name: scopes for name, (_, scopes) in cases.items()
        }
        refused = cases["a write"][0]
        metadata = f'resource_metadata="{here.url}/.well-known/oauth-protected-resource/mcp"'
        assert metadata in refused.headers["www-authenticate"]
        assert refused.json()["id"] == 7
        assert "takes the scopes write. Nothing was sent" in refused.json()["error"]["message"]
        assert await sandbox.writes() == []


async def test_only_tools_beyond_the_scopes_that_this_server_offers_are_worth_asking_for(tmp_path: Path) -> None:
    async with site(tmp_path, served={"exclude_tools": [WRITE]}) as here:
        assert scope_in(await call(here, here.token(scope="read"), WRITE, FORWARD)) is None
        assert scope_in(await call(here, here.token(scope="read"), "voicetel_send_message", {})) == "write"


async def test_what_is_no_call_of_a_tool_passes_as_it_came(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        headers = {"Authorization": f"Bearer {here.token(scope='read')}"}
        params: dict[str, Any] = {"name": WRITE, "arguments": {}}
        messages: list[Any] = [
            [{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}],
            {"jsonrpc": "2.0", "id": None, "method": "tools/call", "params": params},
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": [WRITE]},
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": [WRITE]}},
            {"jsonrpc": "2.0", "method": "tools/call", "params": params},
            "tools/call",
        ]
        for message in messages:
            assert scope_in(await here.post(message, headers=headers)) is None
        large: dict[str, Any] = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/list",
            "params": {"cursor": "x" * 5_000_000},
        }
        assert (await here.post(large, headers=headers)).status_code == 413


async def test_the_list_may_hold_what_a_wider_token_reaches_and_still_nothing_is_callable(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, site(tmp_path, sandbox.voicetel, step_up=True) as here:
        async with connect_over_http(here.url, here.token(scope="read")) as client:
            assert WRITE in {tool.name for tool in (await client.list_tools()).tools}
            with pytest.raises(Exception, match="this token may only read"):
                await client.call_tool(WRITE, FORWARD)
        assert await sandbox.writes() == []
