"""Lost calls whose effect the provider showed before they were made: nothing is proven by what has not changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from guard.action import State
from tests.guard.lost_answers import Bench, Lost, open_bench, text_of

Call = tuple[str, dict[str, Any]]

NEVER_THERE: dict[str, list[Call]] = {
    "convirza": [
        ("delete_webhook", {"webhook_id": 99_999}),
        ("delete_provisioned_route", {"route_id": 99_999}),
        ("delete_voice_agent", {"voice_agent_id": 99_999}),
        ("delete_broadcast", {"broadcast_id": 99_999}),
        ("delete_group", {"org_unit_id": 99_999}),
        ("delete_user", {"user_id": 99_999}),
        ("delete_tag", {"tag_id": 99_999}),
        ("delete_prompt", {"prompt_id": "never_there"}),
        ("release_number", {"phone_number_id": 99_999}),
    ],
    "enswitch": [
        ("delete_person", {"id": 99_999}),
        ("delete_plan_route", {"route": "99999"}),
        ("delete_system_number", {"number": "12015559999"}),
        ("release_number", {"number": "12015559999"}),
        ("release_number", {"number": "12015550120"}),  # in the pool, so that it is nobody's before and after
    ],
}

THERE_BEFORE: dict[str, list[Call]] = {
    "enswitch": [
        ("create_queue_destination", {"queue": 801, "dtype": "phone", "dnumber": "bw-desk-1"}),
        ("create_system_numbers", {"start": "12015550120", "number_class": 1, "ingroup": 21}),
        ("create_plan_route", {"plan": 3, "called_prefix": "441", "allow": "forbid"}),
        ("create_address", {"user": "x", "domain": "b.example", "dtype": "queue", "dnumber": "801", "customer": 3}),
    ],
    "convirza": [
        (
            "create_provisioned_route",
            {"name": "Google Ads", "phone_numbers": [{"phone_number_id": 45101, "phone_number": "2015550201"}]},
        ),
    ],
}


OURS_ALREADY: dict[str, Call] = {
    "enswitch": ("purchase_number", {"number": "12015550142", "customer": 3}),
    "convirza": ("order_number", {"number": "2015550201"}),
}


async def unsettled(bench: Bench, provider: str, calls: Sequence[Call]) -> dict[str, State]:
    """Lose calls that never arrive, and return what a check finds where it is anything but unknown."""
    lost = [Lost(tool=f"{provider}_{tool}", arguments=arguments) for tool, arguments in calls]
    actions = [await bench.lose(call, "drop_before") for call in lost]
    found = [await bench.look(action) for action in actions]
    return {str(call): state for call, state in zip(lost, found, strict=True) if state is not State.UNKNOWN}


@pytest.mark.parametrize("provider", sorted(NEVER_THERE))
async def test_what_was_not_there_before_is_not_found_removed(provider: str, tmp_path: Path) -> None:
    async with open_bench(tmp_path, provider) as bench:
        assert await unsettled(bench, provider, NEVER_THERE[provider]) == {}


@pytest.mark.parametrize("provider", sorted(OURS_ALREADY))
async def test_a_number_that_was_ours_before_is_not_ordered_so_that_nothing_is_to_be_found_out(
    provider: str, tmp_path: Path
) -> None:
    tool, arguments = OURS_ALREADY[provider]
    async with open_bench(tmp_path, provider) as bench:
        refused = await bench.call(f"{provider}_{tool}", arguments)
    assert "is not possible now" in text_of(refused)


async def test_what_was_there_before_is_not_found_added_at_enswitch(tmp_path: Path) -> None:
    async with open_bench(tmp_path, "enswitch") as bench:
        for tool, arguments in THERE_BEFORE["enswitch"][2:]:
            made = await bench.call(f"enswitch_{tool}", arguments)
            assert not made.is_error, text_of(made)
        assert await unsettled(bench, "enswitch", THERE_BEFORE["enswitch"]) == {}


async def test_what_was_there_before_is_not_found_added_at_convirza(tmp_path: Path) -> None:
    async with open_bench(tmp_path, "convirza") as bench:
        assert await unsettled(bench, "convirza", THERE_BEFORE["convirza"]) == {}


async def test_the_text_names_a_tool_that_exists_for_what_only_a_list_shows(tmp_path: Path) -> None:
    async with open_bench(tmp_path, "convirza") as bench:
        lost = Lost(tool="convirza_delete_tag", arguments={"tag_id": 801})
        action = await bench.lose(lost, "drop_before")
        told = text_of(await bench.call("get_action", {"action_id": action["action"]}))
        assert "convirza_list_tags, looking for tag_id=801" in told
        assert "find_tag" not in told
