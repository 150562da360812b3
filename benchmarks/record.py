"""Measures a long record: guarded calls, reading actions and the approval page, compared with an empty store."""

import getpass
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import httpx2
from pydantic import SecretStr, TypeAdapter
from sqlalchemy import insert
from sqlalchemy.engine import Connection

from benchmarks.measuring import Row
from guard.action import Action, Principal, State, new_action_id
from guard.money import Money
from guard.rules.quote import Quote
from sandbox.voicetel.seed import API_KEY
from server.console.pages import PageOptions
from server.console.passcode import set_passcode
from server.http.loopback import bind, serve_page
from server.services import Services
from server.settings.model import settings_class
from server.store.schema import actions, audit, holds, spending
from server.store.store import Store
from tools.voicetel.operations.messaging import SendMessage
from tools.voicetel.settings import VoiceTelSettings

LONG = 10_000
CALLS = 80
VIEWS = 60
PASSCODE = "correct horse"
PRINCIPAL = Principal(f"local:{getpass.getuser()}")

Step = Callable[[], Awaitable[object]]
Taken = list[float]


async def long_record(url: str, folder: Path) -> list[Row]:
    """Measure a store with ten thousand actions of this month, in turns with an empty one."""
    async with open_bench(url, folder / "empty") as empty, open_bench(url, folder / "long") as long:
        await fill(long.store, LONG)
        return [
            await _compare("guarded call, proposal to receipt", empty, long, sender, CALLS),
            await _compare("get_action", empty, long, _finder, VIEWS),
            await _compare("list_actions, of one state", empty, long, _lister, VIEWS),
            await _compare("approval page, the list", empty, long, lambda bench: bench.page.open, VIEWS),
        ]


async def approval_page(url: str, folder: Path) -> list[Row]:
    """Measure the page with twenty pending actions, over a socket: the list, one action, and an approval."""
    async with open_bench(url, folder) as bench:
        waiting = [await bench.store.journal.propose(_action(number)) for number in range(20)]
        listed = await time_step(bench.page.open, VIEWS)
        shown = await time_step(lambda: bench.page.open(f"/{waiting[0].id}"), VIEWS)
        token = await bench.page.token(waiting[0])
        answered = [await _once(partial(bench.page.approve, action, token)) for action in waiting]
    return [
        Row("approval page, list of 20", spread(listed)),
        Row("approval page, one action", spread(shown)),
        Row("approval page, POST approve", spread(answered)),
    ]


