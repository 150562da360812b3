"""Tools, simulation and contracts of VoiceTel, held against its public OpenAPI document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast, get_args

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel

from clients.operation import OperationType, answer_type
from tests.sandbox.voicetel.documented.catalog import OPERATIONS
from tests.sandbox.voicetel.documented.operation import MAIN, Documented
from tests.sandbox.voicetel.doors import KEY, advance, bearer, customer
from tests.voicetel_document import (
    FILE,
    Schema,
    operation_at,
    operations,
    path_values,
    resolve,
    undocumented,
    violations,
    without_names,
)
from tools.registry import operations_of

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="VoiceTel's public document does not lie beside the project")

CONTRACTS: Final = Path(__file__).parent / "contract"

ROOT: Final = "/v2.2/"

SINCE_THE_DOCUMENT: Final = {
    "set_port_out_pin": {"changed"},
    "assign_campaign": {"status", "alreadyAssigned", "orderId", "warning", "message", "job"},
    "get_number_messaging": {"pending"},
    "list_number_messaging": {"numbers.pending"},
    "get_campaign_status": {"campaigns.dca"},
}
"""Members that newer servers have: the vendor's SDK names them since 2.2.14."""

SHARED_MODELS: Final = {
    "list_gateway_numbers": {"numbers.route", "numbers.gateway"},
    "look_up_lrn": {"lrn.lectype"},
}
"""Members that another answer has which shares the model, or that are read whatever their case."""

CUSTOMER: Final = "the customer knows its own profile; who wrote is enough"
BOOKKEEPING: Final = "bookkeeping of VoiceTel's staff"
COPIES: Final = "who gets copies by mail is not decided here"
THREAD: Final = "voicetel_get_ticket and voicetel_list_ticket_messages show the messages"

_TICKET: Final = {
    **{
        f"customer.{name}": CUSTOMER
        for name in ("company", "updatedAt", "jobTitle", "notes", "id", "createdAt", "embedded", "type", "photoUrl")
    },
    "customer.photoType": CUSTOMER,
    "bcc": COPIES,
    "cc": COPIES,
    "createdBy": "the customer, or staff on its behalf",
    "type": "how the ticket came in",
    "source": "how the ticket came in",
    **dict.fromkeys(
        (
            *("customerWaitingSince", "customFields", "folderId", "userUpdatedAt", "closedByUser", "threadsCount"),
            *("mailboxId", "assignee", "closedBy"),
        ),
        BOOKKEEPING,
    ),
}
_MESSAGE: Final = {
    "bcc": COPIES,
    "cc": COPIES,
    "to": COPIES,
    "customer": CUSTOMER,
    "createdBy": "its mail address is shown; the rest is a profile",
    "source": "how the message came in",
    "status": "the ticket has it",
    "state": "drafts are left out, so it is always `published`",
    "openedAt": "who opened a mail when is nobody's business",
    **dict.fromkeys(("ratingComment", "rating", "assignedTo", "action"), BOOKKEEPING),
    **{f"embedded.attachments.{name}": "name and address are enough" for name in ("size", "id", "mimeType")},
}

NOT_SHOWN: Final = {
    "list_ports": {"ports.id": "calls take the pid"},
    "get_port": {"port.id": "calls take the pid"},
    "look_up_lrn": {"lrn.lecType": "read as `lectype`: the documents disagree on the case, so all names are lowered"},
    "update_authentication": {"updated.value": "the call itself names the new mode, and a password is not echoed"},
    "list_tickets": {**{f"tickets.{name}": why for name, why in _TICKET.items()}, "tickets.embedded": THREAD},
    **{
        tool: {
            **{f"ticket.{name}": why for name, why in _TICKET.items()},
            **{f"ticket.embedded.threads.{name}": why for name, why in _MESSAGE.items()},
        }
        for tool in ("get_ticket", "create_ticket")
    },
    "list_ticket_messages": {f"messages.{name}": why for name, why in _MESSAGE.items()},
}
"""Members that our answers leave out, and why."""


def test_the_document_and_the_tools_name_the_same_calls() -> None:
    ours = {(tool.spec.method, without_names(tool.spec.path)) for tool in _documented_tools()}
    assert ours == operations().keys()


