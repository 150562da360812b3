"""Numbers, their settings, their campaigns."""

import pytest

from tests.sandbox.voicetel.doors import OTHER_KEY, bearer, charges, customer, set_cash

MAIN = "2015550142"
FOREIGN = "9175550161"
PORTING = "8085550152"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "", None, 404),
        ("DELETE", "", None, 404),
        ("PATCH", "", {"route": 1000, "accountId": 2015550177}, 404),
        ("PUT", "/fax", {"email": "a@example.com"}, 404),
        ("PUT", "/cnam", {"enabled": True}, 404),
        ("PUT", "/translation", {"translation": MAIN}, 404),
        ("PUT", "/sms", {"type": "email", "resource": "a@example.com"}, 404),
        ("PUT", "/route", {"route": 4}, 400),
        ("PUT", "/forward", {"destination": MAIN}, 404),
        ("PUT", "/lidb", {"cnam": "ACME"}, 404),
        ("PATCH", "/messaging", {"routeIn": 0}, 404),
        ("GET", "/messaging", None, 404),
        ("PUT", "/messaging-campaign", {"campaignId": "CBW7T2K"}, 404),
        ("DELETE", "/messaging-campaign?campaignId=CBW7T2K", None, 404),
        ("PATCH", "/port-out-pin", {"pin": "1234"}, 404),
        ("POST", "/release", None, 409),
    ],
)
async def test_a_number_of_somebody_else_is_out_of_reach(
    method: str, path: str, body: dict[str, object] | None, status: int
) -> None:
    async with customer() as client:
        assert (await client.request(method, f"numbers/{FOREIGN}{path}", json=body)).status_code == status
        assert (await client.request(method, f"numbers/1{FOREIGN}{path}", json=body)).status_code == 400


async def test_adding_a_number_charges_a_month() -> None:
    async with customer() as client:
        assert (await client.post("numbers", json={"number": FOREIGN})).json()["data"]["route"] == 4
        assert await charges(client) == [("did", 1, "1.00")]
        assert (await client.post("numbers", json={"number": FOREIGN})).status_code == 409
        await set_cash(client, "0.99")
        assert (await client.post("numbers", json={"number": "9175550162"})).status_code == 402
        assert (await client.post("numbers", json={"number": "9175550162", "route": 1999})).status_code == 409


async def test_a_released_number_can_never_be_assigned_again() -> None:
    async with customer() as client:
        assert (await client.post(f"numbers/{MAIN}/release")).status_code == 204
        assert (await client.get(f"numbers/{MAIN}")).status_code == 404
        assert (await client.post("numbers", json={"number": MAIN})).status_code == 409


async def test_a_removed_number_can_be_added_again() -> None:
    async with customer() as client:
        assert (await client.delete(f"numbers/{MAIN}")).status_code == 204
        assert (await client.delete(f"numbers/{MAIN}")).status_code == 404
        assert (await client.post("numbers", json={"number": MAIN})).status_code == 201


async def test_a_number_that_is_porting_cannot_leave_otherwise() -> None:
    async with customer() as client:
        body = {"route": 1000, "accountId": 2015550177}
        for answer in (
            await client.delete(f"numbers/{PORTING}"),
            await client.post(f"numbers/{PORTING}/release"),
            await client.patch(f"numbers/{PORTING}", json=body),
        ):
            assert answer.status_code == 409
        assert (await client.get(f"numbers/{PORTING}")).status_code == 200


async def test_a_moved_number_belongs_to_the_other_account() -> None:
    async with customer() as client:
        body = {"route": 1000, "accountId": 2015550177}
        assert (await client.patch(f"numbers/{MAIN}", json=body)).json()["data"] == {**body, "number": MAIN}
        assert (await client.get(f"numbers/{MAIN}")).status_code == 404
        moved = await client.get(f"numbers/{MAIN}", headers=bearer(OTHER_KEY))
        assert moved.json()["data"]["smsEnabled"] is False
        for wrong in ({"accountId": 1}, {"accountId": 2015550100}, {"route": 1003}):
            answer = await client.patch("numbers/2015550143", json={**body, **wrong})
            assert answer.status_code == 409


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        ("fax", {"email": "a@example.com"}),
        ("sms", {"type": "email", "resource": "a@example.com"}),
    ],
)
async def test_a_routing_that_is_not_there_is_not_found(setting: str, body: dict[str, object]) -> None:
    path = f"numbers/6465550147/{setting}"
    async with customer() as client:
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404
        assert (await client.put(path, json=body)).status_code == 200
        assert (await client.get(path)).status_code == 200
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404


