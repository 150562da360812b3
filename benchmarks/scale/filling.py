"""Fills a store with actions, their rows of the audit log and their receipts, all valid, as years of use leave them.

Nothing is approved or sent. One action of each kind is written down as the store writes it; for all others its words
are replaced in what that came to, which is ten times faster. Chains, digests and signatures are computed for each.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from guard.action import Action, State, digested_text
from guard.money import Money
from guard.operators.approval import Approval, Statement
from guard.operators.roles import LOCAL, Operator, Role
from guard.receipts.contents import OF_ACTION, Booked, content_of_action
from guard.receipts.keys import SigningKey, encode
from guard.receipts.receipt import FORMAT, NOTHING_BEFORE, Link, canonical, content_of, hash_of, id_of
from guard.rules.quote import Quote
from server.store.actions import request_detail, row_of
from server.store.key_values import put_value
from server.store.operators.approvals import detail_of
from server.store.operators.approvals import row_of as approval_row
from server.store.receipts.signing_keys import SigningKeys
from server.store.reservations import billionths
from server.store.schema import (
    action_texts,
    actions,
    approvals,
    audit,
    holds,
    receipts,
    spending,
    spending_by_operation,
    tracked,
)
from server.store.sealed.hash_chain import Head, detail_text, mac_of, seal_head
from server.store.searchable import searchable_row
from server.store.store import Store

AT_ONCE: Final = 2000
"""Actions of one transaction."""

ASSISTANTS: Final = 7
"""How many principals there are."""

BY_OPERATOR: Final = 10
"""Every so manieth action is approved by an operator; the others by policy."""

OPERATION: Final = "voicetel_send_message"
_PRICE: Final = Money(Decimal("0.01"), "USD")
_PAYER: Final = {"provider": "voicetel", "account": "voicetel", "currency": _PRICE.currency}
_OPERATOR: Final = Operator(name=LOCAL, role=Role.ADMIN)
_HISTORY: Final = (State.PROPOSED, State.APPROVED, State.DONE)

# What stands in the model of each kind, and is replaced.
_ID, _TO, _ORDER, _PRINCIPAL = "act_modelmodelid", "+12125559999", "Order MODEL", "http:assistant-MODEL"
_AT: Final = datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
_AT_TEXT: Final = _AT.isoformat(timespec="microseconds")
_LINK: Final = Link(number=987_654_321, hash="a1" * 32)
_ROW: Final = {"row": 987_654_123, "mac": "b2" * 32}
_NUMBER: Final = 987_123_456


@dataclass(frozen=True, slots=True)
class Span:
    """How many actions, and the times of the first and of what comes after the last."""

    count: int
    since: datetime
    until: datetime

    def at(self, number: int) -> datetime:
        """Return when an action was proposed."""
        return self.since + (self.until - self.since) * (number / self.count)


@dataclass(frozen=True, slots=True)
class _Words:
    """What differs from action to action."""

    id: str
    to: str
    order: str
    principal: str
    at: datetime
    digest: str = ""

    @classmethod
    def of(cls, number: int, at: datetime) -> "_Words":
        digest = hashlib.sha256(b"%d" % number).hexdigest()
        principal = f"http:assistant-{number % ASSISTANTS}"
        return cls(f"act_{digest[:12]}", f"+1212555{number % 9_999:04}", f"Order {number}", principal, at)

    def put_into(self, text: str, model: "_Words") -> str:
        """Replace the words of the model in a text."""
        for name in ("id", "to", "order", "principal", "digest"):
            if word := getattr(model, name):
                text = text.replace(word, getattr(self, name))
        return text


_MODEL: Final = _Words(_ID, _TO, _ORDER, _PRINCIPAL, _AT)


@dataclass(frozen=True, slots=True)
class _Kind:
    """An action of a kind as the store writes it: approved by policy, or by an operator."""

    words: _Words
    covered: str
    row: Mapping[str, Any]
    approval: Mapping[str, Any] | None
    details: Mapping[State, str] = field(default_factory=dict[State, str])
    receipts: Mapping[State, str] = field(default_factory=dict[State, str])
    """The signed text, without its signature."""

    @classmethod
    def of(cls, decided_by: str, key: SigningKey) -> "_Kind":
        action = _action(decided_by)
        covered = digested_text(action)
        action = replace(action, digest=hashlib.sha256(covered.encode("utf-8")).hexdigest())
        statement = Statement(about=_ID, digest=action.digest, operator=LOCAL)
        by_operator = Approval(operator=_OPERATOR, by="the operator", statement=statement, at=_AT)
        given = by_operator if decided_by == LOCAL else None
        said: Mapping[str, Any] = detail_of(given) if given is not None else {}
        details: Mapping[State, Mapping[str, Any]] = {
            State.PROPOSED: request_detail(action),
            State.APPROVED: {"decided_by": decided_by, **said},
            State.DONE: {"outcome": action.outcome},
        }
        return cls(
            replace(_MODEL, digest=action.digest),
            covered,
            row_of(action),
            approval_row(given) if given is not None else None,
            {state: detail_text(detail) for state, detail in details.items()},
            {state: _signed_text(action, state, key, given) for state in _HISTORY if state in OF_ACTION},
        )


async def fill(store: Store, span: Span) -> list[str]:
    """Fill an empty store; return the ids of the first actions, the oldest first."""
    await store.audit.note("noted", principal="a benchmark")  # the first row, which says whose key the store has
    [first] = await store.audit.latest_rows(1)
    filler = _Filler(store, span, Head(first["number"], first["mac"]))
    for start in range(0, span.count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, span.count))
        await store.database.write(partial(filler.insert, numbers=numbers))
    await store.database.write(filler.insert_sums)
    await store.audit.note("noted", principal="a benchmark")  # the anchor follows
    return filler.some_ids


class _Filler:
    """Continues the chains of the audit log and of the receipts from batch to batch."""

    def __init__(self, store: Store, span: Span, head: Head) -> None:
        self._span = span
        self._key = store.seal.derive("audit")
        self._keys = SigningKeys(store.seal)
        self._signing: SigningKey | None = None
        self._kinds: Mapping[str, _Kind] = {}
        self._head = head
        self._link = NOTHING_BEFORE
        self._days = Counter[str]()
        self.some_ids: list[str] = []

    def insert(self, connection: Connection, numbers: Sequence[int]) -> None:
        """Insert actions with everything that belongs to them."""
        if self._signing is None:
            self._signing = self._keys.create(connection, self._span.since - timedelta(days=1))
            self._kinds = {by: _Kind.of(by, self._signing) for by in (LOCAL, "policy")}
        rows: dict[Any, list[dict[str, Any]]] = {
            table: [] for table in (actions, action_texts, holds, tracked, approvals, audit, receipts)
        }
        for number in numbers:
            self._add(rows, number, self._signing)
        for table, found in rows.items():
            if found:
                connection.execute(insert(table), found)
        put_value(connection, "audit head", seal_head(self._key, self._head))
        made = [row["id"] for row in rows[actions]]
        self.some_ids = (self.some_ids + made)[:10_000]
        self._days.update(f"{row['created_at']:%Y-%m-%d}" for row in rows[actions])

    def insert_sums(self, connection: Connection) -> None:
        """Insert the sums of days, once all actions are there."""
        each = billionths(_PRICE.amount)
        days = [{**_PAYER, "day": day, "billionths": calls * each} for day, calls in self._days.items()]
        connection.execute(insert(spending), days)
        calls_of_days = self._days.values()
        of_operation = [
            {**sums, "operation": OPERATION, "calls": calls} for sums, calls in zip(days, calls_of_days, strict=True)
        ]
        connection.execute(insert(spending_by_operation), of_operation)

    def _add(self, rows: Mapping[Any, list[dict[str, Any]]], number: int, signing: SigningKey) -> None:
        """Add all rows of an action."""
        kind = self._kinds[LOCAL if number % BY_OPERATOR == 0 else "policy"]
        words = _Words.of(number, self._span.at(number))
        covered = words.put_into(kind.covered, kind.words)
        words = replace(words, digest=hashlib.sha256(covered.encode("utf-8")).hexdigest())
        action = _action_row(kind, words)
        rows[actions].append(action)
        rows[action_texts].append(
            searchable_row(
                action_id=words.id,
                created_at=words.at,
                operation=OPERATION,
                title=action["title"],
                arguments=action["arguments"],
            )
        )
        held = {**_PAYER, "billionths": billionths(_PRICE.amount), "state": "settled", "at": words.at}
        rows[holds].append({**held, "action_id": words.id})
        place = {"provider": "voicetel", "account": "voicetel", "subject": words.id, "action_id": words.id}
        rows[tracked].append({**place, "seen": 1, "whole": 1, "spent": None, "settled_at": None})
        if kind.approval is not None:
            statement = {**kind.approval["statement"], "about": words.id, "digest": words.digest}
            rows[approvals].append({**kind.approval, "about": words.id, "at": words.at, "statement": statement})
        for row, receipt in self._history(kind, words, signing):
            rows[audit].append(row)
            rows[receipts].extend([receipt] if receipt else [])

    def _history(
        self, kind: _Kind, words: _Words, signing: SigningKey
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        """Yield the rows of an action, each with its receipt."""
        at = words.at.isoformat(timespec="microseconds")
        for state in _HISTORY:
            row: dict[str, Any] = {
                "number": self._head.number + 1,
                "at": at,
                "event": state.value,
                "action_id": words.id,
                "principal": words.principal,
                "detail": words.put_into(kind.details[state], kind.words),
            }
            self._head = Head(row["number"], mac_of(self._key, self._head.mac, row))
            model = kind.receipts.get(state)
            receipt = self._receipt(words.put_into(model, kind.words), words, at, signing) if model else None
            yield row | {"at": words.at, "mac": self._head.mac}, receipt

    def _receipt(self, text: str, words: _Words, at: str, signing: SigningKey) -> dict[str, Any]:
        number = self._link.number + 1
        for old, new in (
            (_AT_TEXT, at),
            (_LINK.hash, self._link.hash),
            (str(_LINK.number), str(self._link.number)),
            (str(_ROW["mac"]), self._head.mac),
            (str(_ROW["row"]), str(self._head.number)),
            (str(_NUMBER), str(number)),
        ):
            text = text.replace(old, new)
        signature = encode(signing.private.sign(text.encode("utf-8")))
        line = f'{text[:-1]},"signature":"{signature}"}}'
        self._link = Link(number=number, hash=hash_of(line))
        return {
            "number": number,
            "id": id_of(line),
            "about_id": words.id,
            "at": words.at,
            "hash": self._link.hash,
            "signs_next": signing.kid,
            "line": line,
        }


def _action(decided_by: str) -> Action:
    return Action(
        id=_ID,
        provider="voicetel",
        account="benchmark",
        account_name="voicetel",
        operation=OPERATION,
        title=f"Send a text to {_TO}",
        arguments={"from_number": "+12015550142", "to_number": _TO, "text": f"{_ORDER} is ready."},
        digest="",
        principal=_PRINCIPAL,
        channel="page",
        quote=Quote(amount=_PRICE, item="SMS segment", source="the account's rates.sms"),
        state=State.DONE,
        created_at=_AT,
        expires_at=_AT,
        decided_by=decided_by,
        decided_at=_AT,
        sent_at=_AT,
        finished_at=_AT,
        outcome="Sent.",
        answer=f'{{"message_id": "{_ID}"}}',
    )


def _action_row(kind: _Kind, words: _Words) -> dict[str, Any]:
    """Return the row of an action: that of its kind with other words and times."""
    arguments = {**kind.row["arguments"], "to_number": words.to, "text": f"{words.order} is ready."}
    times = dict.fromkeys(("created_at", "expires_at", "decided_at", "sent_at", "finished_at"), words.at)
    return {
        **kind.row,
        **times,
        "id": words.id,
        "title": f"Send a text to {words.to}",
        "arguments": arguments,
        "digest": words.digest,
        "principal": words.principal,
        "answer": f'{{"message_id": "{words.id}"}}',
    }


def _signed_text(action: Action, state: State, key: SigningKey, given: Approval | None) -> str:
    """Return the text of a receipt that is signed, with numbers and hashes that are replaced."""
    booked = Booked(_PRICE) if state is State.DONE else Booked()
    said = content_of_action(replace(action, state=state), booked, given if state is State.APPROVED else None)
    content: dict[str, Any] = {
        **content_of(said),
        "format": FORMAT,
        "number": _NUMBER,
        "before": content_of(_LINK),
        "at": _AT_TEXT,
        "audit": _ROW,
        "key": key.kid,
    }
    text = canonical({"receipt": content}).decode("utf-8")
    # The library writes times that an approval says as pydantic does, without zeros at their end.
    return text.replace(_AT.isoformat().replace("+00:00", "Z"), _AT_TEXT)
