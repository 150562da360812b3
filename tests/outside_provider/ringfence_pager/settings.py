"""The settings of an account. The sentence below a field is its line in the table of settings."""

from clients.settings import AccountSettings, Key


class PagerSettings(AccountSettings):
    """One account at the pager service."""

    api_key: Key | None = None
    """The account's API key."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with a key."""
        return self.unset("api_key")
