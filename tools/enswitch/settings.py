"""The settings of an Enswitch account. The sentence below a field is its line in the table of settings."""

from typing import Annotated

from pydantic import SecretStr

from clients.settings import AccountSettings, Currency, Identifier, matching


class EnswitchSettings(AccountSettings):
    """One person of an Enswitch installation; calls are made with that person's role and rate plan."""

    username: Identifier | None = None
    """The person's username. Limit it to this machine's address (Users, source) where you can."""

    password: SecretStr | None = None
    """The person's password, without a line end."""

    version: Annotated[str, matching(r"[34]\.[0-9]{1,2}", "a version from 3.0 to 4.x, such as 4.4")] = "4.4"
    """The installation's version: before 4.1 there are no tokens, and plan routes are named another way.

    Before 3.13 the guide documents no function, so every call is refused and nothing is sent."""

    currency: Currency = "USD"
    """Currency of the customers, for amounts that name none."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with an address, a username and a password: there is no address that all companies share."""
        return self.unset("base_url", "username", "password")