async def test_settings_show_in_the_list() -> None:
    number = "6465550147"
    async with customer() as client:
        await client.put(f"numbers/{number}/forward", json={"destination": FOREIGN})
        await client.put(f"numbers/{number}/cnam", json={"enabled": True})
        await client.put(f"numbers/{number}/fax", json={"email": "a@example.com"})
        await client.put(f"numbers/{number}/translation", json={"translation": MAIN})
        await client.put(f"numbers/{number}/route", json={"route": 1000})
        rows = (await client.get("numbers")).json()["data"]["numbers"]
        assert next(row for row in rows if row["number"] == number) == {
            "number": number,
            "route": 1000,
            "gateway": "203.0.113.10:5060",
            "carrier": 0,
            "translated": MAIN,
            "forward": True,
            "forwardTo": FOREIGN,
            "cnam": True,
            "smsEnabled": False,
            "faxEnabled": True,
        }
        assert (await client.delete(f"numbers/{number}/forward")).status_code == 204
        assert (await client.delete(f"numbers/{number}/forward")).status_code == 404
        assert (await client.get(f"numbers/{number}")).json()["data"]["forwardTo"] is None


@pytest.mark.parametrize(
    ("kind", "resource", "status"),
    [
        ("email", "frontdesk@example.com", 200),
        ("email", "frontdesk", 400),
        ("webhook", "https://hooks.example.com/sms", 200),
        ("webhook", "http://hooks.example.com/sms", 400),
        ("webhook", "https://127.0.0.1/sms", 400),
        ("webhook", "https://localhost/sms", 400),
        ("sip", "203.0.113.10", 200),
        ("sip", "192.168.0.1", 400),
        ("sip", "sip.example.com", 400),
        ("fax", "203.0.113.10", 400),
    ],
)
async def test_an_sms_destination_must_fit_its_kind(kind: str, resource: str, status: int) -> None:
    async with customer() as client:
        answer = await client.put(f"numbers/{MAIN}/sms", json={"type": kind, "resource": resource})
        assert answer.status_code == status


async def test_changing_a_shared_sms_route_leaves_the_other_number_alone() -> None:
    async with customer() as client:
        await client.put(f"numbers/{MAIN}/sms", json={"type": "email", "resource": "new@example.com"})
        other = (await client.get("numbers/3055550148/sms")).json()["data"]
        assert other["resource"] == "frontdesk@bluewater.example"
        assert (await client.delete("numbers/3055550148/sms")).status_code == 204
        assert (await client.get(f"numbers/{MAIN}/sms")).json()["data"]["resource"] == "new@example.com"


@pytest.mark.parametrize("setting", ["translation", "forward"])
async def test_destinations_are_ten_digits(setting: str) -> None:
    field = {"translation": "translation", "forward": "destination"}[setting]
    async with customer() as client:
        for wrong in ("+12015550143", "12015550143", "0115551234", "911", "#12"):
            assert (await client.put(f"numbers/{MAIN}/{setting}", json={field: wrong})).status_code == 400


async def test_a_caller_name_is_cleaned_and_may_fail_at_the_network_alone() -> None:
    async with customer() as client:
        answer = (await client.put(f"numbers/{MAIN}/lidb", json={"cnam": "Blue-water, Inc."})).json()["data"]
        assert (answer["cnam"], answer["carrierStatus"]) == ("BLUEWATER INC", "submitted")
        assert answer["customerOrderReference"].startswith("2015550100-")
        toll_free = await client.put("numbers/8335550153/lidb", json={"cnam": "BLUEWATER"})
        assert (toll_free.status_code, toll_free.json()["data"]["carrierStatus"]) == (200, "failed")
        for wrong in ("SIXTEEN LETTERSX", "---", ""):
            assert (await client.put(f"numbers/{MAIN}/lidb", json={"cnam": wrong})).status_code == 400


@pytest.mark.parametrize("pin", ["123", "12345", "12a4", "\uff11\uff12\uff13\uff14"])
async def test_a_pin_has_four_digits(pin: str) -> None:
    async with customer() as client:
        assert (await client.patch(f"numbers/{MAIN}/port-out-pin", json={"pin": pin})).status_code == 400


