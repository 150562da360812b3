"""Tokens that say nothing themselves, at the MCP endpoint: their server is asked about them, and may lie or be slow."""

import json
import logging
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from traceback import format_exception
from typing import Any, Final
from urllib.parse import unquote_plus

import anyio
import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from server.cli.health_checks import check_authorization_server
from server.console.oidc.errors import ProviderMisfit
from server.http.oauth.errors import AuthorizationServerUnavailable
from server.http.oauth.introspection import AT_ONCE, Introspection
from server.settings.sections.oauth import IntrospectionSettings, OAuthSettings
from tests.connecting import content_of
from tests.oauth.sites import FORWARD, STATIC, Site, site
from tests.over_http import connect_over_http
from tests.sandbox_control import sandboxes

TOKEN: Final = "opaque-token-of-anna-1"
SECRET: Final = "a secret: of+the=client"
CLIENT: Final = "ring fence"


def asking(**more: Any) -> IntrospectionSettings:
    """Build settings under which the authorization server is asked."""
    return IntrospectionSettings(client_id=CLIENT, client_secret=SecretStr(SECRET), **more)


class Waiting(Response):
    """An answer that does not come before it is let go."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self._answer = answer
        self.asked = 0
        self.go = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer once it may."""
        self.asked += 1
        await self.go.wait()
        await self._answer(scope, receive, send)


def asked_about(here: Site) -> list[str]:
    """Return the tokens that the authorization server was asked about."""
    return [form["token"] for path, form, _ in here.issuer.seen if path == "/introspect"]


