"""A write that gets no clear answer is never sent a second time."""

import socket
from typing import Any

import httpx2
import pytest

from clients.errors import NotSent, OutcomeUnknown, ProviderUnreachable, RateLimited
from clients.operation import Operation
from clients.shared.http_client import HttpPool
from sandbox.voicetel.seed import API_KEY
from tests.clients.accounts import Pauses, Provider, account, answered_by, http_client, sandboxes
from tools.voicetel.client import VoiceTel
from tools.voicetel.operations.account import UpdateAccount
from tools.voicetel.operations.lookups import LookUpCnam, LookUpLrn
from tools.voicetel.operations.messaging import SendMessage
from tools.voicetel.operations.phone_numbers import AddNumber, ListNumbers, ReleaseNumber

MESSAGE = SendMessage(from_number="+12015550142", to_number="+19175550161", text="Your visit is tomorrow.")
WRITES: list[Operation[Any]] = [
    MESSAGE,
    AddNumber(number="+12015550101"),
    ReleaseNumber(number="+12015550143"),
    UpdateAccount(timezone="America/Chicago"),
]
LOOKUPS: list[Operation[Any]] = [
    LookUpCnam(number="+19175550161"),
    LookUpLrn(number="+19175550161", caller="+12015550142"),
]
NO_CLEAR_ANSWER: list[dict[str, Any]] = [
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    *({"kind": "status", "status": status, "after_effect": True} for status in (500, 502, 503, 504)),
    {"kind": "status", "status": 503, "retry_after": 1},
]


@pytest.mark.parametrize("failure", NO_CLEAR_ANSWER)
async def test_a_write_or_a_lookup_that_bills_is_sent_once_when_no_clear_answer_comes(failure: dict[str, Any]) -> None:
    pauses = Pauses()
    async with sandboxes() as sandbox, account(sandbox, pause=pauses) as client:
        for operation in WRITES + LOOKUPS:
            await sandbox.break_with(**failure)
            with pytest.raises(OutcomeUnknown, match="It may have taken effect") as caught:
                await client.send(operation)
            assert not caught.value.nothing_changed
        sent = [(row["method"], row["path"]) for row in await sandbox.requests()]
        charged = [charge["what"] for charge in await sandbox.charges()]
    assert len(sent) == len(set(sent)) == len(WRITES + LOOKUPS)
    assert len(charged) == len(set(charged))
    assert pauses == []


async def test_a_write_that_takes_too_long_may_have_taken_effect() -> None:
    async with sandboxes() as sandbox, account(sandbox, patience=0.1) as client:
        for operation in WRITES + LOOKUPS:
            await sandbox.break_with("hold")
            with pytest.raises(OutcomeUnknown, match="ReadTimeout"):
                await client.send(operation)
        assert len(await sandbox.requests()) == len(WRITES + LOOKUPS)


@pytest.mark.parametrize("shape", ["broken_json", "wrong_shape"])
async def test_a_write_that_is_answered_with_nonsense_may_have_taken_effect(shape: str) -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        for operation in WRITES + LOOKUPS:
            await sandbox.break_with("malformed", shape=shape, after_effect=True)
            with pytest.raises(OutcomeUnknown, match="It may have taken effect") as caught:
                await client.send(operation)
            assert not caught.value.nothing_changed
            assert caught.value.raw.startswith('{"s')
        assert len(await sandbox.requests()) == len(WRITES + LOOKUPS)


async def test_a_message_is_not_repeated_after_a_rate_limit_either() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await sandbox.break_with("status", status=429, retry_after=1)
        with pytest.raises(RateLimited) as caught:
            await client.send(MESSAGE)
        assert len(await sandbox.requests()) == 1
        assert await sandbox.charges() == []
    assert caught.value.nothing_changed


@pytest.mark.parametrize(
    "lost",
    [
        httpx2.WriteError(""),
        httpx2.WriteTimeout(""),
        httpx2.ReadError(""),
        httpx2.ReadTimeout(""),
        httpx2.RemoteProtocolError(""),
        httpx2.DecodingError(""),
    ],
    ids=lambda lost: type(lost).__name__,
)
async def test_whatever_breaks_after_the_connection_is_open_leaves_a_write_unknown(lost: Exception) -> None:
    provider = Provider(lost)
    async with answered_by(provider) as client:
        with pytest.raises(OutcomeUnknown):
            await client.send(MESSAGE)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("key", [f"{API_KEY} ", f"{API_KEY}\n", f"{API_KEY}\x00", "clé", "…"])
async def test_what_http_cannot_write_is_not_sent_and_the_key_is_not_repeated(key: str) -> None:
    pauses = Pauses()
    async with sandboxes() as sandbox, account(sandbox, api_key=key, pause=pauses) as client:
        for operation in [*WRITES, *LOOKUPS, ListNumbers()]:
            with pytest.raises(NotSent, match="the key or the address has characters") as caught:
                await client.send(operation)
            assert caught.value.nothing_changed
            assert key.strip() not in str(caught.value)
        assert await sandbox.requests() == []
    assert pauses == []


async def test_an_address_that_cannot_be_written_sends_nothing() -> None:
    async with (
        http_client() as http,
        VoiceTel(api_key=API_KEY, base_url="http://voicetel.test\x00", http=HttpPool(given=http)) as client,
    ):
        with pytest.raises(NotSent, match="the key or the address"):
            await client.send(MESSAGE)


NEVER_LEFT = [httpx2.ConnectError(""), httpx2.ConnectTimeout(""), httpx2.PoolTimeout(""), httpx2.ProxyError("")]


@pytest.mark.parametrize("lost", NEVER_LEFT, ids=lambda lost: type(lost).__name__)
async def test_what_never_left_is_known_not_to_have_happened(lost: Exception) -> None:
    async with answered_by(Provider(lost)) as client:
        with pytest.raises(ProviderUnreachable, match="nothing was sent") as caught:
            await client.send(MESSAGE)
    assert caught.value.nothing_changed


@pytest.mark.parametrize("operation", [ListNumbers(), MESSAGE], ids=lambda operation: operation.spec.name)
async def test_a_provider_that_nobody_listens_for_is_unreachable(operation: Operation[Any]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with (
            http_client() as http,
            VoiceTel(api_key="k" * 32, base_url=url, http=HttpPool(given=http), pause=Pauses()) as client,
        ):
            with pytest.raises(ProviderUnreachable, match="VoiceTel could not be reached"):
                await client.send(operation)
