"""Provisioned routes: every field of the two documented examples, its types, PUT resets, PATCH keeps, numbers, cost."""

import copy
from typing import cast

import pytest

from tests.sandbox.convirza.account import (
    ROUTE_EXAMPLE,
    Json,
    ask,
    charges,
    control,
    inner,
    items,
    logged_in,
    read,
    route_to_create,
)

CONFIG = ("routing_configuration", "config")


def changed(place: tuple[str, ...], value: object) -> Json:
    """Return the update example with one value replaced."""
    body = copy.deepcopy(ROUTE_EXAMPLE)
    inner(body, *place[:-1])[place[-1]] = value
    return body


async def test_the_create_example_is_answered_201_takes_the_number_and_costs_a_month() -> None:
    async with logged_in() as http:
        data = await ask(http, "POST", "/provisioned-routes", route_to_create(), expect=201)
        assert data == {"provisioned_route_id": 12345, "message": "Route created successfully"}
        route = await read(http, "/provisioned-routes/12345")
        numbers = items(await read(http, "/phone-numbers/provisioned?org_unit_id=70035"), "phone_numbers")
        assert await charges(http) == [("tracking_number", 1, "3.00")]
    assert {name: route[name] for name in ROUTE_EXAMPLE} == ROUTE_EXAMPLE
    assert route["phone_numbers"] == [{"phone_number_id": 45107, "phone_number": "6465550207"}]
    assert 45107 in [number["phone_number_id"] for number in numbers]


async def test_every_value_of_the_example_comes_back_in_the_type_it_was_sent() -> None:
    async with logged_in() as http:
        await ask(http, "PUT", "/provisioned-routes/12302", ROUTE_EXAMPLE)
        route = await read(http, "/provisioned-routes/12302")
    config = inner(route, *CONFIG)
    assert config["whisper_enabled"] is True
    assert config["ftc_whisper_enabled"] == "1"
    assert config["voice_agent_rings_count"] == 3
    assert config["voicemail_rings_count"] == "3"
    assert route["call_value"] == 100
    assert items(route, "customSourceList")[0]["custom_source_id"] == "1080"


WRONG_VALUES: list[tuple[tuple[str, ...], object]] = [
    (("surprise",), 1),
    (("ad_source",), 1),
    (("provisioned_route_status",), "paused"),
    (("provisioned_route_name",), ""),
    (("call_value",), "100"),
    (("repeat_interval",), "30"),
    (("org_unit_id",), "70035"),
    (("org_unit_id",), 90001),
    (("webhook_id",), 99),
    (("webhook_id",), 2),
    (("sms_enabled",), "1"),
    (("sms_settings", "assigned_users"), ["84784"]),
    (("sms_settings", "assigned_users"), [1]),
    (("sms_settings", "push"), True),
    (("customSourceList",), [{"custom_source_id": 1080, "custom_source_type": "CS1"}]),
    (("routing_configuration", "routing_type"), "random"),
    ((*CONFIG, "ringto"), "+12015550142"),
    ((*CONFIG, "ringTo"), "2015550142"),
    ((*CONFIG, "whisper_enabled"), "1"),
    ((*CONFIG, "ftc_whisper_enabled"), True),
    ((*CONFIG, "message_enabled"), 1),
    ((*CONFIG, "voice_agent_rings_count"), "3"),
    ((*CONFIG, "voicemail_rings_count"), 3),
    ((*CONFIG, "voice_agent_id"), 999),
    ((*CONFIG, "voice_agent_id"), None),
    ((*CONFIG, "record_call"), "true"),
    ((*CONFIG, "play_disclaimer"), "never"),
    ((*CONFIG, "overflowNumbers"), [{"number": "2015550144"}]),
    ((*CONFIG, "hunt_options"), {"type": "round_robin", "options": [{"destination": "2015550144", "order": "1"}]}),
]


@pytest.mark.parametrize(("place", "value"), WRONG_VALUES)
async def test_a_wrong_value_is_refused_and_nothing_changes(place: tuple[str, ...], value: object) -> None:
    async with logged_in() as http:
        before = await read(http, "/provisioned-routes/12301")
        await ask(http, "PUT", "/provisioned-routes/12301", changed(place, value), expect=400)
        creation = {**changed(place, value), "phone_numbers": route_to_create()["phone_numbers"]}
        await ask(http, "POST", "/provisioned-routes", creation, expect=400)
        assert await read(http, "/provisioned-routes/12301") == before
        assert await charges(http) == []


async def test_a_patch_is_as_strict_as_the_update() -> None:
    async with logged_in() as http:
        for change in (
            {},
            {"ringto": "2015550142"},
            {"routing_configuration": {"config": {"ringto": 2015550142}}},
            {"provisioned_route_name": None},
            {"phone_numbers": route_to_create()["phone_numbers"]},
        ):
            await ask(http, "PATCH", "/provisioned-routes/12301", change, expect=400)


