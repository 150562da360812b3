"""The record holds what happened; how to check an unknown outcome is worded when an action is shown."""

from pathlib import Path
from typing import Any

import pytest

from guard.action import State
from tests.connecting import Person, connect, server_for, settings_for
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import opened_record, operator, proposed

FORWARD = {"number": "+12015550142", "destination": "+12125550142"}
HINT = "Check with voicetel_get_number (number=+12015550142)."
ENDED = "The process ended while the request was under way."
STORED_BY_0_1 = (
    "Look with voicetel_get_number (number=+12015550142).",
    "No read can tell: the provider shows no caller names. Look in the provider's own portal, or ask its support.",
    "No read settles it by itself. Look with voicetel_list_messages, or in the provider's own portal.",
)


async def test_the_record_of_a_lost_call_holds_no_guidance_and_whoever_is_shown_it_gets_some(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        await sandbox.break_with("drop_before", provider="voicetel", method="PUT", path="forward")
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            lost = await client.call_tool("voicetel_set_forward", FORWARD)
            content: dict[str, Any] = lost.structured_content or {}
            [action] = await services.store.journal.latest(1)
            shown = await client.call_tool("get_action", {"action_id": action.id})
            resource = await client.read_resource(f"ringfence://actions/{action.id}")
    assert action.state is State.UNKNOWN
    assert "voicetel_get_number" not in (action.outcome or "")
    assert HINT in content["message"]
    assert HINT in (shown.structured_content or {})["outcome"]
    for text in (lost.content[0], shown.content[0], resource.contents[0]):
        assert getattr(text, "text", "").count(HINT) == 1


@pytest.mark.parametrize(
    ("outcome", "hints"),
    [(ENDED, [f"{ENDED} {HINT}"]), *((f"{ENDED} {stored}", [f"{ENDED} {stored}"]) for stored in STORED_BY_0_1)],
    ids=["no guidance on record", "a read", "no read can show it", "no single read shows it"],
)
async def test_guidance_that_an_older_version_stored_is_shown_once_and_not_doubled(
    outcome: str, hints: list[str], tmp_path: Path
) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        lost = {"operation": "voicetel_set_forward", "arguments": FORWARD, "state": State.UNKNOWN, "outcome": outcome}
        action = await proposed(record, sent_at=None, **lost)
        text = (await page.open(f"/{action.id}")).text.replace("&#39;", "'")
    shown = text.partition("<dt>Outcome</dt><dd>")[2].partition("</dd>")[0]
    assert [shown] == hints
