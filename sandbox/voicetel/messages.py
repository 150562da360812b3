"""Sending messages and reading their records (operations 40 and 41)."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator

from sandbox.frame.wire import Answer
from sandbox.segments import count_segments
from sandbox.voicetel.account import Timestamp, window
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Tn
from sandbox.voicetel.number_messaging import messaging_is_enabled
from sandbox.voicetel.state import Account, Message
from sandbox.voicetel.wire import Refusal, created, success

RECEIPT_AFTER = timedelta(seconds=3)
UNDELIVERABLE_ENDING = "0198"
"""inferred: some messages do not arrive; here those to numbers ending in 0198."""


def _web_address(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("not a web address")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]


@operation("POST", "messages")
def send_message(
    call: Call,
    *,
    text: str,
    toNumber: Tn,
    fromNumber: Tn,
    subject: str = "",
    mediaUrls: list[WebAddress] | None = None,
) -> Answer:
    """Send an SMS, or an MMS when there is media, and charge it.

    inferred: an MMS counts as one part whatever its text; an empty list of media makes no MMS.
    """
    account, state = call.account, call.state
    kind = "mms" if mediaUrls else "sms"
    if not text and kind == "sms":
        raise Refusal(400, "A text message must say something.")  # inferred: the schema only says string
    _require_allowed(account, fromNumber, toNumber, kind)
    parts = 1 if kind == "mms" else count_segments(text)
    cost = account.rates[kind] * parts
    account.require_cash(cost)
    identifier = f"{state.clock.epoch():x}{state.next('message', 90001):06x}"
    state.charge(account, kind, parts, cost, identifier)
    account.messages.append(
        Message(
            id=identifier,
            kind=kind,
            direction="out",
            source=fromNumber,
            destination=toNumber,
            text=text,
            rate=cost,
            at=state.clock.now(),
            delivery="UNDELIV" if toNumber.endswith(UNDELIVERABLE_ENDING) else "DELIVRD",
        )
    )
    media = {"mediaUrls": mediaUrls, "subject": subject} if kind == "mms" else {}
    return created(id=identifier, type=kind, fromNumber=fromNumber, toNumber=toNumber, parts=parts, **media)


@operation("GET", "messages")
def list_messages(
    call: Call,
    *,
    number: Tn,
    type_: Literal["sms", "mms", "dlr"] = "sms",
    from_: Timestamp | None = None,
    to: Timestamp | None = None,
) -> Answer:
    """List records or receipts of one number from the older bound `to` to the newer one `from`, newest first."""
    account = call.account
    if number not in account.numbers:
        raise Refusal(403, "The number is not on this account.")
    until, since = window(call, from_, to)
    is_receipt = type_ == "dlr"
    records = _receipts(call) if is_receipt else [m for m in account.messages if m.kind == type_]
    mine = [
        record
        for record in records
        if number in {record.source, record.destination} and since <= int(record.at.timestamp()) <= until
    ]
    mine.sort(key=lambda record: record.at, reverse=True)
    rows = [_receipt_row(account, record) if is_receipt else _row(record) for record in mine]
    return success(number=number, type=type_, fromTs=until, toTs=since, messages=rows)


def _require_allowed(account: Account, source: str, recipient: str, kind: str) -> None:
    number = account.numbers.get(source)
    if number is None:
        raise Refusal(403, "The source number is not on this account.")
    if not account.services.get(kind, False) or not messaging_is_enabled(number):
        raise Refusal(409, "Messaging is not enabled for this number.")
    if recipient in account.opted_out:
        raise Refusal(409, "The recipient has opted out.")


def _receipts(call: Call) -> list[Message]:
    """Return delivery receipts of messages sent a moment ago or longer: the same messages, a moment later."""
    now = call.state.clock.now()
    return [
        replace(message, id=f"dlr-{message.id}", at=message.at + RECEIPT_AFTER)
        for message in call.account.messages
        if message.direction == "out" and message.at + RECEIPT_AFTER <= now
    ]


def _row(record: Message) -> dict[str, object]:
    """Return the record of an SMS or MMS: its key begins with the destination, its `number` is the far end."""
    far_end = record.destination if record.direction == "out" else record.source
    return {
        "id": _record_id(record),
        "key": [record.destination, int(record.at.timestamp())],
        "value": {
            "direction": record.direction,
            "number": int(far_end),
            "message": record.text,
            "rate": str(record.rate),
        },
    }


def _receipt_row(account: Account, record: Message) -> dict[str, object]:
    """Return a delivery receipt. Only the two numbers are documented: no field has the status."""
    return {
        "id": _record_id(record),
        "key": [account.username, f"1{record.source}", int(record.at.timestamp())],
        "value": {"sourceNumber": record.source, "destinationNumber": record.destination},
    }


def _record_id(record: Message) -> str:
    """Return the identifier of a record.

    inferred: it is not the transaction id that sending returns. The documents call the two differently, and their
    samples have different forms.
    """
    return hashlib.sha1(record.id.encode(), usedforsecurity=False).hexdigest()
