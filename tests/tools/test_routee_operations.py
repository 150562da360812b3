"""Every Routee operation, at least once, through its tool and against the simulated Routee."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.routee.catalog import ENDPOINTS
from sandbox.routee.seed import AMERICAN_NUMBER, APPLICATION, BRITISH_NUMBER, GREEK_NUMBER, VIBER_SENDER
from tests.tools.example_reads import example_reads
from tests.tools.routee_session import open_session
from tests.tools.test_schemas import tokens
from tools.registry import all_operations

GREEK = "+306970000555"
ENDLESS = "+306970000015"
POOL = "71ce3b19-e3a9-5522-bcc8-58d03179c4cf"
CONTACT = "5e2ac872-b1a0-5d12-9137-6d2def8ca6e6"
FINISHED = "66a0cbb4-4854-5b65-ad91-f0df2b2e07d4"
WAITING = "d9bbf94b-9048-5ead-8a19-d9893eaef5d0"
WAV = "https://files.example/hello.wav"
CALLED = frozenset(re.findall(r'"([a-z_]+)"', Path(__file__).read_text(encoding="utf-8")))
"""The words of this file in quotation marks, among them every operation that it calls."""


def _span(days: float = 6) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"since": (now - timedelta(days=days)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}


def _later() -> str:
    return (datetime.now(UTC) + timedelta(days=3)).isoformat()


async def test_single_messages(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        analysis = await session.call("analyze_sms", sender="Bluewater", to=GREEK, text="Hello")
        assert (analysis["body_analysis"]["parts"], analysis["cost_a_part"]) == (1, "0.045")
        sent = await session.call("send_sms", sender=AMERICAN_NUMBER, to=GREEK, text="Hello", label="a", ttl_minutes=60)
        await session.advance(5)
        [part] = (await session.call("track_sms", message_id=sent["tracking_id"]))["parts"]
        assert (part["status"]["status"], part["price"], part["label"]) == ("Delivered", "0.045", "a")
        labelled = [{"field": "label", "term": "a"}]
        found = await session.call("list_messages", **_span(), filters=labelled)
        assert [row["message_id"] for row in found["messages"]] == [sent["tracking_id"]]
        countries = (await session.call("list_quiet_hours_countries", language="el"))["countries"]
        assert {"code": "GR", "supported": True}.items() <= countries[0].items()


async def test_campaigns(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        everyone = {"groups": ["Recall"], "sender": "Bluewater", "text": "Hello"}
        audience = await session.call("analyze_campaign", **everyone)
        assert audience["recipients_per_country"] == {"US": 2, "GR": 2, "GB": 1}
        sent = await session.call("send_campaign", **everyone, when="now", campaign_name="Hello")
        await session.advance(60)
        shown = await session.call("get_campaign", campaign_id=sent["tracking_id"])
        assert (shown["campaign_state"], shown["statuses"]["Delivered"]) == ("Finished", 5)
        rows = await session.call("list_campaign_messages", campaign_id=sent["tracking_id"], limit=3)
        assert (len(rows["messages"]), rows["total"], rows["next_cursor"]) == (3, 5, "1x3")
        changed = await session.call("update_campaign", campaign_id=WAITING, **everyone, when=_later())
        assert changed["campaign_state"] == "Scheduled"
        assert await session.call("delete_campaign", campaign_id=WAITING)


async def test_numbers(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        offers = await session.call("list_available_numbers", country="US", service="Sms", area_code="201", limit=5)
        assert (len(offers["numbers"]), offers["next_cursor"]) == (5, "1x5")
        free = await session.call(
            "search_available_numbers", country="US", filters=[{"field": "type", "term": "TOLL_FREE"}]
        )
        number = free["numbers"][0]["number"]
        rented = await session.call("rent_number", number=number, forward_calls_to="+12015550156")
        assert (rented["number"], rented["voice"]) == (number, {"forward_to": "+12015550156"})
        hook = "https://hooks.bluewater.example/new"
        changed = await session.call("update_number", number=number, inbound_sms_url=hook)
        assert changed["inbound_sms_url"] == hook
        assert (await session.call("get_number", number=number))["inbound_sms_url"] == hook
        await session.call("cancel_number", number=number)
        mine = [row["number"] for row in (await session.call("list_numbers"))["numbers"]]
        assert mine == [GREEK_NUMBER, BRITISH_NUMBER, AMERICAN_NUMBER]


async def test_pools(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        pool = (await session.call("create_pool", name="New", sticky=False, default_country="GR"))["pool_id"]
        added = await session.call("add_pool_number", pool_id=pool, number=GREEK_NUMBER)
        assert added["numbers"] == [GREEK_NUMBER]
        assert (await session.call("list_pool_numbers", pool_id=pool))["numbers"] == [GREEK_NUMBER]
        sent = await session.call("send_pool_sms", pool_id=pool, to=GREEK, text="Hello", strategy="Numeric")
        assert sent["sender"] == GREEK_NUMBER.removeprefix("+")
        assert (await session.call("update_pool", pool_id=pool, name="Other"))["name"] == "Other"
        assert (await session.call("get_pool", pool_id=pool))["total_numbers"] == 1
        assert [row["name"] for row in (await session.call("list_pools"))["pools"]] == ["Recalls", "Other"]
        await session.call("remove_pool_number", pool_id=pool, number=GREEK_NUMBER)
        assert (await session.call("delete_pool", pool_id=pool))["pool_id"] == pool


async def test_conversations_and_the_calls_in_them(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        verbs: list[dict[str, Any]] = [
            {"type": "SAY", "text": "Hello", "language": "en-GB", "gender": "female"},
            {"type": "COLLECT", "event_url": "https://hooks.bluewater.example/keys", "max_digits": 1},
        ]
        started = await session.call("start_conversation", to=ENDLESS, sender=BRITISH_NUMBER, verbs=verbs)
        await session.advance(10)
        talk = started["tracking_id"]
        [call] = (await session.call("list_conversation_calls", conversation_id=talk))["calls"]
        assert (call["status"]["status"], call["collected_tones"]) == ("InProgress", "1")
        on = {"call_id": call["call_id"]}
        for tool, more in (
            ("speak_in_call", {"text": "Hello", "language": "en-GB"}),
            ("stop_speaking_in_call", {}),
            ("play_in_call", {"file_url": WAV}),
            ("stop_playing_in_call", {}),
            ("start_recording", {"format": "WAV"}),
            ("stop_recording", {}),
            ("send_tones", {"tones": "12w#"}),
        ):
            assert (await session.call(tool, **on, **more))["call_id"] == call["call_id"]
        assert len((await session.call("get_conversation", conversation_id=talk))["recordings"]) == 1
        await session.call("transfer_call", **on, to=ENDLESS, sender=BRITISH_NUMBER)
        await session.advance(10)
        [_, onward] = (await session.call("list_conversation_calls", conversation_id=talk))["calls"]
        await session.call("end_call", call_id=onward["call_id"], action="hangup")
        assert (await session.call("get_call", call_id=onward["call_id"]))["status"]["status"] == "Completed"
        ended = [{"field": "status.status", "term": "Completed"}, {"field": "recipient", "term": ENDLESS}]
        assert (await session.call("list_calls", **_span(), filters=ended))["total"] == 2


async def test_voice_campaigns(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        speech = {"sender": BRITISH_NUMBER, "to": [GREEK], "text": "Hello", "language": "en-GB"}
        assert (await session.call("analyze_voice_campaign", **speech))["number_of_recipients"] == 1
        now = await session.call("send_voice_campaign", **speech, when="now", name="Now", collect_keys_seconds=5)
        await session.advance(60)
        calls = await session.call("list_voice_campaign_calls", campaign_id=now["tracking_id"])
        assert [call["status"]["status"] for call in calls["calls"]] == ["Completed"]
        later = await session.call("send_voice_campaign", **speech, when=_later())
        await session.call("delete_voice_campaign", campaign_id=later["tracking_id"])


async def test_contacts_groups_and_blacklists(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        assert (await session.call("list_contacts"))["total"] == 7
        assert (await session.call("create_labels", labels=[{"name": "tooth"}]))["labels"][0]["name"] == "tooth"
        assert {"name": "tooth", "type": "Text"} in (await session.call("list_labels"))["labels"]
        made = await session.call("create_contact", mobile=GREEK, first_name="Ana", labels={"tooth": "3"})
        ana = made["id"]
        await session.call("update_contact", contact_id=ana, mobile=GREEK, first_name="Anna")
        assert "Anna" in (await session.call("get_contact", contact_id=ana))["first_name"]
        await session.call("create_group", name="Fresh")
        assert (await session.call("add_group_contacts", name="Fresh", contact_ids=[ana, CONTACT]))["size"] == 2
        assert (await session.call("list_group_contacts", name="Fresh"))["total"] == 2
        assert (await session.call("merge_groups", name="Both", groups=["Fresh", "Patients GR"]))["size"] == 4
        assert (await session.call("subtract_groups", name="Rest", groups=["Both", "Fresh"]))["size"] == 2
        assert (await session.call("remove_group_contacts", name="Fresh", contact_ids=[ana]))["size"] == 1
        assert (await session.call("get_group", name="Patients US"))["size"] == 3
        assert (await session.call("list_groups"))["total"] == 8
        assert (await session.call("delete_groups", groups=["Fresh", "Both", "Rest"]))["groups"][0]["name"] == "Fresh"
        assert (await session.call("add_to_blacklist", service="Sms", contact_ids=[CONTACT, ana]))["updated"] == 2
        assert (await session.call("list_blacklist", service="Sms"))["total"] == 3
        assert (await session.call("remove_from_blacklist", service="Sms", contact_ids=[ana]))["updated"] == 1
        assert (await session.call("remove_groups_from_blacklist", service="Sms", groups=["Recall"]))["updated"] == 2
        await session.call("delete_contact", contact_id=ana)
        await session.call("delete_contacts", contact_ids=[CONTACT])
        assert (await session.call("list_contacts"))["total"] == 6


async def test_verifications(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        asked = {"method": "sms", "recipient": GREEK, "template": "Your code is @@pin", "digits": 6}
        sent = await session.call("send_verification", **asked)
        done = await session.call("confirm_verification", verification_id=sent["tracking_id"], code="482915")
        assert done["status"] == "Verified"
        other = await session.call("send_verification", **{**asked, "method": "voice"})
        cancelled = await session.call("cancel_verification", verification_id=other["tracking_id"])
        assert cancelled["status"] == "Cancelled"
        shown = await session.call("get_verification", verification_id=other["tracking_id"])
        assert shown["status"] == "Cancelled"
        assert (await session.call("report_verifications"))["per_country"]["GR"]["Verified"] == 1
        assert (await session.call("report_app_verifications", application_id=APPLICATION.id))["total"] == 2


async def test_lookups(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        looked = await session.call("look_up_number", to="+306970000022", label="b")
        assert looked["details"]["ported"] is True
        assert (await session.call("get_lookup", lookup_id=looked["lookup_id"]))["price"] == "0.00600000"
        labelled = [{"field": "label", "term": "b"}]
        assert (await session.call("list_lookups", **_span(), filters=labelled))["total"] == 1
        valid = await session.call("validate_number", to=GREEK, get_ported=True, host="bluewater.example")
        assert (valid["valid"], valid["details"]["type"]) == (True, "MOBILE")


async def test_viber(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        content = {"sender_id": VIBER_SENDER, "text": "Hello", "image_url": "https://files.example/a.png"}
        sent = await session.call("send_viber", **content, to=GREEK, is_session_message=True, ttl_seconds=600)
        assert (await session.call("get_viber_message", message_id=sent["tracking_id"]))["price"] == "0.018"
        [chat] = (await session.call("list_viber_sessions", number=GREEK))["sessions"]
        assert len((await session.call("get_viber_session", session_id=chat["session_id"]))["messages"]) == 1
        code = {"sender_id": VIBER_SENDER, "to": GREEK, "template_id": "t1", "template_params": {"pin": "1"}}
        assert (await session.call("send_viber_code", **code, template_lang="en"))["template_id"] == "t1"
        now = await session.call("send_viber_campaign", **content, to=[GREEK], when="now", campaign_name="Now")
        await session.advance(10)
        rows = await session.call("list_viber_campaign_messages", campaign_id=now["tracking_id"])
        assert [row["status"]["status"] for row in rows["messages"]] == ["Delivered"]
        later = await session.call("send_viber_campaign", **content, to=[GREEK], when=_later())
        await session.call("delete_viber_campaign", campaign_id=later["tracking_id"])


async def test_failover(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        steps: list[dict[str, Any]] = [
            {"channel": "Viber", "sender_id": VIBER_SENDER, "to": "+306970000021", "text": "Hello", "ttl_minutes": 0.5},
            {"channel": "Sms", "sender": BRITISH_NUMBER, "to": "+306970000021", "text": "Hello", "label": "f"},
            {"channel": "Voice", "sender": BRITISH_NUMBER, "to": GREEK, "text": "Hello", "language": "el-GR"},
        ]
        sent = await session.call("send_failover", steps=steps)
        await session.advance(30)
        shown = await session.call("get_failover", failover_id=sent["tracking_id"])
        assert (shown["status"], shown["termination_channel"]) == ("Succeeded", "Sms")
        ended = [{"field": "status", "term": "Succeeded"}]
        assert (await session.call("list_failovers", **_span(), filters=ended))["total"] == 1


async def test_money_and_reports(tmp_path: Path) -> None:
    async with open_session(tmp_path) as session:
        balance = await session.call("get_balance")
        assert (balance["balance"], balance["currency"]["code"]) == ("186.42", "EUR")
        prices = await session.call("list_prices", service="Sms", mcc="202")
        assert [network["price"] for network in prices["sms"][0]["networks"]] == ["0.045", "0.048", "0.047"]
        assert (await session.call("list_top_ups", **_span(30)))["total"] == 1
        assert (await session.call("report_spending", **_span()))["total"] > 0
        assert (await session.call("report_country_spending", **_span(), mcc="202"))["rows"][0]["country"] == "GR"
        assert "rows" in await session.call("report_network_spending", **_span(), mcc="202", mnc="01")
        per_campaign = await session.call("report_campaign_spending", campaign_id=FINISHED, since=_span()["since"])
        assert {row["campaign_id"] for row in per_campaign["rows"]} == {FINISHED}
        assert (await session.call("report_lookup_spending", **_span()))["totals"]["count"] == 1
        assert (await session.call("report_validation_spending", **_span()))["totals"]["count"] == 0


async def test_no_operation_is_left_out(tmp_path: Path) -> None:
    others = example_reads("routee", CALLED)
    async with open_session(tmp_path) as session:
        for tool, arguments in others.items():
            await session.call(tool, **arguments)
    offered = {name for name in all_operations() if name.startswith("routee_")}
    assert offered <= {f"routee_{name}" for name in CALLED | others.keys()}


def test_routee_is_complete_but_for_three_calls() -> None:
    specs = [one.spec for name, one in all_operations().items() if name.startswith("routee_")]
    ours = {(spec.method, re.sub(r"\{\w+\}", "{}", spec.path)) for spec in specs}
    known = {(endpoint.method, re.sub(r"\{\w+\}", "{}", endpoint.path)) for endpoint in ENDPOINTS}
    assert known - ours == {
        ("HEAD", "/contacts/my/mobile"),  # one old SDK only
        ("GET", "/groups/my/page"),  # the same as /groups/my, which is paged here
        ("GET", "/recordings/my/downloads/{}"),  # a sound; its address is shown with the conversation
    }
    assert ours <= known


def test_all_of_routee_costs_at_most_18700_tokens() -> None:
    operations = [one for name, one in all_operations().items() if name.startswith("routee_")]
    assert operations
    assert tokens(operations) <= 18_700
