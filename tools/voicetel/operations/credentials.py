"""VoiceTel credentials: the API key, new accounts, and the way back into a lost one.

Documented. The API page says that a sign-up also returns an API key; its schema has none, and none is expected here.
"""

from typing import Annotated

from pydantic import Field

from clients.effects import Effect
from clients.fields import Email, KeptFromModel, LooseText, Secret
from clients.operation import Answer, Operation
from tools.voicetel.client import HOURLY, LOGIN_PATH, voicetel

Username = Annotated[str, Field(pattern=r"^[0-9]+$")]
"""An account: older ones have fewer than ten digits, as the account 1002 in the document's sample."""

NewUsername = Annotated[str, Field(pattern=r"^[0-9]{10}$")]
"""A username that is made now has ten digits (documented)."""


class ApiKey(Answer):
    """The account's API key."""

    api_key: Secret | None = Field(default=None, alias="apikey")


@voicetel.operation(
    "POST",
    LOGIN_PATH,
    effect=Effect.PRIVILEGED,
    subject="Fetch the account's API key for the operator",
    toolset="credentials",
    docs="#accountApiKey",
    confirmed_by=("api_key",),
    unverifiable="fetching a key changes nothing that a read could show",
    limit=HOURLY,
    needs_key=False,
    synonyms=("token", "login", "bearer", "secret"),
)
class FetchApiKey(Operation[ApiKey]):
    """Fetch the account's API key for the operator, with the username and password of the settings. 6 an hour."""

    username: Annotated[Username, KeptFromModel(setting="username")]
    """The account's username."""

    password: Annotated[Secret, KeptFromModel(setting="password")]
    """The account's password."""


class RecoveryRequested(Answer):
    """What VoiceTel says to it."""

    message: str | None = None


@voicetel.operation(
    "POST",
    "/v2.2/account/recovery",
    effect=Effect.PRIVILEGED | Effect.OUTWARD,
    subject="Have a password recovery link mailed to {email}",
    toolset="credentials",
    docs="#accountRecovery",
    unverifiable="only the mailbox shows whether a link was mailed",
    needs_key=False,
    synonyms=("forgot password", "reset", "locked out"),
)
class RequestPasswordRecovery(Operation[RecoveryRequested]):
    """Have VoiceTel mail a password recovery link to an account's address."""

    email: Email
    """Address on file for the account."""


class NewAccount(Answer):
    """An account that was opened."""

    username: LooseText | None = None
    password: Secret | None = None
    name: str | None = None
    email: str | None = None


@voicetel.operation(
    "POST",
    "/v2.2/accounts",
    effect=Effect.PRIVILEGED | Effect.OUTWARD,
    subject="Sign up for another VoiceTel account, {name:text}",
    toolset="credentials",
    docs="#accountCreate",
    confirmed_by=("username",),
    unverifiable="this account cannot read the new one; its mail says whether it was opened",
    needs_key=False,
    synonyms=("sign up", "register", "open"),
)
class CreateAccount(Operation[NewAccount]):
    """Sign up for a VoiceTel account of its own, apart from this one; a verification mail is sent."""

    name: str = Field(min_length=1)
    """Name of the person or company."""

    email: Email
    """Address that receives the mail."""

    promo: str | None = Field(default=None, min_length=1)
    """Promotional code."""


class Subaccount(NewAccount):
    """A sub-account that was made."""

    master_account: LooseText | None = None


@voicetel.operation(
    "POST",
    "/v2.2/account",
    effect=Effect.PRIVILEGED,
    subject="Make the sub-account {username}",
    toolset="credentials",
    docs="#accountSubaccountCreate",
    confirmed_by=("username",),
    unverifiable="no call lists sub-accounts; VoiceTel answers 409 where the username is taken",
    admin_only=True,
    synonyms=("customer", "tenant", "child account", "reseller"),
)
class CreateSubaccount(Operation[Subaccount]):
    """Make a sub-account with a generated password; no call removes it again."""

    username: NewUsername
    """Its username, ten digits."""

    name: str = Field(min_length=1)
    """Name of the person or company."""

    email: Email
    """Its mail address."""

    master_account: Username | None = None
    """Username of the account that pays; the sub-account itself if left out."""
