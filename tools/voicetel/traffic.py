"""VoiceTel's records of the use of numbers: call records of the account, and the messages of each number."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

import anyio

from clients.errors import TelephonyError
from tools.overview.optional_reads import OptionalReads, describe_failure
from tools.overview.traffic import NumberUse, Span, Traffic
from tools.overview.use_count import UseCount, count_uses
from tools.policy_reader import NotAllowed, Reader
from tools.voicetel.operations.account import ListCallRecords
from tools.voicetel.operations.e911 import ListE911Records
from tools.voicetel.operations.messaging import ListMessages
from tools.voicetel.operations.number_messaging import ListNumberMessaging, NumberMessaging

AT_ONCE: Final = 5
"""So many lists of messages are read at the same time. VoiceTel documents no limit for them."""

MessageKind = Literal["sms", "mms"]
MESSAGE_KINDS: Final[tuple[MessageKind, ...]] = ("sms", "mms")

MOST_ASKED: Final = 1_000
"""So many numbers one read of their texting takes (documented)."""

MOST_READ: Final = 20
"""The messages of so many numbers are read for one answer."""

NOT_LISTED: Final = f"VoiceTel lists texts by number, and those of {MOST_READ} numbers are read for one answer"


class VoiceTelRecords:
    """The records of one account in a span of time."""

    def __init__(self, reader: Reader, span: Span) -> None:
        self._reader = reader
        self._span = span

    async def read(self, numbers: Sequence[str]) -> NumberUse:
        """Return what the records show of these numbers: of those without calls first, where not all can be read."""
        calls = await count_uses("calls", self._span, self._read_calls)
        optional = OptionalReads()
        messaging = await optional.read(self._messaging(numbers), shows="texting") or {}
        unable = frozenset(number for number, known in messaging.items() if not _can_text(known))
        texts = await self._texts(sorted(numbers, key=lambda number: number in calls.seen))
        return NumberUse([calls, replace(texts, unable=unable)], await self._needed_for(optional, messaging))

    async def _read_calls(self, count: UseCount) -> None:
        answer = await self._reader.send(ListCallRecords(since=self._span.read_from))
        for row in answer.cdr:
            if row.value is not None:
                count.add(row.at, row.value.caller, row.value.called)

    async def _texts(self, numbers: Sequence[str]) -> Traffic:
        """Return what the messages of the first of these numbers show. One that cannot be read is a gap of its own."""
        read_of, others = numbers[:MOST_READ], numbers[MOST_READ:]
        failed: dict[str, str] = {}
        limiter = anyio.CapacityLimiter(AT_ONCE)

        async def read_one(number: str, count: UseCount) -> None:
            async with limiter:
                try:
                    await self._read_texts(number, count)
                except (TelephonyError, NotAllowed) as failure:
                    failed[number] = describe_failure(failure)

        async def read(count: UseCount) -> None:
            async with anyio.create_task_group() as group:
                for number in read_of:
                    group.start_soon(read_one, number, count)

        found = await count_uses("texts", self._span, read)
        nothing_read = next(iter(failed.values())) if failed and len(failed) == len(read_of) else None
        return replace(
            found,
            not_shown=found.not_shown or nothing_read,
            not_shown_of={**dict.fromkeys(others, NOT_LISTED), **failed},
        )

    async def _read_texts(self, number: str, count: UseCount) -> None:
        for kind in MESSAGE_KINDS:
            answer = await self._reader.send(ListMessages(number=number, type=kind, since=self._span.read_from))
            for row in answer.messages:
                count.add(row.at, number)

    async def _messaging(self, numbers: Sequence[str]) -> Mapping[str, NumberMessaging]:
        """Return how each number texts; none where the account has more numbers than one read takes."""
        if not 0 < len(numbers) <= MOST_ASKED:
            return {}
        answer = await self._reader.send(ListNumberMessaging(numbers=list(numbers)))
        return {row.number: row for row in answer.numbers if row.number}

    async def _needed_for(
        self, optional: OptionalReads, messaging: Mapping[str, NumberMessaging]
    ) -> Mapping[str, Sequence[str]]:
        """Return what numbers are needed for: their 911 record, their campaign."""
        registered = await optional.read(self._reader.send(ListE911Records()), shows="911 records")
        needed: defaultdict[str, list[str]] = defaultdict(list)
        for record in registered.records if registered else ():
            if record.number:
                needed[record.number].append("911 record")
        for number, known in messaging.items():
            if known.campaign is not None and known.campaign.id:
                needed[number].append(f"campaign {known.campaign.id}")
        return needed


def _can_text(messaging: NumberMessaging) -> bool:
    """Return False for a number that neither sends nor receives texts, as VoiceTel shows it."""
    return messaging.enabled is not False or bool(messaging.resource) or bool(messaging.route_in)
