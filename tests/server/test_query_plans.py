"""No query of a guarded call, or of looking at actions, reads a whole table: ten thousand cost what one does."""

import re
import sqlite3
from pathlib import Path
from typing import Any

from tests.connecting import Person, connect, server_for, settings_for
from tests.plans.jobs import customers, propose, run, states, texts
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import opened_record, operator, proposed
from tests.server.operating import ringfence
from tests.statements import heard_statements

GROWING = (
    "actions",
    "audit",
    "holds",
    "spending",
    "stranger_words",
    "optouts",
    "sealed_secrets",
    "cached_answers",
    "limit_uses",
    "plans",
    "plan_steps",
    "receipts",
    "action_texts",
    "spending_by_operation",
)
CAPS = [{"per": "day", "limit": "50"}, {"per": "month", "limit": "500", "provider": "voicetel"}]


OPEN_ROWS = {"holds_open", "plan_steps_reserved"}
"""Indexes of the few rows that are open, however long the record is."""

FILTERS = (
    "since=30d",
    "state=done",
    "principal=alice&state=done",
    "operator=anna",
    "provider=voicetel&account=clinic",
    "search=0142",
    "search=0142&state=done",
)


async def test_a_guarded_call_and_looking_at_actions_use_an_index_for_everything(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, budget=CAPS)
        folder = settings.state_folder
        _, server = server_for(settings)
        with heard_statements() as heard:
            async with connect(server, person=Person()) as client:
                done = await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
                content: dict[str, Any] = done.structured_content or {}
                await client.call_tool("get_action", {"action_id": content["action"]})
                await client.call_tool("list_actions", {})
                await client.call_tool("list_actions", {"state": "unknown"})
                await client.call_tool("voicetel_list_messages", {"number": "+12015550142"})
                plan = await propose(client, texts(customers(3)))
                assert states(await run(client, plan["plan"])) == ["done"] * 3
                await client.call_tool("get_action", {"action_id": plan["plan"]})
                await ringfence(folder, "actions", "reconcile")
                assert "intact" in await ringfence(folder, "audit", "verify")
        assert not done.is_error
    assert all(
        f"FROM {table}" in " ".join(heard) for table in ("actions", "audit", "holds", "spending", "facts", "plan_steps")
    )
    assert _slow(folder / "ringfence.db", heard) == []


async def test_the_approval_page_uses_an_index_for_everything(tmp_path: Path) -> None:
    with heard_statements() as heard:
        async with opened_record(tmp_path) as record, operator(record) as page:
            action = await proposed(record)
            await page.open()
            for query in ("", *FILTERS, f"before={action.id}"):
                assert (await page.open(f"/history?{query}")).status_code == 200
            assert (await page.open("/money")).status_code == 200
            await page.press(f"/{action.id}/approve", on=f"/{action.id}")
    assert _slow(tmp_path / "page.db", heard) == []


def _slow(store: Path, heard: list[str]) -> list[str]:
    """Return statements that read a whole table that grows, or sort what they found."""
    found: list[str] = []
    with sqlite3.connect(store) as connection:
        for statement in dict.fromkeys(heard):
            if re.match(r"(SELECT|UPDATE|DELETE|WITH)\b", statement):
                plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
                found += [f"{step}: {statement}" for step in plan if _reads_all(step, statement)]
    connection.close()
    return found


def _reads_all(step: str, statement: str) -> bool:
    if "TEMP B-TREE" in step:
        return True
    scanned = re.match(r"SCAN (\w+)(?: USING INDEX (\w+))?", step)
    if scanned is None or scanned[1] not in GROWING or scanned[2] in OPEN_ROWS:
        return False
    return (
        "LIMIT" not in statement or "WHERE" in statement
    )  # the first rows in the order of an index, whatever they are
