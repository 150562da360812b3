"""Contacts, labels, blacklists and groups."""

import pytest

from tests.sandbox.routee.doors import GREEK, Json, advance, caller, charges, code, got, posted
from tests.sandbox.routee.examples import seeded


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"mobile": "+19175550161"}, 409, "409002005"),
        ({"mobile": "+302101234567"}, 400, "400002006"),
        ({"mobile": "306970000555"}, 400, "400000000"),
        ({"mobile": GREEK, "labels": [{"name": "shoeSize", "value": "44"}]}, 400, "400002014"),
        ({"mobile": GREEK, "labels": [{"name": "visits", "value": "five"}]}, 400, "400002014"),
        ({"mobile": GREEK, "labels": [{"name": "lastVisit", "value": 5}]}, 400, "400002014"),
        ({"mobile": GREEK, "firstName": ""}, 400, "400000000"),
        ({"firstName": "Ana"}, 400, "400000000"),
    ],
)
async def test_a_contact_that_breaks_a_rule_is_refused(body: dict[str, Json], status: int, expected: str) -> None:
    async with caller() as client:
        assert code(await client.post("contacts/my", json=body)) == (status, expected)


async def test_a_contact_can_be_made_changed_and_deleted() -> None:
    async with caller() as client:
        labels: list[dict[str, Json]] = [
            {"name": "lastVisit", "type": "Text", "value": "2026-05-01"},
            {"name": "visits", "type": "Number", "value": 5},
        ]
        made = await posted(client, "contacts/my", {"mobile": GREEK, "firstName": "Ana", "labels": labels})
        assert (made["country"], made["labels"], made["vip"]) == ("GR", labels, False)
        path = f"contacts/my/{made['id']}"
        changed = (await client.put(path, json={"mobile": GREEK, "lastName": "Berg"})).json()
        assert ("firstName" in changed, changed["lastName"], changed["labels"]) == (False, "Berg", [])
        await client.delete(path)
        assert code(await client.get(path)) == (404, "404002001")


async def test_a_contact_is_found_by_its_number_with_head() -> None:
    async with caller() as client:
        assert (await client.head("contacts/my/mobile", params={"value": "+19175550161"})).status_code == 200
        assert (await client.head("contacts/my/mobile", params={"value": GREEK})).status_code == 404


async def test_several_contacts_are_deleted_by_an_array_of_ids_or_none_of_them() -> None:
    async with caller() as client:
        first, second = await seeded(client, "contacts", 0), await seeded(client, "contacts", 1)
        partly = await client.request("DELETE", "contacts/my", json=[first, "unknown"])
        assert code(partly) == (404, "404002001")
        assert (await client.request("DELETE", "contacts/my", json=[first, second])).status_code == 200
        assert (await got(client, "contacts/my"))["totalElements"] == 5


async def test_a_blacklisted_contact_gets_no_campaign_until_it_is_taken_off_the_list() -> None:
    campaign = {"from": "Bluewater", "body": "Hi", "to": ["+19175550163", GREEK]}
    async with caller() as client:
        marcus = [{"id": await seeded(client, "contacts", 2)}]
        listed = await got(client, "contacts/my/blacklist/Sms")
        assert [contact["mobile"] for contact in listed] == ["+19175550163"]
        assert (await posted(client, "sms/analyze/campaign", campaign))["numberOfRecipients"] == 1
        freed = await client.request("DELETE", "contacts/my/blacklist/Sms", json=marcus)
        assert freed.json() == {"updated": 1}
        assert (await posted(client, "sms/analyze/campaign", campaign))["numberOfRecipients"] == 2
        assert await posted(client, "contacts/my/blacklist/Sms", marcus) == {"updated": 1}
        assert await posted(client, "contacts/my/blacklist/Sms", marcus) == {"updated": 0}


async def test_a_blacklist_is_of_one_known_service() -> None:
    async with caller() as client:
        assert code(await client.get("contacts/my/blacklist/Fax")) == (400, "400000000")
        assert len(await got(client, "contacts/my/blacklist/Voice")) == 1


async def test_a_label_is_made_once() -> None:
    async with caller() as client:
        label = [{"name": "tooth", "type": "Number"}]
        await posted(client, "contacts/labels/my", label)
        assert code(await client.post("contacts/labels/my", json=label)) == (409, "409002011")
        assert (await got(client, "contacts/labels/my"))["tooth"] == "Number"


async def test_groups_are_merged_and_subtracted() -> None:
    async with caller() as client:
        merged = await posted(client, "groups/my/merge", {"name": "Europe", "groups": ["Patients GR", "Patients UK"]})
        rest = await posted(client, "groups/my/difference", {"name": "Overseas", "groups": ["Recall", "Europe"]})
        taken = await client.post("groups/my", json={"name": "Europe"})
        unknown = await client.post("groups/my/merge", json={"name": "More", "groups": ["Europe", "Nobody"]})
        members = (await got(client, "groups/my/Overseas/contacts"))["content"]
    assert (merged["size"], rest["size"]) == (4, 3)
    assert code(taken) == (409, "409002013")
    assert code(unknown) == (404, "404002012")
    assert {contact["country"] for contact in members} == {"US"}


async def test_a_deleted_group_takes_its_contacts_along_only_if_asked() -> None:
    async with caller() as client:
        await client.request("DELETE", "groups/my", json=["Patients GR"])
        assert (await got(client, "contacts/my"))["totalElements"] == 7
        answer = await client.request("DELETE", "groups/my", json=["Patients UK"], params={"deleteContacts": "true"})
        assert answer.json() == [{"name": "Patients UK", "deletedContacts": True}]
        assert (await got(client, "contacts/my"))["totalElements"] == 5


async def test_a_group_gets_a_campaign_as_it_is_when_the_campaign_is_made() -> None:
    async with caller() as client:
        contact = await seeded(client, "contacts")
        assert await posted(client, "groups/my/Newsletter/contacts", [contact]) == {"name": "Newsletter", "size": 1}
        await posted(client, "sms/campaign", {"from": "Bluewater", "body": "Hi", "groups": ["Newsletter"]})
        await advance(client, 30)
        assert await charges(client) == [("sms", 1, "0.0083")]
