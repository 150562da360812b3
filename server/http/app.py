"""Serves MCP over streamable HTTP: the application, and the process that listens."""

import logging
import socket
import sys
from collections.abc import Sequence
from typing import Any

import anyio
import uvicorn
from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateSecurity
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.routing import Route

from guard.errors import JournalUnavailable
from server.console.page_identity import PageIdentity
from server.console.pages import PageOptions, PageSetup, approval_app
from server.console.passcode import is_set as passcode_is_set
from server.console.urls import ROOT, MountedPage
from server.http.bearer import BearerTokens, grants_of
from server.http.health import HealthRoutes
from server.http.oauth.access import OAuthAccess
from server.http.sockets import LOOPBACK, NotProtected, bind_sockets, port_of
from server.mcp.approval_page import NoPage
from server.mcp.listing.registry import ToolRegistry
from server.mcp.server import build_server
from server.notices.on_demand import send_notices
from server.services import Services
from server.settings.explain import place_of
from server.settings.model import HttpSettings, Settings
from server.settings.rules import BudgetSettings
from server.simulation import services_for
from server.store.sealed.audit import ANOTHER_KEY
from server.telemetry.on_demand import measure_on_demand, send_what_is_left
from server.webhooks.endpoint import webhook_route
from server.webhooks.retention import Retention
from server.worker.on_demand import work_on_demand

logger = logging.getLogger(__name__)

EVERY_INTERFACE = {"0.0.0.0", "::"}  # noqa: S104 - only compared with


async def serve_http(settings: Settings, host: str, port: int, *, sandbox: bool) -> None:
    """Serve streamable HTTP until the process is stopped; its address is written to stderr.

    Raises:
        NotProtected: It would listen beyond loopback without a bearer token.
        CannotListen: The port is in use.
        JournalUnavailable: The store was created with another key.
    """
    if host not in LOOPBACK and not settings.http.tokens and settings.http.oauth is None:
        raise NotProtected(
            f"Refusing to listen on {host}: beyond this machine a bearer token is needed. "
            "Set RINGFENCE_HTTP__TOKENS or [http.oauth], or listen on 127.0.0.1."
        )
    with bind_sockets(host, port) as sockets:
        port = port_of(sockets)
        async with services_for(settings, sandbox=sandbox) as services:
            app = http_app(services, host, port)
            await _require_our_key(services)
            config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, server_header=False)
            sys.stderr.write(f"Ringfence answers at http://{_bracket(host)}:{port}/mcp\n")
            sys.stderr.write("".join(f"  {line}\n" for line in await _banner(services, host, port, sandbox=sandbox)))
            await _Server(config, services, _link_base(services, host, port)).serve(sockets)


