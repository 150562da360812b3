"""The settings of a VoiceTel account. The sentence below a field is its line in the table of settings."""

from pydantic import SecretStr

from clients.settings import AccountSettings


class VoiceTelSettings(AccountSettings):
    """One VoiceTel account: a key, or username and password to fetch one with."""

    api_key: SecretStr | None = None
    """The account's API key, 32 hexadecimal characters. A line end after it is left off, as after every secret."""

    username: str | None = None
    """The account's username, which is a number."""

    password: SecretStr | None = None
    """The account's password, without a line end."""

    port_in_pin: SecretStr | None = None
    """PIN of the account at the losing carrier, for port-ins that need one."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with a key, or with both username and password."""
        if self.api_key or not (unset := self.unset("username", "password")):
            return ()
        return unset if self.username or self.password else ("api_key",)