async def test_an_opaque_token_calls_tools_with_what_its_server_says_about_it(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, site(tmp_path, sandbox.voicetel, introspection=asking()) as here:
        here.issuer.tokens[TOKEN] = {"active": True, "token_type": "Bearer", **here.claims(scope="write")}
        async with connect_over_http(here.url, TOKEN) as client:
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
            waiting = content_of(await client.call_tool("voicetel_set_forward", FORWARD))
        action = await here.services.journal.find(waiting["action"])
        assert action is not None
        assert action.principal == f"oauth:{here.issuer.issuer} 00u1"
        assert asked_about(here) == [TOKEN]
        [(form, login)] = [(form, login) for path, form, login in here.issuer.seen if path == "/introspect"]
        assert form == {"token": TOKEN, "token_type_hint": "access_token"}
        named = b64decode(login.removeprefix("Basic ")).decode().split(":")
        assert [unquote_plus(part) for part in named] == [CLIENT, SECRET]


async def test_the_secret_goes_into_the_form_where_the_server_wants_it_there(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking(authentication="post")) as here:
        here.issuer.tokens[TOKEN] = {"active": True, **here.claims()}
        assert (await here.ask(TOKEN)).status_code == 200
        [(form, login)] = [(form, login) for path, form, login in here.issuer.seen if path == "/introspect"]
        assert (form["client_id"], form["client_secret"], login) == (CLIENT, SECRET, "")


async def test_signed_and_static_tokens_are_not_asked_about_unless_all_are(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking()) as here:
        assert (await here.ask(here.token())).status_code == 200
        assert (await here.ask(STATIC)).status_code == 200
        assert (await here.ask(here.token(aud="https://other.example.com/mcp"))).status_code == 401
        assert asked_about(here) == []
    async with site(tmp_path / "all", introspection=asking(tokens="all")) as here:
        signed = here.token()
        assert (await here.ask(signed)).status_code == 401
        here.issuer.tokens[signed + "x"] = {"active": True, **here.claims()}
        assert (await here.ask(signed + "x")).status_code == 200
        assert (await here.ask(STATIC)).status_code == 200
        assert asked_about(here) == [signed, signed + "x"]


def _vouched(here: Site) -> dict[str, tuple[dict[str, Any] | Response, int]]:
    """Return what the server may say about a token, and what the client is answered then."""
    good = {"active": True, **here.claims()}
    now = good["iat"]
    huge = JSONResponse({**good, "padding": "x" * 300_000})
    misnamed = Response(json.dumps(good), media_type="text/html")
    elsewhere = RedirectResponse(f"{here.issuer.issuer}/userinfo", 307)
    here.issuer.userinfo = good
    return {
        "active": (good, 200),
        "no issuer named": ({**good, "iss": here.issuer.issuer}, 200),
        "several audiences": ({**good, "aud": ["https://other.example.com", here.resource]}, 200),
        "its end within the skew of clocks": ({**good, "exp": now - 30}, 200),
        "not active": ({**good, "active": False}, 401),
        "another audience": ({**good, "aud": "https://other.example.com/mcp"}, 401),
        "no audience": ({name: good[name] for name in good if name != "aud"}, 401),
        "no list of audiences": ({**good, "aud": {here.resource: True}}, 401),
        "another issuer": ({**good, "iss": "https://other.example.com"}, 401),
        "its issuer with a slash": ({**good, "iss": f"{here.issuer.issuer}/"}, 401),
        "no issuer by name": ({**good, "iss": None}, 401),
        "over": ({**good, "exp": now - 120}, 401),
        "without an end": ({name: good[name] for name in good if name != "exp"}, 401),
        "an end in words": ({**good, "exp": "tomorrow"}, 401),
        "never over": (Response(json.dumps({**good, "exp": float("inf")}), media_type="application/json"), 401),
        "over at no time": (Response(json.dumps({**good, "exp": float("nan")}), media_type="application/json"), 401),
        "not yet": ({**good, "nbf": now + 600}, 401),
        "no subject": ({name: good[name] for name in good if name != "sub"}, 401),
        "a subject that forges lines": ({**good, "sub": "00u1\nadmin"}, 401),
        "bound to a key": ({**good, "cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, 401),
        "a token of another type": ({**good, "token_type": "DPoP"}, 401),
        "a type that is no text": ({**good, "token_type": ["Bearer"]}, 401),
        "no scope of ours": ({**good, "scope": "openid"}, 403),
        "active in words": ({**good, "active": "true"}, 503),
        "active by a number": ({**good, "active": 1}, 503),
        "nothing": ({}, 503),
        "no JSON": (PlainTextResponse("true"), 503),
        "JSON that says it is none": (misnamed, 503),
        "a list": (JSONResponse([good]), 503),
        "too much": (huge, 503),
        "go and ask somebody else": (elsewhere, 503),
        "we may not ask": (JSONResponse({"error": "invalid_client", "error_description": "words"}, 401), 503),
        "ask again later": (JSONResponse(good, 429), 503),
        "it is down": (PlainTextResponse("gone", 503), 503),
    }


async def test_what_it_says_is_checked_as_a_signed_token_is_and_no_answer_is_no_yes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with site(tmp_path, introspection=asking()) as here:
        expected, found = dict[str, int](), dict[str, int]()
        for number, (case, (answer, status)) in enumerate(_vouched(here).items()):
            token = f"opaque-token-number-{number}"
            here.issuer.tokens[token] = answer
            told = await here.ask(token)
            expected[case], found[case] = status, told.status_code
            assert token not in told.text + str(told.headers)
        assert found == expected
        assert here.issuer.reads("/userinfo") == 0
    said = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("server."))
    assert "the authorization server says that it does not count" in said
    assert "its `token_type` is not Bearer" in said
    assert "opaque-token-number" not in said + str([record.args for record in caplog.records])
    assert SECRET not in said


async def test_a_client_is_told_that_its_token_cannot_be_checked_now_and_not_to_sign_in_again(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking()) as here:
        here.issuer.answers = {"/introspect": PlainTextResponse("gone", 503)}
        told = await here.ask(TOKEN)
        assert told.status_code == 503
        assert told.headers["retry-after"] == "5"
        assert "www-authenticate" not in told.headers
        assert "The authorization server answered 503" in told.json()["error"]["message"]
        with pytest.raises(ExceptionGroup) as failed:
            async with connect_over_http(here.url, TOKEN):
                pass
        assert "Your access token cannot be checked now" in "".join(format_exception(failed.value))
        assert (await here.ask(here.token())).status_code == 200
        here.issuer.answers = {}
        here.issuer.tokens[TOKEN] = {"active": True, **here.claims()}
        assert (await here.ask(TOKEN)).status_code == 200


async def test_an_answer_counts_for_a_while_and_never_beyond_the_end_of_the_token(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking(keep_seconds=60)) as here:
        short = "opaque-token-of-ten-seconds"
        here.issuer.tokens = {TOKEN: {"active": True, **here.claims()}}
        here.issuer.tokens[short] = {"active": True, **here.claims(exp=here.claims()["iat"] + 30)}
        for _ in range(3):
            assert {(await here.ask(each)).status_code for each in (TOKEN, short)} == {200}
            assert (await here.ask("opaque-guess-at-a-token")).status_code == 401
        assert sorted(asked_about(here)) == ["opaque-guess-at-a-token", TOKEN, short]
        here.issuer.tokens = {TOKEN: {"active": False}, short: {"active": False}}
        here.clock.ahead += timedelta(seconds=32)
        assert (await here.ask(TOKEN)).status_code == 200
        assert (await here.ask(short)).status_code == 401
        here.clock.ahead += timedelta(seconds=29)
        assert (await here.ask(TOKEN)).status_code == 401
        here.clock.ahead -= timedelta(hours=1)  # what a clock that was set back finds is not trusted
        here.issuer.tokens = {}
        assert (await here.ask(TOKEN)).status_code == 401
        assert len(asked_about(here)) == 6


async def test_tokens_that_counted_do_not_wait_for_guesses_and_guesses_do_not_pile_up(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking(keep_seconds=0)) as here, anyio.create_task_group() as group:
        here.issuer.tokens[TOKEN] = {"active": True, **here.claims()}
        assert (await here.ask(TOKEN)).status_code == 200
        slow = Waiting(JSONResponse({"active": False}))
        guesses = [f"opaque-guess-number-{number}" for number in range(AT_ONCE + 2)]
        here.issuer.tokens |= dict.fromkeys(guesses, slow)
        answered: list[int] = []

        async def guess(token: str) -> None:
            answered.append((await here.ask(token)).status_code)

        for token in guesses:
            group.start_soon(guess, token)
        with anyio.fail_after(20):
            while slow.asked < AT_ONCE:
                assert (await here.ask(TOKEN)).status_code == 200
            assert (await here.ask(TOKEN)).status_code == 200
            while len(answered) < 2:  # those beyond are told to come again, while the others still wait
                assert (await here.ask(TOKEN)).status_code == 200
        assert set(answered) == {503}
        assert slow.asked == AT_ONCE
        slow.go.set()


async def test_a_token_that_many_requests_bring_at_once_is_asked_about_once(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking()) as here:
        slow = Waiting(JSONResponse({"active": True, **here.claims()}))
        here.issuer.tokens[TOKEN] = slow
        answered: list[int] = []

        async def ask() -> None:
            answered.append((await here.ask(TOKEN)).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)
            with anyio.fail_after(20):
                while not slow.asked:
                    await anyio.lowlevel.checkpoint()
            slow.go.set()
        assert answered == [200] * 5
        assert asked_about(here) == [TOKEN]


async def test_a_flood_of_guesses_is_asked_about_so_many_times_a_minute(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        settings, clock = OAuthSettings(issuer=here.issuer.issuer, resource=here.resource), here.clock
        checks = Introspection(settings, asking(keep_seconds=0), clock, new_a_minute=3)
        here.issuer.tokens[TOKEN] = {"active": True, **here.claims()}
        assert (await checks.claims_of(TOKEN))["sub"] == "00u1"
        for number in range(2):
            with pytest.raises(ProviderMisfit):
                await checks.claims_of(f"opaque-guess-number-{number}")
        with pytest.raises(AuthorizationServerUnavailable, match="Too many new tokens came within a minute"):
            await checks.claims_of("opaque-guess-too-many")
        assert (await checks.claims_of(TOKEN))["sub"] == "00u1"
        clock.ahead += timedelta(seconds=61)
        with pytest.raises(ProviderMisfit):
            await checks.claims_of("opaque-guess-of-later")
        assert "opaque-guess-too-many" not in asked_about(here)


async def test_what_is_no_token_is_not_asked_about(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking()) as here:
        for token in ("short", "has a blank in it", 'has"quotes"in-it', "x" * 9000):
            assert (await here.ask(token)).status_code == 401
        assert asked_about(here) == []


async def test_the_doctor_asks_about_a_token_of_its_own(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking()) as here:
        [_, found] = await check_authorization_server(here.services.settings)
        assert (found.state, found.subject) == ("ok", "introspection")
        here.issuer.answers = {"/introspect": JSONResponse({"error": "invalid_client"}, 401)}
        [_, found] = await check_authorization_server(here.services.settings)
        assert found.state == "fail"
        assert "does not let us ask about tokens (status 401)" in found.detail
        assert SECRET not in found.detail
