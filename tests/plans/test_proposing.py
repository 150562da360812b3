"""A plan is checked as a whole: one bad step refuses all of it with every fault named, and nothing is kept or asked."""

import json
from pathlib import Path
from typing import Any

import anyio
import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
import pytest

from sandbox.enswitch.seed import password_of
from server.settings.model import settings_class
from tests import record_file
from tests.clients.enswitch_accounts import OWNER
from tests.connecting import Person, connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import SENDER, between, content_of, customers, number, propose, run, states, text_of, texts
from tests.sandbox_control import sandboxes

ROWS = [{"to": number(place), "name": f"Customer {place}"} for place in range(3)]


def _steps(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"title": "A job", "steps": list(steps)}


def _text(to: str = number(0), text: str = "Hello.", **step: Any) -> dict[str, Any]:
    arguments = {"from_number": SENDER, "to_number": to, "text": text}
    return {"operation": "voicetel_send_message", "arguments": arguments, **step}


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (texts([*ROWS, {"to": "911", "name": "Ann"}]), ["step 1, row 4: to_number: 911 is not a US or Canadian"]),
        (
            texts("to,name\n+12125550101,Ann\n12,Bob\n+12125550102,Cyd\n34,Dan\n"),
            ["step 1, row 2 (line 3): to_number: 12 is not", "step 1, row 4 (line 5): to_number: 34 is not"],
        ),
        (texts("to,name\n+12125550101,Ann\n+12125550102\n"), ["Line 3 of the CSV in for_each has 1 fields"]),
        (texts('to,name\n+12125550101,"Ann\n'), ["of the CSV in for_each cannot be read"]),
        (texts("to,to\n+12125550101,Ann\n"), ["The header of the CSV in for_each names 'to' twice"]),
        (texts("to,\n+12125550101,Ann\n"), ["Column 2 of the CSV in for_each has no name"]),
        (texts("to,name\n"), ["for_each has no rows"]),
        (texts([]), ["for_each has no rows"]),
        (texts("to,nmae\n+12125550101,Ann\n"), ["There is no column 'name'; did you mean 'nmae'?"]),
        (texts("to,name\n+12125550101,\n"), ["The column 'name' is empty, and it stands within a text"]),
        (texts([{"to": [number(0)], "name": "Ann"}]), ["Row 1 of for_each: to is a list or an object"]),
        (texts(customers(501)), ["for_each has 501 rows, and a plan has 500 steps at most"]),
        (
            _steps(texts(customers(300))["steps"][0], texts(customers(201))["steps"][0]),
            ["A plan has 1 to 500 steps, and this one has 501"],
        ),
        (_steps(_text(text="Hello {{name}}")), ["{{name}} stands for a column, and the step has no for_each"]),
        (
            _steps({"operation": "voicetel_send_mesage"}),
            ["operation 'voicetel_send_mesage'; did you mean voicetel_"],
        ),
        (_steps({"operation": "get_action"}), ["There is no operation 'get_action'"]),
        (_steps({"operation": "routee_send_sms"}), ["Routee is not set up"]),
        (_steps(_text(label="Big One")), ["The label 'Big One' is not of a-z"]),
        (_steps(_text(label="a"), _text(number(1), label="a")), ["step 2: The label 'a' is that of step 1 already"]),
        (_steps(_text(), _text("+19005550100"), _text(number(1))), ["step 2: +19005550100"]),
        (_steps(_text(approved=True)), ["approved"]),
        (_steps(_text(), {**_text(number(1)), "arguments": {"confirm": True}}), ["step 2: confirm: there is no such"]),
    ],
)
async def test_a_bad_step_refuses_the_whole_plan_and_is_named(
    plan: dict[str, Any], named: list[str], tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        person = Person()
        async with connect(server, person=person) as client:
            refused = await client.call_tool("propose_plan", plan)
            assert refused.is_error
            assert all(part in text_of(refused) for part in named), text_of(refused)
            assert content_of(await client.call_tool("list_actions", {}))["actions"] == []
        assert person.questions == []
        assert await sandbox.writes() == []
        assert await operator.list_plans() == []


async def test_every_fault_of_every_step_is_named_at_once(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            await operator.opt_out(number(1), number(3))
            refused = await propose(client, texts(customers(5)))
            assert refused["error"] == "BadPlan"
            assert f"step 1, row 2 (line 3): {number(1)} opted out" in refused["message"]
            assert f"step 1, row 4 (line 5): {number(3)} opted out" in refused["message"]
            assert "nothing was stored, nobody was asked, nothing was sent" in refused["message"]


@pytest.mark.parametrize(
    "rows",
    [
        "\ufeffto;name\r\n+12125550100;Ann\r\n",
        "to\tname\n+12125550100\tAnn\n",
        '\n"to","name"\n\n"+12125550100","Ann"\n',
        "name,other,to\nAnn,x,+12125550100\n",
        json.dumps([{"to": "+12125550100", "name": "Ann"}]),
        [{"to": "+12125550100", "name": "Ann"}],
    ],
    ids=["semicolons and a byte order mark", "tabs", "quotes and empty lines", "more columns", "JSON text", "objects"],
)
async def test_rows_are_read_as_spreadsheets_and_models_write_them(rows: Any, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            assert (await propose(client, texts(rows)))["state"] == "approved"
        assert "to_number: +12125550100" in person.questions[0]
        assert "text: Hello Ann, the clinic is closed on Friday." in person.questions[0]


async def test_a_quoted_value_with_commas_quotes_and_lines_is_one_value(tmp_path: Path) -> None:
    rows = 'to,words\n+12125550100,"Ann said ""yes"", so:\nsee you {{to}}"\n'
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan = await propose(client, texts(rows, text="{{words}}"))
            assert states(await run(client, plan["plan"])) == ["done"]
        [sent] = await sandbox.requests(method="POST", path="messages")
        assert sent["body"]["text"] == 'Ann said "yes", so:\nsee you {{to}}'


async def test_the_account_is_read_once_for_the_prices_of_forty_texts(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            asked = await propose(client, texts(customers(40)))
            assert asked["total"] == ["$0.40"]
        assert len(await sandbox.requests(method="GET", path="account")) == 1


async def test_many_people_at_once_are_left_to_the_operator_whatever_each_step_alone_needs(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            asked = await client.call_tool("propose_plan", texts(customers(11)))
            assert "This touches 11 numbers or recipients in all." in text_of(asked)
            assert person.questions == []
            shown = await operator.read_question(content_of(asked)["plan"])
            assert all(number(place) in shown for place in range(11))


async def test_what_does_not_fit_a_form_is_left_to_the_operator_who_sees_all_of_it(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        long = "This is said at length. " * 30
        async with connect(server, person=person) as client:
            asked = await client.call_tool("propose_plan", texts(customers(8), text="{{name}}: " + long))
            assert person.questions == []
            assert long not in text_of(asked)
            shown = await operator.read_question(content_of(asked)["plan"])
            assert shown.count(long.strip()) == 8


async def test_the_question_about_five_hundred_texts_stays_short(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            asked = text_of(await client.call_tool("propose_plan", texts(customers(500))))
    assert "500 calls as one job" in asked
    assert "and 496 more like these, on the approval page" in asked
    assert len(bpe_openai.get_encoding("o200k_base").encode(asked)) < 1_500


async def test_steps_that_are_the_same_call_are_pointed_out(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, policy={"paid": "allow"}))
        person = Person()
        async with connect(server, person=person) as client:
            plan = await propose(client, texts([ROWS[0], ROWS[1], ROWS[0]]))
            assert "Steps 1 and 3 are exactly the same call. Approving it does it as often" in person.questions[0]
            assert states(await run(client, plan["plan"])) == ["done"] * 3


async def test_a_plan_of_allowed_calls_needs_no_question(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, policy={"paid": "allow"}))
        async with connect(server) as client:
            plan = await propose(client, texts(customers(3)))
            assert plan["state"] == "approved"
            assert states(await run(client, plan["plan"])) == ["done"] * 3


async def test_the_same_plan_proposed_again_is_the_same_plan(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            first, again = [await propose(client, texts(customers(2))) for _ in range(2)]
            assert first["plan"] == again["plan"]


async def test_a_call_that_is_a_step_of_another_open_plan_is_refused(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            first = await propose(client, texts(customers(2)))
            refused = await propose(client, texts(customers(3)))
            assert f"Exactly this call is a step of {first['plan']}" in refused["message"]


async def test_all_steps_together_must_fit_every_cap(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        caps = [{"per": "day", "limit": "0.05"}]
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, budget=caps))
        async with connect(server, person=Person()) as client:
            refused = await propose(client, texts(customers(6)))
            assert refused["error"] == "OverBudget"
            assert (
                "All steps together cost $0.06, and the budget of $0.05 per day overall leaves $0.05"
                in (refused["message"])
            )


async def test_a_yes_reserves_the_total_until_the_steps_are_sent_or_no_longer_will_be(
    tmp_path: Path, operator: OperatorSide
) -> None:
    caps = [{"per": "day", "limit": "0.05"}]
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, budget=caps)
        _, server = server_for(settings)
        one = {"from_number": SENDER, "to_number": number(9), "text": "Hello."}
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(5))))["plan"]
            refused = content_of(await client.call_tool("voicetel_send_message", one))
            assert refused["error"] == "OverBudget"
            assert states(await run(client, plan)) == ["done"] * 5
            assert content_of(await client.call_tool("voicetel_send_message", one))["error"] == "OverBudget"
        assert await _spent(settings.state_folder) == {50_000_000}


async def test_the_question_of_a_plan_says_what_is_left_of_each_cap_before_and_after_all_steps(tmp_path: Path) -> None:
    caps = [{"per": "day", "limit": "0.05"}, {"per": "month", "limit": "2", "provider": "voicetel"}]
    person = Person()
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, budget=caps))
        async with connect(server, person=person) as client:
            await propose(client, texts(customers(3)))
    [question] = person.questions
    assert [line for line in question.splitlines() if line.startswith("Budget")] == [
        "Budget of $0.05 per day overall: $0.05 left now, $0.02 after this.",
        "Budget of $2.00 per month at voicetel: $2.00 left now, $1.97 after this.",
    ]


