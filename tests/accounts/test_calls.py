"""Calls on one of several accounts: reads, guarded writes, plans, and what an approval is bound to."""

import os
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult

from clients.errors import LimitReached
from clients.shared.limits import Limit
from guard.reconcile import GRACE
from sandbox.voicetel import seed
from server.mcp.server import build_server
from server.services import Services
from server.settings.errors import BadSettings
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from server.store.shared import SharedLimits
from tests.accounts.two_accounts import CLINIC, OF_CLINIC, OF_OFFICE, OFFICE, two_accounts
from tests.clocks import ShiftedClock
from tests.connecting import Era, Person, connect, content_of, server_for, settings_for
from tests.fork_server import forking_python
from tests.operator_side import OperatorSide
from tests.sandbox_control import sandboxes
from tools.discovery.examples import example_of
from tools.registry import all_operations
from tools.schema import input_schema

ELSEWHERE = "+12125550142"
FORWARD = {"number": OF_CLINIC, "destination": ELSEWHERE}
ORDER = {"numbers": ["+12125550100"]}


async def test_a_read_shows_the_account_that_it_names(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            for account, number, other in ((OFFICE, OF_OFFICE, OF_CLINIC), (CLINIC, OF_CLINIC, OF_OFFICE)):
                direct = await client.call_tool("voicetel_list_numbers", {"account": account, "limit": 50})
                call = {"operation": "voicetel_list_numbers", "arguments": {"account": account, "limit": 50}}
                indirect = await client.call_tool("call_read_operation", call)
                for shown in (direct, indirect):
                    assert number in str(shown.structured_content)
                    assert other not in str(shown.structured_content)


async def test_the_tools_of_a_provider_with_several_accounts_take_the_name_of_one(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
            described = await client.call_tool("describe_operation", {"operation": "voicetel_order_numbers"})
    account = {"description": "Which account.", "enum": [OFFICE, CLINIC], "type": "string"}
    operations = {name: schema for name, schema in tools.items() if name.startswith("voicetel_")}
    assert operations
    for schema in (*operations.values(), content_of(described)["input_schema"]):
        assert schema["properties"]["account"] == account
        assert "account" in schema["required"]
    step = tools["propose_plan"]["properties"]["steps"]["items"]["properties"]
    assert step["account"]["description"] == "Name of the account: voicetel, clinic, or a column."
    assert "account" not in tools["list_all_numbers"]["properties"]


async def test_with_one_account_nothing_is_different(tmp_path: Path) -> None:
    _, server = server_for(settings_for(tmp_path))
    async with connect(server) as client:
        tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
        refused = await client.call_tool("voicetel_list_numbers", {"account": OFFICE})
    assert tools["voicetel_order_numbers"] == input_schema(all_operations()["voicetel_order_numbers"])
    assert "account" not in str(tools["propose_plan"])
    assert "account: there is no such argument" in _text(refused)


@pytest.mark.parametrize(
    ("tool", "arguments"), [("voicetel_list_numbers", {}), ("voicetel_order_numbers", ORDER)], ids=["read", "write"]
)
async def test_a_call_that_names_no_account_or_no_such_account_is_refused_with_the_names(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            without = await client.call_tool(tool, arguments)
            unknown = await client.call_tool(tool, {**arguments, "account": "klinik"})
        assert await sandbox.requests() == []
    for refused in (without, unknown):
        assert refused.is_error
        assert "nothing was sent" in _text(refused)
        assert "one of: voicetel, clinic" in _text(refused) or "one of voicetel, clinic" in _text(refused)


async def test_a_call_that_names_no_account_is_made_on_the_default_of_the_operator(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        defaults = {"voicetel": CLINIC}
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel, default_accounts=defaults))
        async with connect(server) as client:
            [tool] = [tool for tool in (await client.list_tools()).tools if tool.name == "voicetel_list_numbers"]
            shown = await client.call_tool("voicetel_list_numbers", {})
            named = await client.call_tool("voicetel_list_numbers", {"account": OFFICE, "limit": 50})
    assert tool.input_schema["properties"]["account"]["description"] == "Which account; clinic if left out."
    assert "account" not in tool.input_schema.get("required", [])
    assert OF_CLINIC in str(shown.structured_content)
    assert OF_OFFICE in str(named.structured_content)


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_guarded_call_is_made_on_its_account_and_the_question_names_it(
    era: Era, tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        person = Person()
        settings = two_accounts(tmp_path / "state", sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server, person=person, era=era) as client:
            done = await client.call_tool("voicetel_set_forward", {"account": CLINIC, **FORWARD})
            assert not done.is_error, done
            shown = await client.call_tool("voicetel_get_number", {"account": CLINIC, "number": OF_CLINIC})
            undone = await client.call_tool("undo_action", {"action_id": content_of(done)["action"]})
            back = await client.call_tool("voicetel_get_number", {"account": CLINIC, "number": OF_CLINIC})
        listed = await operator.list_actions()
        audited = [row for row in await operator.audit_rows() if row["event"] == "proposed"]
    assert "(account clinic)" in person.questions[0].splitlines()[0]
    assert "as 2015550177" in person.questions[0]
    assert ELSEWHERE in str(shown.structured_content)
    assert not undone.is_error, undone
    assert ELSEWHERE not in str(back.structured_content)
    assert {action["account_name"] for action in listed} == {CLINIC}
    assert all("(account clinic)" in action["title"] for action in listed)
    assert all("as 2015550177" in str(row["detail"]) for row in audited)


async def test_an_approval_for_one_account_cannot_be_used_on_another(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path / "state", sandbox.voicetel))
        async with connect(server) as client:
            asked = await client.call_tool("voicetel_order_numbers", {"account": OFFICE, **ORDER})
            question = await operator.read_question(content_of(asked)["action"])
            assert "(account voicetel)" in question.splitlines()[0]
            await operator.approve(content_of(asked)["action"])
            other = await client.call_tool("voicetel_order_numbers", {"account": CLINIC, **ORDER})
            assert content_of(other)["state"] == "proposed"
            assert content_of(other)["action"] != content_of(asked)["action"]
            assert await sandbox.charges() == []
            done = await client.call_tool("voicetel_order_numbers", {"account": OFFICE, **ORDER})
            assert not done.is_error, done
            owned = await client.call_tool("voicetel_list_numbers", {"account": OFFICE, "limit": 50})
            not_owned = await client.call_tool("voicetel_list_numbers", {"account": CLINIC, "limit": 50})
    assert ORDER["numbers"][0] in str(owned.structured_content)
    assert ORDER["numbers"][0] not in str(not_owned.structured_content)


async def test_a_lost_call_is_settled_by_reads_of_its_own_account_alone(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with sandboxes() as sandbox:
        services = Services(two_accounts(tmp_path, sandbox.voicetel), clock=clock)
        async with connect(build_server(services), person=Person()) as client:
            await sandbox.break_with("drop_after", provider="voicetel", method="PUT", path="forward")
            lost = await client.call_tool("voicetel_set_forward", {"account": CLINIC, **FORWARD})
            assert content_of(lost)["state"] == "unknown"
        without = two_accounts(tmp_path, sandbox.voicetel).model_copy(update={"accounts": {}})
        clock.ahead += GRACE * 2
        async with connect(build_server(Services(without, clock=clock))) as client:
            still = await client.call_tool("get_action", {"action_id": content_of(lost)["action"]})
            assert content_of(still)["state"] == "unknown"
            undo = await client.call_tool("undo_action", {"action_id": content_of(lost)["action"]})
            assert undo.is_error
        async with connect(build_server(Services(two_accounts(tmp_path, sandbox.voicetel), clock=clock))) as client:
            settled = await client.call_tool("get_action", {"action_id": content_of(lost)["action"]})
            assert content_of(settled)["state"] == "done"
        reads = [row for row in await sandbox.requests(method="GET") if OF_CLINIC[2:] in row["path"]]
        assert reads


async def test_an_approved_call_of_an_account_that_is_gone_is_not_sent_through_another(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        settings = two_accounts(tmp_path / "state", sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client:
            asked = await client.call_tool("voicetel_set_forward", {"account": CLINIC, **FORWARD})
            await operator.approve(content_of(asked)["action"])
        _, alone = server_for(settings.model_copy(update={"accounts": {}}))
        async with connect(alone) as client:
            again = await client.call_tool("voicetel_set_forward", FORWARD)
            named = await client.call_tool("voicetel_set_forward", {"account": CLINIC, **FORWARD})
        assert again.is_error
        assert content_of(again).get("action") != content_of(asked)["action"]
        assert "account: there is no such argument" in _text(named)
        assert await sandbox.writes() == []


async def test_steps_of_a_plan_are_made_on_the_account_that_each_names(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        settings = two_accounts(tmp_path / "state", sandbox.voicetel, approvals={"page": "off", "form": "auto"})
        _, server = server_for(settings)
        person = Person()
        rows = [
            {"which": CLINIC, "number": OF_CLINIC, "to": ELSEWHERE},
            {"which": OFFICE, "number": OF_OFFICE, "to": ELSEWHERE},
        ]
        arguments = {"number": "{{number}}", "destination": "{{to}}"}
        step = {"operation": "voicetel_set_forward", "arguments": arguments, "account": "{{which}}", "for_each": rows}
        async with connect(server, person=person) as client:
            proposed = await client.call_tool("propose_plan", {"title": "Close for today", "steps": [step]})
            assert not proposed.is_error, proposed
            ran = await client.call_tool("run_plan", {"plan_id": content_of(proposed)["plan"]})
            assert not ran.is_error, ran
            for account, number in ((CLINIC, OF_CLINIC), (OFFICE, OF_OFFICE)):
                shown = await client.call_tool("voicetel_get_number", {"account": account, "number": number})
                assert ELSEWHERE in str(shown.structured_content)
            undone = await client.call_tool("undo_action", {"action_id": content_of(proposed)["plan"]})
            back = await client.call_tool("run_plan", {"plan_id": content_of(undone)["plan"]})
            assert not back.is_error, back
        assert "(account clinic)" in person.questions[0]
        assert "(account voicetel)" in person.questions[0]
        made = {action["account_name"] for action in await operator.list_actions()}
        assert made == {CLINIC, OFFICE}


@pytest.mark.parametrize(
    ("account", "arguments", "named"),
    [
        (None, FORWARD, "step 1: account: one of voicetel, clinic is expected."),
        ("klinik", FORWARD, "step 1: account: one of voicetel, clinic is expected, and 'klinik' is none of them."),
        (OFFICE, {**FORWARD, "account": CLINIC}, "step 1: account: one of voicetel, clinic is expected, and two are"),
    ],
)
async def test_a_step_that_names_no_account_is_refused_with_the_names(
    account: str | None, arguments: dict[str, Any], named: str, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        step = {"operation": "voicetel_set_forward", "arguments": arguments} | ({"account": account} if account else {})
        async with connect(server, person=Person()) as client:
            refused = await client.call_tool("propose_plan", {"title": "A job", "steps": [step]})
        assert await sandbox.requests() == []
    assert named in _text(refused)


async def test_the_question_about_a_plan_says_what_each_account_pays_and_its_caps_hold(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        caps = [{"per": "day", "limit": "1.50", "account": CLINIC}]
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel, budget=caps))
        person = Person()

        def order(account: str, *endings: str) -> dict[str, Any]:
            numbers = [f"+121255501{ending}" for ending in endings]
            return {"operation": "voicetel_order_numbers", "arguments": {"numbers": numbers}, "account": account}

        async with connect(server, person=person) as client:
            steps = [order(OFFICE, "00", "01"), order(CLINIC, "03")]
            proposed = await client.call_tool("propose_plan", {"title": "Numbers", "steps": steps})
            assert not proposed.is_error, proposed
            more = {"title": "More numbers", "steps": [order(CLINIC, "04")]}
            over = await client.call_tool("propose_plan", more)
            ran = await client.call_tool("run_plan", {"plan_id": content_of(proposed)["plan"]})
            assert not ran.is_error, ran
            still_over = await client.call_tool("propose_plan", more)
    assert "$2.00 in all now and every month on account voicetel" in person.questions[0]
    assert "$1.00 in all now and every month on account clinic" in person.questions[0]
    for refused in (over, still_over):
        assert "per day on account clinic leaves $0.50" in _text(refused)


async def test_the_views_go_over_all_accounts_and_name_each(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            numbers = content_of(await client.call_tool("list_all_numbers", {"limit": 100}))
            found = content_of(await client.call_tool("find_number", {"number": OF_CLINIC}))
            overview = content_of(await client.call_tool("account_overview", {}))
    by_number = {row["number"]: (row["provider"], row["account"]) for row in numbers["numbers"]}
    assert by_number[OF_CLINIC] == ("voicetel", CLINIC)
    assert by_number[OF_OFFICE] == ("voicetel", OFFICE)
    assert [(row["provider"], row["account"]) for row in found["found"]] == [("voicetel", CLINIC)]
    money = {row["account"]: row["amount"] for row in overview["balances"]}
    assert money == {OFFICE: "$250.00", CLINIC: "$3.10"}


async def test_use_of_numbers_and_the_price_for_a_list_are_those_of_the_account(tmp_path: Path) -> None:
    text = {"account": OFFICE, "from_number": OF_OFFICE, "to_number": "{{phone}}", "text": "Hello"}
    people = {"people": "phone\n+19175550161\n", "operation": "voicetel_send_message"}
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            use = content_of(await client.call_tool("find_number_use", {"days": 2, "limit": 500}))
            listed = content_of(await client.call_tool("list_failed_texts", {}))
            priced = content_of(await client.call_tool("check_people", people | {"arguments": text}))
            unnamed = content_of(
                await client.call_tool("check_people", people | {"arguments": {**text, "account": None}})
            )
    assert {row["account"] for row in use["records"]} == {OFFICE, CLINIC}
    assert {row["number"]: row["account"] for row in use["numbers"]}[OF_CLINIC] == CLINIC
    assert {gap["account"] for gap in listed["missing"]} == {OFFICE, CLINIC}
    assert priced["price"][0].startswith("VoiceTel charges")
    assert unnamed["price"] == ["None of the calls can be made, so none is priced; the rows with problems say why."]
    assert "clinic" in str(unnamed["rows_with_problems"])


async def test_what_is_missing_is_named_with_its_account(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = two_accounts(tmp_path, sandbox.voicetel)
        clinic = settings.accounts[CLINIC].model_copy(update={"base_url": "http://127.0.0.1:1"})
        _, server = server_for(settings.model_copy(update={"accounts": {CLINIC: clinic}}))
        async with connect(server) as client:
            numbers = content_of(await client.call_tool("list_all_numbers", {"limit": 100}))
    [missing] = numbers["missing"]
    assert (missing["provider"], missing["account"]) == ("voicetel", CLINIC)
    assert {row["account"] for row in numbers["numbers"]} == {OFFICE}


async def test_a_cap_on_an_account_leaves_the_other_its_room(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        cap = {"per": "day", "limit": "1.50", "account": OFFICE}
        settings = two_accounts(tmp_path / "state", sandbox.voicetel, budget=[cap])
        _, server = server_for(settings)
        orders = [{"numbers": [f"+121255501{number}"]} for number in ("00", "01", "03")]
        async with connect(server, person=Person()) as client:
            first = await client.call_tool("voicetel_order_numbers", {"account": OFFICE, **orders[0]})
            over = await client.call_tool("voicetel_order_numbers", {"account": OFFICE, **orders[1]})
            other = await client.call_tool("voicetel_order_numbers", {"account": CLINIC, **orders[2]})
        assert not first.is_error, first
        assert "the budget of $1.50 per day on account voicetel leaves $0.50" in _text(over)
        assert not other.is_error, other
        assert [row["amount"] for row in await sandbox.charges()] == ["1.00", "1.00"]


async def test_a_price_of_the_operators_own_can_be_another_for_an_account(tmp_path: Path) -> None:
    prices = {"voicetel_create_e911_record": {"amount": "2.75", "accounts": {CLINIC: "3.25"}}}
    record = {**example_of(all_operations()["voicetel_create_e911_record"])}
    async with sandboxes() as sandbox:
        person = Person("decline")
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel, prices=prices))
        async with connect(server, person=person) as client:
            for account, number in ((OFFICE, OF_OFFICE), (CLINIC, OF_CLINIC)):
                call = {**record, "number": number, "account": account}
                await client.call_tool("voicetel_create_e911_record", call)
    assert ["$2.75" in question for question in person.questions] == [True, False]
    assert ["$3.25" in question for question in person.questions] == [False, True]


async def test_two_names_for_one_account_are_refused(tmp_path: Path) -> None:
    settings = two_accounts(tmp_path, "http://voicetel.test")
    same = settings.accounts[CLINIC].model_copy(update={"username": seed.USERNAME})
    services = Services(settings.model_copy(update={"accounts": {CLINIC: same}}))
    with pytest.raises(BadSettings, match="The accounts voicetel and clinic are the same one"):
        build_server(services)


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_child_process_has_the_accounts_of_its_environment(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        environment = {
            **os.environ,
            "RINGFENCE_VOICETEL__API_KEY": seed.API_KEY,
            "RINGFENCE_VOICETEL__USERNAME": seed.USERNAME,
            "RINGFENCE_VOICETEL__BASE_URL": sandbox.voicetel,
            "RINGFENCE_ACCOUNTS__CLINIC__PROVIDER": "voicetel",
            "RINGFENCE_ACCOUNTS__CLINIC__API_KEY": seed.OTHER_API_KEY,
            "RINGFENCE_ACCOUNTS__CLINIC__USERNAME": seed.OTHER_USERNAME,
            "RINGFENCE_ACCOUNTS__CLINIC__BASE_URL": sandbox.voicetel,
        }
        serve = [*forking_python(), "-m", "ringfence", "serve"]
        child = StdioServerParameters(command=sys.executable, args=serve, env=environment)
        person = Person()
        async with Client(child, mode=era, elicitation_callback=person) as client:
            order = {"account": CLINIC, **ORDER}
            done = await client.call_tool("voicetel_order_numbers", order)
            numbers = content_of(await client.call_tool("list_all_numbers", {"contains": ORDER["numbers"][0]}))
    assert not done.is_error, done
    assert "(account clinic)" in person.questions[0]
    assert [row["account"] for row in numbers["numbers"]] == [CLINIC]


async def test_policy_can_be_another_for_an_account(tmp_path: Path) -> None:
    rules = {"accounts": {CLINIC: {"reroutes": "deny", "operations": {"voicetel_list_gateways": "deny"}}}}
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel, policy=rules))
        async with connect(server, person=Person()) as client:
            denied = await client.call_tool("voicetel_set_forward", {"account": CLINIC, **FORWARD})
            read = await client.call_tool("voicetel_list_gateways", {"account": CLINIC})
            forward = {"account": OFFICE, "number": OF_OFFICE, "destination": ELSEWHERE}
            allowed = await client.call_tool("voicetel_set_forward", forward)
            described = await client.call_tool("describe_operation", {"operation": "voicetel_set_forward"})
    assert "policy.accounts.clinic.reroutes = deny" in _text(denied)
    assert "policy.accounts.clinic.operations.voicetel_list_gateways = deny" in _text(read)
    assert not allowed.is_error, allowed
    assert content_of(described)["approval"] == "voicetel: needs approval; clinic: the operator forbids it"


async def test_a_built_in_tool_of_a_provider_takes_the_account_as_well(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        given = {"state_folder": tmp_path, "toolsets": ["all"], "accounts": {"shop": {"provider": "routee"}}}
        _, server = server_for(for_sandbox(settings_class().model_validate(given), sandbox.url))
        async with connect(server) as client:
            [tool] = [tool for tool in (await client.list_tools()).tools if tool.name == "routee_watch_campaign"]
            async with httpx2.AsyncClient() as http:
                seeded = (await http.get(f"{sandbox.url}/_control/providers")).json()["routee"]["campaigns"]
            watch = {"campaign_id": next(iter(seeded)), "seconds": 0}
            own = await client.call_tool("routee_watch_campaign", {**watch, "account": "routee"})
            other = await client.call_tool("routee_watch_campaign", {**watch, "account": "shop"})
            unnamed = await client.call_tool("routee_watch_campaign", watch)
    assert tool.input_schema["properties"]["account"]["enum"] == ["routee", "shop"]
    assert not own.is_error, own
    assert content_of(other)["error"] == "NotFound"
    assert "`account`: one of routee, shop" in _text(unnamed)


async def test_a_limit_that_a_provider_counts_by_account_is_the_accounts_own(tmp_path: Path) -> None:
    services = Services(two_accounts(tmp_path, "http://voicetel.test"))
    office, clinic = SharedLimits(services.door), SharedLimits(services.door, CLINIC)
    by_account = Limit("checks", calls=1, seconds=3600, per="account")
    by_address = Limit("logins", calls=1, seconds=3600)
    try:
        await office.take(by_account)
        await clinic.take(by_account)
        await office.take(by_address)
        for limits, limit in ((office, by_account), (clinic, by_account), (clinic, by_address)):
            with pytest.raises(LimitReached):
                await limits.take(limit)
    finally:
        await services.close()


async def test_an_hourly_limit_of_an_address_is_shared_by_the_accounts(tmp_path: Path) -> None:
    """The sandbox refuses a seventh call an hour; here nothing more is sent, whichever account it would be for."""
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            for account in (OFFICE, CLINIC):
                for days in range(3):
                    span = {"since": f"2026-0{days + 1}-01T00:00:00Z", "until": f"2026-0{days + 1}-02T00:00:00Z"}
                    shown = await client.call_tool("voicetel_list_call_records", {"account": account, **span})
                    assert not shown.is_error, shown
            span = {"since": "2026-05-01T00:00:00Z", "until": "2026-05-02T00:00:00Z"}
            over = await client.call_tool("voicetel_list_call_records", {"account": CLINIC, **span})
        assert "The provider allows 6 calls in 60 minutes" in _text(over)
        assert len(await sandbox.requests(path="cdr")) == 6


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
