"""How a VoiceTel account is opened: with a key that is given, or one that is fetched once."""

import json
from typing import Any

import anyio
import httpx2
import pytest

from clients.errors import (
    Conflict,
    LimitReached,
    NotAuthenticated,
    NotConfigured,
    OutcomeUnknown,
    ProviderFailed,
    ProviderUnreachable,
    RateLimited,
)
from sandbox.voicetel.seed import API_KEY, PASSWORD, USERNAME
from tests.clients.accounts import Provider, account, answered_by, refused, sandboxes, success
from tools.voicetel.client import LOGIN_PATH
from tools.voicetel.operations.access import UpdateAuthentication
from tools.voicetel.operations.account import GetAccount, ListCallRecords
from tools.voicetel.operations.credentials import FetchApiKey
from tools.voicetel.operations.phone_numbers import AddNumber, GetNumber, ListNumbers

LOGIN: dict[str, Any] = {"api_key": None, "username": USERNAME, "password": PASSWORD}
WRITE = AddNumber(number="+12015550101")


async def test_a_given_key_needs_no_login() -> None:
    async with sandboxes() as sandbox, account(sandbox, api_key=API_KEY) as client:
        await client.send(ListNumbers())
        assert await sandbox.requests(path=LOGIN_PATH) == []


async def test_many_calls_at_once_log_in_once() -> None:
    async with sandboxes() as sandbox, account(sandbox, **LOGIN) as client:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(client.send, ListNumbers())
        await client.send(ListNumbers())
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 1
        assert len(await sandbox.requests(method="GET")) == 21


async def test_a_key_is_not_fetched_again_after_a_401() -> None:
    async with sandboxes() as sandbox, account(sandbox, **LOGIN) as client:
        await sandbox.break_with("status", status=401, path="/numbers$", times=3)
        for _ in range(3):
            with pytest.raises(NotAuthenticated):
                await client.send(ListNumbers())
        await client.send(ListNumbers())
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 1


async def test_the_login_counts_against_the_hourly_limit() -> None:
    async with sandboxes() as sandbox, account(sandbox, **LOGIN) as client:
        for _ in range(5):
            await client.send(ListCallRecords())
        with pytest.raises(LimitReached):
            await client.send(ListCallRecords())
        assert len(await sandbox.requests()) == 6


async def test_a_wrong_password_is_said_to_be_wrong_and_the_call_is_not_made() -> None:
    async with (
        sandboxes() as sandbox,
        account(sandbox, api_key=None, username=USERNAME, password="Harbor2027") as client,
    ):
        with pytest.raises(NotAuthenticated, match="the call itself was not sent") as caught:
            await client.send(WRITE)
        assert [row["path"] for row in await sandbox.requests()] == [LOGIN_PATH]
    assert "Harbor2027" not in str(caught.value)


@pytest.mark.parametrize(
    "given", [{}, {"username": USERNAME}, {"password": PASSWORD}, {"username": "", "password": ""}]
)
async def test_without_credentials_nothing_is_sent_and_nothing_counted(given: dict[str, Any]) -> None:
    provider = Provider(success({"cash": 1}))
    async with answered_by(provider, api_key=None, **given) as client:
        for _ in range(10):
            with pytest.raises(NotConfigured, match="no API key"):
                await client.send(GetAccount())
        client.key.replace(API_KEY)
        await client.send(GetAccount())
    assert len(provider.requests) == 1


async def test_a_key_that_is_replaced_is_used_from_the_next_call_on() -> None:
    async with sandboxes() as sandbox, account(sandbox, api_key="f" * 32) as client:
        with pytest.raises(NotAuthenticated):
            await client.send(ListNumbers())
        client.key.replace(API_KEY)
        assert await client.send(ListNumbers())


async def test_a_key_that_was_fetched_for_the_operator_is_used_from_then_on() -> None:
    fetch = FetchApiKey.model_validate({"username": USERNAME, "password": PASSWORD})
    async with sandboxes() as sandbox, account(sandbox, api_key="f" * 32) as client:
        await client.send(fetch)
        assert await client.send(ListNumbers())


