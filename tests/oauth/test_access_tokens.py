"""Access tokens at the MCP endpoint, over sockets, with an authorization server that a test can make lie."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
import pytest
from anyio.abc import SocketAttribute
from starlette.responses import JSONResponse, PlainTextResponse

from server.cli.health_checks import check_authorization_server
from server.settings.sections.oauth import OAuthSettings, principal_of
from tests.connecting import content_of
from tests.oauth.sites import FORWARD, STATIC, Site, site
from tests.over_http import connect_over_http
from tests.sandbox_control import sandboxes
from tests.server.console.fake_provider import FakeProvider, rsa_key, signed_with_public_key, unsigned


async def test_a_token_of_the_issuer_for_this_resource_calls_tools_under_a_name_of_its_own(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, site(tmp_path, sandbox.voicetel) as here:
        async with connect_over_http(here.url, here.token()) as client:
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
            waiting = content_of(await client.call_tool("voicetel_set_forward", FORWARD))
        action = await here.services.journal.find(waiting["action"])
        assert action is not None
        assert action.principal == f"oauth:{here.issuer.issuer} 00u1"
        assert here.issuer.reads("/keys") == 1


async def test_a_static_token_works_beside_it_without_the_authorization_server(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, site(tmp_path, sandbox.voicetel) as here:
        async with connect_over_http(here.url, STATIC) as client:
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
        assert here.issuer.seen == []


async def test_scopes_narrow_what_a_token_sees_and_may_call(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, site(tmp_path, sandbox.voicetel) as here:
        async with connect_over_http(here.url, here.token(scope="read")) as client:
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
            assert "voicetel_set_forward" not in {tool.name for tool in (await client.list_tools()).tools}
            with pytest.raises(Exception, match="may only read"):
                await client.call_tool("voicetel_set_forward", FORWARD)
        async with connect_over_http(here.url, here.token(scope=None, scp=["write", "voicetel.messaging"])) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert "voicetel_send_message" in names
            with pytest.raises(Exception, match=r"may only use the toolsets voicetel\.messaging"):
                await client.call_tool("voicetel_set_forward", FORWARD)


async def test_a_toolset_that_is_not_there_reaches_nothing(tmp_path: Path) -> None:
    async with (
        site(tmp_path) as here,
        connect_over_http(here.url, here.token(scope="write voicetel.mesaging")) as client,
    ):
        assert not any(tool.name.startswith("voicetel_") for tool in (await client.list_tools()).tools)
        with pytest.raises(Exception, match=r"may only use the toolsets voicetel\.mesaging"):
            await client.call_tool("voicetel_list_numbers", {})


async def test_where_toolsets_are_required_a_token_without_one_reaches_no_provider(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, site(tmp_path, sandbox.voicetel, require_toolsets=True) as here:
        async with connect_over_http(here.url, here.token(scope="write openid")) as client:
            with pytest.raises(Exception, match="may only use the toolsets none"):
                await client.call_tool("voicetel_list_numbers", {})
        async with connect_over_http(here.url, here.token(scope="write numbers")) as client:
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error


async def test_a_client_in_a_browser_may_read_the_metadata(tmp_path: Path) -> None:
    asks = {
        "Origin": "https://client.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "mcp-protocol-version",
    }
    async with site(tmp_path) as here, httpx2.AsyncClient(base_url=here.url) as http:
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
            allowed = await http.options(path, headers=asks)
            assert allowed.status_code == 200
            assert allowed.headers["access-control-allow-origin"] == "*"
            assert "mcp-protocol-version" in allowed.headers["access-control-allow-headers"].lower()


async def test_a_token_without_a_scope_of_ours_is_told_which_one_it_needs(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        answer = await here.ask(here.token(scope="openid profile"))
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert 'scope="read write"' in answer.headers["www-authenticate"]


@asynccontextmanager
async def silent_listener() -> AsyncGenerator[str]:
    """Listen, and answer nobody."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - not Django
        yield f"http://127.0.0.1:{port}/keys"


Forgery = Callable[[Site], str]


def _claims(**more: Any) -> Forgery:
    return lambda here: here.token(**more)


def _now(seconds: int) -> int:
    return int(datetime.now(UTC).timestamp()) + seconds


BAD: Final[dict[str, Forgery]] = {
    "no token at all": lambda _: "hello",
    "a token without a signature": lambda here: unsigned(here.claims()),
    "signed with the public key": lambda here: signed_with_public_key(here.issuer.key)(here.claims()),
    "signed with another key of that name": lambda here: FakeProvider("x", key=rsa_key("first ")).sign(here.claims()),
    "another issuer": _claims(iss="https://other.example.com"),
    "another audience": _claims(aud="https://other.example.com/mcp"),
    "no audience": _claims(aud=None),
    "the audience of an ID token": _claims(aud="assistant"),
    "an ID token for this resource": _claims(nonce="n-0S6"),
    "expired": lambda here: here.token(exp=_now(-120)),
    "a logout token": lambda here: here.typed("logout+jwt"),
    "a proof of possession": lambda here: here.typed("dpop+jwt"),
    "not yet in force": lambda here: here.token(nbf=_now(600)),
    "without an end": _claims(exp=None),
    "without a subject": _claims(sub=None),
    "an empty subject": _claims(sub=""),
    "a subject that forges lines": _claims(sub="00u1\nadmin"),
    "a subject that is no text": _claims(sub=7),
    "a subject that no record holds": _claims(sub="u" * 300),
}


