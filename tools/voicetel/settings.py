"""The settings of a VoiceTel account. The sentence below a field is its line in the table of settings."""

from typing import Annotated

from pydantic import SecretStr

from clients.settings import AccountSettings, Identifier, Key, key_matching


class VoiceTelSettings(AccountSettings):
    """One VoiceTel account: a key, or username and password to fetch one with."""

    api_key: Annotated[Key, key_matching(r"[0-9a-fA-F]{32}", "32 hexadecimal characters")] | None = None
    """The account's API key, 32 hexadecimal characters. Blanks, line ends and quotes around it are left off."""

    username: Identifier | None = None
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