async def test_what_a_failed_plan_did_not_send_is_released(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, budget=[{"per": "day", "limit": "0.05"}])
        _, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(5))))["plan"]
            await sandbox.break_with("status", status=400, method="POST", path="messages")
            assert (await run(client, plan))["state"] == "failed"
        assert await _spent(settings.state_folder) == {0}


async def _spent(folder: Path) -> set[int]:
    """Return what counts against the caps, by day, in billionths."""
    return {row["billionths"] for row in await record_file.rows(folder, "SELECT billionths FROM spending")}


A, B = "+12015550143", "+12125550145"
"""Two numbers of ours."""


def _forward(number_of_ours: str, to: str) -> dict[str, Any]:
    return {"operation": "voicetel_set_forward", "arguments": {"number": number_of_ours, "destination": to}}


async def test_a_circle_that_only_all_steps_together_make_is_shown(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel, policy={"reroutes": "allow"}))
        person = Person("decline")
        async with connect(server, person=person) as client:
            await propose(client, _steps(_forward(A, B), _forward(B, A)))
        [question] = person.questions
        assert "Note: After all steps: THIS MAKES A CIRCLE: " in question
        assert await sandbox.writes() == []


async def test_the_own_numbers_are_read_once_for_all_forwards_of_a_plan(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person("decline")) as client:
            await propose(client, _steps(_forward(A, number(1)), _forward(B, number(2)), _forward(SENDER, number(3))))
        listed = [
            row["query"]
            for row in await sandbox.requests(method="GET", path="numbers")
            if row["path"].endswith("/numbers")
        ]
        assert len(listed) == len({json.dumps(query, sort_keys=True) for query in listed}) > 0


