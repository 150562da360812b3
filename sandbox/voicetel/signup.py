"""Accounts, keys and recovery: creating, signing up, fetching the key (operations 1, 9, 10, 11)."""

import hashlib
from typing import Annotated

from pydantic import StringConstraints

from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Email, Text, is_email
from sandbox.voicetel.state import SYSTEM_ROUTES, Account, Gateway, State, api_key_for
from sandbox.voicetel.wire import Refusal, created, success


@operation("POST", "account", admin=True)
def create_subaccount(
    call: Call,
    *,
    username: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")],
    name: Text,
    email: Email,
    masterAccount: str = "",
) -> Answer:
    """Make a sub-account and hand back its generated password."""
    if username in call.state.accounts:
        raise Refusal(409, "The account could not be created: the username is taken.")
    master = masterAccount or username
    if master != username and master not in call.state.accounts:
        raise Refusal(409, "The account could not be created: the master account does not exist.")
    account = _open(call.state, username, name, email, master)
    return created(
        username=account.username,
        password=account.password,
        name=account.name,
        email=account.email,
        masterAccount=account.master,
    )


@operation("POST", "account/api-key", public=True, limited=True)
def fetch_api_key(call: Call, *, username: str, password: str) -> Answer:
    """Exchange username and password for the account's key."""
    account = call.state.accounts.get(username)
    if account is None or account.password != password:
        raise Refusal(401, "Invalid username or password.")
    return success(apikey=account.api_key)


@operation("POST", "account/recovery", public=True)
def request_recovery(call: Call, *, email: str = "") -> Answer:
    """Mail a recovery link to the address on file; a bad or missing address is refused in a shape of its own."""
    if not is_email(email):
        raise Refusal(400, "Invalid email address", error={"requirement": "Must be valid"})
    if not _email_is_known(call.state, email):
        raise Refusal(404, "Email not found")
    return success(message="A recovery link has been sent.")


@operation("POST", "accounts", public=True)
def sign_up(call: Call, *, name: Text, email: Email, promo: str = "") -> Answer:
    """Open an account; the reply carries its credentials but no key, as in the 2.2.10 schema."""
    if _email_is_known(call.state, email):
        # inferred: what makes a sign-up impossible is not documented
        raise Refusal(409, "The account could not be created: the email address is in use.")
    username = str(call.state.next("username", 2015559001))
    account = _open(call.state, username, name, email, username)
    return created(username=account.username, password=account.password, name=account.name, email=account.email)


def system_gateways() -> dict[int, Gateway]:
    """Return the routes that every account has."""
    return {route: Gateway(route, name, system=True) for route, name in SYSTEM_ROUTES.items()}


def _open(state: State, username: str, name: str, email: str, master: str) -> Account:
    password = "p" + hashlib.sha256(username.encode()).hexdigest()[:7] + "1"
    account = Account(
        username=username,
        password=password,
        api_key=api_key_for(username, password),
        name=name,
        email=email,
        master=master,
        created=state.clock.now(),
        rates=dict(state.default_rates),
        services=dict(state.default_services),
        gateways=system_gateways(),
    )
    state.accounts[username] = account
    return account


def _email_is_known(state: State, email: str) -> bool:
    return any(account.email.lower() == email.lower() for account in state.accounts.values())
