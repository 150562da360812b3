"""Host and Origin checks and security headers for the approval page."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_FORM: Final = 8 * 1024
"""Bytes. The longest form holds the conditions of an allowance; longer lists of values go through the command line."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: under that, browsers send `Origin: null` with our own forms, and the origin is checked.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityMiddleware:
    """Accepts only its own host names, accepts forms only from its own pages, and adds headers to every answer.

    A foreign name that resolves to this machine (DNS rebinding) is refused for reads too.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], address: str | None) -> None:
        """`hosts` are Host headers; `address` is the public address of the page behind a proxy."""
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        self._origins = {f"{scheme}://{host}" for host in self._hosts for scheme in ("http", "https")}
        if address:
            parts = urlsplit(address)
            self._hosts.add(parts.netloc.lower())
            self._origins.add(f"{parts.scheme}://{parts.netloc}".lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refused HTTP request, forward any other, and add the security headers to both answers.

        Anything but HTTP is forwarded unchecked.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        app = self._refuse(scope) or self._app
        await app(scope, receive, send_protected)

    def _refuse(self, scope: Scope) -> PlainTextResponse | None:
        """Return the answer to a request that is refused; None for any other."""
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._hosts:
            return PlainTextResponse("This server has another address.", 421)
        if scope["method"] in {"GET", "HEAD"}:
            return None
        if headers.get("origin", "").lower() not in self._origins:
            return PlainTextResponse("This form is not from a page of this server. Nothing was done.", 403)
        return None
