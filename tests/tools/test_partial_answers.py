"""A read that only adds to an answer never takes it away: what is missing is named, with the reason."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
from mcp import Client

from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Person, connect, content_of, server_for
from tests.sandbox_control import Sandbox, sandboxes
from tools.overview.optional_reads import OptionalReads
from tools.overview.views import Partial

WITHOUT_911: Final = "+14155550149"


@dataclass(frozen=True)
class Lost:
    """One optional read that fails, and what must be left of the answer."""

    provider: str
    path: str
    """A regular expression for the path of the read that fails."""

    tool: str
    rows: str
    """The list in the answer that must still have rows of the provider."""

    what: str
    """What the gap names."""

    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    shown: dict[str, str] = field(default_factory=dict[str, str])
    """What the rows show in place of what was not read."""

    times: int | None = None


LOST = [
    Lost("voicetel", "account$", "find_available_numbers", "numbers", "monthly", {"starts_with": "212"},
         {"monthly": "not read"}),
    Lost("voicetel", "e911", "find_number", "found", "e911_registered", {"number": WITHOUT_911},
         {"e911_registered": "not read"}),
    Lost("voicetel", "numbers/[0-9]+/messaging", "find_number", "found", "can_text", {"number": WITHOUT_911},
         {"can_text": "not read"}),
    Lost("voicetel", "messages", "message_status", "messages", "messages of type sms of +12015550142",
         {"number": "+12015550142"}, times=1),
    Lost("routee", "accounts/me/balance", "message_status", "messages", "price"),
    Lost("convirza", "provisioned-routes", "list_all_numbers", "numbers", "calls_to", {"limit": 500},
         {"calls_to": "not read"}),
    Lost("convirza", "provisioned-routes", "find_number", "found", "calls_to", {"number": "+12015550201"},
         {"calls_to": "not read"}),
    Lost("enswitch", "numbers/list", "list_all_numbers", "numbers", "own numbers", {"limit": 500}, times=1),
]  # fmt: skip


@asynccontextmanager
async def _everything(folder: Path, **more: Any) -> AsyncGenerator[tuple[Client, Sandbox]]:
    async with sandboxes() as sandbox:
        _, server = server_for(for_sandbox(settings_class()(state_folder=folder, **more), sandbox.url))
        async with connect(server, person=Person()) as client:
            yield client, sandbox


async def _call(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return content_of(result)


async def test_a_number_without_a_911_record_is_found_and_said_to_have_none(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "find_number", {"number": WITHOUT_911})
    (row,) = [row for row in content["found"] if row["provider"] == "voicetel"]
    assert row["number"] == WITHOUT_911
    assert row["e911_registered"] is False
    assert "e911" not in str(content.get("missing"))


async def test_whichever_optional_read_fails_the_rows_stay_and_the_gap_is_named(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, sandbox):
        for lost in LOST:
            await sandbox.break_with("status", provider=lost.provider, path=lost.path, status=403, times=lost.times)
            content = await _call(client, lost.tool, lost.arguments)
            rows = [row for row in content[lost.rows] if row["provider"] == lost.provider]
            assert rows, lost
            assert all(row.get(name) == value for row in rows for name, value in lost.shown.items()), (lost, rows)
            gaps = [gap for gap in content["missing"] if gap["provider"] == lost.provider]
            assert [gap["what"] for gap in gaps if gap["what"] != "calls_come_from"] == [lost.what], (lost, gaps)
            assert all(len(gap["why"]) > 20 for gap in gaps)
            await sandbox.mend()


async def test_a_read_that_policy_forbids_takes_no_offer_away(tmp_path: Path) -> None:
    rules = {"operations": {"voicetel_get_account": "deny"}}
    async with _everything(tmp_path, policy=rules) as (client, _):
        content = await _call(client, "find_available_numbers", {"starts_with": "212"})
    rows = [row for row in content["numbers"] if row["provider"] == "voicetel"]
    assert rows
    assert {row["monthly"] for row in rows} == {"not read"}
    assert {"voicetel": "monthly"}.items() <= {gap["provider"]: gap.get("what") for gap in content["missing"]}.items()


async def test_a_store_that_cannot_be_read_takes_no_balance_away(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        await _call(client, "account_overview", {})
        _remove_store(tmp_path)
        overview = await _call(client, "account_overview", {})
        report = await _call(client, "spend_report", {})
    assert {row["provider"] for row in overview["balances"]} == {"voicetel", "routee", "enswitch"}
    assert report["reported_by_providers"]
    own = {gap["what"] for gap in overview["missing"] + report["missing"] if gap["provider"] == "this server"}
    assert own == {"spent_here_this_month", "waiting_for_approval", "budgets", "recorded_by_this_server"}


def _remove_store(folder: Path) -> None:
    (store,) = folder.rglob("ringfence.db")
    store.rename(store.with_name("elsewhere.db"))


async def _never() -> list[str]:
    await anyio.sleep_forever()
    return []


async def test_an_optional_read_that_does_not_end_is_a_gap_too() -> None:
    optional = OptionalReads(seconds=0.05)
    assert await optional.read(_never(), shows="calls_to") is None
    found = optional.complete(["+12015550142"])
    assert isinstance(found, Partial)
    assert found.found == ["+12015550142"]
    assert "took longer" in found.gaps["calls_to"]
