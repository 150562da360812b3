"""What a request looks like when it leaves: its path, its connection, and what it does not carry."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import unquote

import anyio
import httpx2
import pytest
from anyio.abc import SocketAttribute, SocketStream
from hypothesis import given
from hypothesis import strategies as st

from clients.effects import Effect
from clients.errors import InvalidRequest
from clients.operation import Done, Operation
from clients.shared.http_client import HttpPool
from clients.wire.corrections import Correction, endpoint_of
from clients.wire.request import build_request
from sandbox.voicetel.seed import API_KEY, PASSWORD
from tests.clients import convirza_accounts
from tests.clients.accounts import Provider, account, answered_by, http_client, sandboxes, success
from tools.convirza.internal_reads import FindTag
from tools.convirza.operations.tags import ListTags
from tools.voicetel.client import VoiceTel, voicetel
from tools.voicetel.operations.lookups import LookUpLrn
from tools.voicetel.operations.messaging import SendMessage
from tools.voicetel.operations.ordering import SearchInventory
from tools.voicetel.operations.phone_numbers import ListNumbers


@voicetel.operation("DELETE", "/v2.2/folders/{folder}/notes/{note}", effect=Effect.DESTRUCTIVE, toolset="x", docs="#x")
class RemoveNote(Operation[Done]):
    """An operation whose path is filled with free text."""

    folder: str
    note: str | None = None


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_value_fills_exactly_its_own_place_in_the_path(folder: str, note: str) -> None:
    call = RemoveNote(folder=folder, note=note)
    if {folder, note} & {".", ".."}:
        with pytest.raises(InvalidRequest):
            build_request(call)
        return
    path = build_request(call).path
    assert path.isascii()
    assert not set(path) & set("?#\\ ")
    _, version, folders, first, notes, second = path.split("/")
    assert (version, folders, notes) == ("v2.2", "folders", "notes")
    assert (unquote(first), unquote(second)) == (folder, note)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [("../x", "..%2Fx"), ("a b", "a%20b"), ("x?y=1#z", "x%3Fy%3D1%23z"), ("%2e%2e", "%252e%252e"), ("é", "%C3%A9")],
)
async def test_a_value_is_still_encoded_when_it_leaves(value: str, encoded: str) -> None:
    provider = Provider(httpx2.Response(204))
    async with answered_by(provider) as client:
        await client.send(RemoveNote(folder="1", note=value))
    assert provider.requests[0].url.raw_path == f"/v2.2/folders/1/notes/{encoded}".encode()


@pytest.mark.parametrize("value", ["", ".", "..", None])
async def test_a_value_that_would_make_it_another_path_is_refused_before_anything_is_sent(value: str | None) -> None:
    provider = Provider(httpx2.Response(204))
    async with answered_by(provider) as client:
        with pytest.raises(InvalidRequest, match=r"note: .* nothing was sent") as caught:
            await client.send(RemoveNote(folder="1", note=value))
    assert provider.requests == []
    assert caught.value.nothing_changed


async def test_numbers_leave_in_the_providers_form() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await client.send(LookUpLrn(number="(917) 555-0161", caller="+1 201 555 0142"))
        await client.send(SendMessage(from_number="2015550142", to_number="9175550161", text="Hello."))
        lookup, message = await sandbox.requests()
    assert lookup["path"] == "/v2.2/lrn/9175550161/2015550142"
    assert lookup["query"] == {}
    assert message["body"] == {"fromNumber": "2015550142", "toNumber": "9175550161", "text": "Hello."}


async def test_what_was_left_out_is_not_sent() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await client.send(SearchInventory(tn_mask="201", province="NJ"))
        (search,) = await sandbox.requests()
    assert search["query"] == {"tnMask": "201", "quantity": "10", "province": "NJ"}
    assert search["body"] is None


async def test_a_path_may_be_replaced_where_the_settings_say_so() -> None:
    provider = Provider(success({"numbers": []}))
    async with answered_by(
        provider, corrections={endpoint_of(ListNumbers.spec): Correction(path="/v2.3/dids")}
    ) as client:
        await client.send(ListNumbers())
    assert provider.requests[0].url.path == "/v2.3/dids"


async def test_a_correction_counts_for_every_call_of_its_endpoint_and_may_name_method_and_fields() -> None:
    correction = Correction(
        method="POST",
        path="/v3/labels",
        fields={"limit": "page_size"},
        answer_fields={"tag_id": "label_id", "tags": "labels"},
    )
    sent: list[httpx2.Request] = []

    def convirza_of_another_kind(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "oauth.test":
            return convirza_accounts.tokens("token-of-another-kind", "renewal-of-another-kind")
        sent.append(request)
        return convirza_accounts.success({"labels": [{"label_id": 7, "tag_name": "Sale"}], "total": 1})

    async with convirza_accounts.answered_by(
        convirza_of_another_kind, corrections={endpoint_of(ListTags.spec): correction}
    ) as client:
        listed = await client.send(ListTags())
        found = await client.send(FindTag(tag_id=7))
    assert [(tag.tag_id, tag.name) for tag in listed.tags] == [(7, "Sale")]
    assert found.name == "Sale"
    assert [(request.method, request.url.path) for request in sent] == [("POST", "/v3/labels")] * 2
    assert json.loads(sent[-1].content) == {"page_size": 200, "offset": 0}


async def test_a_base_url_may_end_with_a_slash() -> None:
    provider = Provider(success({"numbers": []}))
    async with (
        httpx2.AsyncClient(transport=httpx2.MockTransport(provider)) as http,
        VoiceTel(api_key=API_KEY, base_url="https://voicetel.test/api/", http=HttpPool(given=http)) as client,
    ):
        await client.send(ListNumbers())
    assert str(provider.requests[0].url) == "https://voicetel.test/api/v2.2/numbers"


async def test_leaving_closes_the_clients_own_connections_and_nobody_elses() -> None:
    async with sandboxes() as sandbox, http_client() as shared:
        async with VoiceTel(api_key=API_KEY, base_url=sandbox.voicetel, http=HttpPool(given=shared)) as client:
            await client.send(ListNumbers())
        assert not shared.is_closed
        async with VoiceTel(api_key=API_KEY, base_url=sandbox.voicetel) as alone:
            await alone.send(ListNumbers())


async def test_an_account_is_told_by_its_provider_where_it_lives_and_who_it_is_there() -> None:
    async with VoiceTel(username="2015550100", password=PASSWORD) as client, VoiceTel(api_key=API_KEY) as other:
        assert client.account == "voicetel at api.voicetel.com as 2015550100"
        assert other.account.startswith("voicetel at api.voicetel.com as ")
        assert API_KEY not in other.account


@asynccontextmanager
async def baker(seen: list[bytes]) -> AsyncGenerator[str]:
    """Serve a provider that sets a cookie and records what it receives."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            seen.append(await stream.receive())
            body = b'{"status":"success","data":{"numbers":[]}}'
            head = b"HTTP/1.1 200 OK\r\nset-cookie: session=first-account; Path=/\r\nconnection: close\r\n"
            await stream.send(head + b"content-length: %d\r\n\r\n" % len(body) + body)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"  # noqa: S610 - a socket's, not Django's
        group.cancel_scope.cancel()


async def test_a_cookie_of_one_account_does_not_travel_with_the_next() -> None:
    seen: list[bytes] = []
    async with baker(seen) as url, HttpPool() as shared:
        for key in ("first-key-of-an-account", "other-key-of-an-account"):
            async with VoiceTel(api_key=key, base_url=url, http=shared) as client:
                await client.send(ListNumbers())
    assert b"first-key" in seen[0]
    assert b"other-key" in seen[1]
    assert b"cookie" not in seen[1].lower()
