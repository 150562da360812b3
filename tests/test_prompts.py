"""Guided jobs name what exists, and read well with and without their arguments."""

from pathlib import Path

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, TextContent

from prompts.library import Guide, guides
from tests.connecting import Era, connect, server_for, settings_for
from tools.builtin_list import all_builtin_tools
from tools.registry import all_operations

OWN = {tool.name for tool in all_builtin_tools()}
EVERY = pytest.mark.parametrize("guide", [pytest.param(guide, id=guide.name) for guide in guides()])


@EVERY
def test_every_tool_it_names_exists(guide: Guide) -> None:
    assert guide.tools
    assert [name for name in guide.tools if name not in all_operations() and name not in OWN] == []


@EVERY
def test_it_reads_whole_with_only_what_is_required(guide: Guide) -> None:
    required = {argument.name: "201" for argument in guide.arguments if argument.otherwise is None}
    text = guide.fill_in(required)
    assert "{" not in text
    assert ("201" in text) is bool(required)


@EVERY
def test_every_argument_is_used_and_it_is_short_enough_to_follow(guide: Guide) -> None:
    assert all(f"{{{argument.name}}}" in guide.text for argument in guide.arguments)
    assert len(bpe_openai.get_encoding("o200k_base").encode(guide.fill_in({}))) < 1_000


@EVERY
def test_nothing_paid_or_final_comes_before_a_read(guide: Guide) -> None:
    named = [
        all_operations()[name].spec.effect.is_plain_read if name in all_operations() else True for name in guide.tools
    ]
    assert named[0]


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


@pytest.mark.parametrize("era", ["auto", "legacy"])
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("order_numbers", {}, "place is needed: Area code, city, state or country"),
        ("order_numbers", {"place": ""}, "place is needed"),
        ("order_numbers", {"place": "Reno", "hw_many": "2"}, "there is no argument hw_many; there are place, how_many"),
        ("cost_review", {"days": "abc"}, "days: a whole number of 1 or more is expected"),
        ("cost_revue", {}, "There is no prompt cost_revue; did you mean cost_review?"),
        ("nope", {}, "There is no prompt nope; there are change_routing, "),
    ],
)
async def test_what_does_not_fit_is_named_and_no_fault_of_the_server(
    name: str, arguments: dict[str, str], expected: str, era: Era, tmp_path: Path
) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server, era=era) as client:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt(name, arguments)
    assert refused.value.error.code == INVALID_PARAMS
    assert expected in refused.value.error.message


async def test_a_session_that_may_only_read_is_told_to_change_nothing(tmp_path: Path) -> None:
    told: dict[bool, str] = {}
    for read_only in (True, False):
        _, server = server_for(settings_for(tmp_path, read_only=read_only))
        async with connect(server) as client:
            told[read_only] = str(await client.get_prompt("order_numbers", {"place": "Reno"}))
    assert "This session may only read." in told[True]
    assert "This session may only read." not in told[False]
