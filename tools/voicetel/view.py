"""VoiceTel in the common view. Account reads are kept for ten minutes: there are six an hour."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio

from clients.errors import Conflict, NotFound
from guard.money import Money
from tools.overview.failures import Failure
from tools.overview.optional_reads import OptionalReads
from tools.overview.traffic import NumberUse, Span
from tools.overview.views import (
    NOT_READ,
    Balance,
    Delivery,
    Details,
    NotOffered,
    NumberQuery,
    Offer,
    OwnedNumber,
    Partial,
    Spending,
    dollars,
)
from tools.policy_reader import Reader
from tools.voicetel.operations.account import GetAccount, ListRecurringCharges
from tools.voicetel.operations.e911 import GetE911Record, ListE911Records
from tools.voicetel.operations.messaging import ListMessages, MessageRecord, MessageValue
from tools.voicetel.operations.number_messaging import GetNumberMessaging, NumberMessaging
from tools.voicetel.operations.ordering import SearchInventory
from tools.voicetel.operations.phone_numbers import GetNumber, ListNumbers, Number
from tools.voicetel.settings import VoiceTelSettings
from tools.voicetel.traffic import MESSAGE_KINDS, MessageKind, VoiceTelRecords

NAME = "voicetel"

_SERVED: Final = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}")

MOST_SENDERS: Final = 20
"""From so many of our numbers messages to one recipient are looked up."""

OWN_IDS: Final = (
    "no record of this number has that id, and VoiceTel does not document that its records have the ids that "
    "sending returns; leave `message` out and compare recipient and time"
)


NO_REASONS: Final = (
    "where a receipt of VoiceTel keeps its status is not documented; voicetel_list_messages with type dlr lists "
    "receipts, and on newer servers voicetel_get_messaging_health and voicetel_list_blocked_messages show trouble"
)


class VoiceTelView:
    """One VoiceTel account."""

    def __init__(self, reader: Reader, _account: VoiceTelSettings) -> None:
        self._reader = reader

    async def numbers(self) -> list[OwnedNumber]:
        found = await self._reader.send(ListNumbers())
        return [_owned_number(row) for row in found.numbers]

    async def number(self, number: str) -> Details | Partial[Details] | None:
        if not _is_served(number):
            return None
        try:
            row = await self._reader.send(GetNumber(number=number))
        except NotFound:
            return None
        optional = OptionalReads()
        messaging = await optional.read(self._reader.send(GetNumberMessaging(number=number)), shows="can_text")
        has_record = await optional.read(self._has_e911_record(number), shows="e911_registered")
        more: dict[str, object] = {
            **(_texting(messaging) if messaging else {"can_text": NOT_READ}),
            "faxes": row.fax_enabled,
            "caller_name_lookup": row.cnam,
            "e911_registered": NOT_READ if has_record is None else has_record,
        }
        details = Details(_owned_number(row, monthly=await self._monthly(optional)), more)
        return optional.complete(details)

    async def owned(self, number: str) -> OwnedNumber | None:
        try:
            return _owned_number(await self._reader.send(GetNumber(number=number))) if _is_served(number) else None
        except NotFound:
            return None

    async def offers(self, wanted: NumberQuery) -> list[Offer] | Partial[list[Offer]]:
        if wanted.country not in {"US", "CA"}:
            raise NotOffered("VoiceTel has numbers of the US and Canada only")
        searches = [SearchInventory(tn_mask=prefix[:10], quantity=wanted.share) for prefix in wanted.prefixes or ("*",)]
        rows = [row for search in searches for row in (await self._reader.send(search)).numbers]
        optional = OptionalReads()
        monthly = await self._monthly(optional)
        offers = [
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
        return optional.complete(offers)

    async def balances(self) -> list[Balance]:
        exchange = await self._reader.exchange(GetAccount())
        cash = dollars(exchange.answer.cash)
        if cash is None:
            raise NotOffered("VoiceTel's answer shows no balance")
        return [Balance(NAME, cash, kept_since=None if exchange.attempts else exchange.received_at)]

    async def spending(self, since: datetime, until: datetime) -> list[Spending]:
        if until - since < timedelta(days=27):
            raise NotOffered("VoiceTel tells what a month costs, not what a shorter time did")
        exchange = await self._reader.exchange(ListRecurringCharges())
        kept_since = None if exchange.attempts else exchange.received_at
        return [
            Spending(NAME, f"{row.description or 'service'}, every month", Money(row.amount), kept_since=kept_since)
            for row in exchange.answer.charges
            if row.amount is not None
        ]

    async def deliveries(
        self, message: str | None, number: str | None, since: datetime, until: datetime
    ) -> list[Delivery] | Partial[list[Delivery]]:
        if number is None:
            raise NotOffered("VoiceTel lists messages by number only; give the sending number")
        if not number.startswith("+1"):
            return []
        if await self.owned(number) is None:
            return await self._sent_to(number, message, since)
        optional = OptionalReads()
        rows = await self._every_kind(number, since, optional)
        if len(optional.gaps) == len(MESSAGE_KINDS):
            optional.raise_failure()
        found = [_delivery(row, number) for row in rows if message in {None, row.id}]
        if message is not None and not found:
            raise NotOffered(OWN_IDS)
        return optional.complete(_newest_first(found))

    async def failures(self, since: datetime, until: datetime, number: str | None) -> list[Failure]:
        raise NotOffered(NO_REASONS)

    async def number_use(self, numbers: Sequence[OwnedNumber], span: Span) -> NumberUse:
        return await VoiceTelRecords(self._reader, span).read([one.number for one in numbers])

    async def _sent_to(
        self, recipient: str, message: str | None, since: datetime
    ) -> list[Delivery] | Partial[list[Delivery]]:
        """Return what was sent to a number of somebody else: VoiceTel lists messages by number of ours only."""
        senders = [row.number for row in (await self._reader.send(ListNumbers())).numbers if row.carrier and row.number]
        if len(senders) > MOST_SENDERS:
            raise NotOffered(f"VoiceTel lists messages by sending number only, and {len(senders)} can text; give one")
        optional = OptionalReads()
        read: dict[str, list[MessageRecord]] = {}

        async def read_one(sender: str) -> None:
            read[sender] = await self._every_kind(sender, since, optional)

        async with anyio.create_task_group() as group:
            for sender in senders:
                group.start_soon(read_one, sender)
        rows = [(row, sender) for sender in senders for row in read[sender]]
        found = [
            _delivery(row, sender)
            for row, sender in rows
            if row.value and row.value.direction == "out" and row.value.far_end == recipient
        ]
        wanted = [one for one in found if message in {None, one.message}]
        if found and not wanted:
            raise NotOffered(OWN_IDS)
        return optional.complete(_newest_first(wanted))

    async def _every_kind(self, number: str, since: datetime, optional: OptionalReads) -> list[MessageRecord]:
        """Return the messages of each kind, as far as they can be read."""
        read = [
            await optional.read(self._messages(number, kind, since), shows=f"messages of type {kind} of {number}")
            for kind in MESSAGE_KINDS
        ]
        return [row for page in read for row in page or []]

    async def _messages(self, number: str, kind: MessageKind, since: datetime) -> list[MessageRecord]:
        return (await self._reader.send(ListMessages(number=number, type=kind, since=since))).messages

    async def _monthly(self, optional: OptionalReads) -> Money | None:
        """Return what a number costs a month; None if the account's rates cannot be read now."""
        account = await optional.read(self._reader.send(GetAccount()), shows="monthly")
        return dollars(account.rates.did) if account and account.rates else None

    async def _has_e911_record(self, number: str) -> bool:
        """Return True if a number has an e911 record.

        The read of one record answers a number without one with 409, as it answers other failures. The list of all
        records tells them apart.
        """
        try:
            record = await self._reader.send(GetE911Record(number=number))
        except (Conflict, NotFound):
            return (await self._reader.send(ListE911Records())).of(number) is not None
        return bool(record.model_dump(exclude_none=True))