async def fill(store: Store, count: int) -> None:
    """Fill a store with actions done this month, their spending and their rows of the audit."""
    now = datetime.now(UTC)
    done = [replace(_action(number), state=State.DONE, finished_at=now, created_at=now) for number in range(count)]
    quotes = TypeAdapter(Quote)
    rows = [asdict(action) | {"quote": quotes.dump_python(action.quote, mode="json")} for action in done]
    here = {"provider": "voicetel", "account": "voicetel", "currency": "USD"}
    held = {**here, "billionths": 10_000_000, "state": "settled", "at": now}
    entry = {"at": now, "event": "done", "principal": PRINCIPAL.name, "detail": "{}", "mac": "0" * 64}

    def insert_all(connection: Connection) -> None:
        connection.execute(insert(actions), [{**row, "state": "done"} for row in rows])
        connection.execute(insert(holds), [{**held, "action_id": action.id} for action in done])
        total = {**here, "day": f"{now:%Y-%m-%d}", "billionths": 10_000_000 * count}
        connection.execute(insert(spending), total)
        chain = [{**entry, "number": 100 + row, "action_id": done[row // 4].id} for row in range(4 * count)]
        connection.execute(insert(audit), chain)

    await store.database.write(insert_all)


class Page:
    """The browser of an operator."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def sign_in(self) -> None:
        """Send the passcode."""
        await self._post("/sign-in", passcode=PASSCODE, wanted="")

    async def open(self, path: str = "") -> str:
        """Read a page."""
        answer = await self._http.get(f"/approvals{path}")
        assert answer.status_code == 200, answer.text  # noqa: S101 - a refusal must not be measured as a fast page
        return answer.text

    async def token(self, action: Action) -> str:
        """Return the token of an action's forms."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', await self.open(f"/{action.id}"))
        return found[1] if found else ""

    async def approve(self, action: Action, token: str) -> None:
        """Approve an action."""
        await self._post(f"/{action.id}/approve", token=token)

    async def _post(self, path: str, **fields: str) -> None:
        origin = str(self._http.base_url).rstrip("/")
        answer = await self._http.post(f"/approvals{path}", data=fields, headers={"Origin": origin})
        assert answer.status_code == 303, answer.text  # noqa: S101 - as above


@dataclass(frozen=True, slots=True)
class Bench:
    """A store with its guard and its page."""

    services: Services
    store: Store
    page: Page
    options: PageOptions


@asynccontextmanager
async def open_bench(url: str, folder: Path, **more: str) -> AsyncGenerator[Bench]:
    """Open a store with its guard and its page; `more` are further settings."""
    settings = settings_class().model_validate(
        {
            "voicetel": VoiceTelSettings(api_key=SecretStr(API_KEY), base_url=f"{url}/voicetel"),
            "state_folder": folder,
            "budget": [{"per": "day", "limit": "1000000"}, {"per": "month", "limit": "1000000"}],
            **more,
        }
    )
    services = Services(settings)
    store = services.store
    listener = bind(0)
    try:
        await set_passcode(store, PASSCODE, old=None)
        async with (
            serve_page(store, listener, store_address=settings.store_address, options=PageOptions.of(settings)) as base,
            httpx2.AsyncClient(base_url=base, timeout=60) as http,
        ):
            page = Page(http)
            await page.sign_in()
            yield Bench(services, store, page, PageOptions.of(settings))
    finally:
        await services.close()


def sender(bench: Bench) -> Step:
    """Return what makes a guarded call: proposal, approval, sending, receipt."""
    number, guard = 0, bench.services.guard

    async def send() -> None:
        nonlocal number
        number += 1
        words = {"from_number": "+12015550142", "to_number": "+12125550142", "text": f"Order {number} is ready."}
        call = SendMessage.model_validate(words)
        action = await guard.propose(call, PRINCIPAL)
        await guard.execute(await guard.approve(action.id, by="a benchmark"), call)

    return send


def _finder(bench: Bench) -> Step:
    found: list[Action] = []

    async def find() -> None:
        if not found:
            found.extend(await bench.store.journal.latest(1))
        await bench.store.journal.find(found[0].id)

    return find


def _lister(bench: Bench) -> Step:
    return lambda: bench.store.journal.latest(20, states={State.UNKNOWN}, principal=PRINCIPAL.name)


async def _compare(what: str, empty: Bench, long: Bench, step: Callable[[Bench], Step], times: int) -> Row:
    steps = {"empty": step(empty), "long": step(long)}
    taken: Mapping[str, Taken] = {name: [] for name in steps}
    for turn in range(times + 3):
        for name, take in steps.items():
            seconds = await _once(take)
            if turn >= 3:
                taken[name].append(seconds)
    ours, other = _lower_quartile(taken["long"]), _lower_quartile(taken["empty"])
    compared = f"{_ms(_median(taken['empty']))} empty"
    return Row(f"{what}, {LONG:,} actions", spread(taken["long"]), compared, ours / other, "flat")


def _action(number: int) -> Action:
    created = datetime.now(UTC)
    return Action(
        id=new_action_id(),
        provider="voicetel",
        account="benchmark",
        operation="voicetel_send_message",
        title="Send message at VoiceTel",
        arguments={"from_number": "+12015550142", "to_number": "+12125550142", "text": f"Order {number} is ready."},
        digest=f"{number:064x}",
        principal=PRINCIPAL.name,
        channel="page",
        quote=Quote(amount=Money(Decimal("0.01")), item="SMS segment", source="the account's rates.sms"),
        state=State.PROPOSED,
        created_at=created,
        expires_at=created + timedelta(minutes=15),
    )


async def time_step(step: Step, times: int) -> Taken:
    await step()
    return [await _once(step) for _ in range(times)]


async def _once(step: Step) -> float:
    began = time.perf_counter()
    await step()
    return time.perf_counter() - began


def _median(taken: Taken) -> float:
    return sorted(taken)[len(taken) // 2]


def _lower_quartile(taken: Taken) -> float:
    """Return the lower quartile: other load on the machine only ever adds to a time."""
    return sorted(taken)[len(taken) // 4]


def spread(taken: Taken) -> str:
    return f"p50 {_ms(_median(taken))}, p95 {_ms(sorted(taken)[int(len(taken) * 0.95)])}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
