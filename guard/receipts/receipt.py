"""A receipt: one signed statement of what was approved, declined or carried out, linked to the one before.

It is a line of canonical JSON (RFC 8785): `{"receipt": {...}, "signature": "..."}`. The Ed25519 signature covers the
line without its `signature`, in canonical form. A receipt names number and hash of the receipt before, so the lines of
a store are a chain. The hash is that of the whole line, so anybody can compute it with `sha256sum`; the receipt's id is
its beginning, so whoever noted an id recognises another receipt that takes its place.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, cast

import rfc8785
from pydantic import AwareDatetime, BaseModel, ConfigDict

FORMAT: Final = "ringfence-receipt-1"
END_FORMAT: Final = "ringfence-receipts-end-1"
ID: Final = r"rcp_[0-9a-f]{16}"
"""The form of a receipt's id, as a regular expression."""

KEY_REPLACED: Final = "receipt key replaced"
"""The event of the receipt by which a key names the one that signs after it."""


_LARGEST: Final = 2**53 - 1
"""The largest whole number that JavaScript holds."""


class _Part(BaseModel):
    """A part of a receipt. Fields of a later version are ignored: the signature covers them all the same."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Link(_Part):
    """Number and hash of a receipt."""

    number: int
    hash: str


NOTHING_BEFORE: Final = Link(number=0, hash="0" * 64)
"""What the first receipt of a store names."""


class AuditRow(_Part):
    """The row of the audit log that was written in the same transaction."""

    row: int
    mac: str


class About(_Part):
    """What was approved, declined or carried out."""

    id: str
    """Id of the action, plan or allowance."""

    words: tuple[str, ...]
    """The same in plain words, as people read it."""

    digest: str | None = None
    """The digest that the approval is bound to."""

    covered: str | None = None
    """The text whose SHA-256 is the digest: the exact call, or every step of the plan. Left out where it is not on the
    record as it was, or holds what looks like a secret."""

    asked: str | None = None
    """The digest of a plan with all its steps, where some were left out; then `covered` is the text of that."""

    without: tuple[int, ...] | None = None
    """The steps that were left out."""

    plan: str | None = None
    """The plan whose step this action carried out; its approval is the one that counts."""

    step: int | None = None

    reason: str | None = None
    """Why it was asked for, in the words of the assistant."""


class SignedApproval(_Part):
    """What an operator's authenticator signed (WebAuthn), as the browser handed it on; binary values in base64url."""

    key: str
    """Id of the passkey, which the published list names."""

    client_data: str
    authenticator_data: str
    signature_value: str
    rp_id: str


class Answered(_Part):
    """Who approved or declined."""

    by: str
    at: AwareDatetime | None = None
    statement: dict[str, Any] | None = None
    """What an operator said yes to: the challenge that a passkey signs is derived from it."""

    assertion: SignedApproval | None = None
    """What the operator's passkey signed for it; None where the operator had none."""

    reason: str | None = None
    """Why it was declined, in the words of whoever declined it."""


class Price(_Part):
    """What the question said that it costs."""

    words: tuple[str, ...] = ()
    amount: str | None = None
    currency: str | None = None
    up_to: str | None = None
    """The most that it may cost, as whoever approved it named it, where the price was unknown."""


class Charged(_Part):
    """What was booked for it when the receipt was written."""

    amount: str
    currency: str
    state: Literal["charged", "held"]
    """`held` while the outcome is unknown."""


class ReceiptContent(_Part):
    """What a receipt says, before it is numbered and signed."""

    event: str
    about: About | None = None
    requested_by: str | None = None
    answered: Answered | None = None
    price: Price | None = None
    charged: Charged | None = None
    outcome: str | None = None
    next_key: str | None = None
    """Id of the key that signs the receipts after this one, where it is replaced."""


class SignedReceipt(ReceiptContent):
    """A statement with its place in the chain."""

    format: Literal["ringfence-receipt-1"] = FORMAT
    number: int
    """From 1, without a gap."""

    before: Link
    at: AwareDatetime
    audit: AuditRow
    key: str
    """Id of the key that signed it."""

    @property
    def signs_next(self) -> str:
        """Id of the key that signs the receipt after this one."""
        return self.next_key or self.key


class End(_Part):
    """The last line of an exported file: which receipts it holds, so that a file that was cut shows it."""

    format: Literal["ringfence-receipts-end-1"] = END_FORMAT
    exported_at: AwareDatetime
    receipts: int
    first: Link | None = None
    last: Link | None = None
    key: str


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of a value.

    Raises:
        rfc8785.CanonicalizationError: It has none, such as a number that JavaScript cannot hold.
    """
    # For what receipts are made of, json writes the same, and thirty times faster: a test compares the two.
    if _is_plain(value):
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")
        except UnicodeEncodeError:
            pass  # half a character, which the library refuses in its own way
    return rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    """Return True for values whose form depends neither on how numbers are written nor on how names are sorted."""
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -_LARGEST <= value <= _LARGEST
    if isinstance(value, dict):
        values = cast("dict[object, object]", value)
        return all(isinstance(name, str) and name.isascii() and _is_plain(inner) for name, inner in values.items())
    return isinstance(value, list) and all(map(_is_plain, cast("list[object]", value)))


def content_of(part: BaseModel) -> dict[str, Any]:
    """Return a part as JSON values; what is not set is left out."""
    content: dict[str, Any] = part.model_dump(mode="json", exclude_none=True)
    return content


def hash_of(line: str) -> str:
    """Return the SHA-256 of a receipt's line, without the line's end."""
    return hashlib.sha256(line.encode("utf-8")).hexdigest()


def id_of(line: str) -> str:
    """Return the id of a receipt: `rcp_` and the first 16 digits of its hash."""
    return f"rcp_{hash_of(line)[:16]}"


def read_receipt(line: str) -> SignedReceipt:
    """Return what a receipt's line says, without checking it.

    Raises:
        ValueError: It is none.
    """
    content = json.loads(line)
    if not isinstance(content, dict) or "receipt" not in content:
        raise ValueError("This line is no receipt.")
    return SignedReceipt.model_validate(content["receipt"])


@dataclass(frozen=True)
class StoredReceipt:
    """A receipt as it stands in the store: its line, which is also that of an exported file."""

    line: str

    @property
    def id(self) -> str:
        """Its id."""
        return id_of(self.line)

    @cached_property
    def content(self) -> SignedReceipt:
        """What it says."""
        return read_receipt(self.line)
