"""Rules that demand operators with a name, from the assistant's side: nothing is sent before enough approved."""

import getpass
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from guard.operators.roles import Role
from server.console.pages import PageOptions
from server.services import Services
from server.settings.model import Settings
from tests.connecting import Person, connect, content_of, server_for, settings_for
from tests.operator_side import PASSCODE, OperatorSide
from tests.plans.jobs import customers, propose, run, states, texts
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.console.authenticator import Authenticator
from tests.server.console.browsing import page_over, token_in
from tests.server.console.operators import BASE, HOST, at, enrol, sign_and_send

ORDER = {"numbers": ["+12125550100"]}
TOOL = "voicetel_order_numbers"
TWO: dict[str, Any] = {"rules": [{"people": 2}]}


@asynccontextmanager
async def assistant(folder: Path, **more: Any) -> AsyncGenerator[tuple[Client, Services, Sandbox, Person]]:
    """Connect an assistant whose client can ask, to a server with rules about approvals."""
    async with sandboxes() as sandbox:
        settings = settings_for(folder, sandbox.voicetel, **more)
        services, server = server_for(settings)
        person = Person()
        async with connect(server, person=person) as client:
            yield client, services, sandbox, person
        await services.close()


async def approve(settings: Settings, services: Services, name: str, asked_id: str) -> int:
    """Add an operator with a passkey and have the operator approve on the page; return the page's status."""
    app = page_over(services.store, clock=services.clock, address=BASE, options=PageOptions.of(settings))
    now, operators = services.clock.now(), services.store.operators
    await operators.add(name, Role.APPROVER, by="a test", at=now)
    secret = await operators.open_enrolment(name, by="a test", at=now)
    key = Authenticator(BASE, HOST)
    async with at(app) as tab:
        assert (await enrol(tab, secret, key)).status_code == 303
        token = token_in((await tab.open(f"/{asked_id}")).text)
        return (await sign_and_send(tab, f"/{asked_id}", key, token=token)).status_code


async def test_a_call_waits_until_two_different_operators_approved(tmp_path: Path) -> None:
    async with assistant(tmp_path, approvals=TWO) as (client, services, sandbox, person):
        asked = content_of(await client.call_tool(TOOL, ORDER))
        assert await approve(services.settings, services, "anna", asked["action"]) == 303
        still = await client.call_tool(TOOL, ORDER)
        assert still.is_error
        assert "Approved by anna; 1 more operator has to approve." in str(still.content)
        assert await sandbox.charges() == []
        assert await approve(services.settings, services, "ben", asked["action"]) == 303
        done = await client.call_tool(TOOL, ORDER)
        assert not done.is_error
        assert person.questions == []  # the client's own form shows nobody's name
        assert len(await sandbox.charges()) == 1


async def test_the_command_line_counts_for_none_of_two(operator: OperatorSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_APPROVALS__RULES", '[{"people": 2}]')
    await operator.opt_out("+12015550199")  # makes the store
    async with assistant(operator.folder, approvals=TWO) as (client, _, sandbox, _):
        asked = content_of(await client.call_tool(TOOL, ORDER))
        await operator.set_passcode()
        refused = await operator.run("approvals", "approve", asked["action"], typed=f"{PASSCODE}\n")
        assert refused.exit_code == 2
        assert "Two different operators have to approve this" in " ".join(refused.output.split())
        assert await sandbox.charges() == []


async def test_an_approval_ends_when_its_operator_is_disabled(tmp_path: Path) -> None:
    async with assistant(tmp_path, policy={"paid": "page"}) as (client, services, sandbox, _):
        asked = content_of(await client.call_tool(TOOL, ORDER))
        assert await approve(services.settings, services, "anna", asked["action"]) == 303
        await services.store.operators.disable("anna", by="a test", at=services.clock.now())
        refused = await client.call_tool(TOOL, ORDER)
        assert refused.is_error
        assert "anna, who approved this, is disabled" in str(refused.content)
        assert await sandbox.charges() == []


async def test_the_rest_of_a_plan_is_not_sent_once_its_operator_is_disabled(tmp_path: Path) -> None:
    async with assistant(tmp_path, policy={"paid": "page"}) as (client, services, sandbox, _):
        plan = await propose(client, texts(customers(3)))
        assert await approve(services.settings, services, "anna", plan["plan"]) == 303
        await services.store.operators.disable("anna", by="a test", at=services.clock.now())
        ran = await run(client, plan["plan"])
        assert "anna, who approved this, is disabled" in str(ran)
        assert await sandbox.charges() == []


async def test_a_rule_that_is_new_since_the_approval_is_asked_again(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        mild = settings_for(tmp_path, sandbox.voicetel, policy={"paid": "page"})
        services, server = server_for(mild)
        async with connect(server, person=Person()) as client:
            asked = content_of(await client.call_tool(TOOL, ORDER))
            assert await approve(mild, services, "anna", asked["action"]) == 303
        await services.close()
        strict, server = server_for(settings_for(tmp_path, sandbox.voicetel, approvals=TWO))
        async with connect(server, person=Person()) as client:
            refused = await client.call_tool(TOOL, ORDER)
            assert "Two different operators have to approve this" in str(refused.content)
            assert await sandbox.charges() == []
        await strict.close()


async def test_the_steps_of_a_plan_count_together_against_an_amount(tmp_path: Path) -> None:
    rule = {"rules": [{"people": 2, "above": "0.02"}]}
    async with assistant(tmp_path, approvals=rule) as (client, services, _, person):
        alone = content_of(await client.call_tool("voicetel_send_message", _text(customers(1))))
        assert alone.get("state") != "proposed"  # one text is below the amount, and its user was asked
        assert len(person.questions) == 1
        plan = await propose(client, texts(customers(5)))
        assert plan["state"] == "proposed"
        assert await approve(services.settings, services, "anna", plan["plan"]) == 303
        waiting = await run(client, plan["plan"])
        assert "1 more operator has to approve" in str(waiting)
        assert await approve(services.settings, services, "ben", plan["plan"]) == 303
        assert states(await run(client, plan["plan"])) == ["done"] * 5
        assert len(person.questions) == 1


async def test_no_allowance_reaches_over_a_rule_about_people(operator: OperatorSide) -> None:
    await operator.opt_out("+12015550199")  # makes the store
    async with assistant(operator.folder, approvals=TWO) as (client, _, sandbox, _):
        principal = f"local:{getpass.getuser()}"
        until = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
        terms = ("--where", "numbers any", "--count", "5/day", "--money", "9.00 USD/day", "--until", until)
        await operator.allow(TOOL, "--for", principal, *terms)
        asked = await client.call_tool(TOOL, ORDER)
        assert content_of(asked)["state"] == "proposed"
        assert await sandbox.charges() == []


def _text(rows: str) -> dict[str, Any]:
    to: Sequence[str] = rows.splitlines()[1].split(",")
    return {"from_number": "+12015550142", "to_number": to[0], "text": "Hello"}
