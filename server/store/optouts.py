"""Numbers whose owners opted out of messages. The operator and the owners' own texts add them, never a tool.

What is not for sure a wish to stop, or comes from what is no telephone number, waits for the operator as a request.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from clients.phone_numbers import canonical, read_with_country_code
from clients.shared.inbound_texts import InboundText
from guard.errors import JournalUnavailable
from guard.rules.optout_keywords import Wish, read_wish
from server.store.engine import Database
from server.store.schema import optout_requests, optouts
from server.store.sealed.audit import Audit, Entry
from server.store.transactions.statements import Lookup, Statement, is_one_of

MEANINGS: Final = {
    Wish.UNCLEAR: "may want no more messages",
    Wish.STOP: "wants no more messages, but the sender is no telephone number",
    Wish.START: "wants messages again",
}
"""What each request means, for the operator."""

_AT_ONCE = 500
_OPTED_OUT = Lookup(select(optouts.c.number), optouts.c.number)
_UNCLEAR = Statement(
    select(optout_requests.c.sender)
    .where(optout_requests.c.closed_at.is_(None), is_one_of(optout_requests.c.wish, [Wish.UNCLEAR, Wish.STOP]))
    .distinct()
)

_REMOVED: Final = "removed"
"""The wish of a row that says when the operator removed an opt-out: older texts of the number do not count again."""

_LONGEST_SENDER: Final = 64
_LONGEST_TEXT: Final = 1000
NO_SENDER: Final = "(no sender shown)"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """A number whose owner wants no messages, and where that came from."""

    number: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OptOutRequest:
    """A text that the operator has to read: an unclear wish, a START, or a stop of a sender that is no number."""

    sender: str
    """The number in the form in which numbers are compared; what is no number as it was shown."""

    wish: Wish
    text: str
    """Text from outside."""

    source: str
    at: datetime


class StoredOptOuts:
    """Implements `guard.rules.compliance.OptOuts`."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit
        self._unwritten: list[tuple[str, InboundText]] = []
        """Texts that the store could not take yet."""

    async def among(self, numbers: Sequence[str]) -> list[str]:
        """Return those of the numbers that opted out, in the same order and as they are given.

        Raises:
            JournalUnavailable: The store cannot be read.
        """
        await self._write_waiting()
        keys = [_key(number) for number in numbers]
        found = await self._database.read(lambda connection: _known(connection, keys), at_one_moment=False)
        return [number for number in numbers if _key(number) in found]

    async def unclear(self, numbers: Sequence[str]) -> list[str]:
        """Return those of the numbers that sent what may be a wish to stop and what the operator has not judged yet."""
        wanted = {_key(number) for number in numbers}
        found = wanted & {row["sender"] for row in await self._database.find(_UNCLEAR, {})}
        return [number for number in numbers if _key(number) in found]

    async def take_in(self, provider: str, texts: Sequence[InboundText]) -> None:
        """Take in texts that a read showed; each counts once, however often it is read.

        While the store cannot be written they wait in this process, and are written before opt-outs are next looked up.
        """
        self._unwritten += [(provider, text) for text in texts]
        try:
            await self._write_waiting()
        except JournalUnavailable:
            return

    async def _write_waiting(self) -> None:
        if not self._unwritten:
            return
        waiting = dict.fromkeys(self._unwritten)
        digests = [_digest(provider, text) for provider, text in waiting]
        known = await self._database.read(lambda connection: _known_digests(connection, digests))
        fresh = [(provider, text) for provider, text in waiting if _digest(provider, text) not in known]

        def record(entry: Entry) -> None:
            for provider, text in fresh:
                record_wish(entry, self._audit, provider, text)

        if fresh:
            await self._audit.write(record)
        self._unwritten = [one for one in self._unwritten if one not in waiting]

    async def requests(self) -> list[OptOutRequest]:
        """Return what the operator has to read, oldest first."""
        query = select(optout_requests).where(optout_requests.c.closed_at.is_(None))
        found = [
            OptOutRequest(str(row["sender"]), Wish(row["wish"]), row["words"] or "", str(row["source"]), row["at"])
            for row in await self._database.fetch(query)
        ]
        return sorted(found, key=lambda request: request.at)

    async def count_requests(self) -> int:
        """Return how many texts the operator has to read."""
        query = select(func.count()).select_from(optout_requests).where(optout_requests.c.closed_at.is_(None))
        return await self._database.read(lambda connection: connection.execute(query).scalar()) or 0

    async def dismiss(self, sender: str, *, by: str) -> bool:
        """Close the requests of a sender without an opt-out; return False if there are none."""

        def close(entry: Entry) -> bool:
            closed = _close_requests(entry.connection, [_key(sender)])
            if closed:
                self._audit.append(entry, "opt-out request dismissed", principal=by, detail={"number": sender})
            return closed > 0

        return await self._audit.write(close)

    async def add(self, numbers: Iterable[str], *, source: str, by: str | None = None) -> int:
        """Add numbers and return how many are new; `by` is who added them, if the source does not say."""
        wanted = _canonical_numbers(numbers)

        def store(entry: Entry) -> int:
            added = _insert(entry.connection, wanted, source=source)
            _close_requests(entry.connection, wanted)
            for start in range(0, len(added), _AT_ONCE):
                detail = {"numbers": added[start : start + _AT_ONCE], "source": source}
                self._audit.append(entry, "opted out", principal=by or source, detail=detail)
            return len(added)

        return await self._audit.write(store)

    async def remove(self, number: str, *, by: str) -> bool:
        """Remove a number; return False if it was not listed."""
        key = _key(number)

        def take_off(entry: Entry) -> bool:
            removed = entry.connection.execute(delete(optouts).where(optouts.c.number == key))
            if removed.rowcount > 0:
                _close_requests(entry.connection, [key])
                _note_removal(entry.connection, key)
                self._audit.append(entry, "opt-out removed", principal=by, detail={"number": key})
            return removed.rowcount > 0

        return await self._audit.write(take_off)

    async def page(self, limit: int, *, after: str = "", source: str | None = None) -> list[OptOut]:
        """Return numbers in their order, those after one of them: of one source, or of all."""
        query = select(optouts).where(optouts.c.number > after).order_by(optouts.c.number).limit(limit)
        if source is not None:
            query = query.where(optouts.c.source == source)
        return [OptOut(**row) for row in await self._database.fetch(query)]

    async def count_by_source(self) -> dict[str, int]:
        """Return how many numbers came from each source, the most first."""
        counted = func.count().label("count")
        query = select(optouts.c.source, counted).group_by(optouts.c.source).order_by(counted.desc())
        return {row["source"]: row["count"] for row in await self._database.fetch(query)}

    async def find(self, number: str) -> OptOut | None:
        """Return the opt-out of a number; None if it did not opt out."""
        found = await self._database.fetch(select(optouts).where(optouts.c.number == _key(number)))
        return OptOut(**found[0]) if found else None

    async def all(self) -> list[tuple[str, str]]:
        """Return every number with its source."""
        query = select(optouts.c.number, optouts.c.source).order_by(optouts.c.number)
        return [(str(row["number"]), str(row["source"])) for row in await self._database.fetch(query)]


