"""Accounts, keys and recovery: creating, signing up, fetching the key (operations 1, 9, 10, 11)."""

import hashlib
from typing import Annotated

from pydantic import StringConstraints

from sandbox.voicetel.endpoint import Body, Call
from sandbox.voicetel.fields import Email, Text, is_email
from sandbox.voicetel.state import SYSTEM_ROUTES, Account, Gateway, State, api_key_for
from sandbox.voicetel.wire import Answer, Refusal, created, success


class SubaccountBody(Body):
    """`POST /account`."""

    username: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
    name: Text
    email: Email
    masterAccount: str = ""


class ApiKeyBody(Body):
    """`POST /account/api-key`."""

    username: str
    password: str


class RecoveryBody(Body):
    """`POST /account/recovery`; the address is checked by the operation, which answers in its own shape."""

    email: str


class SignUpBody(Body):
    """`POST /accounts`."""

    name: Text
    email: Email
    promo: str = ""


def create_subaccount(call: Call, body: SubaccountBody) -> Answer:
    """Make a sub-account and hand back its generated password."""
    if body.username in call.state.accounts:
        raise Refusal(409, "The account could not be created: the username is taken.")
    master = body.masterAccount or body.username
    if master != body.username and master not in call.state.accounts:
        raise Refusal(409, "The account could not be created: the master account does not exist.")
    account = _open(call.state, body.username, body.name, body.email, master)
    return created(
        {
            "username": account.username,
            "password": account.password,
            "name": account.name,
            "email": account.email,
            "masterAccount": account.master,
        }
    )


def fetch_api_key(call: Call, body: ApiKeyBody) -> Answer:
    """Exchange username and password for the account's key."""
    account = call.state.accounts.get(body.username)
    if account is None or account.password != body.password:
        raise Refusal(401, "Invalid username or password.")
    return success({"apikey": account.api_key})


def request_recovery(call: Call, body: RecoveryBody) -> Answer:
    """Mail a recovery link to the address on file."""
    if not is_email(body.email):
        raise Refusal(400, "Invalid email address.", error={"requirement": "email must be a valid address"})
    if not _email_is_known(call.state, body.email):
        raise Refusal(404, "No account uses this email address.")
    return success({"message": "A recovery link has been sent."})


def sign_up(call: Call, body: SignUpBody) -> Answer:
    """Open an account; the reply carries its credentials but no key, as in the 2.2.10 schema."""
    if _email_is_known(call.state, body.email):
        # inferred: what makes a sign-up impossible is not documented
        raise Refusal(409, "The account could not be created: the email address is in use.")
    username = str(call.state.next("username", 2015559001))
    account = _open(call.state, username, body.name, body.email, username)
    return created(
        {
            "username": account.username,
            "password": account.password,
            "name": account.name,
            "email": account.email,
        }
    )


def system_gateways() -> dict[int, Gateway]:
    """The routes that every account has."""
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
