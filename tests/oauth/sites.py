"""A server whose clients bring access tokens, over sockets, with an authorization server that a test can make lie."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx2
from joserfc import jwt
from pydantic import SecretStr

from server.services import Services
from server.settings.model import HttpSettings
from server.settings.sections.oauth import OAuthSettings
from tests.clocks import ShiftedClock
from tests.connecting import settings_for
from tests.over_http import serve_over_http
from tests.ports import free_port
from tests.server.console.fake_provider import FakeProvider, fake_provider

STATIC: Final = "a-long-token-of-alice"
FORWARD: Final = {"number": "+12015550142", "destination": "+12125550142"}


@dataclass
class Site:
    """A server, its authorization server, and what a test holds of both."""

    url: str
    resource: str
    issuer: FakeProvider
    services: Services
    clock: ShiftedClock
    http: httpx2.AsyncClient

    def claims(self, **more: Any) -> dict[str, Any]:
        """Return the claims of a good token, with others in their place; None leaves one out."""
        now = int(datetime.now(UTC).timestamp())
        good = {
            "iss": self.issuer.issuer,
            "aud": self.resource,
            "sub": "00u1",
            "client_id": "assistant",
            "scope": "read write",
            "iat": now,
            "exp": now + 300,
        }
        return {name: value for name, value in (good | more).items() if value is not None}

    def token(self, **more: Any) -> str:
        """Sign a token as the authorization server does."""
        return self.issuer.sign(self.claims(**more))

    def typed(self, name: str) -> str:
        """Sign a token that says of itself what it is."""
        key = self.issuer.key
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": name}, self.claims(), key, algorithms=["RS256"])

    async def ask(self, token: str | None, method: str = "tools/list") -> httpx2.Response:
        """Send one request with a token, or without one."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return await self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}, headers=headers)

    async def post(self, message: Any, *, headers: Mapping[str, str] | Sequence[tuple[str, str]]) -> httpx2.Response:
        """Send one message with these headers."""
        named = [*(headers.items() if isinstance(headers, Mapping) else headers)]
        accept = ("Accept", "application/json, text/event-stream")
        return await self.http.post(f"{self.url}/mcp", json=message, headers=[accept, *named])


@asynccontextmanager
async def site(
    folder: Path, provider: str = "http://127.0.0.1:1", *, served: Mapping[str, Any] | None = None, **more: Any
) -> AsyncGenerator[Site]:
    """Serve with an authorization server beside a static token; `served` are other settings of the server."""
    port, clock = free_port(), ShiftedClock()
    resource = f"http://127.0.0.1:{port}/mcp"
    async with fake_provider() as issuer:
        oauth = OAuthSettings(issuer=issuer.issuer, resource=resource, **more)
        http = HttpSettings(tokens={"alice": SecretStr(STATIC)}, oauth=oauth)
        services = Services(settings_for(folder, provider, http=http, **(served or {})), clock=clock)
        async with (
            serve_over_http(services.settings, services, port=port) as url,
            httpx2.AsyncClient(verify=False, timeout=30) as client,
        ):
            yield Site(url, resource, issuer, services, clock, client)
        await services.close()
