"""Which tools a session shows and allows: selected at the start, narrowed by headers, never widened."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from pydantic import SecretStr
from typer.testing import CliRunner

from server.cli.app import command_line
from server.mcp.listing.registry import ToolRegistry
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import HttpSettings, Settings, settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Era, Person, connect, server_for, settings_for
from tests.over_http import connect_over_http, serve_over_http
from tests.sandbox_control import sandboxes
from tests.server.test_transports import stdio_child
from tools.registry import all_operations
from tools.selection import UnknownTool

ORDER: dict[str, Any] = {"numbers": ["+12125550100"]}
TOKEN = "a-long-token-of-alice"
OWN = {"get_action", "list_actions", "undo_action", "propose_plan", "run_plan"}


async def _names(folder: Path, **selected: Any) -> list[str]:
    _, server = server_for(_settings(folder, **selected))
    async with connect(server) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


async def test_the_default_selection_is_as_large_as_the_readme_says(tmp_path: Path) -> None:
    every = for_sandbox(settings_class()(state_folder=tmp_path), "http://unused.test")
    assert (len(ToolRegistry(every).listed), len(await _names(tmp_path))) == (25, 22)


def test_the_command_names_what_cannot_be_undone() -> None:
    printed = CliRunner().invoke(command_line(["tools"]), ["tools", "--toolsets", "voicetel.numbers"])
    rows = {line.split()[0]: line for line in printed.stdout.splitlines()}
    assert "destructive irreversible" in rows["voicetel_release_number"]
    listed = CliRunner().invoke(command_line(["tools"]), ["tools", "--json", "--toolsets", "voicetel.numbers"])
    shown = {row["name"]: row for row in json.loads(listed.stdout)}
    release = shown["voicetel_release_number"]
    assert (release["effect"], release["irreversible"]) == (["destructive"], True)
    assert shown["voicetel_get_number"]["irreversible"] is False


def test_the_version_is_shown() -> None:
    assert (
        CliRunner().invoke(command_line(["--version"]), ["--version"]).stdout == f"ringfence {version('ringfence')}\n"
    )


async def test_the_list_is_sorted_and_the_same_every_time(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        first = await client.list_tools()
        second = await client.list_tools()
    names = [tool.name for tool in first.tools]
    assert names == sorted(names)
    assert first == second


async def test_a_toolset_shows_its_operations_and_the_tools_about_actions(tmp_path: Path) -> None:
    names = await _names(tmp_path, toolsets=["voicetel.e911"])
    assert set(names) >= OWN
    assert all("e911" in name or "address" in name for name in set(names) - OWN), names


async def test_tools_alone_are_shown_without_the_default_toolset(tmp_path: Path) -> None:
    assert set(await _names(tmp_path, tools=["voicetel_list_tickets"])) == {*OWN, "voicetel_list_tickets"}


async def test_tools_come_on_top_of_toolsets(tmp_path: Path) -> None:
    names = await _names(tmp_path, toolsets=["default"], tools=["voicetel_list_tickets", "voicetel_get_ticket"])
    assert {"voicetel_order_numbers", "voicetel_get_ticket"} <= set(names)


async def test_what_is_excluded_is_not_shown_even_where_it_is_named(tmp_path: Path) -> None:
    name = "voicetel_order_numbers"
    assert name not in await _names(tmp_path, toolsets=["all"], tools=[name], exclude_tools=[name])


async def test_read_only_stands_over_tools_that_are_named(tmp_path: Path) -> None:
    names = await _names(tmp_path, tools=["voicetel_order_numbers", "voicetel_list_numbers"], read_only=True)
    assert set(names) == {"get_action", "list_actions", "voicetel_list_numbers"}


async def test_only_providers_with_credentials_are_shown(tmp_path: Path) -> None:
    names = await _names(tmp_path, toolsets=["all"])
    assert "voicetel_order_numbers" in names
    assert not [name for name in names if name.partition("_")[0] in {"routee", "convirza", "enswitch"}]


@pytest.mark.parametrize(
    ("selected", "hint"),
    [
        ({"toolsets": ["voicetel.e912"]}, "did you mean voicetel.e911"),
        ({"tools": ["voicetel_order_number"]}, "did you mean voicetel_order_numbers"),
        ({"exclude_tools": ["voicetel_relase_number"]}, "did you mean voicetel_release_number"),
        ({"exclude_tools": ["routee_send_smss"]}, "did you mean routee_send_sms"),
    ],
    ids=["toolset", "tool", "excluded", "excluded, of a provider that is not set up"],
)
def test_unknown_names_stop_the_start_and_the_nearest_is_named(
    selected: dict[str, Any], hint: str, tmp_path: Path
) -> None:
    with pytest.raises(UnknownTool, match=hint):
        build_server(Services(_settings(tmp_path, **selected)))


async def test_an_unknown_tool_is_answered_with_the_nearest(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        with pytest.raises(MCPError, match=r"did you mean voicetel_order_numbers\?"):
            await client.call_tool("voicetel_order_number", {})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "voicetel_list_numbers",
            "it is not listed; call it with call_read_operation, operation=voicetel_list_numbers.",
        ),
        (
            "voicetel_move_number",
            "it is not listed; call it with call_write_operation, operation=voicetel_move_number.",
        ),
        ("voicetel_list_numbrs", "did you mean voicetel_list_numbers, which is called with call_read_operation?"),
        ("voicetel_ordr_numbers", "did you mean voicetel_order_numbers?"),
        ("find_numbr", "did you mean find_number?"),
        ("routee_get_balance", "Routee is not set up."),
        ("voicetel_get_gateway", "voicetel_get_gateway is excluded from this session."),
    ],
)
async def test_a_call_of_an_unlisted_tool_names_the_tool_that_reaches_it(
    name: str, expected: str, tmp_path: Path
) -> None:
    _, server = server_for(_settings(tmp_path, exclude_tools=["voicetel_get_gateway"]))
    async with connect(server) as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool(name, {})
    assert expected in str(refused.value)
    assert "Nothing was sent." in str(refused.value)


@pytest.mark.parametrize(
    "name", ["voicetel_search_number", "voicetel_get_numbers", "list_numbers", "voicetel_lst_forward"]
)
async def test_no_tool_that_does_more_is_offered_for_one_that_would_read(name: str, tmp_path: Path) -> None:
    """A model tries what it is shown, and `list` is as near to `release` as letters go."""
    _, server = server_for(_settings(tmp_path))
    async with connect(server) as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool(name, {})
    offered = set(re.findall(r"voicetel_[a-z0-9_]+", str(refused.value))) - {name}
    assert all(all_operations()[one].spec.effect.is_plain_read for one in offered), str(refused.value)


async def test_where_nothing_calls_operations_no_way_is_promised(tmp_path: Path) -> None:
    _, server = server_for(_settings(tmp_path, toolsets=["voicetel.e911"]))
    async with connect(server) as client:
        with pytest.raises(MCPError, match="it is not among the tools of this session"):
            await client.call_tool("voicetel_list_numbers", {})


async def test_undoing_does_not_reach_what_is_excluded(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            forward = {"number": "+12015550142", "destination": "+12125550142"}
            receipt: dict[str, Any] = (await client.call_tool("voicetel_set_forward", forward)).structured_content or {}
        without = settings.model_copy(update={"exclude_tools": ["voicetel_remove_forward", "voicetel_set_forward"]})
        _, server = server_for(without)
        async with connect(server, person=Person()) as client:
            undone = await client.call_tool("undo_action", {"action_id": receipt["action"]})
        assert undone.is_error
        assert "is excluded from this session; nothing was sent" in getattr(undone.content[-1], "text", "")
        assert len(await sandbox.writes()) == 1


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_headers_narrow_what_a_client_sees_and_reaches(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox, serve_over_http(_over_http(tmp_path, sandbox.voicetel)) as url:
        headers = {"X-MCP-Toolsets": "voicetel.ordering", "X-MCP-Readonly": "true"}
        async with connect_over_http(url, TOKEN, era=era, headers=headers, person=Person()) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            with pytest.raises(MCPError, match="There is no tool voicetel_order_numbers here"):
                await client.call_tool("voicetel_order_numbers", ORDER)
        async with connect_over_http(url, TOKEN, era=era) as client:
            whole = {tool.name for tool in (await client.list_tools()).tools}
        assert "voicetel_search_inventory" in names
        assert not {"voicetel_order_numbers", "voicetel_list_tickets", "undo_action"} & names
        assert {"voicetel_order_numbers", "voicetel_list_tickets"} <= whole
        assert await sandbox.writes() == []


async def test_headers_never_widen(tmp_path: Path) -> None:
    settings = _over_http(tmp_path, "http://unused.test", toolsets=["voicetel.ordering"], read_only=True)
    async with serve_over_http(settings) as url:
        headers = {"X-MCP-Toolsets": "all", "X-MCP-Readonly": "false", "X-MCP-Exclude-Tools": ""}
        async with connect_over_http(url, TOKEN, headers=headers) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
    assert names
    assert not {"voicetel_order_numbers", "voicetel_list_tickets"} & names


async def test_headers_that_name_what_is_not_shown_are_refused(tmp_path: Path) -> None:
    headers = {"X-MCP-Toolsets": "voicetel.numbrs"}
    settings = _over_http(tmp_path, "http://unused.test")
    async with serve_over_http(settings) as url, connect_over_http(url, TOKEN, headers=headers) as client:
        with pytest.raises(MCPError, match=r"does not offer: voicetel\.numbrs"):
            await client.list_tools()


async def test_a_cached_list_equals_a_built_list(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    made = ToolRegistry(settings).listed
    files = list((tmp_path / "state" / "listings").iterdir())
    assert len(files) == 1
    assert ToolRegistry(settings).listed == made
    files[0].write_text("{", encoding="utf-8")
    assert ToolRegistry(settings).listed == made


async def test_a_list_cached_from_other_sources_is_not_used(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    assert ToolRegistry(settings).listed
    (file,) = (tmp_path / "state" / "listings").iterdir()
    kept = file.read_text(encoding="utf-8")
    file.write_text(kept.replace('"sources": "', '"sources": "0').replace("Order", "Steal"), encoding="utf-8")
    listed = ToolRegistry(settings).listed
    assert "Steal" not in (listed["voicetel_order_numbers"].tool.description or "")


async def test_the_command_line_chooses_too(tmp_path: Path) -> None:
    options = ("--tools", "voicetel_list_numbers,voicetel_order_numbers", "--exclude-tools", "voicetel_order_numbers")
    async with Client(stdio_child(tmp_path, "http://unused.test", *options)) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert names == {*OWN, "voicetel_list_numbers"}


@pytest.mark.parametrize("selected", [{}, {"toolsets": ["overview", "routee.messaging"]}, {"read_only": True}])
def test_the_command_lists_what_a_server_with_every_provider_shows(selected: dict[str, Any], tmp_path: Path) -> None:
    settings = for_sandbox(settings_class()(state_folder=tmp_path, **selected), "http://unused.test")
    options = [f"--toolsets={','.join(selected.get('toolsets', []))}"] if "toolsets" in selected else []
    options += ["--read-only"] if selected.get("read_only") else []
    printed = CliRunner().invoke(command_line(["tools"]), ["tools", *options], env={"COLUMNS": "200"})
    listed = {line.split()[0] for line in printed.stdout.splitlines()[1:]}
    assert listed == set(ToolRegistry(settings).listed)


def test_the_sandbox_reaches_its_people_unless_the_operator_chose_the_countries(tmp_path: Path) -> None:
    untouched = for_sandbox(settings_class()(state_folder=tmp_path), "http://unused.test")
    chosen = for_sandbox(
        settings_class().model_validate({"state_folder": tmp_path, "destinations": {"countries": ["US"]}}),
        "http://unused.test",
    )
    assert {"US", "CA", "GR"} <= set(untouched.destinations.countries)
    assert chosen.destinations.countries == ["US"]


def _settings(folder: Path, **selected: Any) -> Settings:
    given: dict[str, Any] = {"toolsets": [], **selected}
    return settings_for(folder, **given)


def _over_http(folder: Path, url: str, **more: Any) -> Settings:
    return settings_for(folder, url, http=HttpSettings(tokens={"alice": SecretStr(TOKEN)}), **more)
