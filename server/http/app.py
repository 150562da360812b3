"""Runs the server: over stdio, or over streamable HTTP behind bearer tokens."""

import hmac
import logging
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import RequestStateSecurity
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl, SecretStr
from starlette.applications import Starlette
from starlette.routing import Route

from guard.errors import JournalUnavailable
from server.console.urls import ROOT, ApprovalPage, LazyApprovalPage, MountedPage
from server.http.sockets import bind_sockets, port_of
from server.mcp.app import build_server
from server.mcp.registry import ToolRegistry
from server.services import Services
from server.settings.model import Settings
from server.webhooks.endpoint import inbox_route
from server.webhooks.retention import Retention

logger = logging.getLogger(__name__)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
EVERY_INTERFACE = {"0.0.0.0", "::"}  # noqa: S104 - only compared with


class NotProtected(Exception):
    """The server would listen beyond this machine without a token."""


class BearerTokens(TokenVerifier):
    """Checks bearer tokens from the settings; the name of the holder becomes the principal."""

    def __init__(self, tokens: Mapping[str, SecretStr], resource: str) -> None:
        self._tokens = tokens
        self._resource = resource

    async def verify_token(self, token: str) -> AccessToken | None:
        holder = None
        for name, secret in self._tokens.items():
            if hmac.compare_digest(token.encode("utf-8"), secret.get_secret_value().encode("utf-8")):
                holder = name
        if holder is None:
            return None
        return AccessToken(token=token, client_id=holder, scopes=[], subject=holder, resource=self._resource)


@asynccontextmanager
async def runtime_for(settings: Settings, *, sandbox: bool) -> AsyncGenerator[Services]:
    """A services against the real providers, or against the simulated ones, which run as long as it does."""
    if not sandbox:
        yield Services(settings)
        return
    from sandbox.serving import serve_sandbox
    from server.settings.sandbox_settings import for_sandbox

    async with serve_sandbox() as url:
        yield Services(for_sandbox(settings, url))


async def serve_stdio(settings: Settings, *, sandbox: bool) -> None:
    """Speak MCP over stdin and stdout until the client closes them."""
    async with runtime_for(settings, sandbox=sandbox) as services:
        server = build_server(services)
        async with page_on_loopback(services):
            await server.run_stdio_async()


@asynccontextmanager
async def page_on_loopback(services: Services) -> AsyncGenerator[None]:
    """Let the services serve the approval page on loopback, from when something first waits until the block is left."""
    settings = services.settings
    if settings.approvals.page == "off":
        yield
        return
    async with anyio.create_task_group() as group:

        def page() -> ApprovalPage:
            from server.http.loopback import LoopbackPage

            port, store = settings.approvals.port, settings.store_address
            return LoopbackPage(lambda: services.store, store_address=store, port=port, group=group)

        services.page = LazyApprovalPage(page)
        try:
            yield
        finally:
            group.cancel_scope.cancel()
    await services.close()


async def serve_http(settings: Settings, host: str, port: int, *, sandbox: bool) -> None:
    """Speak streamable HTTP until the process is told to stop; tells on stderr where.

    Raises:
        NotProtected: It would listen beyond loopback without a bearer token.
        CannotListen: The port is in use.
        JournalUnavailable: The store was begun with another key.
    """
    import uvicorn

    if host not in LOOPBACK and not settings.http.tokens:
        raise NotProtected(
            f"Refusing to listen on {host}: beyond this machine a bearer token is needed. "
            "Set RINGFENCE_HTTP__TOKENS, or listen on 127.0.0.1."
        )
    with bind_sockets(host, port) as sockets:
        port = port_of(sockets)
        async with runtime_for(settings, sandbox=sandbox) as services:
            app = http_app(services, host, port)
            await _require_our_key(services)
            config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, server_header=False)
            sys.stderr.write(f"Ringfence answers at http://{_bracketed(host)}:{port}/mcp\n")
            await uvicorn.Server(config).serve(sockets)


async def _require_our_key(services: Services) -> None:
    """Another key would refuse every guarded call. A store that cannot be read now may be read later."""
    try:
        has_our_key = await services.store.audit.has_our_key()
    except JournalUnavailable as unavailable:
        logger.warning("%s Plain reads go on.", unavailable)
    else:
        if not has_our_key:
            from server.store.audit import ANOTHER_KEY

            await services.close()
            raise JournalUnavailable(ANOTHER_KEY)


def http_app(services: Services, host: str, port: int) -> Starlette:
    """The ASGI application. Stateless, so that any number of processes may stand behind one address."""
    return mount(services, http_server(services, host, port), host, port)


def http_server(services: Services, host: str, port: int, *, shelf: ToolRegistry | None = None) -> MCPServer:
    """The MCP server that `mounted` puts behind an address; bearer tokens are checked where there are any."""
    settings = services.settings.http
    named = _bracketed(host)
    address = f"http://{named}:{port}"
    options: dict[str, Any] = {}
    if settings.tokens:
        resource = f"{address}/mcp"
        options = {
            "auth": AuthSettings(
                issuer_url=AnyHttpUrl(address), resource_server_url=AnyHttpUrl(resource), validate_token_resource=True
            ),
            "token_verifier": BearerTokens(settings.tokens, resource),
        }
    security = RequestStateSecurity(keys=[services.state_key()])
    return build_server(services, shelf=shelf, request_state_security=security, **options)


def mount(services: Services, server: MCPServer, host: str, port: int, *, stateless: bool = True) -> Starlette:
    """A server behind an address, with the approval page beside it. With sessions only one process can answer."""
    settings = services.settings.http
    named = _bracketed(host)
    address = f"http://{named}:{port}"
    own = [f"{named}:{port}", named, *(f"{_bracketed(name)}:{port}" for name in LOOPBACK if host in LOOPBACK)]
    app = server.streamable_http_app(
        stateless_http=stateless,
        host=host,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[*own, *settings.allowed_hosts],
            allowed_origins=[*(f"http://{name}" for name in own), *settings.allowed_origins],
        ),
    )
    forgetting = Retention(services.store, services.settings.http.keep_callbacks_days)
    app.router.routes.append(inbox_route(services.store, services.callback_readers(), forgetting))
    if services.settings.approvals.page == "auto":
        reached = None if host in EVERY_INTERFACE else address
        _mount_page(app, services, [*own, *settings.allowed_hosts], services.settings.approvals.address or reached)
    return app


def _bracketed(host: str) -> str:
    """The host as addresses and Host headers have it: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host else host


def _mount_page(app: Starlette, services: Services, hosts: Sequence[str], base: str | None) -> None:
    """Serve the approval page beside the protocol: no bearer token opens it, and its session opens nothing else."""
    from server.console.page_identity import PageIdentity
    from server.console.pages import PageSetup, approval_app

    store = services.store
    identity = PageIdentity(store.seal, store_address=services.settings.store_address, base=base or "")
    setup = PageSetup(store=store, hosts=hosts, identity=identity, address=base)
    app.router.routes.append(Route(f"{ROOT}{{rest:path}}", approval_app(setup)))
    services.page = MountedPage(base)
