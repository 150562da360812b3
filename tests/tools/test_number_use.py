"""Which numbers nobody uses: proven by records, or not, and then with what the records do not show."""

import json
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client

from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import connect, content_of, server_for, settings_for
from tests.sandbox_control import Sandbox, sandboxes

TOOL = "find_number_use"
MAIN = "+12015550142"
UNUSED = "+14155550149"
"""A number of VoiceTel that cannot text now, without any call or text."""


@asynccontextmanager
async def _everything(folder: Path, **more: Any) -> AsyncGenerator[tuple[Client, Sandbox]]:
    async with sandboxes() as sandbox:
        settings = for_sandbox(settings_class()(state_folder=folder, **more), sandbox.url)
        _, server = server_for(settings)
        async with connect(server) as client:
            yield client, sandbox


async def _find(client: Client, **arguments: Any) -> dict[str, Any]:
    """Call the tool as a model does that has the default tools only."""
    result = await client.call_tool("call_read_operation", {"operation": TOOL, "arguments": arguments})
    assert not result.is_error, result.content
    return content_of(result)


def _uses(content: dict[str, Any], provider: str) -> dict[str, str]:
    return {row["number"]: row["use"] for row in content["numbers"] if row["provider"] == provider}


def _missing(content: dict[str, Any], provider: str) -> dict[str, str | None]:
    return {row["kind"]: row.get("missing") for row in content["records"] if row["provider"] == provider}


async def test_a_number_without_calls_and_texts_is_quiet_where_the_records_reach_back(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        assert TOOL not in {tool.name for tool in (await client.list_tools()).tools}
        content = await _find(client, days=2, limit=500)
        used = await _find(client, days=2, limit=500, use="used")
    rows = {(row["number"], row["provider"]): row for row in content["numbers"]}
    quiet = rows[UNUSED, "voicetel"]
    assert (quiet["use"], quiet["calls"], quiet["texts"]) == ("quiet", "none", "none")
    assert quiet["cannot"] == "texts"
    assert quiet["calls_to"] == "203.0.113.40"
    assert _missing(content, "voicetel") == {"calls": None, "texts": None}
    assert MAIN not in _uses(content, "voicetel")
    (main,) = [row for row in used["numbers"] if (row["number"], row["provider"]) == (MAIN, "voicetel")]
    assert (main["use"], int(main["calls"]) > 3, int(main["texts"]) > 3) == ("used", True, True)
    assert main["needed_for"] == (
        "911 record, campaign CBW7T2K, forward of +12015550201, forward of +12015550206, forward of +17205550151"
    )


async def test_pages_meet_and_a_kind_of_use_that_is_never_shown_keeps_numbers_from_being_quiet(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        whole = await _find(client, days=2, limit=500)
        first = await _find(client, days=2, limit=7)
        second = await _find(client, days=2, limit=500, cursor=first["next_cursor"])
    assert first["numbers"] + second["numbers"] == whole["numbers"]
    assert "quiet" not in {*_uses(whole, "enswitch").values(), *_uses(whole, "routee").values()}
    assert _missing(whole, "enswitch")["texts"] == "Enswitch's documented calls list no texts by number"
    assert _missing(whole, "routee")["calls"] == "that Routee lists calls which came in is not documented"


async def test_a_number_is_not_quiet_for_longer_than_the_records_reach_back(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _find(client, days=90, limit=500)
    assert content["counts"].keys() == {"not proven", "used"}
    assert _uses(content, "voicetel")[UNUSED] == "not proven"
    calls = _missing(content, "voicetel")["calls"]
    assert calls is not None
    assert calls.startswith("the oldest record is of 20")
    assert _missing(content, "routee")["texts"] == "Routee shows the messages of the latest 7 days only"


NEEDED = [
    ("voicetel", "calls", "voicetel_list_call_records"),
    ("voicetel", "texts", "voicetel_list_messages"),
    ("convirza", "calls", "convirza_list_calls"),
    ("convirza", "texts", "convirza_list_broadcasts"),
    ("enswitch", "calls", "enswitch_list_call_records"),
    ("routee", "texts", "routee_list_messages"),
]
"""Reads without which nothing is proven for a provider."""


async def test_no_number_is_quiet_whose_records_were_not_read(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        for provider, kind, read in NEEDED:
            settings = settings_class()(state_folder=tmp_path / read, exclude_tools=[read])
            async with connect(server_for(for_sandbox(settings, sandbox.url))[1]) as client:
                content = await _find(client, days=2, limit=500)
            assert "quiet" not in _uses(content, provider).values(), read
            assert _missing(content, provider)[kind] == f"{read} was not read: {read} is excluded from this session."


async def test_records_that_the_providers_limit_does_not_allow_now_are_a_gap(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        allowed = [_missing(await _find(client, days=2), "voicetel")["calls"] for _ in range(6)]
        content = await _find(client, days=2)
    assert allowed == [None] * 6
    missing = _missing(content, "voicetel")["calls"]
    assert missing is not None
    assert missing.startswith("LimitReached")
    assert "quiet" not in _uses(content, "voicetel").values()


async def test_texts_of_many_numbers_are_not_all_read_and_the_others_are_named(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(lambda one: _thirty(one, asked))) as http:
        _, server = server_for(settings_for(tmp_path), http=http)
        async with connect(server) as client:
            content = await _find(client, days=10, limit=500)
    assert asked["/v2.2/messages"] == 40
    assert content["counts"] == {"quiet": 20, "not proven": 9, "used": 1}
    (texts,) = [row for row in content["records"] if row["kind"] == "texts"]
    ((why, numbers),) = texts["missing_of"].items()
    assert why == "VoiceTel lists texts by number, and those of 20 numbers are read for one answer"
    assert numbers.endswith(" and 5 more")


def _thirty(request: httpx2.Request, asked: Counter[str]) -> httpx2.Response:
    """As VoiceTel answers, for an account of 30 numbers of which the last is called and texted."""
    asked[request.url.path] += 1
    numbers = [f"20155501{number:02d}" for number in range(30)]
    at = int(time.time()) - 10 * 86_400 - 3600  # clearly before ten days, however the seconds fall
    data: dict[str, Any]
    match request.url.path:
        case "/v2.2/numbers":
            data = {"numbers": [{"number": number, "carrier": 17, "route": 1000} for number in numbers]}
        case "/v2.2/numbers/messaging":
            data = {"numbers": [{"number": number, "enabled": True} for number in numbers]}
        case "/v2.2/account/cdr":
            data = {"cdr": [_called(at), _called(at + 7200)]}
        case "/v2.2/messages":
            old = {"key": ["x", str(at)], "id": "m", "value": {"direction": "in", "number": "9175550161"}}
            data = {"messages": [old] if request.url.params["number"] == "2015550100" else []}
        case _:
            data = {"records": []}
    return httpx2.Response(200, content=json.dumps({"status": 200, "data": data}))


def _called(at: int) -> dict[str, Any]:
    return {"key": ["x", str(at)], "id": f"c{at}", "value": {"cid": "9175550161", "dst": "2015550129", "dur": "9"}}