class _Server(uvicorn.Server):
    """A uvicorn server with the worker and the notices beside it, which end before the process does."""

    def __init__(self, config: uvicorn.Config, services: Services, link_base: str | None) -> None:
        super().__init__(config)
        self._services = services
        self._link_base = link_base

    async def main_loop(self) -> None:
        """Serve until the process is stopped; the worker then finishes the request that is under way."""
        services = self._services
        async with anyio.create_task_group() as group:
            group.start_soon(work_on_demand, self._services)
            group.start_soon(send_notices, self._services, self._link_base)
            group.start_soon(measure_on_demand, services.settings, services.door, services.clock)
            await super().main_loop()
            group.cancel_scope.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is under way, and send what was recorded: the signal is raised once more after this."""
        await super().shutdown(sockets)
        await send_what_is_left(self._services.settings)


async def _require_our_key(services: Services) -> None:
    """Stop a server whose key is not the store's: it would refuse every guarded call.

    A store that cannot be read now may be readable later, and a gap may be accepted later, so these are only logged.
    """
    audit = services.store.audit
    try:
        has_our_key, gap = await audit.has_our_key(), await audit.find_gap()
    except JournalUnavailable as unavailable:
        logger.warning("%s Plain reads still work.", unavailable)
        return
    if not has_our_key:
        await services.close()
        raise JournalUnavailable(ANOTHER_KEY)
    if gap is not None:
        command = services.settings.commands.line("audit", "accept")
        logger.warning("In the audit log, %s: guarded calls are refused until `%s`.", gap.what, command)


async def _banner(services: Services, host: str, port: int, *, sandbox: bool) -> list[str]:
    """Say what the operator wants to know at the start: where to approve, with which providers, under which caps."""
    settings, commands = services.settings, services.settings.commands
    base = page_base(services, host, port)
    if settings.approvals.page == "off":
        page = f"off; see what waits with `{commands.line('approvals', 'list')}`"
    else:
        page = f"{base.rstrip('/')}{ROOT}" if base else "no address known; set approvals.address"
    caps = ", ".join(_cap_in_words(cap) for cap in settings.budget)
    return [
        *(["SANDBOX: all providers are simulated; nothing is real and nothing costs money."] if sandbox else []),
        f"Approval page: {page}",
        f"Passcode: {await _passcode_in_words(services)}",
        f"Providers: {', '.join(_with_accounts(services, name) for name in services.set_up) or 'none is set up'}",
        f"Caps: {caps or 'none; set [[budget]] to limit what may be spent'}",
    ]


def _with_accounts(services: Services, provider: str) -> str:
    """Name a provider, with its accounts where it has several or one with a name of its own."""
    accounts = services.accounts_of(provider)
    return provider if accounts == (provider,) else f"{provider} ({', '.join(accounts)})"


def _cap_in_words(cap: BudgetSettings) -> str:
    where = f" {place_of(cap)}" if cap.provider or cap.account else ""
    return f"{cap.limit} {cap.currency} per {cap.per}{where}"


async def _passcode_in_words(services: Services) -> str:
    try:
        is_set = await passcode_is_set(services.store.key_values)
    except JournalUnavailable:
        return "not known, because the store cannot be read"
    command = services.settings.commands.line("approvals", "passcode")
    return "set" if is_set else f"not set yet; set it with `{command}`"


def http_app(services: Services, host: str, port: int) -> Starlette:
    """Build the ASGI application; it is stateless, so that several processes can serve one address."""
    return mount(services, http_server(services, host, port), host, port)


def http_server(services: Services, host: str, port: int, *, registry: ToolRegistry | None = None) -> Server[None]:
    """Build the MCP server that `mount` serves; `registry` holds its tools, if not those of the settings."""
    base = page_base(services, host, port)
    page = NoPage() if services.settings.approvals.page == "off" else MountedPage(base)
    security = RequestStateSecurity(keys=[services.request_state_key()])
    return build_server(services, registry=registry, page=page, request_state=security)


def mount(services: Services, server: Server[None], host: str, port: int, *, stateless: bool = True) -> Starlette:
    """Build the ASGI application of the MCP server, with the webhooks and the approval page beside it.

    Unless it is stateless, only one process can answer.
    """
    settings = services.settings
    named = _bracket(host)
    own = [f"{named}:{port}", named, *(f"{_bracket(name)}:{port}" for name in LOOPBACK if host in LOOPBACK)]
    hosts = [*own, *settings.http.allowed_hosts]
    tokens = BearerTokens(
        {holder: settings.http.token_of(holder) for holder in settings.http.tokens}, grants_of(settings.http.tokens)
    )
    oauth = settings.http.oauth
    access = OAuthAccess.of(oauth, tokens, services.clock) if oauth is not None else None
    app = server.streamable_http_app(
        stateless_http=stateless,
        host=host,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=hosts,
            allowed_origins=[*(f"http://{name}" for name in own), *settings.http.allowed_origins],
        ),
        **_authentication(settings.http, access, tokens, f"http://{named}:{port}"),
    )
    if access is not None:
        access.tell(app, settings)
    retention = Retention(services.store.events, settings.http.keep_callbacks_days)
    app.router.routes += [webhook_route(services, retention), *HealthRoutes(services.store, hosts).routes()]
    if settings.approvals.page == "auto":
        _mount_page(app, services, hosts, page_base(services, host, port))
    return app


def page_base(services: Services, host: str, port: int) -> str | None:
    """Where people reach the approval page; None where nothing says so."""
    served_at = None if host in EVERY_INTERFACE else f"http://{_bracket(host)}:{port}"
    return services.settings.approvals.address or served_at


def _link_base(services: Services, host: str, port: int) -> str | None:
    """Return where the links of notices lead; None where there is no page, or nothing says where it is."""
    return None if services.settings.approvals.page == "off" else page_base(services, host, port)


def _authentication(
    http: HttpSettings, access: OAuthAccess | None, static: TokenVerifier, address: str
) -> dict[str, Any]:
    """Return what makes the SDK check the bearer tokens of the settings; empty if they have none.

    Without OAuth, no metadata of a protected resource is published (RFC 9728): it would have to name an authorization
    server, and where there is none, clients that look for it give up instead of sending the token that they were given.
    """
    if access is not None:
        return {"auth": access.auth, "token_verifier": access.verifier}
    if not http.tokens:
        return {}
    settings = AuthSettings(issuer_url=AnyHttpUrl(address), resource_server_url=None)
    return {"auth": settings, "token_verifier": static}


def _bracket(host: str) -> str:
    """Put an IPv6 address in brackets, as URLs and Host headers need it."""
    return f"[{host}]" if ":" in host else host


def _mount_page(app: Starlette, services: Services, hosts: Sequence[str], base: str | None) -> None:
    """Serve the approval page beside the protocol: no bearer token opens it, and its session opens nothing else."""
    store = services.store
    identity = PageIdentity(store.seal, store_address=services.settings.store_address, base=base or "")
    options = PageOptions.of(services.settings, services)
    setup = PageSetup(store=store, hosts=hosts, identity=identity, address=base, options=options)
    app.router.routes.append(Route(f"{ROOT}{{rest:path}}", approval_app(setup)))
