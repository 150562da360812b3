"""An operator's browser without a browser: a page over one store, called in memory."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import httpx2

from clients.shared.clock import Clock
from guard.action import Action, State, new_action_id
from guard.money import Money
from guard.rules.quote import Balance, Quote
from server.console.page_identity import PageIdentity
from server.console.pages import PageOptions, PageSetup, approval_app
from server.console.rendering import NO_BREAK_SPACE
from server.store.store import Store, open_store
from tests import operator_side

PASSCODE = operator_side.PASSCODE
HOST = "127.0.0.1:8766"
BASE = f"http://{HOST}"
SUBJECT = "Order +1 212 555 0100 and +1 212 555 0101"
OWN_SCRIPT = '<script src="/approvals/page.js" defer></script>'
"""The only script that a page may name; the content security policy refuses any other."""

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class FixedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Return the time that the test set."""
        return self.at


class Browser:
    """Keeps cookies, sends forms as a browser does: with the page's token and origin."""

    def __init__(self, http: httpx2.AsyncClient, *, origin: str = BASE) -> None:
        self.http = http
        self._origin = origin

    async def open(self, path: str = "", **headers: str) -> httpx2.Response:
        """Read a page."""
        return await self.http.get(f"/approvals{path}", headers=headers)

    async def sign_in(self, passcode: str = PASSCODE, *, wanted: str = "") -> httpx2.Response:
        """Send the sign-in form."""
        return await self.send("/sign-in", passcode=passcode, wanted=wanted)

    async def approve_for_good(self, page: str) -> httpx2.Response:
        """Approve what cannot be undone: press the button of its page, then the one of the second question."""
        asked = (await self.press(f"{page}/approve", on=page)).text
        sure = re.search(r'name="sure" value="([^"]+)"', asked)
        assert sure, asked
        return await self.send(f"{page}/approve", token=token_in(asked), sure=sure[1])

    async def press(self, path: str, *, on: str = "") -> httpx2.Response:
        """Press a button of a page: its form with the token in it."""
        page = (await self.open(on)).text
        assert f'action="/approvals{path}"' in page, page
        return await self.send(path, token=token_in(page))

    async def send(self, path: str, *, origin: str | None = "", **fields: str) -> httpx2.Response:
        """Send a form: from a page of its own, or from another origin (None says none)."""
        headers = {} if origin is None else {"Origin": origin or self._origin}
        return await self.http.post(f"/approvals{path}", data=fields, headers=headers)


def words_of(page: httpx2.Response) -> str:
    """Return a page as it is read: without character references, and with plain spaces in telephone numbers."""
    return unescape(page.text).replace(NO_BREAK_SPACE, " ")


def token_in(page: str) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert found, page
    return found[1]


def hashed_passcode() -> str:
    """Return the passcode as the store holds it, hashed at the least cost: tests of the page sign in hundreds of times.

    What a hash of the usual cost brings is tested where a passcode is set by a command.
    """
    return operator_side.CHEAP_HASH


@asynccontextmanager
async def opened_record(folder: Path) -> AsyncGenerator[Store]:
    """Open a store that has the passcode set."""
    record = open_store(f"sqlite:///{folder / 'page.db'}", folder)
    try:
        await record.key_values.put("passcode", hashed_passcode())
        yield record
    finally:
        await record.database.close()


def page_over(
    record: Store, *, clock: Clock | None = None, address: str | None = None, options: PageOptions | None = None
) -> Any:
    """Build the approval page's application over a store."""
    identity = PageIdentity(record.seal, store_address="test", base=BASE)
    clock = clock or FixedClock()
    options = options or PageOptions()
    return approval_app(
        PageSetup(store=record, hosts=[HOST], identity=identity, clock=clock, address=address, options=options)
    )


@asynccontextmanager
async def browser(app: Any, base: str = BASE, *, source: str = "127.0.0.1") -> AsyncGenerator[Browser]:
    """Open a browser before anybody has signed in; `source` is the address that its requests come from."""
    transport = httpx2.ASGITransport(app, client=(source, 1234))
    async with httpx2.AsyncClient(transport=transport, base_url=base) as http:
        yield Browser(http)


@asynccontextmanager
async def operator(
    record: Store, *, clock: Clock | None = None, options: PageOptions | None = None
) -> AsyncGenerator[Browser]:
    """Open a browser whose operator has signed in."""
    async with browser(page_over(record, clock=clock, options=options)) as page:
        assert (await page.sign_in()).status_code == 303
        yield page


async def proposed(record: Store, **changes: Any) -> Action:
    """Propose an action that waits for an answer."""
    action = Action(
        id=new_action_id(),
        provider="voicetel",
        account="2015550100",
        operation="voicetel_order_numbers",
        title=SUBJECT,
        arguments={"numbers": ["+12125550100", "+12125550101"], "route": 4},
        digest=new_action_id() * 5,
        principal="local:alice",
        channel="page",
        quote=Quote(
            amount=Money(Decimal(2)),
            per="month",
            item="number",
            quantity=2,
            source="the account's rates.did",
            balance=Balance(Money(Decimal(250)), START),
            warnings=("An order may succeed in part.",),
        ),
        state=State.PROPOSED,
        created_at=START,
        expires_at=START + timedelta(minutes=15),
    )
    return await record.journal.propose(replace(action, **changes))


async def state_of(record: Store, action: Action) -> State:
    """Return the current state of an action."""
    found = await record.journal.find(action.id)
    assert found is not None
    return found.state
