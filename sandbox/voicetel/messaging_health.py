"""Messaging health, which the vendor's SDK has since 2.2.15.

The SDK shows methods, paths and what is sent, and describes answers in words; the names in the answers are inferred.
"""

from datetime import timedelta

from sandbox.clock import iso
from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Tn
from sandbox.voicetel.number_messaging import messaging_is_enabled
from sandbox.voicetel.state import Account, Message, Number
from sandbox.voicetel.wire import Refusal, success

CHECKS_AN_HOUR = 30
"""Of one account, by the SDK."""

DAYS = 14
MOST_SAMPLES = 3
BLOCKED = "UNDELIV"


@operation("GET", "messaging/health")
def show_health(call: Call) -> Answer:
    """Show the account's numbers, campaigns and deliveries at a glance."""
    account = call.account
    ailing = [number for number in account.numbers.values() if _title(number)]
    enabled = [number for number in account.numbers.values() if messaging_is_enabled(number)]
    return success(
        summary={
            "numbers": len(account.numbers),
            "messagingOn": len(enabled),
            "healthy": len(enabled),
            "needAttention": len(ailing),
            "inProgress": 0,
        },
        campaigns=[{"id": campaign.id, "status": campaign.status} for campaign in account.campaigns.values()],
        attention=[
            {"number": number.number, "title": _title(number), "detail": "Texts from it fail.", "actions": ["assign"]}
            for number in ailing
        ],
        deliveries=[_deliveries(call, days) for days in range(DAYS)],
        alerts={"enabled": account.messaging_alerts},
        updatedAt=iso(call.state.clock.now().replace(minute=0, second=0)),
    )


@operation("GET", "messaging/health/alerts")
def show_alerts(call: Call) -> Answer:
    """Show whether new problems are mailed to the account."""
    return success(enabled=call.account.messaging_alerts)


@operation("PUT", "messaging/health/alerts")
def set_alerts(call: Call, *, enabled: bool) -> Answer:
    """Have new problems mailed to the account, or not."""
    call.account.messaging_alerts = enabled
    return success(enabled=enabled)


@operation("POST", "messaging/health/check")
def check_number(call: Call, *, number: Tn) -> Answer:
    """Check one number now; 30 times an hour."""
    owned = call.account.own(number)
    _count_check(call)
    return success(
        number=number,
        inService=True,
        enabled=messaging_is_enabled(owned),
        campaignApproved=owned.campaign is not None,
        assigned=owned.carrier != 0,
        failuresLastDay=len(_blocked(call, number, timedelta(days=1))),
        inProgress=False,
    )


@operation("GET", "messaging/health/samples")
def list_samples(call: Call, *, number: Tn) -> Answer:
    """Show the latest texts of a number that carriers blocked, with the recipients masked."""
    call.account.own(number)
    newest = sorted(_blocked(call, number, timedelta(days=DAYS)), key=lambda message: message.at, reverse=True)
    samples = [
        {
            "time": iso(message.at),
            "to": f"{message.destination[:3]}***{message.destination[-4:]}",
            "text": message.text,
            "reason": "Blocked as spam",
        }
        for message in newest[:MOST_SAMPLES]
    ]
    return success(number=number, samples=samples)


def _title(number: Number) -> str | None:
    """Return what is wrong with the texting of a number that has a part of what texting takes; None if nothing is."""
    if number.carrier and number.campaign is None:
        return "No campaign"
    if number.campaign is not None and not number.carrier:
        return "No carrier"
    return None


def _deliveries(call: Call, days: int) -> dict[str, object]:
    day = call.state.clock.now().date() - timedelta(days=days)
    sent = [message for message in _sent(call.account) if message.at.date() == day]
    failed = [message for message in sent if message.delivery == BLOCKED]
    return {"date": day.isoformat(), "sent": len(sent), "failed": len(failed)}


def _sent(account: Account) -> list[Message]:
    return [message for message in account.messages if message.direction == "out"]


def _blocked(call: Call, number: str, back: timedelta) -> list[Message]:
    since = call.state.clock.now() - back
    return [
        message
        for message in _sent(call.account)
        if message.source == number and message.delivery == BLOCKED and message.at >= since
    ]


def _count_check(call: Call) -> None:
    now = call.state.clock.now()
    recent = [at for at in call.account.messaging_checks if now - at < timedelta(hours=1)]
    if len(recent) >= CHECKS_AN_HOUR:
        raise Refusal(429, "Rate limit exceeded: 30 checks per hour.")
    call.account.messaging_checks = [*recent, now]