PURGE = {"operation": "enswitch_purge_customer", "arguments": {"id": 4}}
DELETE = {"operation": "enswitch_delete_customer", "arguments": {"id": 4}}


async def test_a_step_may_need_what_an_earlier_one_does_and_is_looked_at_again_in_its_turn(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        account = {"base_url": f"{sandbox.url}/enswitch", "username": OWNER, "password": password_of(OWNER)}
        _, server = server_for(settings_class().model_validate({"enswitch": account, "state_folder": tmp_path}))
        async with connect(server) as client:
            refused = await propose(client, _steps(PURGE))
            assert "the customer is not deleted" in refused["message"]
            backwards = await propose(client, _steps(PURGE, DELETE))
            assert backwards["error"] == "BadPlan"
            asked = await client.call_tool("propose_plan", _steps(DELETE, PURGE))
            assert "Note on step 2: As things are now this is not possible: the customer is not deleted" in text_of(
                asked
            )
            plan = content_of(asked)["plan"]
            await operator.approve_plan(plan, "--strike", "1")
            struck = await run(client, plan)
            assert states(struck) == ["struck", "not sent"]
            again = await propose(client, _steps(DELETE, PURGE))
            await operator.approve_plan(again["plan"])
            assert states(await run(client, again["plan"])) == ["done", "done"]


async def test_what_others_put_on_the_record_meanwhile_is_no_gap_in_it(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox, between() as (proxy, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        async with connect(server, person=Person()) as client:
            proxy.before_price = lambda: operator.opt_out("+13125550170")
            plan = await propose(client, texts(customers(12)))
            assert plan["state"] == "proposed", plan


async def test_more_plans_at_once_than_the_store_has_connections_wait_for_each_other(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        found: list[str] = []
        async with connect(server) as client, anyio.create_task_group() as group:

            async def propose_one(place: int) -> None:
                found.append((await propose(client, texts([ROWS[0]], text=f"Message {place}")))["state"])

            for place in range(25):
                group.start_soon(propose_one, place)
        assert found == ["proposed"] * 25
