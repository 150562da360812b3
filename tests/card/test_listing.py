"""A client that shows MCP Apps gets the card's address and facts; every other client gets what it got before."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.server.lowlevel import Server
from mcp.types import CallToolResult, TextResourceContents

from server.worker.worker import open_worker
from tests.connecting import Era, Person, connect, content_of, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import customers, texts
from tests.sandbox_control import sandboxes

ERAS: Final = pytest.mark.parametrize("era", ["auto", "legacy"])
KEY: Final = "ringfence/question"
URI: Final = "ui://ringfence/question"
CARDS: Final[dict[str, Any]] = {"mimeTypes": [APP_MIME_TYPE]}
OWNED: Final = "+12015550142"
RELEASE: Final = ("voicetel_release_number", {"number": OWNED})
FORWARD: Final = ("voicetel_set_forward", {"number": OWNED, "destination": "+12125550142"})


def connect_with_cards(server: Server[None], *, era: Era = "auto", person: Person | None = None) -> Client:
    """Build a client in memory that shows cards."""
    return Client(
        server,
        mode=era,
        elicitation_callback=person,
        extensions=[advertise(EXTENSION_ID, CARDS)],
    )


def facts_of(result: CallToolResult) -> dict[str, Any]:
    """Return what a card shows of a result."""
    facts: dict[str, Any] = (result.meta or {})[KEY]
    return facts


@ERAS
async def test_only_a_client_that_shows_cards_is_told_of_them_and_the_list_of_others_stays_as_it_is(
    era: Era, tmp_path: Path
) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server, era=era) as client:
        before = (await client.list_tools()).model_dump_json(by_alias=True)
    async with connect_with_cards(server, era=era) as client:
        listed = (await client.list_tools()).tools
    async with Client(server, mode=era, extensions=[advertise(EXTENSION_ID, {"mimeTypes": ["text/plain"]})]) as client:
        of_another_kind = (await client.list_tools()).model_dump_json(by_alias=True)
    async with connect(server, era=era) as client:
        after = (await client.list_tools()).model_dump_json(by_alias=True)
    assert after == before == of_another_kind
    assert URI not in before
    card = {"ui": {"resourceUri": URI, "visibility": ["model"]}}
    asking = {tool.name: tool.meta for tool in listed if not (tool.annotations and tool.annotations.read_only_hint)}
    assert asking == dict.fromkeys(asking, card)
    assert {"voicetel_send_message", "propose_plan", "run_plan", "call_write_operation", "undo_action"} <= set(asking)
    assert all(tool.meta is None for tool in listed if tool.name not in asking)


@ERAS
async def test_the_facts_are_those_of_the_question_and_others_get_none(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era) as client:
            plain = await client.call_tool(*RELEASE)
        async with connect_with_cards(server, era=era) as client:
            result = await client.call_tool(*RELEASE)
            read = await client.call_tool("get_action", {"action_id": content_of(result)["action"]})
    assert plain.meta is None or KEY not in plain.meta
    assert (plain.content, plain.structured_content) == (result.content, result.structured_content)
    facts, said = facts_of(result), content_of(result)
    assert (facts["id"], facts["state"], facts["where"]) == (said["action"], "proposed", said["approve"])
    lines = [facts["title"], facts["final"], *facts["call"], *facts["price"], *facts["changes"]]
    assert all(re.sub(r"outside-\w+", "", line) in re.sub(r"outside-\w+", "", said["question"]) for line in lines)
    assert facts["command"].endswith(f"approvals approve {said['action']}")
    assert "page" not in facts
    assert facts_of(read)["state"] == "proposed"


async def test_a_plan_and_a_receipt_have_facts_too(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect_with_cards(server) as client:
            plan = facts_of(await client.call_tool("propose_plan", texts(customers(3))))
            await operator.approve(facts_of(await client.call_tool(*FORWARD))["id"])
            done = facts_of(await client.call_tool(*FORWARD))
            shown = facts_of(await client.call_tool("get_action", {"action_id": plan["id"]}))
    assert plan["title"] == "3 calls as one job"
    assert plan["call"][0] == "The assistant calls it: «Tell customers about Friday»"
    assert plan["amount"] != "No charge"
    assert any("+12125550100" in line for line in plan["call"])
    assert (shown["id"], shown["state"]) == (plan["id"], "proposed")
    assert done["state"] == "done"


async def test_no_tool_answers_for_a_person_and_the_form_stays_the_way_in_the_client(tmp_path: Path) -> None:
    person = Person()
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            others = {tool.name for tool in (await client.list_tools()).tools}
        async with connect_with_cards(server, person=person) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            result = await client.call_tool(*FORWARD)
    assert names == others
    assert len(person.questions) == 1
    assert facts_of(result)["state"] == "done"


@ERAS
async def test_the_card_is_one_small_document_that_loads_nothing(era: Era, tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect_with_cards(server, era=era) as client:
        [contents] = (await client.read_resource(URI)).contents
    assert isinstance(contents, TextResourceContents)
    assert (contents.mime_type, contents.meta) == (APP_MIME_TYPE, {"ui": {"csp": {}, "prefersBorder": True}})
    assert len(contents.text) < 20_000
    assert "default-src 'none'" in contents.text
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|eval\(|fetch\(|\bsrc=|\bhref=", contents.text)


async def test_what_a_card_reads_does_not_take_the_news_from_the_assistant(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """Otherwise the same call, which the assistant was told to make again, would be asked a second time."""
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect_with_cards(server) as client, open_worker(services) as worker:
            action = facts_of(await client.call_tool(*FORWARD))["id"]
            await operator.approve(action, "--run")
            await worker.work_off()
            assert facts_of(await client.call_tool("get_action", {"action_id": action}))["state"] == "done"
            again = await client.call_tool(*FORWARD)
            assert content_of(again)["action"] == action
            assert "by itself" in content_of(again)["notes"][0]
