"""VoiceTel in the common view. Account reads are kept for ten minutes: there are six an hour."""

from datetime import datetime, timedelta
from typing import Final, Literal

from clients.errors import NotFound, TelephonyError
from guard.money import Money
from tools.overview.views import (
    Balance,
    Delivery,
    Details,
    NotOffered,
    NumberQuery,
    Offer,
    OwnedNumber,
    Spending,
    dollars,
)
from tools.policy_reader import Reader
from tools.voicetel.operations.account import GetAccount, ListRecurringCharges
from tools.voicetel.operations.e911 import GetE911Record
from tools.voicetel.operations.messaging import ListMessages, MessageRecord, MessageValue
from tools.voicetel.operations.number_messaging import GetNumberMessaging
from tools.voicetel.operations.ordering import SearchInventory
from tools.voicetel.operations.phone_numbers import GetNumber, ListNumbers, Number
from tools.voicetel.settings import VoiceTelSettings

NAME = "voicetel"

MESSAGE_KINDS: Final[tuple[Literal["sms", "mms"], ...]] = ("sms", "mms")

OWN_IDS: Final = (
    "no record of this number has that id, and VoiceTel does not document that its records have the ids that "
    "sending returns; leave `message` out and compare recipient and time"
)


class VoiceTelView:
    """One VoiceTel account."""

    def __init__(self, reader: Reader, _account: VoiceTelSettings) -> None:
        self._reader = reader

    async def numbers(self) -> list[OwnedNumber]:
        found = await self._reader.send(ListNumbers())
        return [_owned_number(row) for row in found.numbers]

    async def number(self, number: str) -> Details | None:
        if not number.startswith("+1"):
            return None
        try:
            row = await self._reader.send(GetNumber(number=number))
        except NotFound:
            return None
        messaging = await self._reader.send(GetNumberMessaging(number=number))
        record = await self._reader.send(GetE911Record(number=number))
        more: dict[str, object] = {
            "can_text": messaging.enabled,
            "campaign": messaging.campaign.id if messaging.campaign else None,
            "inbound_messages_to": messaging.resource,
            "faxes": row.fax_enabled,
            "caller_name_lookup": row.cnam,
            "e911_registered": bool(record.model_dump(exclude_none=True)),
        }
        return Details(_owned_number(row, monthly=await self._monthly()), more)

    async def offers(self, wanted: NumberQuery) -> list[Offer]:
        if wanted.country not in {"US", "CA"}:
            raise NotOffered("VoiceTel has numbers of the US and Canada only")
        asked = SearchInventory(tn_mask=(wanted.starts_with or "*")[:10], quantity=wanted.limit)
        rows = (await self._reader.send(asked)).numbers
        monthly = await self._monthly()
        return [
            Offer(
                number=row.number,
                provider=NAME,
                order_with="voicetel_order_numbers",
                place=", ".join(part for part in (row.city or row.rate_center, row.province) if part) or None,
                monthly=monthly,
            )
            for row in rows
            if row.number is not None
        ]

    async def balances(self) -> list[Balance]:
        cash = dollars((await self._reader.send(GetAccount())).cash)
        return [Balance(NAME, cash)] if cash else []

    async def spending(self, since: datetime, until: datetime) -> list[Spending]:
        if until - since < timedelta(days=27):
            raise NotOffered("VoiceTel tells what a month costs, not what a shorter time did")
        found = await self._reader.send(ListRecurringCharges())
        return [
            Spending(NAME, f"{row.description or 'service'}, every month", Money(row.amount))
            for row in found.charges
            if row.amount is not None
        ]

    async def deliveries(
        self, message: str | None, number: str | None, since: datetime, until: datetime
    ) -> list[Delivery]:
        if number is None:
            raise NotOffered("VoiceTel lists messages by number only; give the sending number")
        if not number.startswith("+1"):
            return []
        found = [
            _delivery(row, number)
            for kind in MESSAGE_KINDS
            for row in (await self._reader.send(ListMessages(number=number, type=kind, since=since))).messages
            if message in {None, row.id}
        ]
        if message is not None and not found:
            raise NotOffered(OWN_IDS)
        return sorted(found, key=lambda one: one.at or since, reverse=True)

    async def _monthly(self) -> Money | None:
        """Return what a number costs a month; None if the account's rates cannot be read now."""
        try:
            rates = (await self._reader.send(GetAccount())).rates
        except TelephonyError:
            return None
        return dollars(rates.did) if rates else None


_STATE = {"in": "received", "out": "sent; where a receipt has its status is not documented"}


UNREADABLE = "not shown"
"""Stands for a number that VoiceTel listed in a form that cannot be read."""


def _delivery(row: MessageRecord, own: str) -> Delivery:
    """Return what became of a message. Who wrote one that came in is a stranger's word, which no view shows."""
    value = row.value or MessageValue()
    recipients = {"in": own, "out": value.far_end}
    return Delivery(
        provider=NAME,
        message=row.id or "",
        to=recipients.get(value.direction or ""),
        state=_STATE.get(value.direction or ""),
        price=dollars(value.billed),
        at=row.at,
    )


def _owned_number(row: Number, monthly: Money | None = None) -> OwnedNumber:
    gateway = row.gateway or (f"gateway {row.route}" if row.route is not None else None)
    forwarded = f"forwarded to {row.forward_to}" if row.forward and row.forward_to else None
    texts = [f"sent by carrier {row.carrier}"] if row.carrier else []
    texts += ["received ones are routed"] if row.sms_enabled else []
    return OwnedNumber(
        number=row.number or UNREADABLE,
        provider=NAME,
        calls_to=forwarded or gateway,
        texts=", ".join(texts) or None,
        monthly=monthly,
    )
