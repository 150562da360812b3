"""What holds for all operations of VoiceTel."""

from dataclasses import replace

import httpx2
import pytest

from sandbox.voicetel.catalog import ENDPOINTS
from tests.sandbox.voicetel.documented.catalog import OPERATIONS
from tests.sandbox.voicetel.documented.operation import Body, Documented
from tests.sandbox.voicetel.doors import KEY, bearer, customer
from tests.sandbox.voicetel.shapes import assert_shape

WRONG_VALUES: tuple[object, ...] = (None, {"nested": True}, 1.5)

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def credentials(operation: Documented) -> dict[str, str]:
    """Return the authorization header that an operation needs, if any."""
    return bearer(operation.key) if operation.key else {}


async def send(
    client: httpx2.AsyncClient, operation: Documented, *, body: Body | None = None, query: dict[str, str] | None = None
) -> httpx2.Response:
    """Make the documented call, or the same with another body or other query parameters."""
    for method, path in operation.before:
        await client.request(method, path, headers=bearer(KEY))
    return await client.request(
        operation.method,
        operation.path,
        json=operation.body if body is None else body,
        params=operation.query if query is None else query,
        headers=credentials(operation),
    )


def assert_error(answer: httpx2.Response, status: int, operation: Documented | None = None) -> None:
    """Fail unless the answer is the documented error envelope with this status."""
    assert answer.status_code == status, f"{operation}: {answer.text}"
    envelope = answer.json()
    assert envelope["status"] == "error"
    assert envelope["error"]["code"] == status
    assert isinstance(envelope["error"]["message"], str)


def test_the_documents_and_the_simulation_name_the_same_operations() -> None:
    documented = {(operation.method, operation.path) for operation in OPERATIONS}
    assert len(OPERATIONS) == len(documented) == len(ENDPOINTS)
    for method, path in documented:
        assert any(
            endpoint.method == method and endpoint.pattern.fullmatch(f"/v2.2/{path}") for endpoint in ENDPOINTS
        ), path


@every_operation
async def test_answers_in_its_documented_shape(operation: Documented) -> None:
    async with customer("") as client:
        answer = await send(client, operation)
    assert answer.status_code == operation.status, answer.text
    if operation.shape is None:
        assert answer.content == b""
    else:
        envelope = answer.json()
        assert envelope.keys() == {"status", "data"}
        assert envelope["status"] == "success"
        assert_shape(envelope["data"], operation.shape)


async def test_an_unknown_query_parameter_is_refused() -> None:
    async with customer("") as client:
        for operation in OPERATIONS:
            answer = await send(client, operation, query={**(operation.query or {}), "verbose": "1"})
            assert_error(answer, 400, operation)


async def test_an_unknown_field_or_a_body_where_none_belongs_is_refused() -> None:
    async with customer("") as client:
        for operation in OPERATIONS:
            answer = await send(client, operation, body={**(operation.body or {}), "dryRun": True})
            assert_error(answer, 400, operation)


@every_operation
async def test_refuses_to_go_without_a_required_member(operation: Documented) -> None:
    for name in operation.required:
        async with customer("") as client:
            body = operation.body and {key: value for key, value in operation.body.items() if key != name}
            query = operation.query and {key: value for key, value in operation.query.items() if key != name}
            assert_error(await send(client, operation, body=body, query=query), 400)


@every_operation
async def test_refuses_fields_of_another_type(operation: Documented) -> None:
    for name in operation.body or ():
        for wrong in WRONG_VALUES:
            async with customer("") as client:
                assert_error(await send(client, operation, body={**(operation.body or {}), name: wrong}), 400)


@pytest.mark.parametrize("key", ["", "00000000000000000000000000000000"])
async def test_a_key_is_needed_unless_the_operation_is_public(key: str) -> None:
    async with customer(key) as client:
        for operation in OPERATIONS:
            answer = await client.request(operation.method, operation.path, json=operation.body, params=operation.query)
            if operation.key:
                assert_error(answer, 401, operation)
            else:
                assert answer.status_code == operation.status


async def test_a_method_that_the_path_does_not_have_is_refused() -> None:
    async with customer() as client:
        for operation in OPERATIONS:
            answer = await client.request("OPTIONS", operation.path)
            assert_error(answer, 405, operation)
            assert operation.method in answer.headers["allow"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"[{}]", "application/json"),
        (b"{}", "text/plain"),
        (b"", ""),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(content: bytes, content_type: str) -> None:
    async with customer() as client:
        for operation in OPERATIONS:
            if operation.body is not None:
                headers = {**credentials(operation), "content-type": content_type}
                answer = await client.request(operation.method, operation.path, content=content, headers=headers)
                assert_error(answer, 400, operation)


@pytest.mark.parametrize("path", ["nothing", "numbers/", "accounts/1", "/voicetel/v2.1/numbers", "e911/1/2"])
async def test_an_unknown_path_is_not_found(path: str) -> None:
    async with customer() as client:
        assert_error(await client.get(path), 404)


async def test_every_operation_for_administrators_is_refused_with_an_ordinary_key() -> None:
    for_administrators = [("POST", "account"), ("DELETE", "support/tickets/30412")]
    operations = {(operation.method, operation.path): operation for operation in OPERATIONS}
    for name in for_administrators:
        operation = replace(operations[name], key=KEY)
        async with customer("") as client:
            assert_error(await send(client, operation), 403)
