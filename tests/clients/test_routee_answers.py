"""What an answer of Routee must show to count, and what one that shows nothing is: for every operation."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from clients.errors import NotFound, OutcomeUnknown, TelephonyError, UnexpectedAnswer
from clients.operation import Operation
from tests.clients.routee_accounts import Provider, answered_by, refused, refused_at_the_gate, success
from tools.discovery.examples import example_call
from tools.registry import all_operations
from tools.routee.operations.blacklist import RemoveFromBlacklist, RemoveGroupsFromBlacklist
from tools.routee.operations.contacts import CreateLabels, DeleteContacts, ListContacts, UpdateContact
from tools.routee.operations.groups import CreateGroup, DeleteGroups, ListGroups
from tools.routee.operations.phone_numbers import GetNumber, ListNumbers
from tools.routee.operations.pools import ListPools
from tools.routee.operations.sms import ListMessages, TrackSms

OPERATIONS = {name: one for name, one in all_operations().items() if name.startswith("routee_")}
READS = sorted(name for name, one in OPERATIONS.items() if one.spec.effect.is_plain_read)
WRITES = sorted(OPERATIONS.keys() - set(READS))
NOT_DESCRIBED = {
    "routee_add_pool_number",
    "routee_cancel_number",
    "routee_delete_campaign",
    "routee_delete_viber_campaign",
    "routee_delete_voice_campaign",
    "routee_remove_pool_number",
}
"""Writes for which no page and no client shows any answer."""

EMPTY = httpx2.Response(200)
SHOWS_NOTHING: dict[str, httpx2.Response] = {
    "an error": success({"error": "not now"}),
    "a page of a proxy": httpx2.Response(200, text="<html>Sign in</html>"),
    "a text": success("accepted"),
    "a number": success(1),
}
IS_EMPTY: dict[str, httpx2.Response] = {
    "empty": EMPTY,
    "no content": httpx2.Response(204),
    "null": success(None),
    "an empty object": success({}),
}
NUMBER = "+447520630142"


async def _outcome(call: Operation[Any], answer: httpx2.Response) -> TelephonyError | None:
    async with answered_by(Provider(answer)) as client:
        try:
            await client.send(call)
        except TelephonyError as error:
            return error
    return None


@pytest.mark.parametrize("tool", WRITES)
async def test_a_write_counts_as_done_only_if_its_answer_shows_it(tool: str) -> None:
    call = example_call(OPERATIONS[tool])
    for form, answer in SHOWS_NOTHING.items():
        assert isinstance(await _outcome(call, answer), OutcomeUnknown), form
    for form, answer in IS_EMPTY.items():
        error = await _outcome(call, answer)
        assert isinstance(error, OutcomeUnknown) is (tool not in NOT_DESCRIBED), form


@pytest.mark.parametrize("tool", READS)
async def test_a_read_that_shows_nothing_is_an_error_and_no_empty_answer(tool: str) -> None:
    call = example_call(OPERATIONS[tool])
    for form, answer in {**SHOWS_NOTHING, **IS_EMPTY}.items():
        assert isinstance(await _outcome(call, answer), UnexpectedAnswer), form


@pytest.mark.parametrize("rows", [None, [], [{"msisdn": NUMBER}]])
async def test_a_list_is_one_also_where_it_is_empty_or_null(rows: list[dict[str, str]] | None) -> None:
    async with answered_by(Provider(success({"content": rows, "totalElements": len(rows or "")}))) as client:
        assert len((await client.send(ListNumbers())).numbers) == len(rows or "")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"content": [{"msisdn": "+306948530955"}], "last": True}, NotFound),
        ({"content": [{"msisdn": 306948530955}], "totalElements": 1}, NotFound),
        ({"content": [], "totalPages": 0}, NotFound),
        ({"content": [{"msisdn": "447520630142"}], "last": False}, None),
        ({"content": []}, UnexpectedAnswer),
        ([], UnexpectedAnswer),
        ({"last": True, "totalElements": 0}, UnexpectedAnswer),
        ({"content": None, "last": True}, UnexpectedAnswer),
        ({"content": [{"msisdn": "+306948530955"}], "last": True, "totalElements": 2}, UnexpectedAnswer),
        ({"content": [{"msisdn": "+306948530955"}], "last": True, "totalPages": 2}, UnexpectedAnswer),
        ({"content": [{"number": NUMBER}], "last": True}, UnexpectedAnswer),
        ({"content": [{"msisdn": {"number": NUMBER}}], "last": True}, UnexpectedAnswer),
        ({"content": [NUMBER], "last": True}, UnexpectedAnswer),
    ],
)
async def test_a_number_is_absent_only_from_a_whole_list_that_shows_every_number(
    answer: object, told: type[TelephonyError] | None
) -> None:
    error = await _outcome(GetNumber(number=NUMBER), success(answer))
    assert type(error) is (told or type(None)), error


@pytest.mark.parametrize(
    "answer",
    [
        [{"id": "c-2", "groups": ["Recall"]}, {"mobile": "+306970000555"}],
        [{"id": "c-2", "groups": "Recall"}],
        ["c-1"],
        {"content": [{"id": "c-2", "groups": []}], "last": False},
        {"content": [{"id": "c-2", "groups": []}], "totalElements": 2},
    ],
)
async def test_a_blacklist_is_picked_from_only_where_it_is_whole_and_shows_what_is_compared(answer: object) -> None:
    for call in (
        RemoveFromBlacklist(service="Sms", contact_ids=["c-1"]),
        RemoveGroupsFromBlacklist(service="Sms", groups=["Recall"]),
    ):
        whole = isinstance(call, RemoveFromBlacklist) and answer == [{"id": "c-2", "groups": "Recall"}]
        assert isinstance(await _outcome(call.before(), success(answer)), UnexpectedAnswer) is not whole


@pytest.mark.parametrize("status", [404, 400])
async def test_only_an_error_of_the_api_itself_says_that_an_object_is_not_there(status: int) -> None:
    own = refused("404009001", status=status)
    others = (refused_at_the_gate(404, "No message available"), httpx2.Response(404, text="nginx"))
    call = example_call(OPERATIONS["routee_get_campaign"])
    assert isinstance(await _outcome(call, own), NotFound)
    assert not any([isinstance(await _outcome(call, other), NotFound) for other in others])


async def test_what_was_deleted_is_named_in_either_form() -> None:
    gone = {"name": "Recall", "deletedContacts": False}
    answers = (success([gone]), success(gone), success(["c-1", "c-2"]))
    async with answered_by(Provider(*answers)) as client:
        for _ in range(2):
            assert [one.name for one in (await client.send(DeleteGroups(groups=["Recall"]))).groups] == ["Recall"]
        assert (await client.send(DeleteContacts(contact_ids=["c-1", "c-2"]))).contact_ids == ["c-1", "c-2"]


async def test_counts_of_a_blacklist_come_as_one_as_text_or_for_each_group() -> None:
    answers = (success({"updated": 3}), success({"updated": "3"}), success([{"updated": 1}, {"updated": 2}]))
    async with answered_by(Provider(*answers)) as client:
        for _ in answers:
            assert (await client.send(RemoveGroupsFromBlacklist(service="Sms", groups=["Recall"]))).updated == 3


async def test_labels_are_none_of_another_object() -> None:
    call = CreateLabels.model_validate({"labels": [{"name": "visits", "type": "Number"}]})
    assert isinstance(await _outcome(call, success({"message": "Text is missing"})), OutcomeUnknown)
    assert await _outcome(call, success({"visits": "Number"})) is None


# Labels of contacts --------------------------------------------------------------------------------------------------

CONTACT: dict[str, Any] = {
    "id": "c-1",
    "mobile": "+306970000555",
    "labels": [
        {"name": "visits", "type": "Number", "value": 5},
        {"name": "rate", "type": "Number", "value": 2.5},
        {"name": "street", "type": "Text", "value": "Harbour 5"},
        {"name": "zip", "value": "05"},
    ],
}


async def test_a_label_of_type_number_is_a_number_in_answers_and_in_what_is_sent_again() -> None:
    page = {"content": [CONTACT], "last": True}
    provider = Provider(success(page), success(CONTACT))
    async with answered_by(provider) as client:
        (contact,) = (await client.send(ListContacts())).contacts
        details = contact.details()
        assert details["labels"] == {"visits": 5, "rate": 2.5, "street": "Harbour 5", "zip": "05"}
        await client.send(UpdateContact(contact_id="c-1", **details))
    sent: list[Mapping[str, Any]] = json.loads(provider.calls[1].content)["labels"]
    assert [(label["name"], label["value"]) for label in sent] == list(details["labels"].items())
    assert [type(label["value"]) for label in sent] == [int, float, str, str]


# Pages ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "more"),
    [
        ({"last": False}, True),
        ({"last": True, "totalPages": 9}, False),
        ({"totalPages": 2}, True),
        ({"totalPages": 1}, False),
        ({"totalElements": 3}, True),
        ({"totalElements": 2}, False),
        ({"totalPages": 2, "totalElements": 2}, True),
        ({"size": 1, "totalElements": 2}, True),
        ({}, True),
    ],
)
async def test_paging_goes_on_as_long_as_anything_says_that_there_is_more(facts: dict[str, Any], more: bool) -> None:
    rows = [{"msisdn": NUMBER}, {"msisdn": "+306948530955"}]
    call = ListNumbers(limit=2)
    async with answered_by(Provider(success({"content": rows, **facts}))) as client:
        assert (call.next_cursor(await client.send(call)) is not None) is more


@pytest.mark.parametrize("rows", [0, 1, 3])
async def test_a_page_without_facts_that_is_not_full_is_the_last(rows: int) -> None:
    call = ListPools(limit=2)
    async with answered_by(Provider(success([{"poolId": f"p-{row}"} for row in range(rows)]))) as client:
        assert call.next_cursor(await client.send(call)) is None


# Leaves --------------------------------------------------------------------------------------------------------------


async def test_one_leaf_that_cannot_be_read_is_left_out_and_named() -> None:
    row: dict[str, Any] = {
        "smsId": 7,
        "part": "one",
        "price": "",
        "latency": [],
        "status": {"status": "Sent", "date": "yesterday"},
    }
    answer: dict[str, Any] = {"content": [row, {"smsId": "s-2", "price": 0.05}], "last": True}
    moment = {"since": "2026-05-18T10:00:00Z", "until": "2026-05-18T12:00:00Z"}
    calls: list[Operation[Any]] = [TrackSms(message_id="m"), ListMessages.model_validate(moment)]
    for call in calls:
        async with answered_by(Provider(success(answer))) as client:
            found = await client.exchange(call)
        assert set(found.unread) == {"content.0.part", "content.0.status.date"}
        assert "'s-2'" in repr(found.answer)


async def test_a_group_is_made_only_where_the_answer_names_it() -> None:
    assert await _outcome(CreateGroup(name="Fresh"), success({"name": "Fresh", "size": 0})) is None
    assert isinstance(await _outcome(CreateGroup(name="Fresh"), success({"size": 0})), OutcomeUnknown)
    assert isinstance(await _outcome(ListGroups(), success({"name": "Fresh"})), UnexpectedAnswer)
