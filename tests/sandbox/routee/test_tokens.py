"""Tokens: how they are got, how long they live, what they allow."""

import pytest

from sandbox.routee.seed import APPLICATION
from tests.sandbox.routee.doors import advance, ask_token, caller, code, control, got, log_in, reporter, visitor


async def test_a_token_tells_its_life_and_its_permissions() -> None:
    async with visitor() as client:
        token = (await ask_token(client)).json()
    assert (token["token_type"], token["expires_in"]) == ("bearer", 3600)
    assert token["scope"] == "sms account report 2step contact"
    assert "MT_ROLE_SMS" in token["permissions"]


async def test_wrong_credentials_get_the_gateway_s_error() -> None:
    async with visitor() as client:
        answer = await ask_token(client, secret="wrong")
    assert answer.status_code == 401
    assert answer.json() == {
        "timestamp": 1779105600000,
        "status": 401,
        "error": "Unauthorized",
        "message": "Bad credentials",
        "path": "/oauth/token",
    }


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "sms everything"}, "invalid_scope"),
        ({"username": "me"}, "invalid_request"),
    ],
)
async def test_a_bad_grant_gets_the_error_of_oauth(form: dict[str, str], error: str) -> None:
    async with visitor() as client:
        answer = await ask_token(client, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_token_request_must_be_a_form() -> None:
    async with visitor() as client:
        answer = await client.post(
            "oauth/token", json={"grant_type": "client_credentials"}, auth=(APPLICATION.id, APPLICATION.secret)
        )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_token_dies_at_the_end_of_its_life() -> None:
    async with caller() as client:
        await advance(client, 3599)
        assert (await client.get("accounts/me/balance")).status_code == 200
        await advance(client, 1)
        answer = await client.get("accounts/me/balance")
        assert (answer.status_code, answer.json()["path"]) == (401, "/accounts/me/balance")
        await log_in(client)
        assert (await client.get("accounts/me/balance")).status_code == 200


async def test_all_tokens_can_be_killed_at_once() -> None:
    async with caller() as client:
        assert await control(client, "POST", "routee/expire-tokens") == {"expired": 1}
        assert (await client.get("accounts/me/balance")).status_code == 401


async def test_a_new_token_leaves_the_old_one_alive() -> None:
    async with caller() as client:
        await ask_token(client)
        assert (await client.get("accounts/me/balance")).status_code == 200


async def test_a_narrow_token_reaches_only_its_service() -> None:
    async with visitor() as client:
        token = (await ask_token(client, scope="sms")).json()
        assert token["scope"] == "sms"
        client.headers["authorization"] = f"Bearer {token['access_token']}"
        assert code(await client.get("accounts/me/balance")) == (403, "403000000")


async def test_an_application_without_sms_may_not_send_but_may_read_its_reports() -> None:
    async with reporter() as client:
        refused = await client.post("sms", json={"from": "Bluewater", "to": "+306970000555", "body": "Hi"})
        assert code(refused) == (403, "403000000")
        assert (await got(client, "accounts/me/balance"))["currency"]["code"] == "EUR"


async def test_what_does_not_exist_gets_the_gateway_s_error() -> None:
    async with caller() as client:
        missing = await client.get("emailvalidator")
        wrong_method = await client.get("sms")
    assert (missing.status_code, missing.json()["status"]) == (404, 404)
    assert (wrong_method.status_code, wrong_method.json()["status"]) == (405, 405)


async def test_secrets_do_not_reach_the_request_log() -> None:
    async with caller() as client:
        await client.get("accounts/me/balance")
        log = str(await control(client, "GET", "requests"))
    assert APPLICATION.secret not in log
    assert client.headers["authorization"].removeprefix("Bearer ") not in log
