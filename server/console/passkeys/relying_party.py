"""For which page a passkey is enrolled: a browser lets it sign for this host name alone."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The page as an authenticator knows it (WebAuthn, 4)."""

    origin: str
    """Scheme, host name and port, as the browser names the page."""

    @property
    def rp_id(self) -> str:
        """The host name."""
        return urlsplit(self.origin).hostname or ""

    @property
    def problem(self) -> str:
        """Why no passkey works on this page; empty where one does."""
        parts = urlsplit(self.origin)
        try:
            ip_address(self.rp_id)
        except ValueError:
            is_safe = parts.scheme == "https" or self.rp_id == "localhost"
            return "" if is_safe else "Passkeys need a page behind TLS, or at http://localhost on this machine."
        port = f":{parts.port}" if parts.port else ""
        return (
            f"Passkeys belong to a host name: open http://localhost{port} instead, or the page's own name behind TLS."
        )

    @classmethod
    def of(cls, request: Request, address: str | None) -> "RelyingParty":
        """Read it from a request; `address` is the page's public address, if it has one.

        The middleware has compared the Host header with the names of this page.
        """
        host = request.headers.get("host", "").lower()
        public = urlsplit(address or "")
        scheme = public.scheme if public.netloc.lower() == host else request.url.scheme
        return cls(f"{scheme}://{host}")
