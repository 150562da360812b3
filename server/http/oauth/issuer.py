"""The authorization server as this process knows it: its document, and its keys, read when a token comes, and kept.

The document is looked for where RFC 8414 puts it, and then where OpenID Connect does.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast
from urllib.parse import urlsplit, urlunsplit

import anyio

from clients.shared.clock import Clock
from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.transport import get_json
from server.http.oauth.errors import AuthorizationServerUnavailable
from server.settings.sections.sign_in import is_protected

logger = logging.getLogger(__name__)

Keys = tuple[Mapping[str, Any], ...]

KEYS: Final = "jwks_uri"
"""Where the server's document says that its keys are."""

KEPT: Final = timedelta(hours=1)
"""Keys older than this are read again."""

KEPT_OFFLINE: Final = timedelta(hours=24)
"""How long keys still count while the authorization server cannot be reached. A key that it takes out of use counts
that long at the most, and only for whoever can keep the server from us."""

BETWEEN_READS: Final = timedelta(seconds=30)
"""A token may name any key: that does not make us ask more often than this."""


class Issuer:
    """Reads the keys of an authorization server, for all requests of this process."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._reading = anyio.Lock()
        self._keys: Keys = ()
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None

    async def keys(self, key_id: str | None) -> Keys:
        """Return the keys that a token with this key id may be signed with: those of that id, or all if it names none.

        Raises:
            AuthorizationServerUnavailable: The keys cannot be read, and none that is young enough is known.
        """
        # A good token never waits for what a bad one makes us read, nor for what another one of its kind does already.
        if not self._knows(key_id, KEPT) and not (self._reading.locked() and self._knows(key_id, KEPT_OFFLINE)):
            async with self._reading:
                if not self._knows(key_id, KEPT) and not is_within(self._clock, self._tried_at, BETWEEN_READS):
                    self._tried_at = self._clock.now()
                    await self._read()
        if not is_within(self._clock, self._read_at, KEPT_OFFLINE):
            raise AuthorizationServerUnavailable("The keys of the authorization server cannot be read.")
        return _named(self._keys, key_id)

    def _knows(self, key_id: str | None, span: timedelta) -> bool:
        return bool(_named(self._keys, key_id)) and is_within(self._clock, self._read_at, span)

    async def _read(self) -> None:
        try:
            found: object = (await get_json(await find_endpoint(self._issuer, KEYS))).get("keys")
        except ProviderMisfit as misfit:
            logger.warning("The keys of %s cannot be read: %s", self._issuer, reason_of(misfit))
            return
        listed = cast("list[object]", found) if isinstance(found, list) else []
        keys = [cast("Mapping[str, Any]", key) for key in listed if isinstance(key, Mapping)]
        signing = tuple(key for key in keys if key.get("use", "sig") == "sig")
        if not signing:
            logger.warning("The authorization server %s answers without keys; those known still count.", self._issuer)
            return
        self._keys, self._read_at = signing, self._clock.now()


async def find_endpoint(issuer: str, name: str) -> str:
    """Find an address in the document of an authorization server, such as its `jwks_uri`.

    Raises:
        ProviderMisfit: There is no such document, it is another issuer's, or it names no protected address.
    """
    found = (await read_document(issuer)).get(name)
    is_https = not issuer.startswith("https:") or str(found).startswith("https:")
    if not isinstance(found, str) or not is_protected(found) or "#" in found or not is_https:
        raise ProviderMisfit(f"The authorization server's `{name}` is no https:// address.")
    return found


async def read_document(issuer: str) -> Mapping[str, Any]:
    """Read what an authorization server says of itself.

    Raises:
        ProviderMisfit: It says nothing where it should, or what is there is another issuer's.
    """
    failed: ProviderMisfit | None = None
    for address in document_addresses(issuer):
        try:
            document = await get_json(address)
        except ProviderMisfit as misfit:
            failed = misfit
            continue
        if document.get("issuer") != issuer:
            raise ProviderMisfit(
                "The authorization server's document is that of another issuer than `http.oauth.issuer`. Set it "
                "exactly as the server writes it, with or without a slash at the end."
            )
        return document
    raise failed or ProviderMisfit("The authorization server has no document.")


def is_within(clock: Clock, moment: datetime | None, span: timedelta) -> bool:
    """Return True if a moment is at most so long ago; False if a clock that was set back puts it into the future."""
    return moment is not None and timedelta() <= clock.now() - moment < span


def reason_of(misfit: ProviderMisfit) -> str:
    """Return why in words for access: what reads and checks is shared with sign-in, whose provider it need not be."""
    return str(misfit).replace("sign-in provider", "authorization server")


def document_addresses(issuer: str) -> tuple[str, ...]:
    """Return where an issuer's document may be, the likeliest first (RFC 8414, 3.1, and OpenID Connect Discovery)."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    inserted = urlunsplit((parts.scheme, parts.netloc, f"/.well-known/oauth-authorization-server{path}", "", ""))
    return inserted, f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def _named(keys: Keys, key_id: str | None) -> Keys:
    return keys if key_id is None else tuple(key for key in keys if key.get("kid") == key_id)
