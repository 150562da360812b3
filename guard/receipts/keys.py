"""Keys that sign receipts, and the list of public keys that anybody checks them with (a JSON Web Key Set)."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from guard.receipts.receipt import canonical


class BadKeys(ValueError):
    """A file of public keys that cannot be used. The message says why, as a sentence."""


class PublicKey(BaseModel):
    """A public key as it is published: an Ed25519 key in the form of RFC 8037, and from when to when it signs."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: str
    kid: str
    """Its id: the thumbprint of RFC 7638, which anybody can compute from `x`."""

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime | None = None
    """When it was replaced and destroyed; None for the one that signs now."""

    @model_validator(mode="after")
    def _require_own_id(self) -> Self:
        if self.kid != thumbprint(self.x):
            raise ValueError(f"{self.kid} is not the id of its key")
        return self

    @cached_property
    def verifier(self) -> Ed25519PublicKey:
        """The key."""
        return Ed25519PublicKey.from_public_bytes(decode(self.x))

    def fits(self, signature: str, signed: bytes) -> bool:
        """Return True if a signature of this key covers exactly these bytes."""
        try:
            self.verifier.verify(decode(signature), signed)
        except (InvalidSignature, ValueError):
            return False
        return True


class PublicPasskey(BaseModel):
    """The public half of an operator's passkey, as it is published."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: str
    operator: str
    public_key: str
    """COSE key, in base64url."""

    rp_id: str
    """Host name of the page on which it was enrolled."""

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime | None = None
    """When it was removed."""

    def was_enrolled(self, at: datetime, skew: timedelta = timedelta()) -> bool:
        """Return True if it was enrolled at a time, by clocks that may be apart."""
        return self.since <= at + skew and (self.until is None or at - skew <= self.until)


class PublishedKeys(BaseModel):
    """The public keys of a store: the one that signs now, and those before it."""

    model_config = ConfigDict(frozen=True)

    keys: tuple[PublicKey, ...] = ()
    passkeys: tuple[PublicPasskey, ...] | None = None
    """Those of the operators; None in the list for everybody, which names nobody."""

    def find_passkey(self, passkey_id: str) -> PublicPasskey | None:
        """Return the passkey with this id."""
        return next((one for one in self.passkeys or () if one.id == passkey_id), None)

    def find(self, kid: str) -> PublicKey | None:
        """Return the key with this id."""
        return next((key for key in self.keys if key.kid == kid), None)

    def as_json(self) -> dict[str, Any]:
        """Return them as they are published."""
        content: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        if self.passkeys is None:
            del content["passkeys"]
        return content


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that signs receipts."""

    kid: str
    private: Ed25519PrivateKey

    @classmethod
    def create(cls) -> Self:
        """Create a new one."""
        return cls.of(Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """Return the key of its 32 bytes."""
        private = Ed25519PrivateKey.from_private_bytes(raw)
        return cls(thumbprint(encode(private.public_key().public_bytes_raw())), private)

    @property
    def raw(self) -> bytes:
        """Its 32 bytes, which are secret."""
        return self.private.private_bytes_raw()

    @property
    def x(self) -> str:
        """The public key."""
        return encode(self.private.public_key().public_bytes_raw())

    def sign(self, name: str, content: Mapping[str, Any]) -> str:
        """Return the line that says something by a name, `receipt` or `end`, under this key's signature."""
        signed = canonical({name: content})
        signature = encode(self.private.sign(signed))
        # Both names come before `signature`, so this is the canonical form, which need not be computed a second time.
        return f'{signed[:-1].decode("utf-8")},"signature":"{signature}"}}'


def read_keys(text: str) -> PublishedKeys:
    """Read a published list of keys.

    Raises:
        BadKeys: It is none, or one of the keys is not what its id says.
    """
    try:
        return PublishedKeys.model_validate_json(text)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        raise BadKeys(f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from None


def thumbprint(x: str) -> str:
    """Return the id of a public key (RFC 7638)."""
    return encode(hashlib.sha256(canonical({"crv": "Ed25519", "kty": "OKP", "x": x})).digest())


def encode(raw: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of base64url without padding.

    Raises:
        ValueError: It is none, or another way to write the same bytes.
    """
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(raw) != text:
        raise ValueError("This is not base64url as it is written here.")
    return raw
