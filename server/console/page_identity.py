"""Lets a process check that the page at an address is the page of its own store."""

import hmac
import re
import secrets
from typing import Final

import httpx2
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from server.console.urls import ROOT
from server.store.sealed.seal import Seal

_CHALLENGE: Final = re.compile(r"[0-9a-f]{32}")
PATIENCE_SECONDS: Final = 2.0


class PageIdentity:
    """Proves with the store's key that a page belongs to this store and is at this very address.

    Without the proof, a program that takes the port after a page has ended could ask people for the passcode.
    """

    def __init__(self, seal: Seal, *, store_address: str, base: str) -> None:
        self._seal = seal
        self._store_address = store_address
        self._base = base

    async def prove(self, request: Request) -> Response:
        """Answer the challenge of another process."""
        challenge = request.query_params.get("challenge", "")
        if not _CHALLENGE.fullmatch(challenge):
            return PlainTextResponse("A challenge is missing.", 400)
        return PlainTextResponse(self._proof(challenge))

    async def holds(self) -> bool:
        """Return True if the page of this store answers at the address."""
        challenge = secrets.token_hex(16)
        try:
            # Two processes of one machine talk directly, whatever proxy the environment names.
            async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
                answer = await http.get(f"{self._base}{ROOT}/healthz", params={"challenge": challenge})
        except httpx2.HTTPError:
            return False
        return hmac.compare_digest(answer.content, self._proof(challenge).encode("utf-8"))

    def _proof(self, challenge: str) -> str:
        text = f"{challenge}\n{self._base}\n{self._store_address}"
        return hmac.digest(self._seal.derive("approval page"), text.encode("utf-8"), "sha256").hex()
