"""Who signed in, by what the provider says of an account, and which role that gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from guard.operators.roles import Role
from server.console.oidc.errors import AccountRefused, ProviderMisfit
from server.settings.sections.sign_in import GROUP, OidcSettings

LONGEST_SUBJECT: Final = 400
"""Characters of issuer and `sub` together; `sub` has 255 at most (OpenID Connect Core 1.0, 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyAccount:
    """An account at the provider that may sign in here."""

    subject: str
    """Issuer and the account's id there, with a blank between. They name it for ever; addresses change hands."""

    name: str
    """What to call the person: the verified address, or the name that the provider has for signing in."""

    role: Role


def is_complete(claims: Mapping[str, Any], settings: OidcSettings) -> bool:
    """Return True if claims hold all that a role can depend on."""
    has_address = "email" in claims and "email_verified" in claims
    return (has_address or not settings.asks_for_addresses) and (
        settings.groups_claim in claims or not settings.asks_for_groups
    )


def fill_in(claims: Mapping[str, Any], more: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add what is missing. An address and whether it is verified come from one place: they belong together."""
    address = {"email", "email_verified"}
    from_more = address if not address <= claims.keys() and address <= more.keys() else set[str]()
    return {**more, **{name: value for name, value in claims.items() if name not in from_more}}


def read_account(claims: Mapping[str, Any], settings: OidcSettings) -> CompanyAccount:
    """Find the account's role; the highest of those that its address and its groups give.

    Raises:
        AccountRefused: They give none.
        ProviderMisfit: The account has no id that can be stored.
    """
    subject = f"{settings.issuer} {claims['sub']}"
    if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise ProviderMisfit("The sign-in provider names the account by an id that is too long, or is no text.")
    address = _verified_address(claims)
    groups = _groups(claims, settings)
    given = [role for who, role in settings.roles.items() if _is_named(who, address, groups)]
    if not given:
        raise _refusal(subject, claims, address, settings)
    role = max(given, key=list(Role).index)
    return CompanyAccount(subject=subject, name=address or _login_name(claims), role=role)


def _verified_address(claims: Mapping[str, Any]) -> str | None:
    """Return the address that the provider has verified; anybody can write another one into a profile."""
    address = claims.get("email")
    return address if isinstance(address, str) and address and claims.get("email_verified") is True else None


def _groups(claims: Mapping[str, Any], settings: OidcSettings) -> frozenset[str]:
    found: object = claims.get(settings.groups_claim)
    if isinstance(found, str):
        return frozenset({found})
    listed = cast("list[object]", found) if isinstance(found, list) else []
    return frozenset(group for group in listed if isinstance(group, str))


def _is_named(who: str, address: str | None, groups: frozenset[str]) -> bool:
    if who.startswith(GROUP):
        return who.removeprefix(GROUP) in groups
    return address is not None and _fold(who) == _fold(address)


def _fold(address: str) -> str:
    """Ignore capitals of ASCII only: in other scripts, letters of several people would become the same."""
    return address.lower() if address.isascii() else address


def _login_name(claims: Mapping[str, Any]) -> str:
    name = claims.get("preferred_username")
    return name if isinstance(name, str) and name else claims["sub"]


def _refusal(subject: str, claims: Mapping[str, Any], address: str | None, settings: OidcSettings) -> AccountRefused:
    if settings.asks_for_addresses and address is None and "email" in claims:
        return AccountRefused(
            "Your account may not sign in here: the provider does not say that your e-mail address is verified.",
            subject=subject,
        )
    return AccountRefused(
        "Your account may not sign in here: neither its e-mail address nor one of its groups has a role. Ask whoever "
        "runs Ringfence to add it to `sign_in.oidc.roles`.",
        subject=subject,
    )
