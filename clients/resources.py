"""What the clients of one process share."""

from dataclasses import dataclass

from clients.shared.cache import AnswerCache
from clients.shared.http_client import HttpPool
from clients.shared.limits import Limits
from clients.shared.tokens import TokenStore
from clients.shared.webhook_urls import Inbox
from clients.wire.corrections import Corrections


@dataclass(frozen=True, slots=True)
class ClientResources:
    """One connection pool, one count of limits and one cache for all accounts."""

    http: HttpPool
    limits: Limits
    cache: AnswerCache
    tokens: TokenStore
    inbox: Inbox
    """Where this provider's webhooks arrive."""

    corrections: Corrections
    """What the operator corrected of endpoints that are not documented."""
