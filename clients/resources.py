"""What the clients of one process share."""

from collections.abc import Mapping
from dataclasses import dataclass

from clients.cache import AnswerCache
from clients.http_client import HttpPool
from clients.limits import Limits
from clients.tokens import TokenStore
from clients.webhook_urls import Inbox


@dataclass(frozen=True, slots=True)
class ClientResources:
    """One connection pool, one count of limits and one cache for all accounts."""

    http: HttpPool
    limits: Limits
    cache: AnswerCache
    tokens: TokenStore
    inbox: Inbox
    """Where this provider's webhooks arrive."""

    paths: Mapping[str, str]
    """Paths that the operator corrected, by tool name."""
