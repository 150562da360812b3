"""The settings of a Routee account. The sentence below a field is its line in the table of settings."""

from clients.settings import AccountSettings, ApiAddress, Identifier, Key
from tools.routee.personal_texts import LabelForm


class RouteeSettings(AccountSettings):
    """One application of a Routee account; calls are made with that application's rights."""

    application_id: Identifier | None = None
    """The application's id."""

    application_secret: Key | None = None
    """The application's secret. Blanks, line ends and quotes around it are left off."""

    auth_url: ApiAddress | None = None
    """Another address for the login service, which is a host of its own."""

    label_form: LabelForm | None = None
    """How texts name a contact's label at this account, `[~{label}]` or `[~label]`; the other is refused if set."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing with both id and secret."""
        return self.unset("application_id", "application_secret")
