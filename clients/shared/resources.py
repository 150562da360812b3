"""What the clients of one process share."""

from collections.abc import Mapping
from dataclasses import dataclass

from clients.shared.cache import AnswerCache
from clients.shared.http_client import HttpPool
from clients.shared.limits import Limits
from clients.shared.tokens import TokenStore
from clients.shared.webhook_urls import Inbox


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