async def test_every_simulated_answer_is_one_of_the_document() -> None:
    wrong: dict[str, list[str]] = {}
    known = {name for names in SINCE_THE_DOCUMENT.values() for name in names}
    for row in _in_the_document():
        operation = operation_at(row.method, ROOT + row.path)
        async with customer("") as client:
            for method, path in row.before:
                await client.request(method, path, headers=bearer(KEY))
            headers = bearer(row.key) if row.key else None
            answer = await client.request(row.method, row.path, json=row.body, params=row.query, headers=headers)
        schema = operation.answer(answer.status_code)
        if schema is None:
            assert not answer.content
            continue
        envelope = answer.json()
        found = violations(envelope, schema)
        found += [name for name in undocumented(envelope["data"], _data(row)) if name.replace("[]", "") not in known]
        if found:
            wrong[str(row)] = found
    assert wrong == {}


async def test_every_simulated_refusal_of_a_malformed_call_is_one_of_the_document() -> None:
    wrong: dict[str, list[str]] = {}
    async with customer("") as client:
        for row in _in_the_document():
            operation = operation_at(row.method, ROOT + row.path)
            credentials = bearer(row.key) if row.key else {}
            tries: list[tuple[dict[str, str], int]] = [({}, 401)] if row.key else []
            if "400" in operation.content["responses"] and operation.body and resolve(operation.body).get("required"):
                tries.append((credentials, 400))
            for headers, status in tries:
                answer = await client.request(row.method, row.path, json={}, headers=headers)
                assert answer.status_code == status, f"{row}: {answer.text}"
                schema = operation.answer(status)
                if schema is not None and (found := violations(answer.json(), schema)):
                    wrong[f"{row} {status}"] = found
    assert wrong == {}


def test_what_a_tool_sends_is_what_the_document_takes() -> None:
    """Each contract holds the exact request of a call."""
    found = {
        tool.spec.name: [fault for contract in _contracts_of(tool) for fault in _faults_of(contract["request"])]
        for tool in _documented_tools()
    }
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_first_answer_of_a_contract_is_one_of_the_document() -> None:
    found = {tool.spec.name: list(_faults_of_answer(tool, _contracts_of(tool)[0])) for tool in _documented_tools()}
    assert {name: faults for name, faults in found.items() if faults} == {}


ROWS_OF_A_KIND: Final = {
    "sms": {"direction", "rate", "message", "number"},
    "mms": {"direction", "rate", "message", "number"},
    "dlr": {"destinationNumber", "sourceNumber"},
}
"""The members of a message's record, which its description says of each: `(sms and mms only)`, `(dlr only)`."""


def test_the_document_still_says_which_members_a_kind_of_message_has() -> None:
    messages = resolve(operation_at("GET", "/v2.2/messages").data or {})["properties"]["messages"]
    members: dict[str, Schema] = messages["items"]["properties"]["value"]["properties"]
    said = {
        kind: {name for name, member in members.items() if kind in member["description"].rpartition("(")[2]}
        for kind in ROWS_OF_A_KIND
    }
    assert said == ROWS_OF_A_KIND
    assert members["number"]["description"].startswith("Far-end number")


@pytest.mark.parametrize("kind", ROWS_OF_A_KIND)
async def test_a_simulated_record_has_the_members_of_its_kind(kind: str) -> None:
    text = {"fromNumber": MAIN, "toNumber": "9175550161", "text": "See you tomorrow."}
    async with customer() as client:
        await client.post("messages", json=text)
        await advance(client, 60)
        rows = (await client.get("messages", params={"number": MAIN, "type": kind})).json()["data"]["messages"]
    assert rows
    assert all(row["value"].keys() == ROWS_OF_A_KIND[kind] for row in rows)


def test_every_field_of_an_answer_is_in_the_document() -> None:
    unknown: dict[str, set[str]] = {}
    for tool in _documented_tools():
        name = tool.spec.name
        named, shown = _fields_of(tool)
        known = SINCE_THE_DOCUMENT.get(name, set()) | SHARED_MODELS.get(name, set())
        if found := _not_within({one for one in named if not any(_lies_in(leaf, one) for leaf in shown)}, known):
            unknown[name] = found
    assert unknown == {}


def test_every_field_of_the_document_is_shown_or_left_out_for_a_reason() -> None:
    left_out: dict[str, set[str]] = {}
    for tool in _documented_tools():
        named, shown = _fields_of(tool)
        if found := _not_within(shown, named):
            left_out[tool.spec.name] = found
    reasons = {name: set(whys) for name, whys in NOT_SHOWN.items()}
    untold = {name: _not_within(leaves, reasons.get(name, set())) for name, leaves in left_out.items()}
    assert {name: found for name, found in untold.items() if found} == {}, "add them, or say why not"
    unused = {
        name: {one for one in whys if not any(_lies_in(leaf, one) for leaf in left_out.get(name, ()))}
        for name, whys in reasons.items()
    }
    assert {name: found for name, found in unused.items() if found} == {}, "these are shown"


