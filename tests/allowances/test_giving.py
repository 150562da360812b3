"""How the operator gives allowances: on the page and the command line, like a call, or as an assistant asks."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mcp import Client
from sqlalchemy import update

from clients.shared.clock import SystemClock
from server.console.pages import PageOptions
from server.services import Services
from server.store.schema import events
from server.store.store import open_store
from tests.allowances.terms import ME, SEND, SENDER, options, text
from tests.connecting import connect, content_of, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.console.browsing import Browser, browser, hashed_passcode, page_over, token_in, words_of
from tools.webhooks import Callback

TRICK = "<script>alert(1)</script> » allow everything"


@dataclass(frozen=True)
class Site:
    """A server, a client that cannot ask, and the operator at the page and the command line."""

    client: Client
    operator: OperatorSide
    page: Browser
    sandbox: Sandbox
    services: Services

    async def call(self, arguments: dict[str, Any], tool: str = SEND) -> dict[str, Any]:
        """Call a tool; return what the result says as data."""
        return content_of(await self.client.call_tool(tool, arguments))


@asynccontextmanager
async def site(folder: Path, **settings: Any) -> AsyncGenerator[Site]:
    async with sandboxes() as sandbox:
        chosen = settings_for(folder, sandbox.voicetel, **settings)
        services, server = server_for(chosen)
        record = open_store(chosen.store_address, chosen.state_folder)
        await record.key_values.put("passcode", hashed_passcode())
        over = page_over(record, clock=SystemClock(), options=PageOptions.of(chosen))
        async with connect(server) as client, browser(over) as page:
            assert (await page.sign_in()).status_code == 303
            yield Site(client, OperatorSide(chosen.state_folder), page, sandbox, services)
        await record.database.close()
        await services.close()


def _fields(page: str) -> dict[str, str]:
    """Return the fields of the form of an allowance, as a browser would send them."""
    found = dict(re.findall(r'<input[^>]* name="(\w+)" value="([^"]*)"', page))
    area = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert area, page
    return {**found, "conditions": area[1].strip()}


async def test_from_a_call_the_page_offers_the_like_which_the_operator_edits_and_saves(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        waits = await here.call(text())
        await here.call(text("+19175550101"))
        shown = (await here.page.open(f"/{waits['action']}")).text
        assert f"/approvals/allowances/new?like={waits['action']}" in shown
        offered = await here.page.open(f"/allowances/new?like={waits['action']}")
        fields = _fields(offered.text)
        assert fields["conditions"].split("\n") == [f"from_number = {SENDER}", "to_number = +19175550100", "text any"]
        assert (fields["principal"], fields["count"], fields["money"]) == (ME, "10/day", "0.10 USD/day")
        assert "1 of 2 calls would have run without a question, together $0.01" in words_of(offered)
        assert "A call that gives media_urls, subject is asked about as before." in words_of(offered)
        wider = fields | {"conditions": f"from_number = {SENDER}\r\nto_number starts with +1917555\r\ntext any"}
        checked = await here.page.send("/allowances/new", **wider, do="check")
        assert "2 of 2 calls would have run without a question, together $0.02" in words_of(checked)
        assert await here.operator.list_allowances() == []
        wrong = await here.page.send("/allowances/new", **(wider | {"count": "many"}), do="save")
        assert wrong.status_code == 409
        assert "names no window" in words_of(wrong)
        saved = await here.page.send("/allowances/new", **wider, do="save")
        assert saved.status_code == 303
        assert (await here.call(text()))["state"] == "done"
        assert (await here.call(text("+19175550102")))["state"] == "done"
        allowance = saved.headers["location"].removeprefix("/approvals/allowances/")
        listed = words_of(await here.page.open("/allowances"))
        assert allowance in listed
        assert "2 of 10 today, $0.02 of $0.10 today" in listed
        assert "text: ANY VALUE" in listed
        assert (
            await here.page.press(f"/allowances/{allowance}/revoke", on=f"/allowances/{allowance}")
        ).status_code == 303
        assert "was revoked on" in words_of(await here.page.open(f"/allowances/{allowance}"))
        assert (await here.call(text("+19175550103")))["state"] == "proposed"


async def test_the_page_takes_no_allowance_from_elsewhere_and_none_for_what_cannot_be_undone(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        token = token_in((await here.page.open()).text)
        fields = {"operation": SEND, "principal": ME, "conditions": "text any", "do": "save"}
        assert (await here.page.send("/allowances/new", **fields, token="0" * 64)).status_code == 403
        assert (
            await here.page.send("/allowances/new", **fields, token=token, origin="https://a.test")
        ).status_code == 403
        final = fields | {"operation": "voicetel_release_number", "conditions": "number any", "count": "1/day"}
        refused = await here.page.send("/allowances/new", **final, until="2100-01-01", token=token)
        assert "cannot be undone" in words_of(refused)
        waits = await here.call({"number": SENDER}, "voicetel_release_number")
        assert "And the like" not in (await here.page.open(f"/{waits['action']}")).text
        assert (await here.page.open(f"/allowances/new?like={waits['action']}")).status_code == 409
        assert (await here.page.open("/allowances/al_aaaaaaaa")).status_code == 404
        assert await here.operator.list_allowances() == []


async def test_an_assistant_asks_for_one_which_allows_nothing_until_the_operator_saves_it(tmp_path: Path) -> None:
    wanted = {
        "operation": SEND,
        "conditions": [f"from_number = {SENDER}", "to_number starts with +1917555", "text any"],
        "count": "50/day",
        "money": "1.00 USD/day",
        "until": (datetime.now(UTC) + timedelta(days=2)).date().isoformat(),
        "reason": TRICK,
    }
    async with site(tmp_path) as here:
        asked = await here.call(wanted, "request_allowance")
        assert asked["state"] == "waits for the operator"
        assert (await here.call(wanted, "request_allowance"))["request"] == asked["request"]
        assert (await here.call(text()))["state"] == "proposed"
        waiting, listed = await here.page.open(), await here.page.open("/allowances")
        assert "Assistants ask for 1 allowance" in words_of(waiting)
        assert "<script>alert" not in listed.text
        assert TRICK in words_of(listed)
        printed = (await here.operator.run("allowances", "list")).stdout
        assert "Assistants ask for these, in their own words" in printed
        shown = (await here.operator.run("allowances", "show", asked["request"])).stdout
        assert "\u203a allow everything»" in shown, "it closes no quotation marks"
        form = await here.page.open(f"/allowances/new?request={asked['request']}")
        assert "An assistant asks for this" in words_of(form)
        fields = _fields(form.text)
        saved = await here.page.send("/allowances/new", **(fields | {"count": "2/day"}), do="save")
        assert saved.status_code == 303
        assert (await here.call(text()))["state"] == "done"
        assert "Assistants ask for" not in words_of(await here.page.open("/allowances"))
        again = await here.page.send("/allowances/new", **fields, do="save")
        assert again.status_code == 409, "a request is answered once"


async def test_requests_are_bounded_checked_and_can_be_closed(tmp_path: Path) -> None:
    wanted = {"operation": SEND, "conditions": ["text any"], "count": "5/day", "until": "2100-01-01", "reason": "So."}
    async with site(tmp_path) as here:
        told = (await here.client.call_tool("request_allowance", wanted)).content[0]
        assert "to_number may decide whom a call reaches" in str(told)
        assert await here.services.store.allowances.requests() == []
        soon = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
        full = wanted | {"conditions": [f"from_number = {SENDER}", "to_number any", "text any"], "until": soon}
        replies = [
            await here.call(full | {"money": f"{cents}.00 USD/day"}, "request_allowance") for cents in range(1, 8)
        ]
        assert [reply.get("error") for reply in replies] == [None] * 5 + ["TooMany"] * 2
        closed = await here.operator.run("allowances", "revoke", replies[0]["request"])
        assert "nothing was allowed" in closed.stdout
        path = f"/allowances/{replies[1]['request']}/dismiss"
        assert (await here.page.press(path, on="/allowances")).status_code == 303
        assert len(await here.services.store.allowances.requests()) == 3
        assert await here.operator.list_allowances() == []


async def test_numbers_that_texted_us_are_looked_up_as_of_the_call(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for place, number in enumerate(("+19175550100", "+19175550101")):
            posted = Callback(
                provider="voicetel", kind="inbound", subject=f"m{place}", identity=f"m{place}", state="Received",
                number=number, ours=SENDER, text="Is my table ready?",
            )  # fmt: skip
            await here.services.store.events.take_in(posted)
        old = update(events).where(events.c.other_side == "+19175550101")
        long_ago = old.values(received_at=datetime.now(UTC) - timedelta(days=31))
        await here.services.store.database.write(lambda connection: connection.execute(long_ago))
        conditions = (f"from_number = {SENDER}", "to_number texted us within 30 days", "text any")
        await here.operator.allow(SEND, *options(*conditions))
        assert (await here.call(text("+19175550100")))["state"] == "done"
        assert (await here.call(text("+19175550101")))["state"] == "proposed", "31 days ago"
        assert (await here.call(text("+19175550102")))["state"] == "proposed", "never"


async def test_the_command_line_offers_the_like_and_policy_and_description_name_what_applies(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        waits = await here.call(text())
        assert f"allowances like {waits['action']}" in await here.operator.read_question(waits["action"])
        printed = (await here.operator.run("allowances", "like", waits["action"])).stdout
        assert "1 of 1 call would have run without a question, together $0.01" in printed
        [command] = [line for line in printed.splitlines() if line.startswith("ringfence allowances add")]
        assert f"--where 'from_number = {SENDER}' --where 'to_number = +19175550100' --where 'text any'" in command
        allowance = await here.operator.allow(SEND, *options())
        await here.operator.allow(SEND, *options(who="token:bob"))
        explained = (await here.operator.run("policy", "explain", SEND)).stdout
        assert f"without approval by allowance {allowance}, for {ME}" in explained
        assert "for token:bob" in explained
        never = (await here.operator.run("policy", "explain", "voicetel_release_number")).stdout
        assert "no allowance may be for it" in never
        described = await here.call({"operation": SEND}, "describe_operation")
        [line] = described["allowances"]
        assert line.startswith(f"no approval needed within {allowance}: from_number = {SENDER}")
        assert "used: 0 of 50 today" in line
        assert "allowances" not in await here.call({"operation": "voicetel_order_numbers"}, "describe_operation")


async def test_numbers_from_a_file_and_what_was_declined_are_said_before_saving(tmp_path: Path) -> None:
    customers = tmp_path / "customers.txt"
    customers.write_text("+19175550100\n(917) 555-0101\n\n", encoding="utf-8")
    async with site(tmp_path) as here:
        declined = await here.call(text())
        await here.page.press(f"/{declined['action']}/decline", on=f"/{declined['action']}")
        wanted = options(f"from_number = {SENDER}", f"to_number one of @{customers}", "text any")
        told = await here.operator.run("allowances", "add", SEND, *wanted, typed="wrong passcode\n")
        assert "1 of 1 call would have run without a question, together $0.01, 1 of which was declined" in told.stdout
        assert told.exit_code == 2
        await here.operator.allow(SEND, *wanted)
        assert (await here.call(text()))["state"] == "proposed", "it was declined just now"
        assert (await here.call(text("+19175550101")))["state"] == "done"
        [shown] = await here.operator.list_allowances()
        assert shown["conditions"][1] == "to_number one of +19175550100, +19175550101"
