"""Account profile, settings, billing history and call records (operations 2 to 8)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from sandbox.clock import iso
from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Tn
from sandbox.voicetel.state import Account, CallRecord
from sandbox.voicetel.wire import Refusal, success

ADMIN_SETTINGS = frozenset({"ccs", "sms", "mms", "intl", "e911"})
E911_MONTHLY = Decimal("2.50")
"""The site's list price; the account's rates name none."""
DAY = timedelta(hours=24)
Timestamp = Annotated[int, Field(ge=0)]
"""Unix seconds."""


class SettingsBody(Body):
    """Changed settings of an account; the defaults only mark a field as left out."""

    sms: bool = False
    callerId: Tn = ""
    notify: bool = False
    ccs: int = 0
    intl: bool = False
    notifyThreshold: int = 0
    e911: bool = False
    timezone: str = ""
    mms: bool = False


@operation("PUT", "account")
def update_settings(call: Call, body: SettingsBody) -> Answer:
    """Change the settings that are given."""
    changed = body.model_fields_set
    if not changed:
        raise Refusal(400, "No settings to update.")
    if changed & ADMIN_SETTINGS and not call.account.admin:
        # inferred: 403 is not documented here, 400 is
        raise Refusal(400, f"Admin only: {', '.join(sorted(changed & ADMIN_SETTINGS))}.")
    if "timezone" in changed:
        _require_timezone(body.timezone)
    _apply(call.account, body, changed)
    return success(updated=[name for name in SettingsBody.model_fields if name in changed])


@operation("GET", "account", limited=True)
def show_account(call: Call) -> Answer:
    """Show profile, balance, services and rates."""
    account = call.account
    return success(
        username=account.username,
        name=account.name,
        email=account.email,
        created=iso(account.created),
        enabled=True,
        cash=account.cash,
        callerId=account.caller_id,
        timezone=account.timezone,
        notify=account.notify,
        notifyThreshold=account.notify_threshold,
        ccs=account.concurrent_calls,
        authType=account.auth_type,
        services=account.services,
        rates=account.rates,
    )


@operation("GET", "account/credits")
def list_credits(call: Call, *, status: Literal["paid", "unpaid"] | None = None) -> Answer:
    """List credit history, optionally only paid or unpaid entries."""
    entries = [
        {"paid": entry.paid, "date": iso(entry.at), "amount": entry.amount}
        for entry in call.account.credits
        if status is None or entry.paid == (status == "paid")
    ]
    return success(credits=entries)


@operation("GET", "account/cdr", limited=True)
def list_calls(call: Call, *, start: Timestamp | None = None, end: Timestamp | None = None) -> Answer:
    """List call records between the older bound `end` and the newer one `start`, newest first, both included.

    inferred: bounds given the wrong way round match nothing, as in a plain comparison.
    """
    newer, older = window(call, start, end)
    records = [record for record in call.account.calls if older <= int(record.at.timestamp()) <= newer]
    records.sort(key=lambda record: record.at, reverse=True)
    rows = [_call_row(call.account, record) for record in records]
    return success(start=newer, end=older, cdr=rows)


def window(call: Call, newer: int | None, older: int | None) -> tuple[int, int]:
    """Return the newer and the older bound in Unix seconds; by default now and 24 hours before it.

    inferred: without an older bound the window starts 24 hours before now, not before the newer bound.
    """
    now = call.state.clock.now()
    return (int(now.timestamp()) if newer is None else newer, int((now - DAY).timestamp()) if older is None else older)


@operation("GET", "account/registration")
def show_registration(call: Call) -> Answer:
    """Show the registered device; 404 if none is."""
    if call.account.registration is None:
        raise Refusal(404, "Not registered.")
    uri, agent = call.account.registration
    return success(uri=uri, agent=agent)


@operation("GET", "account/recurring-charges", limited=True)
def list_recurring_charges(call: Call) -> Answer:
    """List monthly charges by service, and their total."""
    account = call.account
    lines = [
        ("Telephone numbers", len(account.numbers), account.rates.get("did", Decimal(0))),
        ("e911 records", len(account.e911), E911_MONTHLY),
    ]
    charges = [
        {"description": f"{description} ({count})", "amount": count * price}
        for description, count, price in lines
        if count
    ]
    return success(charges=charges, total=sum((count * price for _, count, price in lines), Decimal(0)))


@operation("GET", "account/payments")
def list_payments(call: Call) -> Answer:
    """List payments received, newest first."""
    newest_first = sorted(call.account.payments, key=lambda payment: payment.at, reverse=True)
    return success(
        payments=[
            {
                "amount": payment.amount,
                "date": iso(payment.at),
                "payerEmail": payment.payer,
                "transactionId": payment.transaction,
                "status": payment.status,
            }
            for payment in newest_first
        ]
    )


def _require_timezone(name: str) -> None:
    try:
        datetime.now(UTC).astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal(400, "timezone must be an IANA time zone.") from None


def _apply(account: Account, body: SettingsBody, changed: set[str]) -> None:
    for service in ("sms", "mms", "intl", "e911"):
        if service in changed:
            account.services[service] = getattr(body, service)
    if "ccs" in changed:
        account.concurrent_calls = body.ccs
    if "callerId" in changed:
        account.caller_id = body.callerId
    if "notify" in changed:
        account.notify = body.notify
    if "notifyThreshold" in changed:
        account.notify_threshold = body.notifyThreshold
    if "timezone" in changed:
        account.timezone = body.timezone


def _call_row(account: Account, record: CallRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "key": [account.username, str(int(record.at.timestamp()))],
        "value": {
            "cid": record.caller,
            "dst": record.called,
            "dur": str(record.seconds),
            "nr": str(record.rate),
            "ba": str(record.billed),
            "cn": record.name,
            "ip": record.ip,
        },
    }
