"""The page shows every step of a plan, lets the operator leave some out, and says what the rest costs."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

from clients.shared.clock import SystemClock
from server.settings.model import Settings
from server.store.store import open_store
from tests.connecting import connect, server_for, settings_for
from tests.plans.jobs import customers, number, propose, run, states, texts
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import OWN_SCRIPT, Browser, browser, hashed_passcode, page_over, token_in


async def test_a_plan_is_shown_in_full_and_the_price_follows_the_steps_that_are_left_in(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client, signed_in(settings) as page:
            plan = (await propose(client, texts(customers(12))))["plan"]
            assert plan in (await page.open()).text
            text = unescape((await page.open(f"/{plan}")).text)
            assert all(number(place) in text and f"Hello Customer {place}," in text for place in range(12))
            assert "VoiceTel charges $0.12 in all" in text
            assert "Approve 12 steps" in text
            without = unescape((await page.open(f"/{plan}?without=2,5")).text)
            assert "VoiceTel charges $0.10 in all" in without
            assert "Approve 10 steps" in without
            assert 'href="?without=5"' in without
            answered = await page.send(f"/{plan}/approve", token=token_in(without), without="2,5")
            assert answered.status_code == 303
            assert "Approved, waiting for the assistant" in (await page.open(f"/{plan}")).text
            assert states(await run(client, plan)).count("struck") == 2
            done = unescape((await page.open(f"/{plan}")).text)
            assert "10 of 10 steps done, 2 left out by whoever approved." in done
            assert len(re.findall(r"/approvals/act_[a-z0-9]{8}", done)) == 10
            assert plan in (await page.open("/history")).text
        assert len(await sandbox.requests(method="POST", path="messages")) == 10


async def test_a_plan_that_is_declined_on_the_page_is_not_run(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client, signed_in(settings) as page:
            plan = (await propose(client, texts(customers(2))))["plan"]
            assert (await page.press(f"/{plan}/decline", on=f"/{plan}")).status_code == 303
            assert (await run(client, plan))["error"] == "Declined"
            assert (await page.send(f"/{plan}/approve", token=token_in((await page.open()).text))).status_code == 409
        assert await sandbox.writes() == []


async def test_what_is_no_step_or_no_plan_is_refused(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client, signed_in(settings) as page:
            plan = (await propose(client, texts(customers(2))))["plan"]
            token = token_in((await page.open(f"/{plan}")).text)
            assert (await page.open("/plan_aaaaaaaa")).status_code == 404
            assert (await page.open(f"/{plan}?without=all")).status_code == 400
            assert (await page.send(f"/{plan}/approve", token=token, without="3")).status_code == 409
            assert (await page.send(f"/{plan}/approve", token=token, without="1,2")).status_code == 409
            assert (await page.send(f"/{plan}/approve", token="0" * 64)).status_code == 403
            assert (await run(client, plan))["state"] == "proposed"


async def test_a_plan_with_a_step_that_cannot_be_undone_is_approved_by_a_second_press_only(tmp_path: Path) -> None:
    release = {"operation": "voicetel_release_number", "arguments": {"number": "+14045550155"}}
    job = {"title": "Give up a number", "steps": [texts([ROW])["steps"][0], release]}
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client, signed_in(settings) as page:
            plan = (await propose(client, job))["plan"]
            asked = await page.press(f"/{plan}/approve", on=f"/{plan}")
            assert "Some of these steps cannot be undone." in asked.text
            assert OWN_SCRIPT not in asked.text
            assert (await run(client, plan))["state"] == "proposed"
            assert await sandbox.writes() == []
            struck = await page.send(f"/{plan}/approve", token=token_in(asked.text), without="2")
            assert struck.status_code == 303
            assert states(await run(client, plan)) == ["done", "struck"]
            again = (await propose(client, job))["plan"]
            assert (await page.approve_for_good(f"/{again}")).status_code == 303
            assert states(await run(client, again)) == ["done", "done"]


async def test_the_page_of_an_open_plan_updates_itself_with_the_steps_that_were_left_out(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client, signed_in(settings) as page:
            plan = (await propose(client, texts(customers(2))))["plan"]
            shown = (await page.open(f"/{plan}?without=2")).text
            assert OWN_SCRIPT in shown
            assert all(f'id="{part}" data-live="part"' in shown for part in ("state", "every-step", "answer"))
            assert "location.pathname + location.search" in (await page.open("/page.js")).text
            await page.press(f"/{plan}/decline", on=f"/{plan}")
            assert OWN_SCRIPT not in (await page.open(f"/{plan}")).text


ROW = {"to": number(0), "name": "Ann"}


@asynccontextmanager
async def signed_in(settings: Settings) -> AsyncGenerator[Browser]:
    """Open a browser of the operator who has signed in, on the store of a server."""
    record = open_store(settings.store_address, settings.state_folder)
    try:
        await record.key_values.put("passcode", hashed_passcode())
        async with browser(page_over(record, clock=SystemClock())) as page:
            assert (await page.sign_in()).status_code == 303
            yield page
    finally:
        await record.database.close()
