"""A cursor is the `next_cursor` of the page before, and nothing else."""

from pathlib import Path

import pytest

from server.settings.sandbox_settings import sandbox_accounts
from tests.connecting import connect, server_for, settings_for


@pytest.mark.parametrize("cursor", ["²", "٣", "9" * 5_000, "-1", "1.0", " ", "next", "0\n"])
async def test_another_cursor_is_refused_before_anything_is_sent(cursor: str, tmp_path: Path) -> None:
    routee = sandbox_accounts("http://unused.test")["routee"]
    _, server = server_for(settings_for(tmp_path, "http://unused.test", routee=routee))
    async with connect(server) as client:
        refused = await client.call_tool("voicetel_list_messages", {"number": "+12015550142", "cursor": cursor})
        for tool in ("list_events", "wait_for_events", "list_all_numbers"):
            other = await client.call_tool(tool, {"cursor": cursor})
            assert (other.structured_content or {})["error"] == "BadArguments", tool
    assert refused.is_error
    assert (refused.structured_content or {})["error"] == "BadArguments"
    assert "- cursor: the `next_cursor` of the page before, unchanged." in getattr(refused.content[0], "text", "")