def _newest_first(found: list[Delivery]) -> list[Delivery]:
    return sorted(found, key=lambda one: one.at or datetime.min.replace(tzinfo=UTC), reverse=True)


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
        price=dollars(value.amount),
        at=row.at,
    )


def _is_served(number: str) -> bool:
    """Return True for a number of the US or Canada; VoiceTel has no others."""
    return _SERVED.fullmatch(number) is not None


def _texting(messaging: NumberMessaging) -> dict[str, object]:
    return {
        "can_text": messaging.enabled,
        "campaign": messaging.campaign.id if messaging.campaign else None,
        "inbound_messages_to": messaging.resource,
    }


def _owned_number(row: Number, monthly: Money | None = None) -> OwnedNumber:
    gateway = row.gateway or (f"gateway {row.route}" if row.route is not None else None)
    forwarded = f"forwarded to {row.forward_to}" if row.forward and row.forward_to else None
    forwards_to = row.forward_to if row.forward else None
    texts = [f"sent by carrier {row.carrier}"] if row.carrier else []
    texts += ["received ones are routed"] if row.sms_enabled else []
    return OwnedNumber(
        number=row.number or UNREADABLE,
        provider=NAME,
        calls_to=forwarded or gateway,
        forwards_to=forwards_to,
        texts=", ".join(texts) or None,
        monthly=monthly,
        needed_for=("faxes",) if row.fax_enabled else (),
    )
