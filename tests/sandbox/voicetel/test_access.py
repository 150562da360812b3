"""The access list, authentication, e911 records and gateways."""

import pytest

from tests.sandbox.voicetel.doors import ADMIN_KEY, customer

STREET = {"address1": "350 5th Ave.", "city": "New York", "zip": "10118-0110", "state": "ny"}


async def test_acl_additions_that_fail_are_named_while_the_others_are_made() -> None:
    blocks = ["192.0.2.0/24", "192.0.2.0/25", "10.0.0.0/8", "203.0.113.10/32", "nonsense/24"]
    async with customer() as client:
        answer = await client.post("acl", json={"acl": [{"cidr": block} for block in blocks]})
        listed = (await client.get("acl")).json()["data"]["acl"]
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == 409
    assert answer.json()["data"] == {
        "added": [{"cidr": "192.0.2.0/24"}],
        "removed": [],
        "failed": [
            {"cidr": "192.0.2.0/25", "reason": "Invalid mask: must be /8, /16, /24, or /32"},
            {"cidr": "10.0.0.0/8", "reason": "CIDR range must be routable"},
            {"cidr": "203.0.113.10/32", "reason": "DB Insert failed"},
            {"cidr": "nonsense/24", "reason": "CIDR range must be routable"},
        ],
    }
    assert {"cidr": "192.0.2.0/24"} in listed


async def test_acl_removals_that_fail_are_named_while_the_others_are_made() -> None:
    async with customer() as client:
        answer = await client.delete("acl", params={"cidrs": "203.0.113.10/32,8.8.8.8/32"})
        listed = (await client.get("acl")).json()["data"]["acl"]
    assert answer.status_code == 409
    assert answer.json()["data"]["removed"] == [{"cidr": "203.0.113.10/32"}]
    assert answer.json()["data"]["failed"] == [{"cidr": "8.8.8.8/32", "reason": "DB delete failed"}]
    assert listed == [{"cidr": "198.51.100.0/24"}]


@pytest.mark.parametrize("path", ["acl", "numbers", "e911", "account/registration"])
async def test_an_empty_list_is_not_found(path: str) -> None:
    async with customer(ADMIN_KEY) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == 404


async def test_an_empty_list_of_ports_is_a_list() -> None:
    async with customer(ADMIN_KEY) as client:
        assert (await client.get("ports")).json()["data"] == {"ports": []}


async def test_the_mode_is_told_in_words() -> None:
    async with customer() as client:
        words: list[str] = []
        for mode in range(4):
            await client.put("auth", json={"authType": mode})
            words.append((await client.get("auth")).json()["data"]["authTypeDescription"])
    assert words == ["Digest only", "IP allowlist only", "Digest OR IP allowlist", "Digest AND IP allowlist"]


@pytest.mark.parametrize("password", ["abc12", "abcdefgh", "12345678", "abc123def45", "abc 1234", ""])
async def test_a_weak_password_fails_while_the_mode_is_changed(password: str) -> None:
    async with customer() as client:
        answer = await client.put("auth", json={"authType": 3, "password": password})
        assert answer.status_code == 409
        conflict = answer.json()
        assert conflict["updated"] == [{"field": "authType", "value": 3}]
        assert [error["field"] for error in conflict["errors"]] == ["password"]
        assert (await client.get("auth")).json()["data"]["authType"] == 3


@pytest.mark.parametrize("body", [{}, {"authType": 4}, {"authType": -1}, {"authType": True}])
async def test_authentication_settings_outside_the_schema_are_bad_requests(body: dict[str, object]) -> None:
    async with customer() as client:
        assert (await client.put("auth", json=body)).status_code == 400


async def test_a_number_of_somebody_else_has_no_e911_record_to_see() -> None:
    async with customer() as client:
        for answer in (
            await client.get("e911/9175550161"),
            await client.put("e911/9175550161", json={"addressid": 1, "callername": "X"}),
            await client.delete("e911/9175550161"),
        ):
            assert answer.status_code == 401
        created = await client.post("e911", json={**STREET, "dn": "9175550161", "callername": "X"})
        assert created.status_code == 403


