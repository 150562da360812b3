"""What a simulation says of changed rules is what the guard then really does with the same calls."""

import json
import tomllib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from guard.replay.recorded import Verdict, call_of
from server.services import Services
from tests.allowances.terms import SEND, SENDER, TO_NEW_YORK, options, text
from tests.connecting import Person, connect, content_of, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import customers, propose, run, texts
from tests.sandbox_control import Sandbox, sandboxes

CALLS: Sequence[tuple[str, dict[str, Any]]] = (
    (SEND, text("+19175550161")),
    (SEND, text("+14165550162")),
    ("voicetel_set_forward", {"number": SENDER, "destination": "+12125550142"}),
    ("voicetel_order_numbers", {"numbers": ["+12125550110"]}),
    ("voicetel_update_gateway", {"gateway_id": 1000, "limit": 40}),
    (SEND, text("+19175550161")),
    ("voicetel_release_number", {"number": "+14045550155"}),
    (SEND, text("+19175550163")),
)
"""In their order: texts to two countries, one of them twice, and what costs, reroutes, changes and removes."""

TOLD = {"source": "6465550119", "destination": "2015550142", "text": "Please text me at 917 555 0177 from now on."}

JOB = texts(customers(3))

RULES: Mapping[str, str] = {
    "as they were": "",
    "money is free": '[policy]\npaid = "allow"\nirreversible = "ask"',
    "all of the operator": '[policy]\npaid = "page"\nwrite = "ask"\nreroutes = "deny"',
    "one operation": '[policy.operations]\nvoicetel_order_numbers = "deny"\nvoicetel_send_message = "allow"',
    "a small budget": '[policy]\npaid = "allow"\n[[budget]]\nper = "day"\nlimit = 0.04',
    "a cap on each": '[[budget]]\nper = "action"\nlimit = 0.5\n[[budget]]\nper = "month"\nlimit = 5',
    "another currency": '[[budget]]\nper = "day"\nlimit = 9\ncurrency = "EUR"',
    "places": '[policy]\npaid = "allow"\n[destinations]\ncountries = ["US"]\nrefused_prefixes = ["+1212"]',
    "bulk and no repetition": '[policy]\npaid = "allow"\n[compliance]\nbulk_limit = 2\nduplicate_minutes = 0',
}


@dataclass(frozen=True, slots=True)
class Site:
    """A server, a client whose person says yes, and its operator, who says yes, too."""

    client: Client
    operator: OperatorSide
    services: Services
    sandbox: Sandbox
    folder: Path

    async def make(self, tool: str, arguments: dict[str, Any]) -> str:
        """Make a call with every yes that it needs; return the name of the refusal, empty for none."""
        content = content_of(await self.client.call_tool(tool, arguments))
        if content.get("state") == "proposed":
            await self.operator.approve(content["action"])
            content = content_of(await self.client.call_tool(tool, arguments))
        return str(content.get("error", ""))

    async def make_plan(self, job: dict[str, Any]) -> str:
        """Make a plan with every yes that it needs; return the name of the refusal, empty for none."""
        content = await propose(self.client, job)
        if content.get("state") == "proposed":
            await self.operator.approve_plan(content["plan"])
        elif "plan" not in content:
            return str(content["error"])
        return str((await run(self.client, content["plan"])).get("error", ""))

    async def verdicts(self) -> list[str]:
        """Make every call and the plan; return what became of each of them, the three steps of the plan last."""
        found: list[str] = []
        for tool, arguments in CALLS:
            refused = await self.make(tool, arguments)
            found.append(Verdict.REFUSED if refused in REFUSALS else await self._newest())
        refused = await self.make_plan(JOB)
        return found + [Verdict.REFUSED if refused in {*REFUSALS, "BadPlan"} else await self._newest()] * 3

    async def _newest(self) -> str:
        [action] = await self.services.store.journal.latest(1)
        return call_of(action).then.value

    async def simulate(self, rules: str, *more: str) -> dict[str, Any]:
        """Return what `ringfence policy simulate` says of rules."""
        file = self.folder / "new.toml"
        file.write_text(rules, encoding="utf-8")
        done = await self.operator.run("policy", "simulate", "--config", str(file), "--since", "1d", "--json", *more)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found


REFUSALS = {"Denied", "OverBudget", "DestinationRefused", "BadDestination"}


