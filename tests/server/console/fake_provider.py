"""An OpenID Connect provider that a test can make lie: on a real socket, with keys of its own."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit
from warnings import catch_warnings

import anyio
import uvicorn
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.serving import LoopbackServer
from tests.ports import free_port

CLIENT_ID: Final = "ringfence"
ANNA: Final = {"sub": "00u1", "email": "anna@example.com", "email_verified": True}


@cache
def rsa_key(key_id: str, bits: int = 2048) -> RSAKey:
    """Make a key once a process: it takes a while."""
    with catch_warnings(category=SecurityWarning, action="ignore"):  # one of them is too short
        return RSAKey.generate_key(bits, {"kid": key_id, "use": "sig", "alg": "RS256"})


@dataclass
class FakeProvider:
    """What it answers. A test changes what it wants to be wrong."""

    issuer: str
    key: RSAKey = field(default_factory=lambda: rsa_key("first"))
    algorithm: str = "RS256"
    document: dict[str, Any] = field(default_factory=dict[str, Any])
    """Laid over the discovery document."""

    claims: dict[str, Any] = field(default_factory=lambda: dict(ANNA))
    """Laid over the claims of the token; None leaves a claim out."""

    userinfo: dict[str, Any] = field(default_factory=dict[str, Any])
    published: list[dict[str, Any]] | None = None
    forge: Callable[[dict[str, Any]], str] | None = None
    """Makes the token of the claims, in place of the key."""

    answers: Mapping[str, Response] = field(default_factory=dict[str, Response])
    """What is answered at a path, whatever is asked."""

    tokens: dict[str, dict[str, Any] | Response] = field(default_factory=dict[str, dict[str, Any] | Response])
    """What it says about opaque tokens that it is asked about; any other is not active."""

    seen: list[tuple[str, dict[str, str], str]] = field(default_factory=list[tuple[str, dict[str, str], str]])
    """Path, form and login of every request."""

    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def authorize(self, address: str) -> dict[str, str]:
        """Sign the person in who was sent to this address; returns what goes back with the browser."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def reads(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(seen == path for seen, _, _ in self.seen)

    def app(self) -> Starlette:
        """Build the provider's application."""
        routes = {
            "/.well-known/openid-configuration": self._document,
            "/keys": self._keys,
            "/token": self._token,
            "/userinfo": self._userinfo,
            "/introspect": self._introspect,
        }
        return Starlette(routes=[Route(path, self._noted(at), methods=["GET", "POST"]) for path, at in routes.items()])

    def _noted(self, answer: Callable[[dict[str, str]], Response]) -> Any:
        async def noted(request: Request) -> Response:
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            self.seen.append((request.url.path, form, request.headers.get("authorization", "")))
            return self.answers.get(request.url.path) or answer(form)

        return noted

    def _document(self, _: dict[str, str]) -> Response:
        listed = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "introspection_endpoint": f"{self.issuer}/introspect",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        }
        return JSONResponse({**listed, **self.document})

    def _keys(self, _: dict[str, str]) -> Response:
        return JSONResponse({"keys": self.published or [self.key.as_dict(private=False)]})

    def _token(self, form: dict[str, str]) -> Response:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None:
            return JSONResponse({"error": "invalid_grant", "error_description": "a stranger's words"}, 400)
        hashed = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        assert hashed == asked["code_challenge"]
        assert form["redirect_uri"] == asked["redirect_uri"]
        now = int(datetime.now(UTC).timestamp())
        made = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        claims = {name: value for name, value in made.items() if value is not None}
        token = self.forge(claims) if self.forge else self.sign(claims)
        return JSONResponse({"id_token": token, "access_token": "an-access-token", "token_type": "Bearer"})

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign claims as an honest provider does."""
        header = {"alg": self.algorithm, "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def _introspect(self, form: dict[str, str]) -> Response:
        answer = self.tokens.get(form.get("token", ""), {"active": False})
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    def _userinfo(self, _: dict[str, str]) -> Response:
        return JSONResponse(self.userinfo)


def unsigned(claims: dict[str, Any]) -> str:
    """Make a token of the algorithm `none`."""
    header, body = (_encode(part) for part in ({"alg": "none"}, claims))
    return f"{header}.{body}."


def signed_with_public_key(key: RSAKey) -> Callable[[dict[str, Any]], str]:
    """Sign with HMAC and the public key, which everybody has."""
    secret = OctKey.import_key(urlsafe_b64encode(key.as_pem(private=False)).decode())

    def sign(claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "HS256", "kid": key.kid}, claims, secret, algorithms=["HS256"])

    return sign


def _encode(part: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@asynccontextmanager
async def fake_provider() -> AsyncGenerator[FakeProvider]:
    """Serve a provider that a test can make lie."""
    port = free_port()
    provider = FakeProvider(f"http://127.0.0.1:{port}")
    server = LoopbackServer(uvicorn.Config(provider.app(), port=port, log_config=None, access_log=False))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve)
        await server.listening.wait()
        try:
            yield provider
        finally:
            server.stopping.set()