async def test_a_fetch_that_brings_no_key_leaves_the_one_in_use() -> None:
    fetch = FetchApiKey.model_validate({"username": USERNAME, "password": PASSWORD})
    provider = Provider(success({}), success({"numbers": []}))
    async with answered_by(provider) as client:
        with pytest.raises(OutcomeUnknown, match="it shows no api key"):
            await client.send(fetch)
        await client.send(ListNumbers())
    assert provider.requests[-1].headers["authorization"] == f"Bearer {API_KEY}"


async def test_after_a_change_of_the_password_the_next_call_logs_in_with_the_new_one() -> None:
    change = UpdateAuthentication.model_validate({"password": "Anchor2027"})
    async with sandboxes() as sandbox, account(sandbox, username=USERNAME, password=PASSWORD) as client:
        await client.send(change)
        assert await client.send(ListNumbers())
        assert [row["status"] for row in await sandbox.requests(path=LOGIN_PATH)] == [200]


def changed_in_part(*fields: str) -> httpx2.Response:
    """Build a 409 that says which settings were changed and that another was not."""
    envelope = {
        "status": "error",
        "error": {"code": 409, "message": "Some settings were not updated."},
        "updated": [{"field": field} for field in fields],
        "errors": [{"field": "authType", "message": "Not now."}],
    }
    return httpx2.Response(409, json=envelope)


@pytest.mark.parametrize(
    ("fields", "password"), [(("password",), "Anchor2027"), (("authType",), PASSWORD), ((), PASSWORD)]
)
async def test_a_password_that_was_changed_in_part_of_a_refused_call_is_used_from_then_on(
    fields: tuple[str, ...], password: str
) -> None:
    change = UpdateAuthentication.model_validate({"mode": "ip", "password": "Anchor2027"})
    answers = [success({"apikey": "b" * 32})] if "password" in fields else []
    provider = Provider(changed_in_part(*fields), *answers, success({"numbers": []}))
    async with answered_by(provider, username=USERNAME, password=PASSWORD) as client:
        with pytest.raises(Conflict):
            await client.send(change)
        await client.send(ListNumbers())
    logins = [
        json.loads(request.content)["password"] for request in provider.requests if LOGIN_PATH in request.url.path
    ]
    assert logins == ([password] if "password" in fields else [])


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
async def test_a_login_that_gets_no_answer_is_no_lost_call(kind: str) -> None:
    async with sandboxes() as sandbox, account(sandbox, **LOGIN) as client:
        await sandbox.break_with(kind, path="api-key")
        with pytest.raises(ProviderUnreachable, match="the call itself was not sent") as caught:
            await client.send(WRITE)
        assert await sandbox.requests(path="/numbers") == []
        assert caught.value.nothing_changed
        await client.send(GetNumber(number="+12015550142"))


@pytest.mark.parametrize(
    "answer",
    [
        refused(500, "Oops."),
        refused(503, "Later."),
        httpx2.Response(302, headers={"location": "https://elsewhere.test/"}),
        httpx2.Response(200, text="<html>Maintenance</html>"),
        httpx2.Response(200, text="[" * 100_000),
        success({}),
        success([]),
        success({"apikey": None}),
        success({"apikey": ""}),
        success({"apikey": ["k"]}),
    ],
)
async def test_a_login_that_brings_no_key_is_the_providers_failure_and_no_lost_call(answer: httpx2.Response) -> None:
    provider = Provider(answer)
    async with answered_by(provider, **LOGIN, follow_redirects=True) as client:
        with pytest.raises(ProviderFailed, match="without a key; the call itself was not sent") as caught:
            await client.send(WRITE)
    assert caught.value.nothing_changed
    assert [request.url.path for request in provider.requests] == [LOGIN_PATH]


async def test_a_login_that_is_one_too_many_for_the_provider_is_a_rate_limit() -> None:
    async with answered_by(Provider(refused(429, "Rate limit exceeded.")), **LOGIN) as client:
        with pytest.raises(RateLimited, match="refuses to log in"):
            await client.send(WRITE)
