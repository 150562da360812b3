"""Why nobody was signed in, in words for the page."""

from typing import ClassVar


class NotSignedIn(Exception):
    """Nobody was signed in. The message says why, and holds nothing that a stranger wrote."""

    advice: ClassVar[str] = "Begin again on the sign-in page."
    """What the person does next."""


class ProviderMisfit(NotSignedIn):
    """The provider could not be reached, or its answer does not fit: a matter for whoever set it up."""

    advice = "`ringfence doctor` checks the provider; meanwhile `ringfence approvals list` works on the command line."


class AccountRefused(NotSignedIn):
    """The provider says who it is, and that account may not sign in here."""

    advice = "Signing in again changes nothing until then."

    def __init__(self, message: str, *, subject: str) -> None:
        super().__init__(message)
        self.subject = subject
        """Issuer and id of the account."""
