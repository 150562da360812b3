"""Guided jobs name what exists, and read well with and without their arguments."""

from pathlib import Path

import pytest
from mcp.types import TextContent

from prompts.library import Guide, guides
from tests.connecting import Era, connect, server_for, settings_for
from tools.catalog import catalogue

EVERY = pytest.mark.parametrize("guide", [pytest.param(guide, id=guide.name) for guide in guides()])


@EVERY
def test_every_tool_it_names_exists(guide: Guide) -> None:
    assert guide.tools
    assert [name for name in guide.tools if name not in catalogue()] == []


@EVERY
def test_it_reads_whole_with_only_what_is_required(guide: Guide) -> None:
    required = {argument.name: "201" for argument in guide.arguments if argument.otherwise is None}
    told = guide.told(**required)
    assert "{" not in told
    assert "201" in told


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_client_lists_and_gets_them(era: Era, tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server, era=era) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        got = await client.get_prompt("order_numbers", {"place": "Hackensack", "how_many": "2"})
    content = got.messages[0].content
    assert names == [guide.name for guide in guides()]
    assert isinstance(content, TextContent)
    assert "2 new telephone number(s) in Hackensack" in content.text