async def test_any_other_token_is_refused_and_led_to_the_metadata(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for tried, forge in BAD.items():
            answer = await here.ask(forge(here))
            assert answer.status_code == 401, tried
            told = answer.headers["www-authenticate"]
            assert 'error="invalid_token"' in told, tried
            assert f'resource_metadata="{here.url}/.well-known/oauth-protected-resource/mcp"' in told, tried


async def test_the_metadata_names_the_authorization_server_and_the_scopes(tmp_path: Path) -> None:
    async with site(tmp_path) as here, httpx2.AsyncClient(base_url=here.url) as http:
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
            document = (await http.get(path)).json()
            assert document["resource"] == here.resource
            assert document["authorization_servers"] == [here.issuer.issuer]
            assert document["scopes_supported"] == ["read", "write"]
        assert (await here.ask(None)).status_code == 401


async def test_a_new_key_is_read_once_and_unknown_ones_do_not_make_it_ask_again_and_again(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        assert (await here.ask(here.token())).status_code == 200
        here.issuer.key = rsa_key("second")
        assert (await here.ask(here.token())).status_code == 401
        here.clock.ahead += timedelta(seconds=31)
        assert (await here.ask(here.token())).status_code == 200
        stranger = FakeProvider("x", key=rsa_key("third"))
        for _ in range(3):
            assert (await here.ask(stranger.sign(here.claims()))).status_code == 401
        assert here.issuer.reads("/keys") == 2


async def test_a_token_with_a_known_key_does_not_wait_for_keys_that_a_bad_one_makes_it_read(tmp_path: Path) -> None:
    async with site(tmp_path) as here, anyio.create_task_group() as asking:
        assert (await here.ask(here.token())).status_code == 200
        here.clock.ahead += timedelta(seconds=31)
        async with silent_listener() as nobody:
            here.issuer.document = {"jwks_uri": nobody}
            stranger = FakeProvider("x", key=rsa_key("third"))
            asking.start_soon(here.ask, stranger.sign(here.claims()))
            with anyio.fail_after(5):
                while here.issuer.reads("/.well-known/openid-configuration") < 2:
                    assert (await here.ask(here.token())).status_code == 200
                assert (await here.ask(here.token())).status_code == 200
            asking.cancel_scope.cancel()


async def test_while_keys_are_read_again_those_that_are_known_count_without_waiting(tmp_path: Path) -> None:
    async with site(tmp_path) as here, anyio.create_task_group() as asking:
        assert (await here.ask(here.token())).status_code == 200
        here.clock.ahead += timedelta(hours=2)
        good = here.token(exp=_now(24 * 3600))
        async with silent_listener() as nobody:
            here.issuer.document = {"jwks_uri": nobody}
            asking.start_soon(here.ask, good)
            with anyio.fail_after(8):
                while here.issuer.reads("/.well-known/openid-configuration") < 2:
                    await anyio.lowlevel.checkpoint()
                assert (await here.ask(good)).status_code == 200
            asking.cancel_scope.cancel()


async def test_known_keys_count_for_a_day_while_the_authorization_server_is_gone(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        assert (await here.ask(here.token())).status_code == 200
        here.issuer.answers = {"/keys": JSONResponse({"keys": []})}
        here.clock.ahead += timedelta(hours=2)
        assert (await here.ask(here.token(exp=_now(25 * 3600)))).status_code == 200
        here.issuer.answers = {"/keys": PlainTextResponse("gone", 503)}
        here.clock.ahead += timedelta(hours=21)
        assert (await here.ask(here.token(exp=_now(25 * 3600)))).status_code == 200
        here.clock.ahead += timedelta(hours=2)
        assert (await here.ask(here.token(exp=_now(48 * 3600)))).status_code == 503


async def test_the_doctor_says_whose_tokens_count_and_what_is_wrong_there(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        [found] = await check_authorization_server(here.services.settings)
        assert found.state == "ok"
        assert f"its tokens must be for {here.resource}" in found.detail
        here.issuer.document = {"issuer": "https://other.example.com"}
        [found] = await check_authorization_server(here.services.settings)
        assert found.state == "fail"
        assert "another issuer" in found.detail
        here.issuer.answers = {"/.well-known/openid-configuration": PlainTextResponse("gone", 503)}
        [found] = await check_authorization_server(here.services.settings)
        assert "The authorization server answered 503 where a JSON document was expected" in found.detail


async def test_what_the_operator_asks_for_through_a_subject_is_known_as_theirs(tmp_path: Path) -> None:
    async with site(tmp_path, owners={"00u1": "anna"}) as here:
        assert here.services.rules.approvers.owners == {f"oauth:{here.issuer.issuer} 00u1": "anna"}


def test_no_two_issuers_share_the_name_of_a_subject() -> None:
    held = {
        principal_of(OAuthSettings(issuer=issuer, resource="https://ringfence.example.com/mcp"), subject)
        for issuer, subject in (
            ("https://id.example.com/realms/a", "00u1"),
            ("https://id.example.com/realms/b", "00u1"),
            ("https://id.example.com", "8443:00u1"),
            ("https://id.example.com:8443", "00u1"),
            ("https://id.example.com", "/realms/a 00u1"),
        )
    }
    assert len(held) == 5
