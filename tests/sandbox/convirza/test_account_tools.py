"""Webhooks, AI voice agents, media prompts, tags, ad sources and industries."""

import pytest

from tests.sandbox.convirza.account import Json, ask, control, items, logged_in, read

WEBHOOK: Json = {"webhook_name": "Sheet", "webhook_url": "https://hooks.bluewater.example/sheet"}
AGENT: Json = {"agent_name": "Night desk", "prompt": "Take a message."}

RESOURCES = [
    ("/webhooks", "webhooks", "webhook_id", WEBHOOK, 200, "webhook_type", "pre_call", "post_call"),
    ("/ai-voice-agents", "agents", "voice_agent_id", AGENT, 201, "voice", "calm", "default"),
    ("/tag", "tags", "tag_id", {"tag_name": "VIP"}, 200, "colour", "blue", None),
]
"""Path, name of the list, identifier, smallest body, status of create, a field, a value of it, its default."""


@pytest.mark.parametrize(("path", "plural", "key", "body", "status", "field", "value", "default"), RESOURCES)
async def test_a_thing_is_created_changed_reset_and_deleted(
    path: str, plural: str, key: str, body: Json, status: int, field: str, value: str, default: object
) -> None:
    async with logged_in() as http:
        identifier = (await ask(http, "POST", path, body, expect=status))[key]

        async def shown() -> Json:
            return next(row for row in items(await read(http, path), plural) if row[key] == identifier)

        assert (await shown()).items() >= body.items()
        await ask(http, "PATCH", f"{path}/{identifier}", {field: value, "note": "kept"})
        patched = await shown()
        assert patched.items() >= {**body, field: value, "note": "kept"}.items()
        await ask(http, "PUT", f"{path}/{identifier}", body)
        reset = await shown()
        assert reset.get(field) == default
        assert "note" not in reset
        await ask(http, "DELETE", f"{path}/{identifier}")
        await ask(http, "DELETE", f"{path}/{identifier}", expect=404)


async def test_webhooks_and_agents_show_their_details() -> None:
    async with logged_in() as http:
        assert (await read(http, "/webhooks/1"))["webhook_url"] == "https://hooks.bluewater.example/convirza/calls"
        assert (await read(http, "/ai-voice-agents/683"))["agent_name"] == "Miami front desk"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/webhooks", {"webhook_name": "x"}),
        ("/webhooks", {**WEBHOOK, "webhook_url": "ftp://files.example"}),
        ("/webhooks", {**WEBHOOK, "static_parameters": [{"field_name": "token"}]}),
        ("/webhooks", {**WEBHOOK, "org_unit_id": 90001}),
        ("/ai-voice-agents", {"agent_name": 5}),
        ("/ai-voice-agents", {**AGENT, "transfer_number": "+12015550142"}),
        ("/tag", {"tag_name": "new PATIENT"}),
        ("/tag", {}),
    ],
)
async def test_a_known_field_with_a_wrong_value_is_refused(path: str, body: Json) -> None:
    async with logged_in() as http:
        await ask(http, "POST", path, body, expect=400)


async def test_a_deleted_agent_leaves_its_route_without_an_answer() -> None:
    async with logged_in() as http:
        await ask(http, "DELETE", "/ai-voice-agents/683")
        call = await control(http, "/convirza/calls", {"phone_number": "3055550203", "caller": "3055550171"})
        assert call["disposition"] == "FAILED"
        await ask(http, "PATCH", "/provisioned-routes/12303", {"call_value": 61})


async def test_a_deleted_tag_leaves_every_call() -> None:
    async with logged_in() as http:
        await ask(http, "DELETE", "/tag/801")
        call = await read(http, "/conversations/calls/7700003?include=tags")
        assert call["tags"] == []


async def test_a_prompt_is_uploaded_as_documented_and_deleted() -> None:
    async with logged_in() as http:
        answer = await http.post(
            "/convirza/v3/media-prompts",
            files={"file": ("closed.wav", b"RIFF\x00\xff\r\n--\r\nend")},
            data={"message_type": "voicemail", "org_unit_id": "70035"},
        )
        assert answer.status_code == 201
        prompt = answer.json()["data"]
        assert prompt["size"] == 15
        assert (await read(http, "/media-prompts?message_type=voicemail"))["total"] == 1
        await ask(http, "DELETE", f"/media-prompts/{prompt['prompt_id']}")
        assert (await read(http, "/media-prompts"))["total"] == 2


@pytest.mark.parametrize(
    ("field", "name", "fields"),
    [
        ("file", "closed.exe", {"message_type": "prompt"}),
        ("audio", "closed.wav", {"message_type": "prompt"}),
        ("file", "closed.wav", {"message_type": "song"}),
        ("file", "closed.wav", {}),
    ],
)
async def test_a_wrong_upload_is_refused(field: str, name: str, fields: dict[str, str]) -> None:
    async with logged_in() as http:
        answer = await http.post("/convirza/v3/media-prompts", files={field: (name, b"RIFF")}, data=fields)
        assert answer.status_code == 400
        await ask(http, "POST", "/media-prompts", {"message_type": "prompt"}, expect=400)


async def test_the_reference_lists_answer() -> None:
    async with logged_in() as http:
        sources = await read(http, "/ad-source?limit=2")
        industries = await read(http, "/industry")
        tags = await read(http, "/tag")
    assert sources["total"] == 5
    assert items(sources, "ad_sources")[0] == {"ad_source_id": 1, "ad_source_name": "Google Ads"}
    assert {"industry_id": 10, "industry_name": "Technology"} in items(industries, "industries")
    assert tags["total"] == 4