async def test_an_own_number_without_a_record_fails_the_query() -> None:
    async with customer() as client:
        assert (await client.get("e911/6465550147")).status_code == 409
        assert (await client.delete("e911/6465550147")).status_code == 409


async def test_an_e911_record_is_bound_by_addressid_and_comes_back_with_eleven_digits() -> None:
    async with customer() as client:
        address = (await client.post("e911/validations", json=STREET)).json()["data"]["address"]
        assert (address["address1"], address["state"], address["zip"]) == ("350 5TH AVE", "NY", "10118")
        body = {"addressid": address["addressid"], "callername": "BLUEWATER UPTOWN"}
        assert (await client.put("e911/6465550147", json=body)).status_code == 200
        record = (await client.get("e911/6465550147")).json()["data"]["record"]
        assert (record["dn"], record["callername"]) == ("16465550147", "BLUEWATER UPTOWN")
        assert (await client.delete("e911/6465550147")).status_code == 204
        assert (await client.get("e911/6465550147")).status_code == 409


async def test_validating_an_address_changes_no_record() -> None:
    async with customer() as client:
        before = (await client.get("e911")).json()
        await client.post("e911/validations", json=STREET)
        assert (await client.get("e911")).json() == before


@pytest.mark.parametrize(
    "change", [{"state": "ZZ"}, {"zip": "1011"}, {"address1": "Fifth Avenue"}, {"callername": "x" * 21}]
)
async def test_an_address_or_name_that_cannot_be_provisioned_conflicts(change: dict[str, object]) -> None:
    async with customer() as client:
        body = {**STREET, "dn": "6465550147", "callername": "BLUEWATER", **change}
        assert (await client.post("e911", json=body)).status_code == 409


async def test_a_gateway_with_numbers_cannot_be_removed() -> None:
    async with customer() as client:
        assert (await client.delete("gateways/1001")).status_code == 409
        for number in (await client.get("gateways/1001/numbers")).json()["data"]["numbers"]:
            await client.put(f"numbers/{number['number']}/route", json={"route": 4})
        assert (await client.delete("gateways/1001")).status_code == 204
        assert (await client.get("gateways/1001")).status_code == 404


async def test_system_routes_cannot_be_changed_or_removed() -> None:
    async with customer() as client:
        gateways = (await client.get("gateways")).json()["data"]["gateways"]
        assert [gateway["id"] for gateway in gateways if gateway["system"]] == [1, 2, 3, 4, 5, 6, 8]
        assert {gateway["limit"] for gateway in gateways if gateway["system"]} == {None}
        assert (await client.put("gateways/1", json={"prefix": "9"})).status_code == 404
        assert (await client.delete("gateways/1")).status_code == 409


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.99", 201),
        ("sip.example.com:5061", 201),
        ("203.0.113.99:99999", 400),
        ("not a host", 400),
        ("192.168.1.10:5060", 409),
        ("127.0.0.1", 409),
        ("localhost", 409),
        ("pbx.office.local", 409),
        ("203.0.113.10:5060", 409),
    ],
)
async def test_a_gateway_must_be_public_and_new(address: str, status: int) -> None:
    async with customer() as client:
        assert (await client.post("gateways", json={"gateway": address})).status_code == status


async def test_a_new_gateway_gets_the_default_limit_and_the_next_id() -> None:
    async with customer() as client:
        made = (await client.post("gateways", json={"gateway": "203.0.113.99"})).json()["data"]
        assert made == {"id": 1004, "gateway": "203.0.113.99", "prefix": "", "limit": 23, "system": False}
        assert (await client.get("gateways/1004")).json()["data"] == made


@pytest.mark.parametrize("body", [{"limit": 0}, {"limit": 1001}, {"prefix": "9x"}, {}])
async def test_a_gateway_change_outside_the_schema_is_a_bad_request(body: dict[str, object]) -> None:
    async with customer() as client:
        assert (await client.put("gateways/1000", json=body)).status_code == 400
        assert (await client.put("gateways/PBX", json={"limit": 5})).status_code == 400
