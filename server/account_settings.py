"""The account at each provider, as the operator sets it. The text below a field is its line in the settings table."""

from typing import Annotated

from pydantic import SecretStr, field_validator

from server.rule_settings import Currency, Section, matching


def without_line_end(value: object) -> object:
    """What was read from a file often ends with a line end, which no provider takes as a part of a key."""
    if isinstance(value, SecretStr):
        return SecretStr(value.get_secret_value().rstrip("\r\n"))
    return value.rstrip("\r\n") if isinstance(value, str) else value


class ProviderSettings(Section):
    """One account at one provider."""

    base_url: str | None = None
    """Another address for the API."""

    @field_validator("*", mode="before")
    @classmethod
    def _ends_with_its_last_character(cls, value: object) -> object:
        return without_line_end(value)

    @property
    def is_complete(self) -> bool:
        """True when a client can log in, and so the provider is on."""
        return False


class VoiceTelSettings(ProviderSettings):
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
    def is_complete(self) -> bool:
        """True with a key, or with both username and password."""
        return bool(self.api_key or (self.username and self.password))


class RouteeSettings(ProviderSettings):
    """One application of a Routee account; calls are made with that application's rights."""

    application_id: str | None = None
    """The application's id."""

    application_secret: SecretStr | None = None
    """The application's secret, without a line end."""

    auth_url: str | None = None
    """Another address for the login service, which is a host of its own."""

    @property
    def is_complete(self) -> bool:
        """True with both id and secret."""
        return bool(self.application_id and self.application_secret)


class ConvirzaSettings(ProviderSettings):
    """One user of a Convirza account; calls are made with that user's role."""

    email: str | None = None
    """The user's e-mail address."""

    password: SecretStr | None = None
    """The user's password, without a line end."""

    oauth_url: str | None = None
    """Another address for the login service, which is a host of its own."""

    webhook_token: SecretStr | None = None
    """Shared token that webhooks carry, so that the receiver knows them; Convirza does not sign them."""

    @property
    def is_complete(self) -> bool:
        """True with both e-mail and password."""
        return bool(self.email and self.password)


class EnswitchSettings(ProviderSettings):
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
    def is_complete(self) -> bool:
        """True with an address, a username and a password: there is no address that all companies share."""
        return bool(self.base_url and self.username and self.password)
