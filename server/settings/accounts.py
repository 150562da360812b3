"""The account at each provider, as the operator sets it. The text below a field is its line in the settings table."""

from typing import Annotated

from pydantic import SecretStr, field_validator

from server.settings.rules import Currency, Section, matching


def strip_line_end(value: object) -> object:
    """What was read from a file often ends with a line end, which no provider takes as a part of a key."""
    if isinstance(value, SecretStr):
        return SecretStr(value.get_secret_value().rstrip("\r\n"))
    return value.rstrip("\r\n") if isinstance(value, str) else value


ApiAddress = Annotated[
    str, matching(r"(https?://[^/?#\s]+[^?#\s]*)?", "an address that begins with https:// or http://")
]
"""Where an API is. A variable that is set to nothing counts as one that is not set."""


class AccountSettings(Section):
    """One account at one provider."""

    base_url: ApiAddress | None = None
    """Another address for the API."""

    @field_validator("*", mode="before")
    @classmethod
    def _ends_with_its_last_character(cls, value: object) -> object:
        return strip_line_end(value)

    @property
    def is_complete(self) -> bool:
        """True when a client can log in, and so the provider is on."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys without which no client can log in; empty where it can."""
        raise NotImplementedError

    @property
    def is_begun(self) -> bool:
        """True when anything is set: whoever set it wants the provider on."""
        return any(getattr(self, name) for name in self.model_fields_set)

    def _lacking(self, *names: str) -> tuple[str, ...]:
        return tuple(name for name in names if not getattr(self, name))


class VoiceTelSettings(AccountSettings):
    """One VoiceTel account: a key, or username and password to fetch one with."""

    api_key: SecretStr | None = None
    """The account's API key, 32 hexadecimal characters. A line end after it is left off, as after every secret."""

    username: str | None = None
    """The account's ten-digit username."""

    password: SecretStr | None = None
    """The account's password, without a line end."""

    port_in_pin: SecretStr | None = None
    """PIN of the account at the losing carrier, for port-ins that need one."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with a key, or with both username and password."""
        if self.api_key or not (lacking := self._lacking("username", "password")):
            return ()
        return lacking if self.username or self.password else ("api_key",)


class RouteeSettings(AccountSettings):
    """One application of a Routee account; calls are made with that application's rights."""

    application_id: str | None = None
    """The application's id."""

    application_secret: SecretStr | None = None
    """The application's secret, without a line end."""

    auth_url: ApiAddress | None = None
    """Another address for the login service, which is a host of its own."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with both id and secret."""
        return self._lacking("application_id", "application_secret")


class ConvirzaSettings(AccountSettings):
    """One user of a Convirza account; calls are made with that user's role."""

    email: str | None = None
    """The user's e-mail address."""

    password: SecretStr | None = None
    """The user's password, without a line end."""

    oauth_url: ApiAddress | None = None
    """Another address for the login service, which is a host of its own."""

    webhook_token: SecretStr | None = None
    """Shared token that webhooks carry, so that the receiver knows them; Convirza does not sign them."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with both e-mail and password."""
        return self._lacking("email", "password")


class EnswitchSettings(AccountSettings):
    """One person of an Enswitch installation; calls are made with that person's role and rate plan."""

    username: str | None = None
    """The person's username. Limit it to this machine's address (Users, source) where you can."""

    password: SecretStr | None = None
    """The person's password, without a line end."""

    version: Annotated[str, matching(r"[34]\.[0-9]{1,2}", "a version from 3.0 to 4.x, such as 4.4")] = "4.4"
    """The installation's version: before 4.1 there are no tokens, and plan routes are named another way."""

    currency: Currency = "USD"
    """Currency of the customers, for amounts that name none."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with an address, a username and a password: there is no address that all companies share."""
        return self._lacking("base_url", "username", "password")
