"""Every provider that can be set up: how its settings become a client, prices and a harmless read.

Each one's modules are imported when it is set up: most sessions have one provider, and clients wait for the start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpx2
from pydantic import SecretStr

from clients.cache import AnswerCache
from clients.client import ApiClient
from clients.limits import Limits
from clients.operation import Operation
from clients.tokens import TokenStore
from clients.webhook_urls import Inbox
from guard.rules.quote import PriceSource
from server.settings.accounts import (
    AccountSettings,
    ConvirzaSettings,
    EnswitchSettings,
    RouteeSettings,
    VoiceTelSettings,
)
from server.settings.model import Settings

if TYPE_CHECKING:
    from tools.overview.views import View
    from tools.policy_reader import Reader


@dataclass(frozen=True, slots=True)
class Shared:
    """What the clients of one process share."""

    http: Callable[[], httpx2.AsyncClient]
    limits: Limits
    cache: AnswerCache
    tokens: TokenStore
    inbox: Callable[[str], Inbox]
    """Where a provider's callbacks are taken in."""


class ProviderSetup(Protocol):
    """One provider, as the composition root needs it."""

    def section(self, settings: Settings) -> AccountSettings:
        """The provider's part of the settings."""
        ...

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        """A client of the account that the settings name."""
        ...

    def prices(self, client: ApiClient) -> PriceSource | None:
        """Where its prices come from; None where it publishes none."""
        ...

    def view(self, reader: "Reader", settings: Settings) -> "View":
        """The provider in the form that is common to all."""
        ...

    def harmless_read(self) -> Operation[Any]:
        """A read that costs nothing and counts against no limit, for `ringfence doctor`."""
        ...


class VoiceTelSetup:
    """VoiceTel, with a key or with username and password."""

    def section(self, settings: Settings) -> VoiceTelSettings:
        return settings.voicetel

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        from tools.voicetel.client import VoiceTel

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

    def view(self, reader: "Reader", settings: Settings) -> "View":
        from tools.voicetel.view import VoiceTelView

        return VoiceTelView(reader)

    def harmless_read(self) -> Operation[Any]:
        from tools.voicetel.operations.access import GetAuthentication

        return GetAuthentication()


class RouteeSetup:
    """Routee, as the application whose id and secret are set."""

    def section(self, settings: Settings) -> RouteeSettings:
        return settings.routee

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        from tools.routee.client import Routee

        account = settings.routee
        return Routee(
            application_id=account.application_id,
            application_secret=revealed(account.application_secret),
            base_url=account.base_url,
            auth_url=account.auth_url,
            inbox=shared.inbox("routee"),
            http=shared.http,
            limits=shared.limits,
            cache=shared.cache,
            paths=settings.paths,
        )

    def prices(self, client: ApiClient) -> PriceSource | None:
        from tools.routee.prices import RouteePrices

        return RouteePrices(client)

    def view(self, reader: "Reader", settings: Settings) -> "View":
        from tools.routee.view import RouteeView

        return RouteeView(reader)

    def harmless_read(self) -> Operation[Any]:
        from tools.routee.operations.account import GetBalance

        return GetBalance()


class ConvirzaSetup:
    """Convirza, as the user whose e-mail and password are set."""

    def section(self, settings: Settings) -> ConvirzaSettings:
        return settings.convirza

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        from tools.convirza.client import Convirza

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

    def view(self, reader: "Reader", settings: Settings) -> "View":
        from tools.convirza.view import ConvirzaView

        return ConvirzaView(reader)

    def harmless_read(self) -> Operation[Any]:
        from tools.convirza.operations.groups import ListChildGroups

        return ListChildGroups(limit=1)


class EnswitchSetup:
    """Enswitch, as the person whose username and password are set."""

    def section(self, settings: Settings) -> EnswitchSettings:
        return settings.enswitch

    def client(self, settings: Settings, shared: Shared) -> ApiClient:
        from tools.enswitch.client import Enswitch
        from tools.enswitch.versions import version_of

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

    def view(self, reader: "Reader", settings: Settings) -> "View":
        from tools.enswitch.view import EnswitchView

        return EnswitchView(reader, settings.enswitch.currency)

    def harmless_read(self) -> Operation[Any]:
        from tools.enswitch.operations.people import GetLogin

        return GetLogin()


SETUPS: dict[str, ProviderSetup] = {
    "voicetel": VoiceTelSetup(),
    "routee": RouteeSetup(),
    "convirza": ConvirzaSetup(),
    "enswitch": EnswitchSetup(),
}
"""By name, in the order of the README."""


def half_set_up(settings: Settings) -> Iterator[str]:
    """The providers that stay off although something of them is set, with what is missing; a sentence each."""
    for name, setup in SETUPS.items():
        account = setup.section(settings)
        if account.is_begun and account.missing:
            keys = " and ".join(f"{name}.{key} (RINGFENCE_{name.upper()}__{key.upper()})" for key in account.missing)
            yield f"{name} stays off: {keys} {'is' if len(account.missing) == 1 else 'are'} not set."


def revealed(secret: SecretStr | None) -> str | None:
    """A secret in clear, for the client that logs in with it."""
    return secret.get_secret_value() if secret else None
