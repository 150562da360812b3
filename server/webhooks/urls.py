"""The addresses of the inbox. They hold a secret, as Routee signs nothing: whoever knows one can post to it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from clients.redaction import redact
from clients.webhook_urls import INBOX_PATH
from server.settings.model import Settings

if TYPE_CHECKING:
    from server.store.store import Store

ROOT = INBOX_PATH.rstrip("/")
PURPOSE = "callbacks of providers"


class InboxUrl:
    """Implements `clients.inbox.Inbox` for one provider. All servers on one store have the same address."""

    def __init__(self, settings: Settings, store: "Callable[[], Store]", provider: str) -> None:
        self._settings = settings
        self._store = store
        self._provider = provider

    def url(self, kind: str) -> str | None:
        base = self._settings.http.public_address or self._settings.approvals.address
        return f"{base.rstrip('/')}{ROOT}/{self._provider}/{secret_of(self._store())}/{kind}" if base else None


def secret_of(store: "Store") -> str:
    """The secret part of the addresses; the redactor learns it, so that no log, answer or error shows it."""
    secret = store.seal.derive(PURPOSE).hex()[:40]
    redact.learn(secret)
    return secret
