"""A page over a record that has something of everything: what every page of the console is looked at with."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from clients.shared.inbound_texts import InboundText
from guard.action import State
from guard.allowances.draft import Draft
from guard.money import Money
from guard.operator_commands import OperatorCommands
from guard.operators.roles import Role
from guard.rules.budget import Hold
from guard.rules.quote import Quote
from sandbox.serving import serve_sandbox
from server.console.health.verification import verify_record
from server.console.pages import PageOptions
from server.console.urls import ROOT
from server.http.loopback import bind, serve_page
from server.settings.allowances import fitness_of
from server.settings.load import read_settings
from server.settings.model import Settings
from server.settings.sandbox_settings import for_sandbox
from server.store.operators.operators import Passkey
from server.store.store import Store
from tests.connecting import connect, content_of, server_for
from tests.plans.jobs import customers, texts
from tests.server.console.browsing import hashed_passcode, proposed
from tools.registry import operation_named
from tools.webhooks import Callback

SETTINGS: Final = """\
time_zone = "America/New_York"
toolsets = ["all"]

[policy]
paid = "page"
destructive = "page"

[policy.operations]
voicetel_create_subaccount = "deny"

[[budget]]
per = "day"
limit = "25"

[[budget]]
per = "month"
limit = "400"
provider = "voicetel"

[prices]
routee_send_sms = { amount = "0.09", currency = "EUR" }

[compliance]
quiet_hours = "QUIET"
"""

SEND: Final = "voicetel_send_message"


@dataclass(slots=True)
class FullRecord:
    """A served page, and the ids of what is on its record."""

    base: str
    store: Store
    ids: dict[str, str] = field(default_factory=dict[str, str])
    """What stands for each placeholder in the paths of the pages."""

    alike: list[str] = field(default_factory=list[str])
    """Waiting calls of one operation."""

    final: str = ""
    """A waiting call that cannot be undone."""

    def path(self, route: str) -> str:
        """Fill in the path of a route.

        A page with a placeholder that stands for nothing here needs something on this record.
        """
        for name, value in self.ids.items():
            route = route.replace(f"{{{name}}}", value)
        assert "{" not in route, f"{route}: put what it shows on the record of tests/server/console/full_record.py"
        return route


@asynccontextmanager
async def served_full_record(folder: Path) -> AsyncGenerator[FullRecord]:
    """Serve the console over simulated providers and a record with something of everything."""
    written = _write_settings(folder)
    async with serve_sandbox() as url:
        settings = for_sandbox(written, url)
        settings = settings.model_copy(update={"state_folder": folder})
        settings = settings.printing_commands(OperatorCommands(is_sandbox=True))
        services, server = server_for(settings)
        store = services.store
        await store.key_values.put("passcode", hashed_passcode())
        try:
            async with (
                connect(server) as client,
                serve_page(
                    store, bind(0), store_address="full record", options=PageOptions.of(settings, services)
                ) as base,
            ):
                record = FullRecord(base, store)
                plan = content_of(await client.call_tool("propose_plan", texts(customers(4))))
                record.ids["key"] = plan["plan"].removeprefix("plan_")
                await _put_calls(record)
                await _put_allowance(record, settings)
                await _put_messages(store)
                await _put_operators(store)
                await verify_record(store, by="the operator, on the approval page", at=datetime.now(UTC))
                await store.processes.beat("server", datetime.now(UTC))
                yield record
        finally:
            await services.close()


def _write_settings(folder: Path) -> Settings:
    """Write a settings file and read it, by a path from the current folder: the page shows it as it is named."""
    file = folder / "ringfence.toml"
    written = SETTINGS.replace("QUIET", _far_from_now())
    file.write_text(f'state_folder = "{folder.as_posix()}"\n{written}', encoding="utf-8")
    return read_settings(Path(os.path.relpath(file)))


def _far_from_now() -> str:
    """Return quiet hours in which the plan's customers, who are in New York, are not texted now, whenever that is."""
    begin = datetime.now(ZoneInfo("America/New_York")) + timedelta(hours=12)
    return f"{begin:%H:%M}-{begin + timedelta(hours=1):%H:%M}"


