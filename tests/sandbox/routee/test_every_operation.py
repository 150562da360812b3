"""Each operation answers what the documents promise, and refuses what they do not know."""

import re
from collections.abc import Iterator
from typing import cast

import httpx2
import pytest

from sandbox.routee.catalog import ENDPOINTS
from tests.sandbox.contracts import contracts_of_reads
from tests.sandbox.routee import documented
from tests.sandbox.routee.doors import Json, caller, code, control, visitor
from tests.sandbox.routee.examples import Example, at


def from_contracts() -> Iterator[Example]:
    """Yield an example of each plain read that has none beside this module, from its contract."""
    written = {example.name for example in documented.EXAMPLES}
    for spec, contract in contracts_of_reads("routee"):
        template = next(
            (one.path for one in ENDPOINTS if (one.method, _unnamed(one.path)) == (spec.method, _unnamed(spec.path))),
            "",
        )
        if template and f"{spec.method} {template}" not in written:
            request = contract["request"]
            body: object = contract["answer"]["body"]
            yield Example(
                spec.method,
                template,
                fields=" ".join(cast("dict[str, object]", body)) if isinstance(body, dict) else "",
                items=" ".join(cast("list[dict[str, object]]", body)[0]) if isinstance(body, list) else "",
                body=request.get("body"),
                query=request.get("query"),
                prepare=at(request["path"][1:]),
            )


def _unnamed(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path)


EXAMPLES = (*documented.EXAMPLES, *from_contracts())
NAMES = [example.name for example in EXAMPLES]
EVERY = pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)


def test_every_operation_has_an_example() -> None:
    assert sorted(NAMES) == sorted(f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS)


@EVERY
async def test_it_answers_the_documented_fields(example: Example) -> None:
    async with caller() as client:
        answer = await example.send(client, await example.path(client))
        assert answer.status_code == 200, answer.text
        if not example.fields and not example.items:
            assert answer.content == b""
        elif example.fields == "(sound)":
            assert answer.content.startswith(b"RIFF")
        elif example.fields == "(ids)":
            assert answer.json() == example.body
        else:
            _check(example, answer.json())


@EVERY
async def test_it_refuses_an_unknown_field(example: Example) -> None:
    async with caller() as client:
        path = await example.path(client)
        answer = await _send_with_surprise(example, client, path)
        assert answer.status_code == 400
        if example.method != "HEAD":
            assert answer.json()["code"] == "400000000"


async def test_each_refuses_a_caller_without_token() -> None:
    async with visitor() as client:
        answers = {
            example.name: (
                await example.send(client, example.template[1:].replace("{", "").replace("}", ""))
            ).status_code
            for example in EXAMPLES
        }
    assert answers == dict.fromkeys(NAMES, 401)


async def test_each_that_takes_json_refuses_a_form() -> None:
    answers: dict[str, tuple[int, str]] = {}
    async with caller() as client:
        for example in EXAMPLES:
            if example.takes != "nothing":
                path = await example.path(client)
                answer = await client.request(example.method, path, params=example.query, data={"from": "x"})
                answers[example.name] = code(answer)
    assert answers == dict.fromkeys(answers, (400, "400000000"))
    assert len(answers) > 40


async def test_the_description_says_what_each_path_rests_on() -> None:
    async with visitor() as client:
        endpoints = (await control(client, "GET", "providers"))["routee"]["endpoints"]
    assert len(endpoints) == len(ENDPOINTS)
    assert {row["basis"].partition(":")[0] for row in endpoints} == {"documented"}
    search = next(row for row in endpoints if row["path"] == "/numbers/available/search")
    assert search["inferred"] == "that the body is an array"


async def _send_with_surprise(example: Example, client: httpx2.AsyncClient, path: str) -> httpx2.Response:
    """Send it with one field, element or parameter too many."""
    if example.takes == "object":
        return await example.send(client, path, body={**example.body, "surprise": 1})
    if example.takes == "array":
        return await example.send(client, path, body=[*example.body, {"surprise": 1}])
    if example.form is not None:
        return await example.send(client, path, form={**example.form, "surprise": "1"})
    return await example.send(client, path, query={**(example.query or {}), "surprise": "1"})


def _check(example: Example, value: Json) -> None:
    items: list[dict[str, Json]] = value if example.fields == "" else value.get("content", [])
    if example.fields:
        assert set(example.fields.split()) <= set(value)
    if example.items:
        assert items
        for item in items:
            assert set(example.items.split()) <= set(item)
