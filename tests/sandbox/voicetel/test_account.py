"""Profile, history, the hourly limit, keys and sign-up."""

import pytest

from tests.sandbox.voicetel.doors import ADMIN_KEY, OTHER_KEY, START, advance, bearer, customer

CREDENTIALS = {"username": "2015550100", "password": "Harbor2026"}
LIMITED = ("account", "account/cdr", "account/recurring-charges")


async def test_six_requests_an_hour_are_shared_by_four_operations() -> None:
    async with customer() as client:
        for _ in range(2):
            for path in LIMITED:
                assert (await client.get(path)).status_code == 200
        for path in LIMITED:
            answer = await client.get(path)
            assert answer.status_code == 429
            assert answer.json()["error"]["code"] == 429
            assert "retry-after" not in answer.headers
        assert (await client.post("account/api-key", json=CREDENTIALS)).status_code == 429
        assert (await client.get("account/payments")).status_code == 200


async def test_the_hourly_limit_slides() -> None:
    async with customer() as client:
        await client.get("account")
        await advance(client, 1800)
        for _ in range(5):
            assert (await client.get("account")).status_code == 200
        await advance(client, 1799)
        assert (await client.get("account")).status_code == 429
        await advance(client, 1)
        assert (await client.get("account")).status_code == 200
        assert (await client.get("account")).status_code == 429


async def test_the_key_is_handed_out_for_username_and_password() -> None:
    async with customer("") as client:
        answer = await client.post("account/api-key", json=CREDENTIALS)
        assert answer.json()["data"] == {"apikey": "0123456789abcdef0123456789abcdef"}
        wrong = await client.post("account/api-key", json={**CREDENTIALS, "password": "harbor2026"})
        assert wrong.status_code == 401


async def test_a_new_password_invalidates_the_key_in_use() -> None:
    async with customer() as client:
        assert (await client.put("auth", json={"password": "Breeze77"})).status_code == 200
        assert (await client.get("auth")).status_code == 401
        assert (await client.post("account/api-key", json=CREDENTIALS)).status_code == 401
        fresh = await client.post("account/api-key", json={**CREDENTIALS, "password": "Breeze77"})
        key = fresh.json()["data"]["apikey"]
        assert (await client.get("auth", headers=bearer(key))).status_code == 200


async def test_settings_that_are_for_administrators_are_refused_and_nothing_changes() -> None:
    async with customer() as client:
        answer = await client.put("account", json={"notifyThreshold": 99, "intl": True})
        assert answer.status_code == 400
        account = (await client.get("account")).json()["data"]
        assert (account["notifyThreshold"], account["services"]["intl"]) == (25, False)


async def test_an_administrator_may_change_services() -> None:
    async with customer(ADMIN_KEY) as client:
        answer = await client.put("account", json={"ccs": 5, "intl": True})
        assert answer.json()["data"] == {"updated": ["ccs", "intl"]}


@pytest.mark.parametrize("body", [{}, {"timezone": "Mars/Olympus"}, {"callerId": "12015550142"}, {"ccs": "5"}])
async def test_settings_that_make_no_sense_are_refused(body: dict[str, object]) -> None:
    async with customer() as client:
        assert (await client.put("account", json=body)).status_code == 400


async def test_settings_are_read_back() -> None:
    async with customer() as client:
        await client.put("account", json={"timezone": "America/Denver", "notify": False, "callerId": "2125550145"})
        account = (await client.get("account")).json()["data"]
        assert account["timezone"] == "America/Denver"
        assert account["notify"] is False
        assert account["callerId"] == "2125550145"


async def test_credits_are_filtered_by_whether_they_are_paid() -> None:
    async with customer() as client:
        everything = (await client.get("account/credits")).json()["data"]["credits"]
        paid = (await client.get("account/credits", params={"status": "paid"})).json()["data"]["credits"]
        unpaid = (await client.get("account/credits", params={"status": "unpaid"})).json()["data"]["credits"]
        assert len(everything) == len(paid) + len(unpaid)
        assert {entry["paid"] for entry in paid} == {True}
        assert (await client.get("account/credits", params={"status": "open"})).status_code == 400


async def test_call_records_default_to_the_last_day_newest_first() -> None:
    async with customer() as client:
        data = (await client.get("account/cdr")).json()["data"]
    now = int(START.timestamp())
    assert (data["start"], data["end"]) == (now, now - 86400)
    times = [int(row["key"][1]) for row in data["cdr"]]
    assert times == sorted(times, reverse=True)
    assert all(now - 86400 <= time <= now for time in times)
    assert {row["key"][0] for row in data["cdr"]} == {"2015550100"}


async def test_call_record_bounds_run_backwards() -> None:
    now = int(START.timestamp())
    async with customer() as client:
        right = await client.get("account/cdr", params={"start": now, "end": now - 172800})
        swapped = await client.get("account/cdr", params={"start": now - 172800, "end": now})
    assert len(right.json()["data"]["cdr"]) == 10
    assert swapped.json()["data"]["cdr"] == []


async def test_call_records_bill_seconds_at_the_minute_rate() -> None:
    async with customer() as client:
        row = (await client.get("account/cdr")).json()["data"]["cdr"][0]["value"]
    assert (row["dur"], row["nr"], row["ba"], row["cn"]) == ("184", "0.01", "0.0307", "SMITH%20JOHN")


async def test_an_account_without_a_device_has_no_registration() -> None:
    async with customer(OTHER_KEY) as client:
        assert (await client.get("account/registration")).status_code == 404


async def test_recurring_charges_follow_the_numbers() -> None:
    async with customer() as client:
        before = (await client.get("account/recurring-charges")).json()["data"]["total"]
        await client.delete("numbers/6465550147")
        await client.delete("e911/3055550148")
        after = (await client.get("account/recurring-charges")).json()["data"]["total"]
    assert (before, after) == (21.5, 18.0)


async def test_recovery_names_what_is_required_of_an_address() -> None:
    async with customer("") as client:
        invalid = await client.post("account/recovery", json={"email": "office"})
        unknown = await client.post("account/recovery", json={"email": "nobody@example.com"})
    error = {"code": 400, "message": "Invalid email address", "requirement": "Must be valid"}
    assert (invalid.status_code, invalid.json()["error"]) == (400, error)
    assert (unknown.status_code, unknown.json()["error"]["message"]) == (404, "Email not found")


async def test_a_new_account_can_log_in_and_starts_empty() -> None:
    async with customer("") as client:
        made = (await client.post("accounts", json={"name": "Acme", "email": "acme@example.com"})).json()["data"]
        login = {"username": made["username"], "password": made["password"]}
        key = (await client.post("account/api-key", json=login)).json()["data"]["apikey"]
        assert (await client.get("numbers", headers=bearer(key))).status_code == 404
        again = await client.post("accounts", json={"name": "Acme", "email": "ACME@example.com"})
        assert again.status_code == 409


async def test_a_subaccount_needs_a_free_username_and_a_known_master() -> None:
    body = {"username": "2015550190", "name": "Branch", "email": "branch@example.com"}
    async with customer(ADMIN_KEY) as client:
        unknown = await client.post("account", json={**body, "masterAccount": "2015550199"})
        made = await client.post("account", json={**body, "masterAccount": "2015550100"})
        taken = await client.post("account", json=body)
    assert (unknown.status_code, made.status_code, taken.status_code) == (409, 201, 409)
    assert made.json()["data"]["masterAccount"] == "2015550100"
