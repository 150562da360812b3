"""Why an access token is neither accepted nor refused."""


class AuthorizationServerUnavailable(Exception):
    """Whether a token counts cannot be found out now. The message says why, and holds no token."""
