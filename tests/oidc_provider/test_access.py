"""The whole way of a remote client to a tool: the SDK's own OAuth client, a real authorization server, real sockets."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl, SecretStr

from server.services import Services
from server.settings.model import HttpSettings
from server.settings.sections.oauth import IntrospectionSettings, OAuthSettings
from tests.connecting import content_of, settings_for
from tests.oidc_provider.running import IS_INSTALLED, running_authorization_server, sign_in_there
from tests.over_http import serve_over_http
from tests.ports import free_port
from tests.sandbox_control import sandboxes

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="the provider is not installed")

BACK: Final = "http://127.0.0.1:9"
"""Where the browser is sent back to; the client listens there, and here it takes the address itself."""


class Browser:
    """Signs a person in where the client sends them, and catches what comes back."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._came_back: httpx2.URL | None = None
        self.visits = 0

    async def open(self, address: str) -> None:
        """Sign in and consent."""
        self.visits += 1
        back = httpx2.MockTransport(lambda request: httpx2.Response(200, text=f"back at {request.url.path}"))
        async with httpx2.AsyncClient(follow_redirects=True, mounts={BACK: back}) as http:
            self._came_back = (await sign_in_there(http, await http.get(address), self._name)).url

    async def result(self) -> AuthorizationCodeResult:
        """Return what the authorization server sent back."""
        assert self._came_back is not None
        return AuthorizationCodeResult.model_validate(dict(self._came_back.params))


class Kept:
    """Keeps what the client learnt, as its storage."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class Reached:
    """A client that came the whole way, and the server that it reached."""

    client: Client
    services: Services
    issuer: str
    resource: str
    kept: Kept
    browser: Browser


@asynccontextmanager
async def reaching(
    folder: Path, *, opaque: bool = False, widens: bool = False, **settings: Any
) -> AsyncGenerator[Reached]:
    """Serve with a real authorization server, and connect the SDK's own OAuth client, which knows only the address."""
    port, kept, browser = free_port(), Kept(), Browser("anna")
    resource = f"http://127.0.0.1:{port}/mcp"
    secret = {"client_id": US.client_id, "client_secret": US.client_secret.get_secret_value()}
    us: dict[str, Any] = {**secret, "grant_types": [], "redirect_uris": [], "response_types": []}
    with running_authorization_server(resource, clients=[us], opaque=opaque, widens=widens) as issuer:
        http = HttpSettings(oauth=OAuthSettings(issuer=issuer, resource=resource, **settings))
        async with sandboxes() as sandbox:
            services = Services(settings_for(folder, sandbox.voicetel, http=http))
            metadata = OAuthClientMetadata(client_name="assistant", redirect_uris=[AnyUrl(f"{BACK}/callback")])
            oauth = OAuthClientProvider(resource, metadata, kept, browser.open, browser.result)
            async with (
                serve_over_http(services.settings, services, port=port),
                httpx2.AsyncClient(auth=oauth, timeout=30) as http_client,
                Client(streamable_http_client(resource, http_client=http_client)) as client,
            ):
                yield Reached(client, services, issuer, resource, kept, browser)
            await services.close()


US: Final = IntrospectionSettings(client_id="ringfence", client_secret=SecretStr("a secret & its signs"))
FORWARD: Final = {"number": "+12015550142", "destination": "+12125550142"}


async def _principal(reached: Reached) -> str:
    waiting = content_of(await reached.client.call_tool("voicetel_set_forward", FORWARD))
    action = await reached.services.journal.find(waiting["action"])
    assert action is not None
    return action.principal


async def test_a_client_that_knows_only_the_address_registers_signs_its_user_in_and_calls_a_tool(
    tmp_path: Path,
) -> None:
    async with reaching(tmp_path) as reached:
        listed: dict[str, Any] = content_of(await reached.client.call_tool("voicetel_list_numbers", {}))
        assert listed["numbers"]
        assert await _principal(reached) == f"oauth:{reached.issuer} anna"
        assert reached.kept.tokens is not None
        assert set((reached.kept.tokens.scope or "").split()) >= {"read", "write"}


async def test_so_does_one_whose_tokens_are_opaque_and_only_while_their_server_vouches_for_them(tmp_path: Path) -> None:
    vouching = US.model_copy(update={"keep_seconds": 0})
    async with reaching(tmp_path, opaque=True, introspection=vouching) as reached, httpx2.AsyncClient() as http:
        assert await _principal(reached) == f"oauth:{reached.issuer} anna"
        tokens = reached.kept.tokens
        assert tokens is not None
        assert tokens.access_token.count(".") == 0

        async def knock(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
            message: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
            return (await http.post(reached.resource, json=message, headers=headers)).status_code

        assert await knock(tokens.access_token) == 200
        assert await knock(tokens.access_token[:-1] + "-") == 401
        assert tokens.refresh_token is not None
        assert await knock(tokens.refresh_token) == 401
        client = reached.kept.client
        assert client is not None
        revoked = await http.post(
            f"{reached.issuer}/token/revocation",
            data={"token": tokens.access_token},
            auth=(client.client_id or "", client.client_secret or ""),
        )
        assert revoked.status_code == 200
        assert await knock(tokens.access_token) == 401


async def test_a_client_that_begins_small_asks_its_user_for_more_when_a_call_takes_it(tmp_path: Path) -> None:
    async with reaching(tmp_path, widens=True, step_up=True) as reached:
        assert "voicetel_set_forward" in {tool.name for tool in (await reached.client.list_tools()).tools}
        begun = reached.kept.tokens
        assert begun is not None
        assert "write" not in (begun.scope or "").split()
        assert await _principal(reached) == f"oauth:{reached.issuer} anna"
        widened = reached.kept.tokens
        assert widened is not None
        assert set((widened.scope or "").split()) >= {"read", "write"}
        assert reached.browser.visits == 2
