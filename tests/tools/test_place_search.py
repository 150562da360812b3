"""Numbers are searched by the name of a place, and the answer says by which codes."""

from pathlib import Path
from typing import Any

from mcp import Client

from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import connect, content_of, server_for
from tests.sandbox_control import sandboxes

TOOL = "find_available_numbers"


async def _find(client: Client, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(TOOL, arguments)
    assert not result.is_error, result.content
    return content_of(result)


async def test_a_place_is_searched_by_its_codes_which_the_answer_names(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(for_sandbox(settings_class()(state_folder=tmp_path), sandbox.url))
        async with connect(server) as client:
            city = await _find(client, place="San Francisco", limit=4)
            state = await _find(client, place="Texas", limit=6)
            abroad = await _find(client, place="London, UK")
    assert (city["place"], city["codes_searched"]) == ("San Francisco, CA", ["415"])
    assert {row["number"][:5] for row in city["numbers"]} == {"+1415"}
    assert len(state["codes_searched"]) == 6
    assert {row["number"][2:5] for row in state["numbers"]} <= set(state["codes_searched"])
    assert "713" in state["codes_not_searched"]
    assert (abroad["place"], abroad["codes_searched"]) == ("London, GB", ["20"])
    assert "VoiceTel has numbers of the US and Canada only" in str(abroad["missing"])


async def test_a_name_of_several_places_or_of_none_is_not_searched(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(for_sandbox(settings_class()(state_folder=tmp_path), sandbox.url))
        async with connect(server) as client:
            several = await _find(client, place="Springfield")
            misspelled = await client.call_tool(TOOL, {"place": "San Fransisco"})
            both = await client.call_tool(TOOL, {"place": "Austin", "starts_with": "512"})
        assert await sandbox.requests() == []
    assert {"place": "Springfield, IL", "codes": "217"} in several["candidates"]
    text = getattr(misspelled.content[0], "text", "")
    assert misspelled.is_error
    assert "nothing was searched. Similar: San Francisco, CA; South San Francisco, CA." in text
    assert both.is_error