async def _put_calls(record: FullRecord) -> None:
    now = datetime.now(UTC)
    times = {"created_at": now, "expires_at": now + timedelta(minutes=15)}
    earlier = {**times, "created_at": now - timedelta(minutes=1)}
    for place in range(3):
        to = f"+1212555{place + 140:04d}"
        action = await proposed(
            record.store,
            operation=SEND,
            title=f"Text +1 212 555 {place + 140:04d}",
            arguments={"from_number": "+12015550142", "to_number": to, "text": "Your table is ready."},
            quote=Quote(amount=Money(Decimal("0.0075")), item="message", quantity=1, source="the account's rates.sms"),
            **times,
        )
        record.alike.append(action.id)
    release = await proposed(
        record.store,
        operation="voicetel_release_number",
        title="Release +1 201 555 0142 for good",
        arguments={"number": "+12015550142"},
        quote=Quote(),
        **earlier,
    )
    record.final = release.id
    await proposed(
        record.store,
        operation="voicetel_create_e911_record",
        title="Register +1 201 555 0143 for emergency calls",
        arguments={"number": "+12015550143", "address": {"street": "1 Main Street", "city": "Hackensack"}},
        quote=Quote(unknown="VoiceTel publishes no rate for this."),
        principal="token:reception",
        **earlier,
    )
    await proposed(record.store, title="Order +1 212 555 0150", quote=Quote(unknown="No rate is shown."), **earlier)
    record.ids["action_id"] = record.alike[0]
    for outcome in (State.DONE, State.UNKNOWN, State.REFUSED):
        sent = await _put_sent(record.store, outcome, now)
        record.ids["receipt_id"] = (await record.store.receipts.ids_of(sent))[-1]


async def _put_sent(store: Store, outcome: State, now: datetime) -> str:
    quote = Quote(amount=Money(Decimal(2)), per="month", item="number")
    action = await proposed(store, created_at=now, expires_at=now + timedelta(minutes=15), quote=quote)
    await store.journal.move(action.id, {State.PROPOSED}, State.APPROVED, decided_by="the operator, on the page")
    await store.journal.begin(action.id, hold=Hold("voicetel", quote.most), caps=[], at=now)
    await store.journal.move(action.id, {State.SENDING}, outcome, finished_at=now)
    return action.id


async def _put_allowance(record: FullRecord, settings: Settings) -> None:
    now, operation = datetime.now(UTC), operation_named(SEND)
    assert operation is not None
    draft = Draft(
        principal="local:alice",
        conditions=("from_number = +12015550142", "to_number starts with +1212", "text any"),
        count="50/day",
        money="1.00 USD/day",
        until=(now + timedelta(days=3)).isoformat(timespec="seconds"),
        note="Reminders of the reception",
    )
    terms = draft.read(operation, now, fitness_of(settings))
    saved = await record.store.allowances.add(terms, by="the operator", at=now)
    record.ids |= {"allowance_id": saved.id, "request_id": saved.id}


async def _put_operators(store: Store) -> None:
    """Add an admin who has a passkey, an approver who has none yet, and somebody who left."""
    now, operators, by = datetime.now(UTC), store.operators, "the operator, on the command line"
    await operators.add("anna", Role.ADMIN, by=by, at=now)
    await operators.add("ben@example.com", Role.APPROVER, by=by, at=now)
    await operators.add("carla", Role.VIEWER, by=by, at=now)
    await operators.disable("carla", by=by, at=now)
    secret = await operators.open_enrolment("anna", by=by, at=now)
    passkey = Passkey(
        id="q3hR9v",
        operator="anna",
        public_key="",
        sign_count=0,
        rp_id="approvals.example.com",
        label="Anna's phone",
        created_at=now,
    )
    await operators.enrol(secret, passkey, at=now)


async def _put_messages(store: Store) -> None:
    now = datetime.now(UTC)
    ends = [("Delivered", None)] * 9 + [("Undelivered", "Unknown Number")] * 2 + [("Failed", "Expired"), ("Sent", None)]
    for place, (state, reason) in enumerate(ends):
        for each in ("Queued", state):
            await store.events.take_in(
                Callback(
                    provider="routee",
                    kind="sms",
                    subject=f"message-{place}",
                    identity=f"{place} {each}",
                    state=each,
                    number=f"+3069123456{place:02d}",
                    reason=reason if each == state else None,
                    at=now,
                )
            )
    for place, words in enumerate(("Can I come at five? <b>Now</b>", "Please leave me alone", "Thank you")):
        await store.events.take_in(
            Callback(
                provider="routee",
                kind="inbound",
                subject=f"incoming-{place}",
                identity=f"incoming-{place}",
                state="Received",
                number=f"+3069123457{place:02d}",
                ours="+302101234567",
                text=words,
                at=now,
            )
        )
    asked = InboundText(sender="+12015550177", text="Stop texting me or I complain", message="m1", at=now)
    await store.optouts.take_in("routee", [asked])
    await store.optouts.add(["+12015550160", "+12015550161"], source="imported from list.txt", by="the operator")


PAGES_WITH_QUERIES: Final = (
    f"{ROOT}/history?search=friday&state=done&since=2026-01-01",
    f"{ROOT}?provider=voicetel",
    f"{ROOT}/together?of={{action_id}}",
    f"{ROOT}/allowances/new?like={{action_id}}",
    f"{ROOT}/deliveries?days=30",
    f"{ROOT}/deliveries/opt-outs?number=%2B12015550160",
    f"{ROOT}/rules?tool={SEND}",
    f"{ROOT}/rules?tool=voicetel_send_mesage",
    f"{ROOT}/act_none2",
)
"""Pages that look otherwise by what their address says."""
