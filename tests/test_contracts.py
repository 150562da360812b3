"""Every operation, told as: these arguments → exactly this request → this answer → this result.

The files in `contract/` are written from the providers' documents.
"""

import json
import re
from base64 import b64encode
from email.parser import BytesParser
from email.policy import HTTP
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

import httpx2
import pytest
from mcp.types import CallToolResult
from pydantic import BaseModel, ConfigDict, TypeAdapter

from server.mcp.results import OWN_FIELDS
from server.settings.model import settings_class
from tests.connecting import Person, connect, content_of, server_for
from tests.operator_side import OperatorSide, call_approved
from tools.registry import all_operations

FOLDER = Path(__file__).parent / "contract"

ASKS_AT_THE_CLIENT: dict[str, Any] = {"policy": {"irreversible": "ask"}}
"""Leaves to the operator only what nobody else may approve."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WireRequest(_Part):
    """A request in the provider's form. `"*"` in the body stands for a secret that the server made up."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: dict[str, Any] | list[Any] | None = None
    headers: dict[str, str] = {}


class WireAnswer(_Part):
    """What the provider answers; no body for 204."""

    status: int
    body: Any = None


class Read(_Part):
    """A read that the guard makes on the way."""

    method: str
    path: str
    answer: WireAnswer


class Contract(_Part):
    """One case of one operation."""

    arguments: dict[str, Any]
    request: WireRequest
    answer: WireAnswer
    result: dict[str, Any]
    reads: list[Read] = []


def _cases() -> list[Any]:
    one_or_more = TypeAdapter[Contract | list[Contract]](Contract | list[Contract])
    cases: list[Any] = []
    for file in sorted(FOLDER.glob("*.json")):
        content = one_or_more.validate_json(file.read_bytes())
        several = content if isinstance(content, list) else [content]
        cases += [pytest.param(file.stem, case, id=f"{file.stem}-{index}") for index, case in enumerate(several)]
    return cases


class Stub(Protocol):
    """A module of `contract_stubs`."""

    SETTINGS: dict[str, Any]

    def answer(self, request: httpx2.Request, /) -> httpx2.Response: ...


class Provider:
    """Answers the request that the contract names, and the reads that the guard makes on the way."""

    def __init__(self, contract: Contract, stub: Stub) -> None:
        self._contract = contract
        self._stub = stub
        self.seen: list[WireRequest] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        wanted = self._contract.request
        if (request.method, request.url.path) == (wanted.method, wanted.path):
            self.seen.append(_shown(request, wanted))
            return _response(self._contract.answer)
        for read in self._contract.reads:
            if (request.method, request.url.path) == (read.method, read.path):
                return _response(read.answer)
        return self._stub.answer(request)


@pytest.mark.parametrize(("tool", "contract"), _cases())
async def test_a_call_becomes_exactly_the_documented_request_and_result(
    tool: str, contract: Contract, operator: OperatorSide
) -> None:
    name = all_operations()[tool].spec.provider.name
    stub = cast("Stub", import_module(f"tests.contract_stubs.{name}"))
    provider = Provider(contract, stub)
    settings = settings_class().model_validate({name: stub.SETTINGS, "tools": [tool], **ASKS_AT_THE_CLIENT})
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(provider)) as http:
        _, server = server_for(settings, http=http)
        async with connect(server, person=Person()) as client:
            result = await call_approved(client, operator, tool, contract.arguments)
    assert not result.is_error, _text(result)
    assert provider.seen, "the request of the contract was not made"
    assert provider.seen[-1] == contract.request
    assert _comparable(result) == contract.result


@pytest.mark.parametrize("tool", sorted(all_operations()))
def test_every_operation_has_a_contract(tool: str) -> None:
    assert (FOLDER / f"{tool}.json").is_file(), f"write tests/contract/{tool}.json from the provider's documents"


def test_every_contract_belongs_to_an_operation() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} <= set(all_operations())


def _shown(request: httpx2.Request, wanted: WireRequest) -> WireRequest:
    body = _body(request)
    if isinstance(wanted.body, dict):
        body |= {name: "*" for name, value in wanted.body.items() if value == "*" and name in body}
    return WireRequest(
        method=request.method,
        path=request.url.raw_path.decode("ascii").partition("?")[0],
        query=dict(request.url.params),
        body=body,
        headers={name: "*" for name in request.headers if name == "idempotency-key"},
    )


def _body(request: httpx2.Request) -> Any:
    if not request.content:
        return None
    if request.headers["content-type"].startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.content.decode("utf-8"), keep_blank_values=True))
    if request.headers["content-type"].startswith("multipart/form-data"):
        return _multipart(request)
    return json.loads(request.content)


def _multipart(request: httpx2.Request) -> dict[str, Any]:
    """Return the fields of a form with files; a file becomes its name and its content in base64."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode("latin-1")
    fields: dict[str, Any] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + request.content).iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = cast("bytes", part.get_payload(decode=True))
        file = part.get_filename()
        fields[name] = {"file": file, "base64": b64encode(content).decode()} if file else content.decode("utf-8")
    return fields


def _comparable(result: CallToolResult) -> Any:
    """Return the answer in the structured result, its lists as objects, with a fixed word for the random fence tag."""
    content = {name: value for name, value in content_of(result).items() if name not in OWN_FIELDS}
    return json.loads(re.sub(r"outside-[0-9a-f]{12}", "fence", json.dumps(content, ensure_ascii=False)))


def _response(answer: WireAnswer) -> httpx2.Response:
    if answer.body is None:
        return httpx2.Response(answer.status)
    return httpx2.Response(answer.status, json=answer.body)


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
