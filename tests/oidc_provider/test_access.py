"""The whole way of a remote client to a tool: the SDK's own OAuth client, a real authorization server, real sockets."""

from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from server.services import Services
from server.settings.model import HttpSettings
from server.settings.sections.oauth import OAuthSettings
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

    async def open(self, address: str) -> None:
        """Sign in and consent."""
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


async def test_a_client_that_knows_only_the_address_registers_signs_its_user_in_and_calls_a_tool(
    tmp_path: Path,
) -> None:
    port = free_port()
    resource = f"http://127.0.0.1:{port}/mcp"
    with running_authorization_server(resource) as issuer:
        http = HttpSettings(oauth=OAuthSettings(issuer=issuer, resource=resource))
        async with sandboxes() as sandbox:
            services = Services(settings_for(tmp_path, sandbox.voicetel, http=http))
            kept, browser = Kept(), Browser("anna")
            metadata = OAuthClientMetadata(client_name="assistant", redirect_uris=[AnyUrl(f"{BACK}/callback")])
            oauth = OAuthClientProvider(resource, metadata, kept, browser.open, browser.result)
            async with (
                serve_over_http(services.settings, services, port=port),
                httpx2.AsyncClient(auth=oauth, timeout=30) as reaching,
                Client(streamable_http_client(resource, http_client=reaching)) as client,
            ):
                listed: dict[str, Any] = content_of(await client.call_tool("voicetel_list_numbers", {}))
                assert listed["numbers"]
                wanted = {"number": "+12015550142", "destination": "+12125550142"}
                waiting = content_of(await client.call_tool("voicetel_set_forward", wanted))
                action = await services.journal.find(waiting["action"])
            await services.close()
        assert action is not None
        assert action.principal == f"oauth:{issuer} anna"
        assert kept.tokens is not None
        assert set((kept.tokens.scope or "").split()) >= {"read", "write"}
