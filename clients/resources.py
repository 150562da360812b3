"""What the clients of one process share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx2

from clients.cache import AnswerCache
from clients.limits import Limits
from clients.tokens import TokenStore
from clients.webhook_urls import Inbox


@dataclass(frozen=True, slots=True)
class ClientResources:
    """One connection pool, one count of limits and one cache for all accounts."""

    http: Callable[[], httpx2.AsyncClient]
    limits: Limits
    cache: AnswerCache
    tokens: TokenStore
    inbox: Inbox
    """Where this provider's webhooks arrive."""

    paths: Mapping[str, str]
    """Paths that the operator corrected, by tool name."""
