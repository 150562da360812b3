"""The webhook addresses of this server. They contain a secret, because a provider may sign nothing that it posts."""

from clients.redaction import redact
from clients.webhook_urls import INBOX_PATH
from server.store.door import StoreDoor
from server.store.seal import Seal

ROOT = INBOX_PATH.rstrip("/")
PURPOSE = "callbacks of providers"


class InboxUrl:
    """Implements `clients.webhook_urls.Inbox` for one provider; every server on a store has the same addresses."""

    def __init__(self, base: str | None, door: StoreDoor, provider: str) -> None:
        """`base` is the address at which providers reach this server; None where none is known."""
        self._base = base
        self._door = door
        self._provider = provider

    def url(self, kind: str) -> str | None:
        if not self._base:
            return None
        return f"{self._base.rstrip('/')}{ROOT}/{self._provider}/{derive_secret(self._door.store.seal)}/{kind}"


def derive_secret(seal: Seal) -> str:
    """Derive the secret part of the addresses, and hide it from every log, answer and error from now on."""
    secret = seal.derive(PURPOSE).hex()[:40]
    redact.learn(secret)
    return secret
