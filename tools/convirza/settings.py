"""The settings of a Convirza account. The sentence below a field is its line in the table of settings."""

from pydantic import SecretStr

from clients.settings import AccountSettings, ApiAddress, Identifier


class ConvirzaSettings(AccountSettings):
    """One user of a Convirza account; calls are made with that user's role."""

    email: Identifier | None = None
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
        return self.unset("email", "password")
