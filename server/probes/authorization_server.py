"""An authorization server of a probe: it publishes one key, and signs whatever access token the probe wants."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.serving import LoopbackServer

SECONDS = 300
"""How long a token counts."""


class AuthorizationServer:
    """What it signs, and where it is."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._key = ECKey.generate_key("P-256", {"kid": "probe", "use": "sig"})

    def token(self, resource: str, scope: str) -> str:
        """Sign an access token for a resource."""
        now = int(datetime.now(UTC).timestamp())
        claims: dict[str, Any] = {"iss": self.issuer, "aud": resource, "sub": "carol", "scope": scope}
        header = {"alg": "ES256", "kid": "probe", "typ": "at+jwt"}
        return jwt.encode(header, {**claims, "iat": now, "exp": now + SECONDS}, self._key, algorithms=["ES256"])

    def app(self) -> Starlette:
        """Build what it answers."""

        async def document(_: Request) -> JSONResponse:
            return JSONResponse({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"})

        async def keys(_: Request) -> JSONResponse:
            return JSONResponse({"keys": [self._key.as_dict(private=False)]})

        return Starlette(
            routes=[Route("/.well-known/oauth-authorization-server", document), Route("/keys", keys)],
        )


@asynccontextmanager
async def serve_authorization() -> AsyncGenerator[AuthorizationServer]:
    """Serve an authorization server on loopback as long as the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        found = AuthorizationServer(address)
        server = LoopbackServer(uvicorn.Config(found.app(), log_config=None, access_log=False, lifespan="off"))
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listener])
            await server.listening.wait()
            try:
                yield found
            finally:
                server.stopping.set()