def add_optouts(connection: Connection, numbers: Iterable[str], *, source: str) -> int:
    """Add numbers in the caller's transaction, and return how many are new; the caller adds the audit row.

    Anything but a telephone number is left out: senders may use any name, and recipients are only compared by number.
    """
    return len(_insert(connection, _canonical_numbers(numbers), source=source))


def record_wish(entry: Entry, audit: Audit, provider: str, text: InboundText) -> None:
    """Record what a text says about further messages, in the caller's transaction; nothing if it says nothing of them.

    A wish to stop that is sure opts its sender out. Anything else waits for the operator.
    """
    wish, digest = read_wish(text.text), _digest(provider, text)
    if wish is None or _known_digests(entry.connection, [digest]):
        return
    number, source = _number_of(text), f"texted {provider}"
    is_settled = wish is Wish.STOP and number is not None
    if number is not None and _is_older_than_removal(entry.connection, number, text.at):
        return
    now = datetime.now(UTC)
    row = {
        "digest": digest,
        "at": text.at or now,
        "sender": _sender_of(text),
        "wish": wish.value,
        "words": None if is_settled else text.text[:_LONGEST_TEXT],
        "source": source,
        "closed_at": now if is_settled else None,
    }
    entry.connection.execute(insert(optout_requests), [row])
    detail = {"number": text.sender, "message": text.message}
    if not is_settled:
        audit.append(entry, "opt-out request", principal=source, detail=detail | {"wish": wish.value})
    elif number is not None and add_optouts(entry.connection, [number], source=source):
        audit.append(entry, "opted out", principal=source, detail=detail)


