"""What is checked of a provider's document, of its tokens, and of an account: each fault by itself."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from pydantic import ValidationError

from server.console.oidc.accounts import read_account
from server.console.oidc.admission import name_of
from server.console.oidc.discovery import read_document
from server.console.oidc.errors import AccountRefused, ProviderMisfit
from server.console.oidc.id_token import check_id_token, key_id_of
from server.settings.sections.sign_in import OidcSettings
from tests.server.console.fake_provider import ANNA, CLIENT_ID, FakeProvider, rsa_key, signed_with_public_key, unsigned

ISSUER: Final = "https://login.example.com/tenant"
NOW: Final = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())
NONCE: Final = "the nonce of this sign-in"

Forge = Callable[[dict[str, Any]], str]


def _provider() -> FakeProvider:
    return FakeProvider(ISSUER)


def _sign(claims: dict[str, Any]) -> str:
    return _provider().sign(claims)


def _check(token: str, *keys: Mapping[str, Any]) -> Mapping[str, Any]:
    published = keys or (rsa_key("first").as_dict(private=False),)
    now = datetime.fromtimestamp(NOW, UTC)
    key_id_of(token)
    return check_id_token(token, published, issuer=ISSUER, client_id=CLIENT_ID, nonce=NONCE, now=now)


def _token(forge: Forge = _sign, **changes: Any) -> str:
    honest = {**ANNA, "iss": ISSUER, "aud": CLIENT_ID, "iat": NOW, "exp": NOW + 300, "nonce": NONCE}
    return forge({name: value for name, value in {**honest, **changes}.items() if value is not None})


WRONG_CLAIMS: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("another issuer", {"iss": "https://login.example.com"}, "`iss`"),
    ("another sign-in's nonce", {"nonce": "another"}, "another sign-in"),
    ("no nonce", {"nonce": None}, "`nonce`"),
    ("a nonce that is no text", {"nonce": [NONCE]}, "another sign-in"),
    ("another client", {"aud": "payroll"}, "`aud`"),
    ("no client", {"aud": None}, "`aud`"),
    ("several clients, of which none is named", {"aud": [CLIENT_ID, "payroll"]}, "another client"),
    ("several clients, and made for another", {"aud": [CLIENT_ID, "payroll"], "azp": "payroll"}, "another client"),
    ("made for another client", {"azp": "payroll"}, "another client"),
    ("expired", {"exp": NOW - 61}, "expired"),
    ("without an end", {"exp": None}, "`exp`"),
    ("an end that is no time", {"exp": "never"}, "`exp`"),
    ("an end that never comes", {"exp": float("nan")}, "`exp`"),
    ("issued in the future", {"iat": NOW + 61}, "`iat`"),
    ("issued long ago", {"iat": NOW - 661}, "long before"),
    ("without a beginning", {"iat": None}, "`iat`"),
    ("not valid yet", {"nbf": NOW + 61}, "`nbf`"),
    ("without an account", {"sub": None}, "`sub`"),
    ("an account without a name", {"sub": ""}, "`sub`"),
    ("an account that is no text", {"sub": 7}, "`sub`"),
]


@pytest.mark.parametrize(("claims", "why"), [row[1:] for row in WRONG_CLAIMS], ids=[row[0] for row in WRONG_CLAIMS])
def test_a_token_with_a_wrong_claim_is_refused(claims: dict[str, Any], why: str) -> None:
    with pytest.raises(ProviderMisfit, match=why):
        _check(_token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "payroll"], "azp": CLIENT_ID},
        {"exp": NOW - 59},
        {"iat": NOW + 59, "nbf": NOW + 59},
    ],
    ids=["plain", "a list of one client", "several clients, made for us", "clocks apart", "clocks apart the other way"],
)
def test_what_honest_providers_say_is_accepted(claims: dict[str, Any]) -> None:
    assert _check(_token(**claims))["sub"] == "00u1"


WRONG_FORMS: Final[dict[str, tuple[Forge, str]]] = {
    "not signed": (unsigned, "signature"),
    "signed with the public key": (signed_with_public_key(rsa_key("first")), "signature"),
    "signed with another key of the same name": (FakeProvider(ISSUER, key=rsa_key("other")).sign, "signature"),
    "no token": (lambda _: "a.b", "no signed token"),
    "an encrypted token": (lambda _: "a.b.c.d.e", "no signed token"),
    "a token that is too long": (lambda _: "a." + "b" * 70_000 + ".c", "no signed token"),
    "a broken header": (lambda _: "é.b.c", "no signed token"),
    "a header that is a list": (lambda _: "WzFd.e30.c2ln", "signature"),
    "a header without an end": (lambda _: "W1tb" * 5_000 + ".e30.c2ln", "no signed token"),
}


@pytest.mark.parametrize("form", WRONG_FORMS)
def test_a_token_that_the_provider_did_not_sign_is_refused(form: str) -> None:
    forge, why = WRONG_FORMS[form]
    with pytest.raises(ProviderMisfit, match=why):
        _check(_token(forge))


@pytest.mark.parametrize(
    "key",
    [
        {"alg": "PS256"},
        {"alg": "none"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "none"},
        {"kty": ["RSA"]},
        {"n": "AQAB"},
        {"n": 7},
        {"e": None},
    ],
)
def test_a_key_of_another_kind_signs_nothing(key: dict[str, Any]) -> None:
    with pytest.raises(ProviderMisfit, match="signature"):
        _check(_token(), {**rsa_key("first").as_dict(private=False), **key})


def test_a_key_that_is_too_short_signs_nothing() -> None:
    short = rsa_key("short", 1024)
    with pytest.raises(ProviderMisfit, match="signature"):
        _check(_token(FakeProvider(ISSUER, key=short).sign), short.as_dict(private=False))


def test_a_token_that_names_no_key_is_tried_with_each() -> None:
    other, first = (rsa_key(name).as_dict(private=False) for name in ("other", "first"))
    assert _check(_token(), {"kty": "oct"}, other, first)["sub"] == "00u1"


DOCUMENT: Final = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}

WRONG_DOCUMENTS: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("another issuer's", {"issuer": "https://login.example.com"}, "another issuer"),
    ("with a slash more", {"issuer": f"{ISSUER}/"}, "another issuer"),
    ("in other capitals", {"issuer": ISSUER.replace("login", "Login")}, "another issuer"),
    ("a login page that is not protected", {"authorization_endpoint": "http://a.example.com"}, "`authorization_endp"),
    ("one on this machine", {"token_endpoint": "http://127.0.0.1/token"}, "`token_endpoint`"),
    ("keys from a file", {"jwks_uri": "file:///etc/passwd"}, "`jwks_uri`"),
    ("keys nowhere", {"jwks_uri": None}, "`jwks_uri`"),
    ("keys at no address", {"jwks_uri": "https://[::1"}, "`jwks_uri`"),
    ("a login in an address", {"userinfo_endpoint": "https://a:b@c.example.com"}, "`userinfo_endpoint`"),
    ("no PKCE", {"code_challenge_methods_supported": ["plain"]}, "`S256`"),
    ("no code flow", {"response_types_supported": ["id_token"]}, "`code`"),
    ("no way to send the secret", {"token_endpoint_auth_methods_supported": ["client_secret_post"]}, "secret_basic"),
]


@pytest.mark.parametrize(
    ("changes", "why"), [row[1:] for row in WRONG_DOCUMENTS], ids=[row[0] for row in WRONG_DOCUMENTS]
)
def test_a_discovery_document_that_does_not_fit_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ProviderMisfit, match=why):
        read_document({**DOCUMENT, **changes}, _settings(client_secret="a secret"))


def test_a_discovery_document_may_leave_out_what_nobody_needs() -> None:
    assert read_document(DOCUMENT, _settings(client_secret="a secret")).userinfo_endpoint is None


ACCOUNTS: Final[list[tuple[str, dict[str, Any], dict[str, str], str | None]]] = [
    ("an address", {}, {"anna@example.com": "viewer"}, "viewer"),
    ("in other capitals", {"email": "Anna@Example.com"}, {"anna@example.com": "viewer"}, "viewer"),
    ("not verified", {"email_verified": False}, {"anna@example.com": "viewer"}, None),
    ("of which nothing is said", {"email_verified": None}, {"anna@example.com": "viewer"}, None),
    ("a word for true", {"email_verified": "true"}, {"anna@example.com": "viewer"}, None),
    ("letters that look alike", {"email": "\u212aim@example.com"}, {"kim@example.com": "viewer"}, None),
    ("another person", {"email": "bob@example.com"}, {"anna@example.com": "viewer"}, None),
    ("a list of addresses", {"email": ["anna@example.com"]}, {"anna@example.com": "viewer"}, None),
    ("a group", {"groups": ["staff", "ops"]}, {"group:ops": "admin"}, "admin"),
    ("one group, not as a list", {"groups": "ops"}, {"group:ops": "admin"}, "admin"),
    ("the highest of several", {"groups": ["ops"]}, {"group:ops": "admin", "anna@example.com": "viewer"}, "admin"),
    ("other groups", {"groups": ["staff", ["ops"], {"ops": 1}, "OPS"]}, {"group:ops": "admin"}, None),
    ("groups that are none", {"groups": {"ops": True}}, {"group:ops": "admin"}, None),
    ("a group that is an address", {"groups": ["bob@example.com"]}, {"bob@example.com": "admin"}, None),
    ("no group", {}, {"group:ops": "admin"}, None),
]


@pytest.mark.parametrize(("claims", "roles", "role"), [row[1:] for row in ACCOUNTS], ids=[row[0] for row in ACCOUNTS])
def test_a_verified_address_or_a_group_gives_a_role(
    claims: dict[str, Any], roles: dict[str, str], role: str | None
) -> None:
    settings = _settings(roles=roles)
    if role is None:
        with pytest.raises(AccountRefused, match="Your account may not sign in here"):
            read_account({**ANNA, **claims}, settings)
    else:
        assert read_account({**ANNA, **claims}, settings).role == role


def test_the_claim_of_the_groups_may_have_any_name() -> None:
    settings = _settings(roles={"group:ops": "admin"}, groups_claim="https://example.com/groups")
    assert read_account({**ANNA, "https://example.com/groups": ["ops"]}, settings).role == "admin"


@pytest.mark.parametrize("subject", ["a" * 400, "a\0b", "a\nb", "\ud800"])
def test_an_account_whose_id_cannot_be_kept_is_refused(subject: str) -> None:
    with pytest.raises(ProviderMisfit, match="too long, or is no text"):
        read_account({**ANNA, "sub": subject}, _settings())


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({}, "anna@example.com"),
        ({"email": "Anna.O'Neil@Example.com"}, "anna.o-neil@example.com"),
        ({"email_verified": False, "preferred_username": "Anna Smith"}, "anna-smith"),
        ({"email_verified": False, "preferred_username": "\u0430nna"}, "nna"),
        ({"email_verified": False, "preferred_username": "\u0430"}, "account"),
        ({"email_verified": False, "preferred_username": "..a" + "b" * 99}, "a" + "b" * 63),
        ({"email_verified": False}, "00u1"),
    ],
)
def test_an_operator_is_named_after_the_account(claims: dict[str, Any], name: str) -> None:
    settings = _settings(roles={"group:ops": "admin"})
    assert name_of(read_account({**ANNA, "groups": ["ops"], **claims}, settings)) == name


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"issuer": "http://login.example.com"}, "https://"),
        ({"issuer": "https://login.example.com/?tenant=1"}, "https://"),
        ({"issuer": "https://user:password@login.example.com"}, "https://"),
        ({"issuer": "${ISSUER}"}, "not the name of a variable"),
        ({"client_id": ""}, "at least 1"),
        ({"scopes": "email profile"}, "openid"),
        ({"roles": {}}, "at least 1"),
        ({"roles": {"anna": "admin"}}, "e-mail address"),
        ({"roles": {"group:": "admin"}}, "e-mail address"),
        ({"roles": {"anna@example.com": "owner"}}, "viewer"),
        ({"max_age_minutes": 0}, "greater than 0"),
        ({"roles": {"anna@example.com": "admin", "Anna@example.com": "viewer"}}, "twice"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        _settings(**changes)


@pytest.mark.parametrize("issuer", ["http://localhost:8080/realms/a", "http://127.0.0.1", "http://[::1]:80", ISSUER])
def test_an_issuer_is_protected_or_on_this_machine(issuer: str) -> None:
    assert _settings(issuer=issuer, scopes="openid groups").scopes == ["openid", "groups"]


def _settings(**changes: Any) -> OidcSettings:
    given: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": CLIENT_ID,
        "roles": {"anna@example.com": "viewer"},
        **changes,
    }
    return OidcSettings(**given)
