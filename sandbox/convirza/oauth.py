"""The OAuth service (login, refresh, revoke) and the profile of the authenticated user."""

from typing import Literal

from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import OpenBody, Text
from sandbox.convirza.records import Session, User
from sandbox.convirza.wire import Answer, Refusal, iso_ms
from sandbox.frame.wire import Wire


class Login(OpenBody):
    """The credentials; inferred names, since the page shows the method but not its body."""

    email: Text
    password: Text


class Refresh(OpenBody):
    """The refresh token."""

    refresh_token: Text


class Revocation(OpenBody):
    """The token to end; `token_type` is documented, the name `token` is inferred."""

    token: Text
    token_type: Literal["access", "refresh"]


@operation("Get Access Token", "POST", "/oauth/token", "public", "documented")
def log_in(call: Call) -> Answer:
    """Exchange e-mail and password for a token pair; ten attempts a minute for each address (documented)."""
    if not call.state.sessions.may_try_login(call.request.client):
        # inferred: the limit is documented, its status is not
        raise Refusal(429, "Too many requests: 10 per minute.")
    login = call.parse(Login)
    for user in call.state.users.values():
        if user.body.username == login.email and user.password == login.password and user.status == "active":
            return _token_pair(user, call.state.sessions.open(user.id))
    raise Refusal(401, "Invalid email or password.")


@operation("Refresh Access Token", "POST", "/oauth/refresh-token", "public", "documented", body="documented")
def refresh(call: Call, body: Refresh) -> Answer:
    """Exchange a refresh token for a new pair, once.

    Documented: the old refresh token is invalid at once. inferred: a second use is answered with 401.
    """
    session = call.state.sessions.rotate(body.refresh_token)
    user = None if session is None else call.state.users.get(session.user_id)
    if session is None or user is None or user.status != "active":
        raise Refusal(401, "Refresh token is invalid, expired or already used.")
    return _token_pair(user, session)


@operation("Revoke Token", "POST", "/oauth/revoke-token", "public", "documented")
def revoke(call: Call, body: Revocation) -> Answer:
    """End one token; a token that is already dead is no error, and no Bearer is needed (both documented)."""
    if body.token_type == "access":  # noqa: S105 - the kind of token, not a token
        call.state.sessions.revoke_access(body.token)
    else:
        call.state.sessions.revoke_refresh(body.token)
    return Answer({"message": "Token revoked successfully"}, bare=True)


@operation("Get Own Profile", "GET", "/v3/auth/profile", "read")
def show_profile(call: Call) -> Answer:
    """Show the authenticated user; inferred: the fields that login shows, and the names."""
    user = call.user
    profile = {**_identity(user), "first_name": user.body.first_name, "last_name": user.body.last_name}
    return Answer({"user": profile})


def _token_pair(user: User, session: Session) -> Answer:
    return Answer(
        {
            "access_token": session.access,
            "refresh_token": session.refresh,
            "frontend_token": session.access[-32:],
            "token_type": "Bearer",
            "expires_in": iso_ms(session.access_expires),
            "refresh_expires_in": iso_ms(session.refresh_expires),
            "user": _identity(user),
        },
        bare=True,
    )


def _identity(user: User) -> Wire:
    return {"user_id": user.id, "email": user.body.username, "role_id": user.role_id, "org_unit_id": user.org_unit_id}
