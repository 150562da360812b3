"""Checks an exported file of receipts: with the published keys, and without store, secret key or network."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast

import rfc8785
from pydantic import ValidationError

from guard.operators.approval import Statement
from guard.receipts.keys import PublicKey, PublishedKeys
from guard.receipts.receipt import (
    NOTHING_BEFORE,
    End,
    Link,
    SignedApproval,
    SignedReceipt,
    canonical,
    hash_of,
    id_of,
)

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clocks of servers on one store may be apart: one may sign with the old key after another replaced it."""


ANSWERS: Final = frozenset({
    "one approval", "approved", "declined", "plan approved", "plan declined", "allowance added",
})  # fmt: skip
"""Events by which somebody answers."""


class PasskeyCheck(Protocol):
    """Checks what a passkey signed. Needs no store and no network."""

    def why_not(self, assertion: SignedApproval, public_key: str, statement: Statement) -> str:
        """Return why a signature is not that of a passkey under a statement, as a sentence; empty where it is."""
        ...


class DoesNotFit(Exception):
    """The first thing in a file that does not fit. The message is a sentence."""


@dataclass(kw_only=True)
class Findings:
    """What was checked so far, and fits."""

    keeps_ids: bool = True
    """False where there may be too many to keep the ids of all."""

    receipts: int = 0
    first: SignedReceipt | None = None
    last: SignedReceipt | None = None
    first_link: Link | None = None
    last_link: Link | None = None
    end: End | None = None
    ids: list[str] = field(default_factory=list[str])
    keys: list[str] = field(default_factory=list[str])
    """Ids of the keys that signed, in their order."""

    answers: int = 0
    """How many receipts say that somebody approved or declined."""

    without_covered: int = 0
    """How many name a digest without the text that it is the hash of."""

    signed: int = 0
    """How many approvals the passkey of an operator signed, as its published key shows."""

    not_checked: int = 0
    """How many are signed, and were not checked, because the published list names no passkeys."""

    @property
    def where(self) -> str:
        """Behind which receipt the next line stands."""
        return f"after receipt {self.last.number}" if self.last else "without a receipt"

    def count(self, receipt: SignedReceipt, line: str) -> None:
        """Add a receipt that fits."""
        link = Link(number=receipt.number, hash=hash_of(line))
        self.receipts += 1
        self.first, self.first_link = self.first or receipt, self.first_link or link
        self.last, self.last_link = receipt, link
        self.keys += [] if receipt.key in self.keys else [receipt.key]
        if self.keeps_ids:
            self.ids.append(id_of(line))
        self.answers += receipt.event in ANSWERS
        about = receipt.about
        self.without_covered += about is not None and about.digest is not None and about.covered is None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line whose form and signature fit."""

    place: int
    """From 1."""

    text: str
    content: dict[str, Any]
    key: PublicKey


def check_file(
    content: bytes, keys: PublishedKeys, *, passkeys: PasskeyCheck | None = None, known: Collection[str] = ()
) -> Findings:
    """Check every line of an exported file from its beginning to its signed end.

    Without `passkeys`, what these signed is not checked.

    `known` are ids of receipts that must be in it: whoever noted one elsewhere sees whether it was taken away.

    Raises:
        DoesNotFit: The first thing that does not fit.
    """
    *texts, rest = content.split(b"\n")
    texts += [rest] if rest else []
    findings = Findings()
    for place, text in enumerate(texts, 1):
        line = _read_line(text, place, keys)
        if "end" not in line.content:
            receipt = _check_receipt(line, findings, texts[place:])
            _check_approval(receipt, keys, passkeys, findings)
            continue
        findings.end = _check_end(line, findings)
        if place < len(texts):
            raise DoesNotFit(f"Line {place + 1} was added after the end of the file.")
        if rest:
            raise DoesNotFit("The file was cut off within its last line.")
        missing = [one for one in known if one not in findings.ids]
        if missing:
            raise DoesNotFit(f"Receipt {missing[0]} is not in the file: it was taken away, or is of another store.")
        return findings
    raise DoesNotFit(f"The file was cut off: it ends {findings.where}, without the signed line at its end.")


class ChainOfReceipts:
    """Checks the receipts of a store, which have no signed end, as they are read: it keeps only the last one."""

    def __init__(self, keys: PublishedKeys, *, after: Link = NOTHING_BEFORE, signs_next: str | None = None) -> None:
        """`after` is a receipt that was checked before, and `signs_next` the id of the key that signs behind it."""
        self._keys = keys
        self._place = after.number
        self._signs_next = signs_next
        self.findings = Findings(last_link=after, keeps_ids=False)

    @property
    def end(self) -> tuple[Link, str | None]:
        """The last receipt that fits, and the id of the key that signs the one after it."""
        last = self.findings.last
        return self.findings.last_link or NOTHING_BEFORE, last.signs_next if last is not None else self._signs_next

    def check(self, line: str, later: Iterable[str] = ()) -> SignedReceipt:
        """Check the next receipt; `later` are some of those after it, to say whether one is missing or moved.

        Raises:
            DoesNotFit: It does not fit.
        """
        self._place += 1
        read = _read_line(line.encode("utf-8", "replace"), self._place, self._keys)
        if self.findings.last is None and self._signs_next is not None and read.key.kid != self._signs_next:
            raise DoesNotFit(
                f"Receipt {self._place} is signed with key {read.key.kid}, but {self._signs_next} was in force."
            )
        return _check_receipt(read, self.findings, (one.encode("utf-8", "replace") for one in later))


def _check_receipt(line: _Line, findings: Findings, later: Iterable[bytes]) -> SignedReceipt:
    """Check one receipt and its place behind those that were checked, and count it."""
    try:
        receipt = SignedReceipt.model_validate(line.content["receipt"])
    except (ValidationError, KeyError):
        raise DoesNotFit(f"{_name(line.content, line.place)} has a form that this version does not know.") from None
    _require_place(receipt, findings, later)
    _require_key_in_force(receipt, findings.last, line.key)
    _require_digest(receipt)
    findings.count(receipt, line.text)
    return receipt


def _read_line(text: bytes, place: int, keys: PublishedKeys) -> _Line:
    """Read a line, and check that it is written in the one form that was signed, by a published key."""
    try:
        content = json.loads(text)
        is_canonical = canonical(content) == text
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        raise DoesNotFit(f"Line {place} was changed: it is no JSON.") from None
    if not is_canonical or not isinstance(content, dict):
        raise DoesNotFit(f"Line {place} was changed: it is not in the form that is signed.")
    values = cast("dict[str, Any]", content)
    signature = values.get("signature")
    signed = {name: value for name, value in values.items() if name != "signature"}
    said = next(iter(signed.values()), None)
    if len(signed) != 1 or not {"receipt", "end"} & set(signed) or not isinstance(said, dict):
        raise DoesNotFit(f"Line {place} is no receipt.")
    kid = cast("dict[str, Any]", said).get("key")
    key = keys.find(kid) if isinstance(kid, str) else None
    if key is None:
        raise DoesNotFit(f"{_name(signed, place)} is signed with a key that is not among the published ones: {kid}.")
    if not isinstance(signature, str) or not key.fits(signature, text.removesuffix(_signed_by(signature)) + b"}"):
        raise DoesNotFit(f"{_name(signed, place)} was changed after it was signed: its signature does not fit.")
    return _Line(place, text.decode("utf-8"), signed, key)


def _signed_by(signature: str) -> bytes:
    """Return how a line in canonical form ends: `signature` comes behind both other names."""
    return b',"signature":' + canonical(signature) + b"}"


def _require_place(receipt: SignedReceipt, findings: Findings, later: Iterable[bytes]) -> None:
    """Check that a receipt follows the one before it; the first of a file may follow one that is not in it."""
    before, number = findings.last_link, receipt.number
    if before is None:
        return
    wanted = before.number + 1
    if number > wanted and any(_claims_number(text, wanted) for text in later):
        raise DoesNotFit(f"The order was changed: receipt {number} stands where receipt {wanted} belongs.")
    if number > wanted:
        raise DoesNotFit(f"Receipt {wanted} is missing: receipt {number} stands {findings.where}.")
    if number < wanted:
        raise DoesNotFit(f"Receipt {number} stands in a wrong place, or a second time: {findings.where}.")
    if receipt.before != before:
        raise DoesNotFit(f"Receipt {number} follows another receipt {before.number} than the one in the file.")


def _claims_number(text: bytes, number: int) -> bool:
    """Return True for a line that says it is the receipt of a number; whether it is shows when it is checked."""
    try:
        return bool(json.loads(text)["receipt"]["number"] == number)
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _require_key_in_force(receipt: SignedReceipt, last: SignedReceipt | None, key: PublicKey) -> None:
    """Check that a receipt is signed by the key that the one before it leaves in force."""
    if last is not None and receipt.key != last.signs_next:
        raise DoesNotFit(
            f"Receipt {receipt.number} is signed with key {receipt.key}, but {last.signs_next} was in force."
        )
    _require_in_time(f"Receipt {receipt.number}", receipt.at, key)


def _require_in_time(name: str, at: datetime, key: PublicKey) -> None:
    if at < key.since - CLOCK_SKEW or (key.until is not None and at > key.until + CLOCK_SKEW):
        raise DoesNotFit(f"{name} is signed with key {key.kid} at a time at which that key did not sign.")


def _require_digest(receipt: SignedReceipt) -> None:
    about = receipt.about
    if about is None or about.digest is None or about.covered is None:
        return
    without = about.without or ()
    if _digest(about.covered) != (about.asked or about.digest) or (
        without and _digest(_without(about.covered, without)) != about.digest
    ):
        raise DoesNotFit(f"Receipt {receipt.number} shows another call than the one that its digest is of.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _without(covered: str, positions: Collection[int]) -> str:
    """Return the text of a plan without some of its steps, and without what undoes them."""
    plan = json.loads(covered)
    plan["steps"] = [step for place, step in enumerate(plan["steps"], 1) if place not in positions]
    plan["undo"] = [step for step in plan.get("undo", []) if step["undoes"] not in positions]
    if not plan["undo"]:
        del plan["undo"]
    return json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _check_approval(
    receipt: SignedReceipt, keys: PublishedKeys, passkeys: PasskeyCheck | None, findings: Findings
) -> None:
    """Check that an operator's approval is for what the receipt is about, and signed by a passkey enrolled for it."""
    answered, about = receipt.answered, receipt.about
    if answered is None or about is None or answered.statement is None:
        return
    try:
        statement = Statement.of(answered.statement)
    except (TypeError, KeyError):
        raise DoesNotFit(f"Receipt {receipt.number} has a form that this version does not know.") from None
    whose = f"In receipt {receipt.number}, the approval of {statement.operator}"
    if statement.about != about.id or statement.digest != (about.asked or about.digest):
        raise DoesNotFit(f"{whose} is for something else: its digest is {statement.digest}.")
    if about.without is not None and statement.without != about.without:
        raise DoesNotFit(f"{whose} leaves out other steps than the receipt says.")
    at = answered.at or receipt.at
    assertion = answered.assertion
    if assertion is None:
        mine = [one for one in keys.passkeys or () if one.operator == statement.operator and one.was_enrolled(at)]
        if mine:
            raise DoesNotFit(f"{whose} is not signed, though {statement.operator} had a passkey.")
        return
    if keys.passkeys is None or passkeys is None:
        findings.not_checked += 1
        return
    passkey = keys.find_passkey(assertion.key)
    if passkey is None or passkey.operator != statement.operator or not passkey.was_enrolled(at, CLOCK_SKEW):
        raise DoesNotFit(f"{whose} is signed with a passkey that was not enrolled for {statement.operator} then.")
    if wrong := passkeys.why_not(assertion, passkey.public_key, statement):
        raise DoesNotFit(f"{whose} is not what the passkey signed. {wrong}")
    findings.signed += 1


def _check_end(line: _Line, findings: Findings) -> End:
    """Check that the end names the receipts that the file holds."""
    try:
        end = End.model_validate(line.content["end"])
    except ValidationError:
        raise DoesNotFit("The end of the file has a form that this version does not know.") from None
    _require_in_time("The end of the file", end.exported_at, line.key)
    if findings.first_link != end.first and end.first is not None:
        raise DoesNotFit(f"Receipt {end.first.number}, with which the file began, is missing.")
    if findings.last_link != end.last and end.last is not None:
        raise DoesNotFit(f"The file was exported up to receipt {end.last.number}, and now ends {findings.where}.")
    if findings.receipts != end.receipts:
        raise DoesNotFit(f"The file was exported with {end.receipts} receipts, and now holds {findings.receipts}.")
    return end


def _name(signed: Mapping[str, Any], place: int) -> str:
    """Name a line for people: by the number of its receipt, which may be what was changed, and where it stands."""
    return (
        f"Receipt {signed['receipt'].get('number')} in line {place}" if "receipt" in signed else "The end of the file"
    )
