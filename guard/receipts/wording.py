"""A receipt in plain words, for a terminal and the approval page."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from guard.injection.reasons import in_marks
from guard.messages import requester, shown
from guard.money import Money
from guard.receipts.receipt import KEY_REPLACED, SignedReceipt, StoredReceipt

_EVENTS: Final = {
    "one approval": "Approved by one of several",
    "approved": "Approved",
    "declined": "Declined",
    "done": "Carried out",
    "refused": "Refused by the provider",
    "unknown": "Sent, and not known whether it took effect",
    "plan approved": "Plan approved",
    "plan declined": "Plan declined",
    "plan done": "Plan carried out",
    "plan failed": "Plan failed",
    "allowance added": "Allowed beforehand",
    "allowance revoked": "Allowance revoked",
    KEY_REPLACED: "The key that signs receipts was replaced",
}


def event_in_words(event: str) -> str:
    """Say what happened, in a few words."""
    return _EVENTS.get(event, event)


def facts_of(stored: StoredReceipt) -> list[tuple[str, str]]:
    """Return what a receipt says, each fact with its name."""
    receipt = stored.content
    about, price, charged = receipt.about, receipt.price, receipt.charged
    facts = [
        ("What", "\n".join(about.words) if about else ""),
        ("Requested by" if about else "By", shown(requester(receipt.requested_by)) if receipt.requested_by else ""),
        ("Reason, in the assistant's words", _quoted(about.reason) if about else ""),
        ("Answered by", _answered(receipt)),
        ("Reason of the no", _quoted(receipt.answered.reason) if receipt.answered else ""),
        ("Signed by", _signed(receipt)),
        ("Price", "\n".join(price.words) if price else ""),
        ("Approved up to", price.up_to or "" if price else ""),
        ("Charged" if charged and charged.state == "charged" else "Held", _amount(receipt)),
        ("Outcome", shown(receipt.outcome) if receipt.outcome else ""),
        ("Step", f"{about.step} of {about.plan}" if about and about.plan else ""),
        (_kind(about.id), about.id) if about else ("", ""),
        ("Digest", about.digest or "" if about else ""),
        ("Next key", receipt.next_key or ""),
        ("Receipt before", f"number {receipt.before.number}, {receipt.before.hash}"),
        ("Row of the audit log", str(receipt.audit.row)),
        ("Signed with key", receipt.key),
    ]
    return [(name, value) for name, value in facts if value]


def _quoted(reason: str | None) -> str:
    return in_marks(reason) if reason else ""


def receipt_lines(stored: StoredReceipt) -> list[str]:
    """Say what a receipt says, one line each."""
    receipt = stored.content
    head = f"Receipt {stored.id}, number {receipt.number}: {event_in_words(receipt.event)}, {moment(receipt.at)}."
    lines = [head]
    for name, value in facts_of(stored):
        first, *more = value.split("\n")
        lines += [f"  {name}: {first}", *(f"    {line}" for line in more)]
    return lines


def moment(at: datetime) -> str:
    """Write a time to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _kind(subject_id: str) -> str:
    """Say what an id is of."""
    prefix = subject_id.partition("_")[0]
    return {"act": "Action", "plan": "Plan", "al": "Allowance"}.get(prefix, "Id")


def receipts_in_words(ids: Sequence[str]) -> str:
    """Name the receipts of an action or a plan; empty where it has none."""
    return f"Receipts: {', '.join(ids)}." if ids else ""


def _answered(receipt: SignedReceipt) -> str:
    answered = receipt.answered
    if answered is None:
        return ""
    at = f", {moment(answered.at)}" if answered.at else ""
    return f"{shown(answered.by)}{at}"


def _signed(receipt: SignedReceipt) -> str:
    """Say which passkey signed an operator's yes."""
    answered = receipt.answered
    if answered is None or answered.statement is None:
        return ""
    operator = shown(str(answered.statement.get("operator", "")))
    if answered.assertion is None:
        return f"no passkey, so that it was {operator} is what this server recorded"
    return f"the passkey {answered.assertion.key} of {operator}"


def _amount(receipt: SignedReceipt) -> str:
    charged = receipt.charged
    return str(Money(Decimal(charged.amount), charged.currency)) if charged else ""
