"""Why nobody was signed in, in words for the page."""


class NotSignedIn(Exception):
    """Nobody was signed in. The message says why and what to do, and holds nothing that a stranger wrote."""


class ProviderMisfit(NotSignedIn):
    """The provider could not be reached, or its answer does not fit: a matter for whoever set it up."""


class AccountRefused(NotSignedIn):
    """The provider says who it is, and that account may not sign in here."""
