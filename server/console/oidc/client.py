"""The client of the OpenID Connect provider: where a browser is sent, and who it is when it comes back."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import quote_plus, urlencode, urlsplit, urlunsplit

from clients.deferred import Deferred
from clients.settings import reveal
from clients.shared.clock import Clock
from server.console.oidc.accounts import CompanyAccount, fill_in, is_complete, read_account
from server.console.oidc.discovery import Provider
from server.console.oidc.errors import NotSignedIn, ProviderMisfit
from server.console.oidc.pending import PendingSignIn
from server.console.oidc.provider import SKEW_SECONDS, KnownProvider
from server.console.oidc.transport import get_json, post_form
from server.settings.sections.sign_in import OidcSettings


class _CheckIdToken(Protocol):
    def __call__(
        self, token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str, now: datetime
    ) -> Mapping[str, Any]: ...


_CHECK_ID_TOKEN: Final[Deferred[_CheckIdToken]] = Deferred("server.console.oidc.id_token:check_id_token")
_KEY_ID_OF: Final[Deferred[Callable[[str], str | None]]] = Deferred("server.console.oidc.id_token:key_id_of")
"""Behind them is joserfc, which takes longer to load than the page; most servers never sign anybody in this way."""

_ERROR: Final = re.compile(r"[a-z_]{1,40}")
_ACCESS_TOKEN: Final = re.compile(r"[!-~]{1,16384}")

_ADVICE: Final = {
    "invalid_client": "Compare `sign_in.oidc.client_id` and `sign_in.oidc.client_secret` with the registration there.",
    "unauthorized_client": "Allow the authorization code flow for this client there.",
    "invalid_grant": "The code was used already, or waited too long; begin again.",
}


class OidcClient:
    """Signs people in at one provider, as its settings say."""

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._known = KnownProvider(settings, clock)

    async def address_for(self, pending: PendingSignIn) -> str:
        """Return where the browser goes to sign in.

        Raises:
            ProviderMisfit: The provider cannot be reached or does not fit.
        """
        endpoint = urlsplit((await self._known.document()).authorization_endpoint)
        asked = urlencode(
            self._max_age()
            | {
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": pending.redirect_uri,
                "scope": " ".join(self.settings.scopes),
                "state": pending.state,
                "nonce": pending.nonce,
                "code_challenge": pending.challenge,
                "code_challenge_method": "S256",
            }
        )
        return urlunsplit(endpoint._replace(query="&".join(filter(None, (endpoint.query, asked)))))

    def _max_age(self) -> dict[str, str]:
        """Ask the provider to let nobody in on an older sign-in there."""
        minutes = self.settings.max_age_minutes
        return {} if minutes is None else {"max_age": str(round(minutes * 60))}

    async def account_of(self, pending: PendingSignIn, answer: Mapping[str, str]) -> CompanyAccount:
        """Return the account that signed in; `answer` is what the browser brought back.

        Raises:
            ProviderMisfit: Something of it is not the provider's, not for this client, or not for this sign-in.
            AccountRefused: The account may not sign in here.
            NotSignedIn: The person or the provider gave up.
        """
        provider = await self._known.document()
        _require_issuer(provider, answer)
        if "error" in answer:
            raise _given_up(answer)
        if not answer.get("code"):
            raise ProviderMisfit("The sign-in provider sent the browser back without a code.")
        tokens = await self._exchange(provider, pending, answer["code"])
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise ProviderMisfit("The sign-in provider answered without an ID token.")
        claims = _CHECK_ID_TOKEN.load()(
            id_token,
            await self._known.keys(_KEY_ID_OF.load()(id_token)),
            issuer=provider.issuer,
            client_id=self.settings.client_id,
            nonce=pending.nonce,
            now=self._clock.now(),
        )
        self._require_fresh(claims)
        return read_account(await self._complete(provider, claims, tokens), self.settings)

    def _require_fresh(self, claims: Mapping[str, Any]) -> None:
        """Refuse an older sign-in than was asked for; some providers do not heed that."""
        minutes = self.settings.max_age_minutes
        if minutes is None:
            return
        proved: object = claims.get("auth_time")
        if not isinstance(proved, int | float):
            raise ProviderMisfit("The sign-in provider does not say when the person signed in there (`auth_time`).")
        if not self._clock.now().timestamp() - proved <= minutes * 60 + SKEW_SECONDS:
            raise ProviderMisfit("The sign-in provider let the person in on an older sign-in than `max_age_minutes`.")

    async def _exchange(self, provider: Provider, pending: PendingSignIn, code: str) -> Mapping[str, Any]:
        """Exchange the code for tokens, once; a code that was used already is worth nothing."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect_uri,
            "code_verifier": pending.verifier,
        }
        secret = reveal(self.settings.client_secret)
        # Both parts are encoded before they are joined (RFC 6749, 2.3.1).
        login = (quote_plus(self.settings.client_id), quote_plus(secret)) if secret else None
        if login is None:
            fields["client_id"] = self.settings.client_id
        status, tokens = await post_form(provider.token_endpoint, fields, login=login)
        if status != 200 or tokens is None:
            error = _error_in(tokens or {})
            raise ProviderMisfit(
                f"The sign-in provider did not accept the code (status {status}, {error}). {_ADVICE.get(error, '')}"
            )
        return tokens

    async def _complete(
        self, provider: Provider, claims: Mapping[str, Any], tokens: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Add what the provider tells of the account elsewhere, where the token lacks what a role depends on."""
        access = tokens.get("access_token")
        if is_complete(claims, self.settings) or provider.userinfo_endpoint is None:
            return claims
        if not isinstance(access, str) or not _ACCESS_TOKEN.fullmatch(access):
            return claims
        more = await get_json(provider.userinfo_endpoint, token=access)
        if more.get("sub") != claims["sub"]:
            raise ProviderMisfit("The sign-in provider describes another account than signed in.")
        return fill_in(claims, more)


def _require_issuer(provider: Provider, answer: Mapping[str, str]) -> None:
    """Refuse an answer that another provider sent the browser back with (RFC 9207)."""
    named = answer.get("iss")
    if named is None and provider.names_itself:
        raise ProviderMisfit("The answer does not name the provider that it comes from, as yours does.")
    if named is not None and named != provider.issuer:
        raise ProviderMisfit("The answer comes from another provider than yours.")


def _given_up(answer: Mapping[str, str]) -> NotSignedIn:
    """Say what the provider reports instead of a code."""
    if answer["error"] == "access_denied":
        return NotSignedIn("The sign-in provider refused, or the sign-in was cancelled there.")
    return NotSignedIn(f"The sign-in provider reports an error ({_error_in(answer)}).")


def _error_in(document: Mapping[str, Any]) -> str:
    """Return an error's name. What else an answer says of it is a stranger's text, and may repeat what we sent."""
    error = document.get("error")
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else "no name of an error"
