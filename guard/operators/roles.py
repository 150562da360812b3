"""An operator: a person with a name and a role, who answers what assistants ask for."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

LOCAL: Final = "local"
"""The operator whom the passcode signs in: whoever knows it, on the page and on the command line."""

ACCOUNT: Final = "oauth:"
"""Begins the name of a principal who is an account of the company's. Issuer and the account's id there follow, with a
blank between, as in the `subject` of an operator."""

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_ON_PAGE: Final = ", on the approval page"
_LOCAL_ON_PAGE: Final = "the operator, on the approval page"


class BadOperator(Exception):
    """An operator cannot be added or changed this way."""


class Role(StrEnum):
    """What an operator may do. Each role may do what the ones before it may."""

    VIEWER = "viewer"
    """Read every page, and stop everything."""

    APPROVER = "approver"
    """Approve and decline, and resume after a stop."""

    ADMIN = "admin"
    """Allow calls beforehand, disable operators and end their sessions."""

    def includes(self, other: "Role") -> bool:
        """Return True if this role may do what another one may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person who may sign in."""

    name: str
    role: Role
    created_at: datetime | None = None
    """None for the local operator, who was always there."""

    created_by: str = ""
    disabled_at: datetime | None = None
    disabled_by: str | None = None
    subject: str | None = None
    """Who it is at the company's identity provider; None for operators who sign in otherwise."""

    @property
    def is_enabled(self) -> bool:
        """True while the operator may sign in, and what the operator approved counts."""
        return self.disabled_at is None

    @property
    def is_local(self) -> bool:
        """True for the operator whom the passcode signs in."""
        return self.name == LOCAL

    def has_account(self, principal: str) -> bool:
        """Return True if a principal is the account of the company's with which this operator signs in."""
        return self.subject is not None and principal == ACCOUNT + self.subject

    @property
    def on_page(self) -> str:
        """As the record names what the operator did on the page."""
        return on_page([self.name])


def on_page(names: list[str]) -> str:
    """Name one or several operators who answered on the page."""
    if names == [LOCAL]:
        return _LOCAL_ON_PAGE
    words = ["the local operator" if name == LOCAL else name for name in names]
    return f"{' and '.join(filter(None, (', '.join(words[:-1]), words[-1])))}{_ON_PAGE}"


def require_name(text: str) -> str:
    """Return a name that an operator may have.

    Raises:
        BadOperator: It is none.
    """
    if not NAME.fullmatch(text) or text == LOCAL:
        raise BadOperator(
            f"{text!r} is no name for an operator: small letters, digits and . _ @ + - are expected, as in "
            f"anna or anna@example.com, and not {LOCAL}. Nothing was changed."
        )
    return text