def _number_of(text: InboundText) -> str | None:
    return canonical(text.sender) or canonical(read_with_country_code(text.sender) or "") if text.sender else None


def _sender_of(text: InboundText) -> str:
    return _number_of(text) or (text.sender or NO_SENDER)[:_LONGEST_SENDER]


def _digest(provider: str, text: InboundText) -> str:
    """Return what tells a text from others, by whichever way it comes; without id and time, its words do."""
    which = text.message or (text.at.astimezone(UTC).isoformat() if text.at else "")
    parts = " ".join((provider, _sender_of(text), which, text.text))
    return hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()


def _known_digests(connection: Connection, digests: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(digests), _AT_ONCE):
        some = digests[start : start + _AT_ONCE]
        query = select(optout_requests.c.digest).where(optout_requests.c.digest.in_(some))
        found |= set(connection.execute(query).scalars())
    return found


def _is_older_than_removal(connection: Connection, number: str, at: datetime | None) -> bool:
    """Return True for a text of before the operator removed the number's opt-out, who may be assumed to know it."""
    if at is None:
        return False
    query = select(func.max(optout_requests.c.at)).where(
        optout_requests.c.sender == number, optout_requests.c.wish == _REMOVED
    )
    removed = connection.execute(query).scalar()
    return removed is not None and at <= removed


def _note_removal(connection: Connection, number: str) -> None:
    now = datetime.now(UTC)
    digest = hashlib.sha256(f"{_REMOVED} {number} {now.isoformat()}".encode()).hexdigest()
    row = {"digest": digest, "at": now, "sender": number, "wish": _REMOVED, "source": "", "closed_at": now}
    connection.execute(insert(optout_requests), [row])


def _close_requests(connection: Connection, senders: Sequence[str]) -> int:
    """Close the requests of senders, forget their words, and return how many they were."""
    closed = 0
    for start in range(0, len(senders), _AT_ONCE):
        some = senders[start : start + _AT_ONCE]
        mine = optout_requests.c.sender.in_(some) & optout_requests.c.closed_at.is_(None)
        done = connection.execute(update(optout_requests).where(mine).values(closed_at=datetime.now(UTC), words=None))
        closed += done.rowcount
    return closed


def _key(number: str) -> str:
    """Return what a number is stored under; text that is no number is only equal to itself."""
    return canonical(number) or number


def _canonical_numbers(numbers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found for number in numbers if (found := canonical(number)) is not None))


def _insert(connection: Connection, numbers: Sequence[str], *, source: str) -> list[str]:
    """Insert the numbers that are not listed, and return them."""
    known = _known(connection, numbers)
    added = [number for number in numbers if number not in known]
    now = datetime.now(UTC)
    if added:
        rows = [{"number": number, "at": now, "source": source} for number in added]
        connection.execute(insert(optouts), rows)
    return added


def _known(connection: Connection, numbers: Sequence[str]) -> set[str]:
    return {row["number"] for row in _OPTED_OUT.all(connection, numbers)}
