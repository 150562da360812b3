"""Enrols passkeys and checks what they sign, by Web Authentication Level 2 through the library `webauthn`.

User verification is always required: whoever holds the authenticator unlocks it, by a PIN or a finger. Attestation is
not asked for: which make an authenticator has decides nothing here.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from guard.operators.approval import Assertion, Statement
from guard.operators.roles import Operator
from server.console.passkeys.relying_party import RelyingParty
from server.store.operators.operators import Passkey

_MALFORMED: Final = (WebAuthnException, ValueError, KeyError, TypeError)
"""What the library raises for what a browser should never send."""


class BadPasskey(Exception):
    """What a browser sent is not what was asked for. The message is the reason, as a sentence."""


def registration_options(page: RelyingParty, operator: Operator, challenge: bytes, known: Sequence[Passkey]) -> str:
    """Return the options of `navigator.credentials.create`, as JSON."""
    return options_to_json(
        webauthn.generate_registration_options(
            rp_id=page.rp_id,
            rp_name="Ringfence",
            user_name=operator.name,
            user_id=operator.name.encode("utf-8"),
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_descriptors(known),
        )
    )


def read_registration(
    page: RelyingParty, operator: Operator, challenge: bytes, answer: str, *, label: str, at: datetime
) -> Passkey:
    """Check what `navigator.credentials.create` returned.

    Raises:
        BadPasskey: It answers another challenge, or another page's.
    """
    try:
        verified = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=page.rp_id,
            expected_origin=page.origin,
            require_user_verification=True,
        )
    except _MALFORMED as misfit:
        raise BadPasskey(f"This passkey cannot be enrolled: {_reason(misfit)}.") from misfit
    return Passkey(
        id=bytes_to_base64url(verified.credential_id),
        operator=operator.name,
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        rp_id=page.rp_id,
        label=label,
        created_at=at,
    )


def assertion_options(page: RelyingParty, challenge: bytes, allowed: Sequence[Passkey]) -> str:
    """Return the options of `navigator.credentials.get`, as JSON; without allowed ones the browser offers its own."""
    return options_to_json(
        webauthn.generate_authentication_options(
            rp_id=page.rp_id,
            challenge=challenge,
            allow_credentials=_descriptors(allowed),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def passkey_id_in(answer: str) -> str:
    """Return the id of the passkey that `navigator.credentials.get` used.

    Raises:
        BadPasskey: There is none in it.
    """
    return _text(_read(answer), "id")


def read_assertion(page: RelyingParty, passkey: Passkey, challenge: bytes, answer: str) -> tuple[Assertion, int]:
    """Check what `navigator.credentials.get` returned; return it as it is kept, and how often the passkey signed.

    Raises:
        BadPasskey: It answers another challenge, or another page's, or another key signed it, or it is a copy.
    """
    given = _read(answer)
    response = given.get("response")
    if not isinstance(response, dict):
        raise BadPasskey("The browser sent no signature.")
    parts = cast("dict[str, Any]", response)
    assertion = Assertion(
        key=passkey.id,
        client_data=_text(parts, "clientDataJSON"),
        authenticator_data=_text(parts, "authenticatorData"),
        signature_value=_text(parts, "signature"),
        rp_id=page.rp_id,
    )
    if _text(given, "id") != passkey.id:
        raise BadPasskey("Another passkey signed this.")
    return assertion, _verify(assertion, passkey.public_key, challenge, page.origin, passkey.sign_count)


def check_signature(assertion: Assertion, public_key: str, statement: Statement) -> None:
    """Check, without a store or a browser, that a key signed a statement on a page of its own host name.

    Raises:
        BadPasskey: It did not; the message says what does not fit.
    """
    origin = _origin_in(assertion)
    if urlsplit(origin).hostname != assertion.rp_id:
        raise BadPasskey(f"It was signed on {origin}, not on a page of {assertion.rp_id}.")
    _verify(assertion, public_key, statement.challenge, origin, 0)


def _verify(assertion: Assertion, public_key: str, challenge: bytes, origin: str, signed_before: int) -> int:
    credential = {
        "id": assertion.key,
        "rawId": assertion.key,
        "type": "public-key",
        "response": {
            "clientDataJSON": assertion.client_data,
            "authenticatorData": assertion.authenticator_data,
            "signature": assertion.signature_value,
        },
    }
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=assertion.rp_id,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=signed_before,
            require_user_verification=True,
        )
    except _MALFORMED as misfit:
        raise BadPasskey(f"The signature does not fit: {_reason(misfit)}.") from misfit
    return verified.new_sign_count


def _origin_in(assertion: Assertion) -> str:
    try:
        return _text(_read(base64url_to_bytes(assertion.client_data).decode("utf-8")), "origin")
    except ValueError as misfit:
        raise BadPasskey("What was signed cannot be read.") from misfit


def _read(answer: str) -> dict[str, Any]:
    try:
        found: object = json.loads(answer)
    except ValueError as misfit:
        raise BadPasskey("The browser sent no signature.") from misfit
    if not isinstance(found, dict):
        raise BadPasskey("The browser sent no signature.")
    return cast("dict[str, Any]", found)


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise BadPasskey(f"The browser sent a signature without {name}.")
    return value


def _reason(misfit: Exception) -> str:
    """Return what the library says, which quotes no secret, in one line."""
    return " ".join(str(misfit).split())[:200].rstrip(".") or type(misfit).__name__


def _descriptors(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in known]