async def test_patch_changes_one_setting_and_keeps_all_others() -> None:
    async with logged_in() as http:
        before = await read(http, "/provisioned-routes/12301")
        change = {"routing_configuration": {"config": {"ringto": "2015550144"}}}
        data = await ask(http, "PATCH", "/provisioned-routes/12301", change)
        assert data == {"provisioned_route_id": 12301, "message": "Route updated successfully"}
        after = await read(http, "/provisioned-routes/12301")
    inner(before, *CONFIG)["ringto"] = "2015550144"
    before["modified"] = after["modified"]
    assert after == before


async def test_put_resets_every_omitted_field_so_that_calls_ring_nowhere() -> None:
    async with logged_in() as http:
        body = {"provisioned_route_name": "Google Ads - Hackensack", "org_unit_id": 70035}
        await ask(http, "PUT", "/provisioned-routes/12301", body)
        route = await read(http, "/provisioned-routes/12301")
        call = await control(http, "/convirza/calls", {"phone_number": "2015550201", "caller": "9175550161"})
    config = inner(route, *CONFIG)
    assert route["webhook_id"] is None
    assert route["sms_enabled"] is False
    assert route["customSourceList"] == []
    assert config["ringto"] == ""
    assert config["record_call"] is False
    assert config["overflowNumbers"] == []
    assert len(items(route, "phone_numbers")) == 2
    assert call["disposition"] == "FAILED"


async def test_put_resets_omitted_fields_inside_the_configuration_too() -> None:
    async with logged_in() as http:
        body = {
            "provisioned_route_name": "Google Ads - Hackensack",
            "org_unit_id": 70035,
            "routing_configuration": {"config": {"ringto": "2015550142"}},
        }
        await ask(http, "PUT", "/provisioned-routes/12301", body)
        config = inner(await read(http, "/provisioned-routes/12301"), *CONFIG)
    assert config["ringto"] == "2015550142"
    assert config["record_call"] is False


async def test_what_was_read_can_be_sent_back_without_the_fields_of_the_answer() -> None:
    async with logged_in() as http:
        route = await read(http, "/provisioned-routes/12301")
        await ask(http, "PUT", "/provisioned-routes/12301", route, expect=400)
        await ask(http, "PUT", "/provisioned-routes/12301", {name: route[name] for name in ROUTE_EXAMPLE})
        after = await read(http, "/provisioned-routes/12301")
    assert after == {**route, "modified": after["modified"]}


async def test_an_update_of_an_unknown_route_is_404() -> None:
    async with logged_in() as http:
        await ask(http, "PUT", "/provisioned-routes/99999", ROUTE_EXAMPLE, expect=404)
        await ask(http, "PUT", "/provisioned-routes/12390", ROUTE_EXAMPLE, expect=404)


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        [{"phone_number_id": 45101, "phone_number": "2015550201"}],
        [{"phone_number_id": 45107, "phone_number": "2015550201"}],
        [{"phone_number_id": 99999, "phone_number": "6465550207"}],
        [{"phone_number_id": "45107", "phone_number": "6465550207"}],
        [{"phone_number_id": 45107, "phone_number": "6465550207"}] * 2,
        [{"phone_number_id": 45107, "phone_number": "+16465550207"}],
    ],
)
async def test_a_number_that_is_taken_unknown_or_mismatched_makes_no_route(numbers: object) -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/provisioned-routes", {**route_to_create(), "phone_numbers": numbers}, expect=400)
        assert (await read(http, "/provisioned-routes"))["total"] == 5
        assert await charges(http) == []


async def test_a_create_that_is_sent_twice_is_refused_the_second_time_only_by_its_number() -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/provisioned-routes", route_to_create(), expect=201)
        refused = await ask(http, "POST", "/provisioned-routes", route_to_create(), expect=400)
    assert "already used" in str(refused["message"])


async def test_an_inactive_route_takes_its_number_down() -> None:
    async with logged_in() as http:
        await ask(http, "PATCH", "/provisioned-routes/12302", {"provisioned_route_status": "inactive"})
        call = await control(http, "/convirza/calls", {"phone_number": "2125550202", "caller": "7185550167"})
        inactive = await read(http, "/provisioned-routes?provisioned_route_status=inactive")
    assert call["disposition"] == "FAILED"
    assert [route["provisioned_route_id"] for route in items(inactive, "provisioned_routes")] == [12302, 12304]


async def test_a_deleted_route_leaves_its_numbers_reserved() -> None:
    async with logged_in() as http:
        await ask(http, "DELETE", "/provisioned-routes/12304")
        await ask(http, "GET", "/provisioned-routes/12304", expect=404)
        numbers = items(await read(http, "/phone-numbers/assigned"), "phone_numbers")
        by_id = {cast("int", number["phone_number_id"]): number for number in numbers}
        assert by_id[45104]["status"] == "reserved"
        answer = await http.post(
            "/_control/convirza/calls", json={"phone_number": "5125550204", "caller": "5125550191"}
        )
        assert answer.status_code == 404
