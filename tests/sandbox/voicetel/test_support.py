"""Support tickets."""

import pytest

from tests.sandbox.voicetel.doors import ADMIN_KEY, bearer, customer

FOREIGN_TICKET = 30415


async def test_customers_see_their_own_tickets_and_administrators_all() -> None:
    async with customer() as client:
        own = (await client.get("support/tickets")).json()["data"]
        everything = (await client.get("support/tickets", headers=bearer(ADMIN_KEY))).json()["data"]
    assert (own["totalCount"], len(own["tickets"])) == (3, 3)
    assert everything["totalCount"] == 4
    created = [ticket["createdAt"] for ticket in own["tickets"]]
    assert created == sorted(created, reverse=True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/messages", None),
        ("PUT", "", {"status": "closed"}),
        ("POST", "/replies", {"message": "Hello"}),
    ],
)
async def test_a_ticket_of_somebody_else_is_forbidden_and_an_unknown_one_not_found(
    method: str, path: str, body: dict[str, object] | None
) -> None:
    async with customer() as client:
        foreign = await client.request(method, f"support/tickets/{FOREIGN_TICKET}{path}", json=body)
        unknown = await client.request(method, f"support/tickets/99999{path}", json=body)
    assert (foreign.status_code, unknown.status_code) == (403, 404)


async def test_a_reply_is_added_and_makes_the_ticket_active() -> None:
    async with customer() as client:
        await client.put("support/tickets/30412", json={"status": "closed"})
        await client.post("support/tickets/30412/replies", json={"message": "One more thing."})
        ticket = (await client.get("support/tickets/30412")).json()["data"]["ticket"]
        threads = (await client.get("support/tickets/30412/messages")).json()["data"]["messages"]
    assert ticket["status"] == "active"
    assert ticket["embedded"]["threads"] == threads
    assert (threads[-1]["body"], threads[-1]["type"]) == ("One more thing.", "customer")


async def test_a_ticket_is_opened_in_the_accounts_own_name() -> None:
    async with customer() as client:
        ticket = (await client.post("support/tickets", json={"subject": "Hi", "message": "There"})).json()
        assert ticket["data"]["ticket"]["customer"]["email"] == "office@bluewater.example"
        body = {"subject": "Hi", "message": "There", "email": "it@northgate.example"}
        assert (await client.post("support/tickets", json=body)).status_code == 400


async def test_an_administrator_may_open_a_ticket_for_somebody_else() -> None:
    async with customer(ADMIN_KEY) as client:
        body = {"subject": "Hi", "message": "There", "email": "office@bluewater.example"}
        made = (await client.post("support/tickets", json=body)).json()["data"]["ticket"]
        seen = await client.get(f"support/tickets/{made['id']}", headers=bearer("0123456789abcdef0123456789abcdef"))
    assert seen.status_code == 200


async def test_a_deleted_ticket_is_gone() -> None:
    async with customer(ADMIN_KEY) as client:
        assert (await client.delete("support/tickets/30412")).status_code == 204
        assert (await client.delete("support/tickets/30412")).status_code == 404


async def test_a_status_outside_the_schema_is_refused() -> None:
    async with customer() as client:
        assert (await client.put("support/tickets/30412", json={"status": "open"})).status_code == 400
        assert (await client.get("support/tickets/first")).status_code == 400
