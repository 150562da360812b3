"""A store with receipts of several kinds, and its exported file, made once for the tests that alter it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import rfc8785

from guard.action import State
from guard.money import Money
from guard.rules.budget import Hold
from server.store.store import Store, open_store
from tests.operator_side import OPERATOR, OperatorSide
from tests.record_file import FILE
from tests.server.console.browsing import START, proposed

TITLE_TOO = "Order ä\u202e€ +1 212 555 0101"


@dataclass(frozen=True, slots=True)
class Export:
    """What an operator hands out: the file of receipts, and the public keys."""

    content: bytes
    keys: dict[str, Any]

    @property
    def lines(self) -> list[bytes]:
        """The lines of the file, without their ends; the last is the signed end."""
        return self.content.splitlines()

    def with_lines(self, lines: list[bytes]) -> bytes:
        """Return the file with other lines."""
        return b"".join(line + b"\n" for line in lines)

    def altered(self, place: int, change: Callable[[dict[str, Any]], None]) -> bytes:
        """Return the file with one line changed, from 0, and written again in the form that is signed."""
        lines = self.lines
        content = json.loads(lines[place])
        change(content)
        lines[place] = rfc8785.dumps(content)
        return self.with_lines(lines)

    def id_of(self, place: int) -> str:
        """Return the id of the receipt in a line, computed as anybody would."""
        return f"rcp_{hashlib.sha256(self.lines[place]).hexdigest()[:16]}"


async def call_and_settle(
    record: Store, number: str = "+12125550100", *, to: State = State.DONE, **changes: Any
) -> str:
    """Propose, approve and send a call that costs two dollars, and record how it ended; return its id."""
    waits = await propose_with_digest(record, number, **changes)
    journal = record.journal
    await journal.move(waits, {State.PROPOSED}, State.APPROVED, decided_by=OPERATOR, decided_at=START)
    await journal.begin(waits, hold=Hold("voicetel", Money(Decimal(2))), caps=[], at=START)
    await journal.move(waits, {State.SENDING}, to, finished_at=START, outcome="Carried out. It cost $2.00.")
    return waits


async def propose_with_digest(record: Store, number: str = "+12125550100", **changes: Any) -> str:
    """Propose an order of a number, with the digest that the guard gives it; return its id."""
    arguments = {"numbers": [number]}
    call = {
        "account": "2015550100",
        "arguments": arguments,
        "operation": "voicetel_order_numbers",
        "principal": "local:alice",
        "provider": "voicetel",
    }
    digest = hashlib.sha256(json.dumps(call, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return (await proposed(record, arguments=arguments, digest=digest, **changes)).id


async def make_export(folder: Path) -> Export:
    """Make a store with seven receipts, of two keys, and export it on the command line."""
    record = open_store(f"sqlite:///{folder / FILE}", folder)
    operator = OperatorSide(folder)
    try:
        await call_and_settle(record)
        await call_and_settle(record, "+12125550101", title=TITLE_TOO)
        declined = await propose_with_digest(record, "+12125550102")
        await record.journal.move(declined, {State.PROPOSED}, State.DECLINED, decided_by=OPERATOR, decided_at=START)
        await operator.rotate_receipt_key()
        await call_and_settle(record, "+12125550103", to=State.UNKNOWN)
    finally:
        await record.database.close()
    return Export((await operator.export_receipts()).read_bytes(), await operator.receipt_keys())