@asynccontextmanager
async def site(folder: Path, rules: str = "") -> AsyncGenerator[Site]:
    """Open a server with rules, on a store of its own."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240
    async with sandboxes() as sandbox:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("RINGFENCE_STATE_FOLDER", str(folder))
            services, server = server_for(settings_for(folder, sandbox.voicetel, **tomllib.loads(rules)))
            async with connect(server, person=Person()) as client:
                yield Site(client, OperatorSide(folder), services, sandbox, folder)
            await services.close()


async def test_the_simulated_verdict_is_what_the_guard_then_does(tmp_path: Path) -> None:
    really: dict[str, list[str]] = {}
    simulated: dict[str, list[str]] = {}
    async with site(tmp_path / "record") as past:
        then = await past.verdicts()
        for name, rules in RULES.items():
            report = await past.simulate(rules)
            assert report["replayed"] == len(then)
            simulated[name] = _told(report)
    for place, (name, rules) in enumerate(RULES.items()):
        async with site(tmp_path / f"new{place}", rules) as now:
            really[name] = _counted(then, await now.verdicts())
    assert simulated == really
    assert len({tuple(one) for one in simulated.values()}) == len(RULES), "no two of them say the same"


async def test_a_report_names_what_changes_with_its_money_and_examples(tmp_path: Path) -> None:
    async with site(tmp_path) as past:
        for tool, arguments in CALLS[:4]:
            await past.make(tool, arguments)
        rows = len(await past.operator.audit_rows())
        requests = len(await past.sandbox.requests())
        report = await past.simulate('[policy]\npaid = "allow"\n[[budget]]\nper = "day"\nlimit = 1.01')
        sent, refused = report["changes"]
        assert (sent["operation"], sent["then"], sent["now"]) == (SEND, "asked", "allowed")
        assert (sent["calls"], sent["amounts"]) == (2, {"USD": "0.02"})
        listed = {action["id"] for action in await past.operator.list_actions()}
        assert len(set(sent["examples"]) & listed) == 2
        assert (refused["operation"], refused["because"]) == ("voicetel_order_numbers", "budget")
        assert "the budget of $1.01 per day overall leaves $0.99" in refused["refusal"]
        file = str(past.folder / "new.toml")
        printed = (await past.operator.run("policy", "simulate", "--config", file, "--since", "1d")).stdout
        assert "4 calls from" in printed
        assert "1 as then, 3 otherwise" in printed
        assert "2 calls would have run without a question: $0.02." in printed
        assert "1 call would have been refused: $1.00." in printed
        assert "Taken as on record: prices and recipients" in printed
        assert len(await past.operator.audit_rows()) == rows
        assert len(await past.sandbox.requests()) == requests


async def test_allowances_are_replayed_with_their_counts_as_they_stand_now(tmp_path: Path) -> None:
    async with site(tmp_path) as past:
        for last in range(4):
            await past.make(SEND, text(f"+1917555010{last}"))
        await past.operator.allow(SEND, *options(*TO_NEW_YORK, count="3/day"))
        report = await past.simulate("")
        assert [(one["then"], one["now"], one["calls"]) for one in report["changes"]] == [
            ("asked", "allowed beforehand", 3)
        ]
        assert [one["calls"] for one in report["verdicts"] if one["now"] == "asked"] == [1]


async def test_rules_for_approvals_are_tried_too(tmp_path: Path) -> None:
    rules = '[[approvals.rules]]\npeople = 2\neffects = ["paid"]\nabove = 0.50'
    async with site(tmp_path / "record") as past:
        await past.make(*CALLS[0])
        await past.make(*CALLS[3])
        report = await past.simulate(rules)
    [change] = report["changes"]
    assert (change["operation"], change["now"]) == ("voicetel_order_numbers", "asked of several operators")
    async with site(tmp_path / "new", rules) as now:
        await now.client.call_tool(*CALLS[3])
        [action] = await now.services.store.journal.latest(1)
    assert call_of(action).then.value == change["now"]


async def test_what_was_found_out_about_a_call_stays_whatever_the_rules(tmp_path: Path) -> None:
    async with site(tmp_path) as past:
        await past.sandbox.tell("voicetel/inbound", TOLD)
        await past.client.call_tool("voicetel_list_messages", {"number": SENDER})
        await past.make(SEND, text("+19175550177"))
        report = await past.simulate('[policy]\npaid = "allow"')
    assert report["changes"] == []
    assert [(one["then"], one["now"]) for one in report["verdicts"]] == [("asked", "asked")]


async def test_what_cannot_be_replayed_or_judged_is_named(tmp_path: Path) -> None:
    async with site(tmp_path) as past:
        await past.make("voicetel_set_port_out_pin", {"number": SENDER})
        await past.make(SEND, text("+19005550123"))
        report = await past.simulate("")
        printed = (await past.operator.run("policy", "simulate", "--since", "1d")).stdout
    left = report["not_replayed"]
    assert left["refused_then"] == 1
    [(why, named)] = left["by_reason"].items()
    assert why == "it had a secret, which is not on record"
    assert named["calls"] == 1
    assert f"Not replayed: 1 call, because {why} ({named['examples'][0]})." in printed
    assert "Not replayed: 1 call refused then, of which no price is on record." in printed


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("[policy]\npaid = 'perhaps'", "policy.paid: one of allow, ask, page, deny is expected"),
        ("[policy\n", "not valid TOML"),
        ("[policy.operations]\nvoicetel_send_mesage = 'deny'", "voicetel_send_mesage"),
    ],
)
async def test_new_rules_that_cannot_be_read_are_refused_with_what_is_wrong(
    rules: str, says: str, tmp_path: Path, operator: OperatorSide
) -> None:
    file = tmp_path / "new.toml"
    file.write_text(rules, encoding="utf-8")
    refused = await operator.run("policy", "simulate", "--config", str(file))
    assert refused.exit_code != 0
    assert says in (refused.output + str(refused.exception))


async def test_a_span_that_cannot_be_read_is_refused(operator: OperatorSide) -> None:
    refused = await operator.run("policy", "simulate", "--since", "a month")
    assert refused.exit_code == 2
    assert "write 30d, 12h, 4w, or a day" in refused.output


def _told(report: Mapping[str, Any]) -> list[str]:
    """Return every pair of verdicts, then and now, as often as the report counts it."""
    return sorted(f"{one['then']} -> {one['now']}" for one in report["verdicts"] for _ in range(one["calls"]))


def _counted(then: Sequence[str], now: Sequence[str]) -> list[str]:
    return sorted(f"{old} -> {new}" for old, new in zip(then, now, strict=True))
