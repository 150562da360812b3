"""Every provider that can be set up: how its settings become a client, prices and a harmless read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
from pydantic import SecretStr

from clients.cache import AnswerCache
from clients.client import ApiClient
from clients.convirza import Convirza
from clients.enswitch import Enswitch
from clients.enswitch_versions import version_of
from clients.limits import Limits
from clients.operation import Operation
from clients.tokens import TokenStore
from clients.voicetel import VoiceTel
from guard.quote import PriceSource
from server.settings import ConvirzaSettings, EnswitchSettings, ProviderSettings, Settings, VoiceTelSettings


@dataclass(frozen=True, slots=True)
class Shared:
    """What the clients of one process share."""

    http: Callable[[], httpx2.AsyncClient]
    limits: Limits
    cache: AnswerCache
    tokens: TokenStore


class ProviderSetup(Protocol):
    """One provider, as the composition root needs it."""

    def section(self, settings: Settings) -> ProviderSettings:
        """The provider's part of the settings."""
        ...

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        """A client of the account that the settings name."""
        ...

    def prices(self, client: ApiClient) -> PriceSource | None:
        """Where its prices come from; None where it publishes none."""
        ...

    def harmless_read(self) -> Operation[Any]:
        """A read that costs nothing and counts against no limit, for `ringfence doctor`."""
        ...


class VoiceTelSetup:
    """VoiceTel, with a key or with username and password."""

    def section(self, settings: Settings) -> VoiceTelSettings:
        return settings.voicetel

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        account = settings.voicetel
        return VoiceTel(
            api_key=revealed(account.api_key),
            username=account.username,
            password=revealed(account.password),
            base_url=account.base_url,
            http=shared.http,
            limits=shared.limits,
            cache=shared.cache,
            paths=settings.paths,
        )

    def prices(self, client: ApiClient) -> PriceSource | None:
        from tools.voicetel.prices import VoiceTelPrices

        return VoiceTelPrices(client)

    def harmless_read(self) -> Operation[Any]:
        from tools.voicetel.access import GetAuthentication

        return GetAuthentication()


class ConvirzaSetup:
    """Convirza, as the user whose e-mail and password are set."""

    def section(self, settings: Settings) -> ConvirzaSettings:
        return settings.convirza

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        account = settings.convirza
        return Convirza(
            email=account.email,
            password=revealed(account.password),
            base_url=account.base_url,
            oauth_url=account.oauth_url,
            http=shared.http,
            limits=shared.limits,
            cache=shared.cache,
            tokens=shared.tokens,
            paths=settings.paths,
        )

    def prices(self, client: ApiClient) -> PriceSource | None:
        return None

    def harmless_read(self) -> Operation[Any]:
        from tools.convirza.groups import ListChildGroups

        return ListChildGroups(limit=1)


class EnswitchSetup:
    """Enswitch, as the person whose username and password are set."""

    def section(self, settings: Settings) -> EnswitchSettings:
        return settings.enswitch

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        account = settings.enswitch
        return Enswitch(
            base_url=account.base_url,
            username=account.username,
            password=revealed(account.password),
            version=version_of(account.version),
            currency=account.currency,
            http=shared.http,
            limits=shared.limits,
            cache=shared.cache,
            paths=settings.paths,
        )

    def prices(self, client: ApiClient) -> PriceSource | None:
        from tools.enswitch.prices import EnswitchPrices

        return EnswitchPrices(client)

    def harmless_read(self) -> Operation[Any]:
        from tools.enswitch.people import GetLogin

        return GetLogin()


SETUPS: dict[str, ProviderSetup] = {
    "voicetel": VoiceTelSetup(),
    "convirza": ConvirzaSetup(),
    "enswitch": EnswitchSetup(),
}
"""By name, in the order of the README."""


def revealed(secret: SecretStr | None) -> str | None:
    """A secret in clear, for the client that logs in with it."""
    return secret.get_secret_value() if secret else None
