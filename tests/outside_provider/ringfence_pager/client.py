"""The pager service's API: how it logs in."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import httpx2

from clients.client import ApiClient
from clients.errors import Refused, quoted, refusal
from clients.redaction import fingerprint, redact
from clients.resources import ClientResources
from clients.settings import reveal
from clients.spec import ProviderApi, Spec
from ringfence_pager.settings import PagerSettings

pager: Final = ProviderApi(
    "pager",
    title="Pager Service",
    base_url="https://api.pager.example",
    docs_url="https://docs.pager.example/",
    quirks=("A page is charged when it is taken in, whether the pager is on or not.",),
)


class PagerKey:
    """The key that opens the account."""

    def __init__(self, key: str) -> None:
        redact.learn(key)
        self._key = key

    async def headers(self, http: httpx2.AsyncClient) -> Mapping[str, str]:
        """Return the header that authenticates a request."""
        return {"X-Pager-Key": self._key}

    async def renew(self, http: httpx2.AsyncClient, refused: Mapping[str, str]) -> bool:
        """There is no other key."""
        return False


class PagerClient(ApiClient):
    """One account at the pager service."""

    provider: ClassVar[ProviderApi] = pager

    def __init__(self, key: str, **options: Any) -> None:
        super().__init__(credentials=PagerKey(key), identity=f"key {fingerprint(key)}", **options)

    def unwrap(self, spec: Spec, payload: Any) -> Any:
        """Answers come without an envelope."""
        return payload

    def refusal(self, spec: Spec, status: int, payload: Any, text: str) -> Refused:
        """Return the typed error for `{"error": "..."}`."""
        reason = payload.get("error") if isinstance(payload, Mapping) else text
        return refusal(status, f"The pager service refused to {spec.title.lower()}: {quoted(str(reason))}")


def connect(account: PagerSettings, resources: ClientResources) -> PagerClient:
    """Make a client of the account that the settings name."""
    return PagerClient(
        reveal(account.api_key) or "",
        base_url=account.base_url,
        http=resources.http,
        limits=resources.limits,
        cache=resources.cache,
        corrections=resources.corrections,
    )