async def test_foreign_numbers_are_listed_as_not_on_the_account() -> None:
    async with customer() as client:
        answer = await client.get("numbers/messaging", params={"numbers": f"{MAIN},{FOREIGN}"})
        own, foreign = answer.json()["data"]["numbers"]
        assert own["campaign"]["id"] == "CBW7T2K"
        assert (own["routeIn"], own["resource"]) == (7001, "frontdesk@bluewater.example")
        assert foreign["onAccount"] is False
        assert "onAccount" not in own
        for wrong in ("", ",", "12345", ",".join([MAIN] * 1001)):
            assert (await client.get("numbers/messaging", params={"numbers": wrong})).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"routeIn": 7999}, 403), ({"routeOut": 3}, 400), ({"routeIn": 0, "routeOut": 0}, 200)],
)
async def test_message_routes_must_be_ones_own(body: dict[str, object], status: int) -> None:
    async with customer() as client:
        assert (await client.patch(f"numbers/{MAIN}/messaging", json=body)).status_code == status


async def test_detached_routes_stop_messages_both_ways() -> None:
    message = {"fromNumber": MAIN, "toNumber": FOREIGN, "text": "Hello"}
    async with customer() as client:
        await client.patch(f"numbers/{MAIN}/messaging", json={"routeIn": 0, "routeOut": 0})
        assert (await client.get(f"numbers/{MAIN}/sms")).status_code == 404
        assert (await client.post("messages", json=message)).status_code == 409


async def test_assigning_a_campaign_on_the_other_path_clears_the_first() -> None:
    async with customer() as client:
        answer = await client.put(f"numbers/{MAIN}/messaging-campaign", json={"campaignId": "CBW9Q4M"})
        data = answer.json()["data"]
        assert (data["previousNetwork"], data["network"], data["previousNetworkCleared"]) == ("A", "B", True)
        assert data["carrier"] == 19
        unknown = await client.put(f"numbers/{MAIN}/messaging-campaign", json={"campaignId": "CNONE00"})
        assert unknown.status_code == 404


async def test_an_unassigned_number_can_send_no_more() -> None:
    async with customer() as client:
        path = f"numbers/{MAIN}/messaging-campaign"
        for _ in ("bound", "bound no more"):
            assert (await client.delete(path, params={"campaignId": "CBW7T2K"})).json()["data"]["unassigned"] is True
        state = (await client.get(f"numbers/{MAIN}/messaging")).json()["data"]
        assert (state["enabled"], state["campaign"]) == (False, None)
        for wrong in ("ABC123", "CBW7T2", "CNONE00"):
            assert (await client.delete(path, params={"campaignId": wrong})).status_code == 400


async def test_bulk_unassignment_names_what_failed() -> None:
    async with customer() as client:
        params = {"campaignId": "CBW7T2K", "numbers": f"{MAIN},3125550154,{FOREIGN}"}
        data = (await client.delete("numbers/messaging-campaign", params=params)).json()["data"]
        assert data["unassignedNumbers"] == [MAIN]
        assert [failure["number"] for failure in data["failed"]] == ["3125550154", FOREIGN]


async def test_a_campaign_on_an_unknown_path_cannot_be_unassigned_in_bulk() -> None:
    async with customer() as client:
        params = {"campaignId": "CBW3X8R", "numbers": MAIN}
        assert (await client.delete("numbers/messaging-campaign", params=params)).status_code == 409


async def test_a_campaign_needs_a_registered_brand_and_shows_up_afterwards() -> None:
    campaign = {"externalCampaignId": "CNEW001", "campaignDescription": "News", "messagingBrandId": "BNEW"}
    brand = {"messagingBrandName": "New", "messagingBrandId": "BNEW"}
    async with customer() as client:
        assert (await client.post("messaging/campaigns", json=campaign)).status_code == 400
        assert (await client.post("messaging/brands", json=brand)).status_code == 201
        assert (await client.post("messaging/brands", json=brand)).status_code == 400
        assert (await client.post("messaging/campaigns", json=campaign)).status_code == 201
        assert (await client.post("messaging/campaigns", json=campaign)).status_code == 400
        answer = await client.get("messaging/campaigns", params={"ids": "CNEW001,CNONE00,CBW9Q4M"})
        assert answer.json()["data"]["campaigns"] == [
            {"id": "CNEW001", "status": "CAMPAIGN_PENDING_DCA", "numbers": []},
            {"id": "CNONE00", "status": "CAMPAIGN_INVALID_ID", "numbers": []},
            {"id": "CBW9Q4M", "status": "ACTIVE", "numbers": ["3125550154"]},
        ]
        for wrong in ("", "a-b", ",".join(["C1"] * 101)):
            assert (await client.get("messaging/campaigns", params={"ids": wrong})).status_code == 400
