"""Answers that come a byte at a time, or stop in the middle: no call waits for hours, and none is taken for done."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from clients.errors import OutcomeUnknown, ProviderFailed, ProviderUnreachable
from clients.shared.http_client import HttpPool
from tests.clients.accounts import Pauses
from tools.voicetel.client import VoiceTel
from tools.voicetel.operations.account import GetAccount
from tools.voicetel.operations.messaging import SendMessage
from tools.voicetel.operations.ordering import OrderNumbers
from tools.voicetel.operations.phone_numbers import ListNumbers

MESSAGE = SendMessage(from_number="+12015550142", to_number="+19175550161", text="Your visit is tomorrow.")
ORDER = OrderNumbers(numbers=["+12015550101"])
LOGIN = {"username": "2015550100", "password": "Harbor2026"}
KEY = "0123456789abcdef0123456789abcdef"
WHOLE = b'{"status":"success","data":{"orderId":"o-1","amountCharged":1.0,"numbersOrdered":["2015550101"],"failed":[]}}'
CREATED = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nconnection: close\r\n"

IN_PART = {
    "less than was announced": CREATED + b"content-length: %d\r\n\r\n" % len(WHOLE) + WHOLE[:60],
    "a chunk without its end": CREATED + b"transfer-encoding: chunked\r\n\r\n40\r\n" + WHOLE[:30],
    "half the JSON": CREATED + b"\r\n" + WHOLE[:60],
    "nothing but the status": CREATED + b"\r\n",
    "half the head": CREATED[:40],
}
"""What of a 201 arrives before the connection ends."""


@pytest.mark.parametrize("sent", IN_PART.values(), ids=IN_PART)
async def test_a_201_of_which_a_part_is_missing_leaves_a_write_unknown(sent: bytes) -> None:
    async with _provider([sent]) as (url, requests), _client(url) as client:
        with pytest.raises(OutcomeUnknown, match="It may have taken effect"):
            await client.send(MESSAGE)
    assert len(requests) == 1


async def test_an_order_whose_201_came_in_part_is_sent_again_under_its_key_and_answered_whole() -> None:
    whole = CREATED + b"content-length: %d\r\n\r\n" % len(WHOLE) + WHOLE
    async with _provider([IN_PART["less than was announced"], whole]) as (url, requests), _client(url) as client:
        order = await client.send(ORDER, idempotency_key="act-1")
    assert order.order_id == "o-1"
    assert [b"idempotency-key: act-1" in request.lower() for request in requests] == [True, True]


async def test_a_201_that_names_fewer_numbers_than_were_ordered_says_which_are_missing() -> None:
    body = (
        b'{"status":"success","data":{"orderId":"o-1","amountCharged":1.0,"numbersOrdered":["2015550101"],'
        b'"failed":[{"number":"2015550102","reason":"taken"}]}}'
    )
    answer = CREATED + b"content-length: %d\r\n\r\n" % len(body) + body
    async with _provider([answer]) as (url, _), _client(url) as client:
        order = await client.send(OrderNumbers(numbers=["+12015550101", "+12015550102"]))
    assert order.numbers_ordered == ["+12015550101"]
    assert [row.number for row in order.failed] == ["+12015550102"]


async def test_a_write_whose_answer_drips_is_given_up_in_time_and_may_have_taken_effect() -> None:
    async with _provider([], drips=True) as (url, requests), _client(url) as client:
        with anyio.fail_after(60), pytest.raises(OutcomeUnknown, match="ReadTimeout"):
            await client.send(MESSAGE)
    assert len(requests) == 1


async def test_a_read_whose_answer_drips_fails_in_time_and_lets_those_that_wait_for_it_go_on() -> None:
    outcomes: list[str] = []
    async with _provider([], drips=True) as (url, requests), _client(url) as client:

        async def read() -> None:
            with pytest.raises(ProviderFailed, match="reading changes nothing"):
                await client.send(GetAccount())
            outcomes.append("failed")

        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(read)
    assert outcomes == ["failed"] * 2
    assert len(requests) == 6


async def test_a_login_whose_answer_drips_is_given_up_in_time_and_the_call_is_not_sent() -> None:
    async with _provider([], drips=True) as (url, requests), _client(url, api_key=None, **LOGIN) as client:
        with anyio.fail_after(60), pytest.raises(ProviderUnreachable, match="the call itself was not sent"):
            await client.send(ListNumbers())
    assert all(b"api-key" in request for request in requests)


@asynccontextmanager
async def _client(url: str, **login: Any) -> AsyncGenerator[VoiceTel]:
    """Open a client that waits a fifth of a second for a whole answer, and as long as it likes for the next byte."""
    async with HttpPool() as pool:
        yield VoiceTel(base_url=url, http=pool, pause=Pauses(), answer_within=0.2, **(login or {"api_key": KEY}))


@asynccontextmanager
async def _provider(answers: list[bytes], *, drips: bool = False) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """Serve one answer a connection; with `drips`, each is a byte at a time and never ends."""
    requests: list[bytes] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            requests.append(await stream.receive())
            if not drips:
                await stream.send(answers.pop(0))
                return
            await stream.send(CREATED + b"content-length: 99999999\r\n\r\n")
            try:
                while True:
                    await stream.send(b" ")
                    await anyio.lowlevel.checkpoint()
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}", requests  # noqa: S610 - a socket's
        group.cancel_scope.cancel()
