"""What a person is told before a Convirza call, and what strangers' words and secrets come to."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clients.answers import read_answer
from clients.effects import Effect
from clients.errors import InvalidRequest
from clients.wire.request import build_request
from guard.action import arguments_of
from tests.clients.convirza_accounts import sandboxes, user
from tests.connecting import Person
from tests.tools.convirza_session import open_session
from tools.convirza.broadcast_models import Broadcast
from tools.convirza.operations.broadcasts import CreateBroadcast, ReplaceBroadcast, UpdateBroadcast
from tools.convirza.operations.media_prompts import UploadPrompt
from tools.convirza.operations.phone_numbers import ReleaseNumber
from tools.convirza.operations.provisioned_routes import (
    CreateProvisionedRoute,
    ReplaceProvisionedRoute,
    UpdateProvisionedRoute,
)
from tools.convirza.operations.tags import ListTags
from tools.convirza.operations.users import ListUsers
from tools.convirza.operations.voice_agents import CreateVoiceAgent, UpdateVoiceAgent
from tools.convirza.operations.webhooks import UpdateWebhook
from tools.convirza.route_settings import RouteConfig
from tools.description import tool_description
from tools.registry import all_operations

SCHEDULED = "2099-05-19T12:00:00Z"


def broadcast(when: str, **more: object) -> CreateBroadcast:
    fields = {"name": "Closed", "message": "Closed.", "from_number": "2125550202", "recipients": ["9175550161"]}
    return CreateBroadcast.model_validate({**fields, "when": when, **more})


async def test_a_full_update_says_which_settings_it_would_reset(tmp_path: Path) -> None:
    async with open_session(tmp_path, person=Person("decline")) as session:
        await session.attempt(
            "replace_provisioned_route",
            route_id=12301,
            name="Google Ads",
            status="active",
            config={"record_call": True},
        )
        writes = [row for row in await session.sandbox.writes() if "/v3/" in row["path"]]
    asked = session.question
    assert '`config.ring_to` goes back to its default (now "+12015550142"), because this update leaves it out.' in asked
    assert "`webhook_id` goes back to its default (now 1), because this update leaves it out." in asked
    assert 'name: now "Google Ads - Hackensack", then "Google Ads"' in asked
    assert "Settings that are left out go back to defaults, which no document names." in asked
    assert "callers reach nobody" in asked
    assert writes == []


async def test_a_full_update_of_a_route_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    async with open_session(tmp_path, person=Person("decline")) as session:
        await session.sandbox.break_with("status", status=500, method="GET", path="provisioned-routes", times=None)
        await session.attempt("replace_provisioned_route", route_id=12301, name="Google Ads", status="active")
    assert "The state before could not be read" in session.question


def test_a_full_update_must_say_the_status_because_leaving_it_out_may_switch_the_route_on() -> None:
    with pytest.raises(ValidationError, match="status"):
        ReplaceProvisionedRoute.model_validate({"route_id": 12304, "name": "Spring mailer"})


async def test_a_partial_update_shows_before_and_after(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        await session.call("update_provisioned_route", route_id=12301, config={"ring_to": "2015550144"})
        after = await session.call("get_provisioned_route", route_id=12301)
    assert 'config.ring_to: now "+12015550142", then "+12015550144"' in session.question
    assert "goes back to its default" not in session.question
    assert after["config"]["ring_to"] == "+12015550144"
    assert after["config"]["record_call"] is True
    assert after["webhook_id"] == 1


async def test_deactivating_a_route_says_what_callers_will_notice(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        await session.call("update_provisioned_route", route_id=12301, status="inactive")
    assert "calls to the route's tracking numbers are no longer answered" in session.question


async def test_deleting_a_live_route_is_for_the_operator_and_names_its_numbers(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        waiting = await session.attempt("delete_provisioned_route", route_id=12301)
        assert waiting.is_error
        assert session.person.questions == []
        text = str(waiting.content)
        assert "+12015550201, +12015550206" in text
        assert not [row for row in await session.sandbox.writes() if "/v3/" in row["path"]]
        await session.call("delete_provisioned_route", route_id=12301)


async def test_a_route_cannot_be_sent_to_the_number_that_a_caller_asked_for(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        found = await session.call("list_calls", call_id=7700001, include=["transcription"])
        result = await session.attempt("update_provisioned_route", route_id=12301, config={"ring_to": "9005550199"})
        assert not [row for row in await session.sandbox.writes() if "/v3/" in row["path"]]
    assert found["calls"][0]["transcription"].startswith("<outside-")
    assert result.is_error
    assert "premium" in str(result.content)


async def test_what_callers_said_and_are_called_is_fenced(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        call = await session.call("get_call", call_id=7700007, include=["tags", "comments", "custom_sources"])
        threads = await session.call("list_sms_conversations")
    strangers = [call["caller_name"], *call["tags"], *call["comments"], call["custom_sources"][0]["value"]]
    strangers += [threads["conversations"][0]["message"], threads["conversations"][0]["sender_name"]]
    assert all(text.startswith("<outside-") for text in strangers)


async def test_the_link_to_a_recording_is_shown_for_one_call_and_not_for_a_list(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        listed = await session.call("list_calls", include=["recordings"])
        one = await session.call("get_call", call_id=7700002, include=["recordings"])
    assert "signature" not in json.dumps(listed)
    assert listed["calls"][1]["recording"]["duration"] == 184
    assert "signature=" in one["recording"]["url"]


async def test_pages_follow_each_other_to_the_end() -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        seen: list[str | None] = []
        cursor: str | None = "0"
        while cursor is not None:
            page = ListUsers(limit=2, cursor=cursor, sort_by="email", sort_order="asc")
            answer = await client.send(page)
            seen += [found.email for found in answer.users]
            cursor = page.next_cursor(answer)
    assert seen == [f"{name}@bluewater.example" for name in ("audit", "dana.reyes", "miami", "theo.marsh")]


def test_no_price_is_ever_zero() -> None:
    paid = {name for name, kind in all_operations().items() if "convirza" in name and Effect.PAID in kind.spec.effect}
    assert paid == {
        "convirza_create_provisioned_route",
        "convirza_replace_provisioned_route",
        "convirza_update_provisioned_route",
        "convirza_order_number",
        "convirza_create_broadcast",
        "convirza_replace_broadcast",
        "convirza_update_broadcast",
        "convirza_create_voice_agent",
    }
    charge = broadcast("now", recipients=["9175550161", "7185550167"], message="x" * 161).charge()
    assert charge.quantity == 4
    assert charge.unknown is not None
    assert "2 recipients of 2 segments each make 4" in charge.unknown


def test_a_route_change_costs_something_only_where_an_ai_agent_comes_in() -> None:
    plain = UpdateProvisionedRoute(route_id=1, config=RouteConfig(ring_to="+12015550142"))
    agent = UpdateProvisionedRoute(route_id=1, config=RouteConfig(voice_agent_active=True))
    off = UpdateProvisionedRoute(route_id=1, config=RouteConfig(voice_agent_active=False, voice_agent_id=0))
    assert plain.charge() is None
    assert off.charge() is None
    charge = agent.charge()
    assert charge is not None
    assert charge.unknown
    assert "An AI voice agent talks to callers." in agent.warnings()


@pytest.mark.parametrize("tool", ["create", "replace", "update"])
def test_a_route_that_may_record_callers_touches_what_protects_them(tool: str) -> None:
    assert Effect.PRIVILEGED in all_operations()[f"convirza_{tool}_provisioned_route"].spec.effect


def test_a_route_without_a_recording_notice_is_warned_of() -> None:
    silent = UpdateProvisionedRoute(route_id=1, config=RouteConfig(play_disclaimer="none"))
    told = UpdateProvisionedRoute(route_id=1, config=RouteConfig(play_disclaimer="before"))
    assert any("Callers hear no recording notice" in warning for warning in silent.warnings())
    assert not any("notice" in warning for warning in told.warnings())


@pytest.mark.parametrize("tool", ["create_group", "replace_group", "update_group"])
def test_another_payer_for_a_group_is_warned_of(tool: str) -> None:
    kind = all_operations()[f"convirza_{tool}"]
    given: dict[str, Any] = {"name": "Newark"} if tool == "create_group" else {"name": "Newark", "org_unit_id": 70035}
    assert kind.model_validate(given).warnings() == ()
    assert "account 5002 then pays" in kind.model_validate({**given, "billing_id": 5002}).warnings()[0]


def test_every_number_that_a_route_sends_calls_to_is_a_destination() -> None:
    route = CreateProvisionedRoute.model_validate(
        {
            "name": "Bus stops",
            "phone_numbers": [{"phone_number_id": 1, "phone_number": "6465550207"}],
            "config": {
                "ring_to": "2015550142",
                "overflow_numbers": [{"number": "2015550144", "rings": 3}],
                "hunt_group": {"type": "round_robin", "numbers": ["2015550145"]},
            },
        }
    )
    assert route.destinations() == ("+12015550142", "+12015550144", "+12015550145")


def test_when_a_broadcast_goes_out_must_be_said() -> None:
    with pytest.raises(ValidationError, match="when"):
        CreateBroadcast.model_validate(broadcast("now").model_dump(exclude={"when"}))
    with pytest.raises(ValidationError, match="zone"):
        broadcast("2099-05-19T12:00:00")
    with pytest.raises(ValidationError, match="`now`"):
        broadcast("tomorrow")
    assert any("Sent at once" in warning for warning in broadcast("now").warnings())
    assert "scheduled_at" not in broadcast("now").to_wire()
    assert broadcast("2099-05-19T14:00:00+02:00").to_wire()["scheduled_at"] == SCHEDULED


def test_a_broadcast_for_a_time_that_has_passed_is_not_sent_at_once() -> None:
    late = broadcast("2020-01-01T00:00:00Z")
    with pytest.raises(InvalidRequest, match="nothing was sent"):
        build_request(late)
    assert late.warnings() == ("2020-01-01T00:00:00Z has passed: the call will be refused.",)


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("create_provisioned_route", "documented"),
        ("list_calls", "method, path, request documented; answer inferred"),
        ("update_user", "method, path documented; request, answer inferred"),
        ("create_broadcast", "method documented; path, request, answer inferred"),
        ("delete_webhook", "method, request documented; path, answer inferred"),
        ("list_tags", "path documented; method, request, answer inferred"),
        ("update_tag", "inferred"),
    ],
)
def test_each_part_of_an_endpoint_is_as_sure_as_what_a_page_shows_of_it(tool: str, words: str) -> None:
    assert all_operations()[f"convirza_{tool}"].spec.basis.words == words


def test_a_body_that_is_guessed_is_marked_where_a_model_reads_it() -> None:
    told = tool_description(all_operations()["convirza_create_broadcast"])
    assert "Inferred: no public document shows its path or request." in told


@pytest.mark.parametrize(
    ("rows", "total", "expected"),
    [(2, 5, "4"), (2, 4, None), (2, None, "4"), (1, None, None), (1, 9, "3"), (0, 9, None), (3, 9, None)],
)
def test_a_list_goes_on_while_its_total_or_without_one_a_full_page_says_so(
    rows: int, total: int | None, expected: str | None
) -> None:
    content = {"tags": [{"tag_id": 1 + place} for place in range(rows)], "total": total}
    page = ListTags(limit=2, cursor="2")
    assert page.next_cursor(read_answer(page, content).answer) == expected


async def test_a_full_update_of_a_broadcast_cannot_send_it_by_leaving_the_time_out(tmp_path: Path) -> None:
    whole = broadcast(SCHEDULED).model_dump() | {"broadcast_id": 5002}
    with pytest.raises(ValidationError, match="when"):
        ReplaceBroadcast.model_validate({name: value for name, value in whole.items() if name != "when"})
    async with open_session(tmp_path) as session:
        await session.call("update_broadcast", broadcast_id=5002, name="Hours")
        assert (await session.call("get_broadcast", broadcast_id=5002))["status"] == "scheduled"
        await session.call("update_broadcast", broadcast_id=5002, when="now")
        assert "then at once." in session.question
        assert "Price unknown" in session.question
        assert (await session.call("get_broadcast", broadcast_id=5002))["status"] == "sent"


def test_nobody_is_texted_twice_and_everybody_is_a_destination() -> None:
    with pytest.raises(ValidationError, match="twice"):
        broadcast("now", recipients=["9175550161", "+19175550161"])
    assert broadcast("now", recipients=["9175550161", "7185550167"]).destinations() == ("+19175550161", "+17185550167")


def test_further_fields_can_neither_replace_an_argument_nor_hide_a_number() -> None:
    with pytest.raises(ValidationError, match="Recipients has an argument of its own"):
        broadcast(SCHEDULED, extra_fields={"Recipients": ["+19005550199"]})
    with pytest.raises(ValidationError, match="transfer_number"):
        UpdateVoiceAgent(voice_agent_id=683, extra_fields={"transfer_number": "9005550199"})
    agent = CreateVoiceAgent(name="Night", extra_fields={"fallback": {"dial": ["(900) 555-0199", 9005550198]}})
    assert agent.destinations() == ("+19005550199", "+19005550198")
    international = UpdateBroadcast(broadcast_id=1, extra_fields={"cc": "+447700900123"})
    assert international.destinations() == ("+447700900123",)


def test_the_time_of_a_broadcast_cannot_be_smuggled_in_beside_when() -> None:
    for name in ("scheduled_at", "scheduledAt", "Scheduled-At"):
        with pytest.raises(ValidationError, match=name):
            broadcast(SCHEDULED, extra_fields={name: None})


async def test_the_values_of_webhook_parameters_are_not_read(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        shown = await session.call("get_webhook", webhook_id=1)
        assert "bw-7f2c" not in json.dumps(shown)
        await session.call("update_webhook", webhook_id=1, use_shared_token=True)
        sent = next(row for row in await session.sandbox.requests(method="PATCH"))
        kept = [await session.operator.list_actions(), await session.operator.audit_rows()]
    assert shown["parameters"] == [{"name": "token"}]
    assert "bluewater-hooks-5d1c" not in session.question
    assert "bluewater-hooks-5d1c" not in str(kept)
    assert "static_parameters" in sent["body"]


@pytest.mark.parametrize("tool", ["update_webhook", "replace_webhook"])
async def test_parameters_that_are_not_given_again_are_said_to_be_removed(tool: str, tmp_path: Path) -> None:
    whole = {"name": "CRM call events", "url": "https://hooks.bluewater.example/in"} if "replace" in tool else {}
    both = [{"name": "campaign", "value": "spring"}, {"name": "office", "value": "12"}]
    async with open_session(tmp_path) as session:
        await session.call(tool, webhook_id=1, parameters=both, **whole)
        assert "Removes parameters token, because this update leaves them out." in session.question
        await session.call(tool, webhook_id=1, use_shared_token=True, **whole)
        assert "Removes parameters campaign, office, because this update leaves them out." in session.question
        await session.call(tool, webhook_id=1, use_shared_token=True, parameters=both, **whole)
        assert "Removes" not in session.question
        await session.sandbox.break_with("status", status=500, method="GET", path="webhooks", times=None)
        await session.call(tool, webhook_id=1, use_shared_token=True, status="inactive", **whole)
        assert "Removes every parameter but token; Convirza does not show which ones there are." in session.question


async def test_a_webhook_whose_parameters_are_left_alone_keeps_them(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        await session.call("update_webhook", webhook_id=1, status="inactive")
        kept = await session.call("get_webhook", webhook_id=1)
    assert "Removes" not in session.question
    assert kept["parameters"] == [{"name": "token"}]


def test_a_token_is_no_argument() -> None:
    with pytest.raises(ValidationError, match="use_shared_token"):
        UpdateWebhook.model_validate({"webhook_id": 1, "parameters": [{"name": "Token", "value": "bw-7f2c"}]})


def test_a_record_names_the_audio_and_does_not_hold_it() -> None:
    prompt = UploadPrompt(file_name="closed.wav", audio="UklGRg0K", kind="prompt")
    assert "UklGRg0K" not in json.dumps(arguments_of(prompt))
    assert "6 bytes, SHA-256" in str(arguments_of(prompt)["audio"])
    with pytest.raises(ValidationError, match="base64"):
        UploadPrompt(file_name="closed.wav", audio="not base64!", kind="prompt")
    with pytest.raises(ValidationError, match="file_name"):
        UploadPrompt(file_name="../closed.exe", audio="UklGRg0K", kind="prompt")


async def test_releasing_a_number_shows_which_one_it_is(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        waiting = await session.attempt("release_number", phone_number_id=45107)
        assert "Releases +16465550207." in str(waiting.content)
        assert "check afterwards that no other reserved number is gone" in str(waiting.content)


def test_a_guess_at_where_a_numbers_id_goes_can_release_no_other() -> None:
    request = build_request(ReleaseNumber(phone_number_id=45107))
    assert (request.path, request.query, request.body) == ("/v3/phone-numbers/reserved/45107", {}, None)


def test_a_broadcast_that_was_sent_has_no_time_any_more() -> None:
    sent = Broadcast.model_validate({"status": "sent", "scheduled_at": SCHEDULED})
    assert sent.when is None