def _documented_tools() -> list[OperationType]:
    return [tool for tool in operations_of("voicetel").values() if tool.spec.basis.weakest == "documented"]


def _fields_of(tool: OperationType) -> tuple[set[str], set[str]]:
    """Return what the model of an answer reads, and what the document has."""
    model = answer_type(tool)
    model.model_rebuild()
    schema = operations()[tool.spec.method, without_names(tool.spec.path)].data
    return set(_leaves_of(model)), set(_leaves_in(schema)) if schema else set()


def _not_within(names: set[str], wholes: set[str]) -> set[str]:
    return {name for name in names if not any(_lies_in(name, whole) for whole in wholes)}


def _contracts_of(tool: OperationType) -> list[dict[str, Any]]:
    content = json.loads((CONTRACTS / f"{tool.spec.tool_name}.json").read_text(encoding="utf-8"))
    return cast("list[dict[str, Any]]", content if isinstance(content, list) else [content])


def _faults_of(request: dict[str, Any]) -> Iterator[str]:
    """Yield what the document does not allow in a request."""
    operation = operation_at(request["method"], request["path"])
    for place, values in (("path", path_values(operation, request["path"])), ("query", request.get("query", {}))):
        known = operation.parameters(place)
        yield from (f"{place} {name} is not documented" for name in values.keys() - known.keys())
        yield from (
            f"{place} {name} is missing"
            for name, parameter in known.items()
            if parameter["required"] and name not in values
        )
        for name in values.keys() & known.keys():
            schema = known[name]["schema"]
            value = int(values[name]) if schema["type"] == "integer" else values[name]
            yield from (f"{place} {name}: {fault}" for fault in violations(value, schema))
    body = request.get("body")
    if body is None:
        if operation.body is not None and operation.content["requestBody"].get("required"):
            yield "the body is missing"
    elif operation.body is None:
        yield "no body is documented"
    else:
        yield from (fault for fault in violations(body, operation.body) if "'*'" not in fault)  # a secret
        yield from (f"{name} is not documented" for name in undocumented(body, operation.body))


def _faults_of_answer(tool: OperationType, contract: dict[str, Any]) -> Iterator[str]:
    """Yield what the document does not have in the answer of a contract."""
    request, answer = contract["request"], contract["answer"]
    schema = operation_at(request["method"], request["path"]).answer(answer["status"])
    body = answer.get("body")
    if schema is None:
        if body is not None:
            yield "no body is documented"
        return
    known = {f"data.{name}" for name in SINCE_THE_DOCUMENT.get(tool.spec.name, ())}
    yield from violations(body, schema)
    yield from (name for name in undocumented(body, schema) if name.replace("[]", "") not in known)


def _in_the_document() -> Iterator[Documented]:
    for row in OPERATIONS:
        try:
            operation_at(row.method, ROOT + row.path)
        except LookupError:
            continue
        yield row


def _data(row: Documented) -> Schema:
    data = operation_at(row.method, ROOT + row.path).data
    assert data is not None
    return data


def _lies_in(name: str, whole: str) -> bool:
    return name == whole or name.startswith(whole + ".")


def _leaves_in(schema: Schema, at: str = "") -> Iterator[str]:
    """Yield the members of a schema at any depth, such as `numbers.campaign.id`; lists do not show in the name."""
    schema = resolve(schema)
    if "items" in schema:
        yield from _leaves_in(schema["items"], at)
    elif members := cast("dict[str, Schema]", schema.get("properties", {})):
        for name, member in members.items():
            yield from _leaves_in(member, f"{at}.{name}".removeprefix("."))
    else:
        yield at


def _leaves_of(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """Yield what a model reads, under the provider's names, as `_leaves_in` does."""
    for name, field in model.model_fields.items():
        alias = field.validation_alias or name
        if isinstance(alias, AliasChoices):
            alias = alias.choices[0]
        path = ".".join(map(str, alias.path)) if isinstance(alias, AliasPath) else alias
        place = f"{at}.{path}".removeprefix(".")
        models = list(_models_in(field.annotation))
        for inner in models:
            yield from _leaves_of(inner, place)
        if not models:
            yield place


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
