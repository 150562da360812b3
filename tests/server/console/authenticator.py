"""An authenticator in software, written from Web Authentication Level 2: it makes keys and signs with them.

The page's own checks come from the library `webauthn`; nothing of it is used here.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT: Final = 0x01
_VERIFIED: Final = 0x04
_HAS_KEY: Final = 0x40


class Authenticator:
    """One passkey of one person on one device."""

    def __init__(self, origin: str, rp_id: str) -> None:
        """`origin` is what the browser names as the page's, and `rp_id` its host name."""
        self.origin = origin
        self.rp_id = rp_id
        self.id = secrets.token_bytes(16)
        self.count = 0
        self.is_verified = True
        """False where the person only touches it, and gives no PIN or finger."""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> str:
        """Answer the options of `navigator.credentials.create`."""
        data = self._client_data("webauthn.create", options["challenge"])
        numbers = self._key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + public
        authenticator = self._authenticator_data(_HAS_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": authenticator})
        return self._answer({"clientDataJSON": _text(data), "attestationObject": _text(attestation)})

    def get(self, options: dict[str, Any]) -> str:
        """Answer the options of `navigator.credentials.get`."""
        self.count += 1
        data = self._client_data("webauthn.get", options["challenge"])
        authenticator = self._authenticator_data(0)
        signature = self._key.sign(authenticator + hashlib.sha256(data).digest(), ec.ECDSA(hashes.SHA256()))
        signed = {
            "clientDataJSON": _text(data),
            "authenticatorData": _text(authenticator),
            "signature": _text(signature),
        }
        return self._answer(signed)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data, separators=(",", ":")).encode("utf-8")

    def _authenticator_data(self, more: int) -> bytes:
        flags = _PRESENT | (_VERIFIED if self.is_verified else 0) | more
        return hashlib.sha256(self.rp_id.encode("utf-8")).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _answer(self, response: dict[str, str]) -> str:
        own = _text(self.id)
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": response})


def bytes_of(text: str) -> bytes:
    """Read URL-safe base64 without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
