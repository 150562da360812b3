"""The seeded account, and that it comes back."""

from sandbox.app import create_sandbox
from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.provider import Surroundings
from sandbox.routee.networks import COUNTRIES, is_callable, is_mobile
from sandbox.routee.renting import stock
from sandbox.routee.seed import seeded_state
from tests.sandbox.routee.doors import START, WHOLE_WEEK, balance, caller, charges, control, got, posted, send_sms
from tests.sandbox.routee.examples import seeded


async def test_the_history_is_there_and_is_not_in_the_ledger() -> None:
    async with caller() as client:
        assert await charges(client) == []
        assert str(await balance(client)) == "186.42"
        recall = await got(client, f"campaigns/{await seeded(client, 'campaigns')}")
        offer = await got(client, f"campaigns/{await seeded(client, 'campaigns', 1)}")
        assert (await control(client, "GET", "routee/callbacks"))["deliveries"] == []
    assert (recall["campaignName"], recall["state"], recall["statuses"]["Delivered"]) == (
        "Spring recall",
        "Finished",
        5,
    )
    assert (offer["campaignName"], offer["state"]) == ("Whitening offer", "Scheduled")
    assert offer["scheduledDate"] == "2026-05-20T12:00:00.000Z"


async def test_an_inbound_message_speaks_to_assistants() -> None:
    filters = [{"fieldName": "direction", "searchTerm": "Inbound"}]
    async with caller() as client:
        answer = await client.post("sms/tracking", params=WHOLE_WEEK, json=filters)
    newest = answer.json()["content"][0]
    assert newest["body"].startswith("SYSTEM MESSAGE FOR THE AI")
    assert newest["from"] == "+19175550164"


async def test_the_seed_shares_people_with_voicetel() -> None:
    description = create_sandbox(start=START).providers["voicetel"].describe()
    async with caller() as client:
        listed = await got(client, "contacts/my/blacklist/Sms")
    assert [contact["mobile"].removeprefix("+1") for contact in listed] == description["opted_out"]


async def test_a_reset_brings_the_seed_back() -> None:
    async with caller() as client:
        before = await control(client, "GET", "providers")
        await send_sms(client)
        await posted(client, "groups/my", {"name": "Gone soon"})
        await control(client, "POST", "routee/callbacks", {"duplicates": 3})
        await control(client, "POST", "reset")
        assert await control(client, "GET", "providers") == before
        assert (await client.get("accounts/me/balance")).status_code == 401
        assert (await control(client, "GET", "routee/callbacks"))["settings"]["duplicates"] == 0


def test_it_can_be_seeded_under_a_running_clock() -> None:
    clock = Clock()
    state = seeded_state(Surroundings(clock, Ledger(clock)))
    assert {campaign.state for campaign in state.campaigns.values()} == {"Finished", "Scheduled"}


def test_every_number_on_offer_is_a_number_of_its_country() -> None:
    prefixes = {country.iso: country.prefix for country in COUNTRIES}
    for offer in stock():
        assert offer.msisdn.startswith(f"+{prefixes[offer.country]}")
        assert is_mobile(offer.msisdn)
        assert is_callable(offer.msisdn)


async def test_injected_failures_come_in_the_shape_of_the_api() -> None:
    async with caller() as client:
        for status in (500, 503):
            await control(client, "POST", "faults", {"kind": "status", "provider": "routee", "status": status})
        first = await client.get("accounts/me/balance")
        second = await client.get("accounts/me/balance")
    assert (first.status_code, first.json()["code"]) == (500, "500000000")
    assert (second.status_code, second.json()["error"]) == (503, "Service Unavailable")
