"""The terminal obeys what it is shown, so no command shows it what others wrote as it came."""

import json
import unicodedata
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import anyio.to_thread
import pytest
import typer
from sqlalchemy import insert
from sqlalchemy.engine import Connection
from typer.testing import CliRunner, Result

from guard.action import State
from guard.allowances.conditions import Condition, Relation
from guard.money import Money
from guard.plans.plan import Plan, PlanState, Step
from guard.rules.quote import Quote
from server.cli.app import command_line
from server.store.reservations import take_hold
from server.store.schema import allowance_requests, allowances, optout_requests, optouts
from server.store.store import Store, open_store
from tests.connecting import KEY
from tests.operator_side import CHEAP_HASH, PASSCODE
from tests.server.console.browsing import proposed

TRICK: Final = "\x1b]0;pw\x07\x9b2J\u202e[/b][red]:warning:\r"
"""Sets the title, clears the screen, turns the line round, closes a tag that none opened, and starts the line anew."""

WAITS, WAITS_TOO, UNKNOWN, UNPRICED = "act_waitsabc", "act_waitsabd", "act_unknownx", "act_unpriced"
PLAN, PLAN_TOO = "plan_waitsabc", "plan_waitsabd"
ALLOWANCE, ALLOWANCE_TOO, REQUEST = "al_standsabc", "al_standsabd", "alreq_waitsab"
LISTED = "+12015550124"
PRICED = Quote(amount=Money(Decimal(2)), item="number", quantity=2, source="the account's rates")

SHOWING: Mapping[tuple[str, ...], str] = {
    ("approvals", "list"): "⟨U+001B⟩",
    ("approvals", "show", WAITS): "⟨U+202E⟩[/b][red]:warning:",
    ("approvals", "show", UNPRICED): f"approvals approve {UNPRICED} --up-to 2.50",
    ("actions", "list"): "⟨U+001B⟩",
    ("approvals", "show", PLAN): "⟨U+202E⟩[/b][red]:warning:",
    ("plans", "list"): "⟨U+001B⟩",
    ("plans", "list", "--json"): "\\u202e[/b][red]:warning:",
    ("plans", "show", PLAN): "⟨U+202E⟩[/b][red]:warning:",
    ("allowances", "list"): "«⟨U+001B⟩]0;pw",
    ("allowances", "list", "--json"): "\\u202e[/b][red]:warning:",
    ("allowances", "show", ALLOWANCE): "⟨U+202E⟩[/b][red]:warning:",
    ("allowances", "show", REQUEST): "⟨U+202E⟩[/b][red]:warning:",
    ("actions", "list", "--json"): "\\u202e[/b][red]:warning:",
    ("actions", "list", "--csv"): "⟨U+202E⟩[/b][red]:warning:",
    ("actions", "list", "--jsonl"): "\\u202e[/b][red]:warning:",
    ("spend",): "⟨U+202E⟩[/b][red]:warning:",
    ("spend", "--json"): "\\u202e[/b][red]:warning:",
    ("actions", "show", UNKNOWN): "A name ⟨U+001B⟩]0;pw⟨U+0007⟩⟨U+009B⟩2J⟨U+202E⟩[/b][red]:warning:",
    ("optouts", "list"): "⟨U+202E⟩[/b][red]:warning:⟨U+000D⟩  texted ⟨U+001B⟩]0;pw",
    ("optouts", "requests"): "⟨U+202E⟩[/b][red]:warning:",
    ("secrets", UNKNOWN): "pin⟨U+001B⟩]0;pw⟨U+0007⟩⟨U+009B⟩2J⟨U+202E⟩[/b][red]:warning:⟨U+000D⟩: 4711",
    ("audit", "tail"): "⟨U+202E⟩[/b][red]:warning:",
    ("audit", "export"): "\\u202e[/b][red]:warning:",
    ("receipts", "show", UNKNOWN): "⟨U+202E⟩[/b][red]:warning:",
    ("doctor",): "[/b][red]:warning:",
}
"""Commands, and what shows that others' words went through them whole."""

OTHERS: Sequence[tuple[str, ...]] = (
    ("approvals", "approve", WAITS),
    ("approvals", "decline", WAITS_TOO, "--reason", TRICK),
    ("approvals", "approve", UNPRICED, "--up-to", "2.50"),
    ("approvals", "approve", WAITS, "--up-to", TRICK),
    ("approvals", "passcode"),
    ("plans", "approve", PLAN),
    ("plans", "decline", PLAN_TOO, "--reason", TRICK),
    ("plans", "run", PLAN),
    ("work", "--once"),
    ("approvals", "passcode", "--reset"),
    ("allowances", "add", "voicetel_send_message", "--for", TRICK, "--count", "1/day", "--until", TRICK),
    ("allowances", "add", TRICK, "--for", "local:ann", "--count", "1/day", "--until", "2100-01-01"),
    ("allowances", "like", WAITS),
    ("allowances", "revoke", ALLOWANCE_TOO),
    ("allowances", "revoke", TRICK),
    ("actions", "list", "--limit", "1", "--before", WAITS),
    ("actions", "list", "--search", TRICK, "--since", TRICK),
    ("spend", "--month", TRICK),
    ("operators", "list"),
    ("operators", "add", "ann"),
    ("operators", "add", TRICK),
    ("operators", "link", TRICK),
    ("operators", "roles"),
    ("operators", "roles", "local", "approver"),
    ("operators", "disable", "local"),
    ("operators", "enable", "local"),
    ("operators", "remove-passkey", TRICK),
    ("operators", "sessions"),
    ("operators", "sessions", "--end", TRICK),
    ("actions", "reconcile"),
    ("actions", "resolve", UNKNOWN, "done"),
    ("actions", "archive", "asked.txt", "--before", TRICK),
    ("actions", "archive", "archived.jsonl"),
    ("audit", "verify"),
    ("audit", "verify", "asked.txt"),
    ("audit", "accept"),
    ("receipts", "export", "asked.txt"),
    ("receipts", "keys"),
    ("receipts", "rotate"),
    ("verify", "asked.txt", "--keys", "asked.txt"),
    ("notify", "test", TRICK),
    ("store", "copy", "settings", f"env:{TRICK}"),
    ("store", "copy", f"sqlite:///{TRICK.partition('/')[0]}", "settings"),
    ("store", "reopen", "settings", f"env:{TRICK}"),
    ("optouts", "add", "+12015550125"),
    ("optouts", "import", "asked.txt"),
    ("optouts", "remove", TRICK),
    ("optouts", "dismiss", TRICK),
    ("policy", "show"),
    ("policy", "check"),
    ("policy", "explain", "voicetel_order_numbers"),
    ("policy", "simulate", "--since", "9999d"),
    ("policy", "simulate", "--since", TRICK),
    ("policy", "explain", TRICK),
    ("settings", "explain", "http.oauth"),
    ("settings", "explain", TRICK),
    ("init", "--client", "goose", "--no-check"),
    ("freeze",),
    ("unfreeze",),
    ("revoke", "convirza"),
    ("tools", "--tools", TRICK),
)
"""Commands that print little but our own words, and must not stumble over the store either."""

NEVER_ENDING: Final = {"serve", "sandbox", "approvals page"}
SIMULATED: Final = {"demo", "probe"}
"""They make a store of their own over the simulated providers."""


@pytest.mark.parametrize("words", [*SHOWING, *OTHERS], ids=" ".join)
async def test_no_command_lets_others_words_drive_the_terminal(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text(f"{LISTED}\n", encoding="utf-8")
    words = tuple(str(tmp_path / word) if word == "asked.txt" else word for word in words)
    async with _tricked(tmp_path / "state"):
        with _provider_answering_tricks() as url, pytest.MonkeyPatch.context() as patched:
            patched.setenv("RINGFENCE_VOICETEL__BASE_URL", url)
            patched.setenv("RINGFENCE_VOICETEL__API_KEY", KEY)
            told = await _ringfence(*words, typed=f"{PASSCODE}\nbattery staple\n")
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    obeyed = {f"U+{ord(char):04X}" for char in told.output if char != "\n" and unicodedata.category(char)[0] == "C"}
    assert not obeyed, told.output
    assert SHOWING.get(words, "") in told.output
    assert told.output


def test_every_command_is_held_to_it() -> None:
    ids = ("act_", "plan_", "al_", "alreq_", "-")
    held = {tuple(word for word in words if not word.startswith(ids)) for words in (*SHOWING, *OTHERS)}
    for name in _names(command_line([])):
        if name not in NEVER_ENDING | SIMULATED:
            assert any(words[: len(name.split())] == tuple(name.split()) for words in held), name


async def test_an_export_with_others_words_in_it_is_read_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    async with _tricked(tmp_path / "state") as record:
        await _ringfence("audit", "export", str(file))
        kept = [row["principal"] async for row in record.audit.rows()]
        assert "The audit log is intact" in (await _ringfence("audit", "verify", str(file))).output
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    assert [json.loads(line)["principal"] for line in lines] == kept
    assert f"local:{TRICK}" in kept


@asynccontextmanager
async def _tricked(folder: Path) -> AsyncGenerator[Store]:
    """Open a store with the trick in everything that others can write, as if stored before such text was refused."""
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        await record.key_values.put("passcode", CHEAP_HASH)
        for action_id in (WAITS, WAITS_TOO, UNKNOWN, UNPRICED):
            await proposed(
                record,
                id=action_id,
                digest=action_id * 5,
                title=f"{TRICK} at VoiceTel",
                quote=Quote(unknown=f"Nobody knows {TRICK}.") if action_id == UNPRICED else PRICED,
                principal=f"local:{TRICK}",
                arguments={TRICK: TRICK},
                before={TRICK: TRICK},
                created_at=datetime.now(UTC),
                expires_at=datetime(2100, 1, 1, tzinfo=UTC),
            )
        for plan_id in (PLAN, PLAN_TOO):
            await record.plans.propose(_plan(plan_id))
        answer = {"outcome": f"Lost {TRICK}", "answer": f"A name {TRICK}", "decided_by": f"local:{TRICK}"}
        await record.journal.move(UNKNOWN, {State.PROPOSED}, State.UNKNOWN, **answer)
        await record.database.write(_hold_money)
        await record.vault.keep(UNKNOWN, f"pin{TRICK}", f"4711{TRICK}")
        await record.database.write(_insert_tricks)
        await record.audit.note("denied", principal=f"local:{TRICK}", detail={TRICK: TRICK})
        yield record
    finally:
        await record.database.close()


def _plan(plan_id: str) -> Plan:
    """Return a plan that waits, with the trick in everything that others can write."""
    step = Step(
        position=1,
        provider="voicetel",
        account=TRICK,
        operation=TRICK,
        title=f"{TRICK} at VoiceTel",
        given={TRICK: TRICK},
        arguments={TRICK: TRICK},
        digest=plan_id * 4,
        quote=Quote(warnings=(TRICK,)),
        before={TRICK: TRICK},
    )
    return Plan(
        id=plan_id,
        title=TRICK,
        reason=TRICK,
        principal=f"local:{TRICK}",
        channel="page",
        on_failure="stop",
        steps=(step,),
        calls=plan_id * 4,
        digest=plan_id * 4,
        people=1,
        notes=(TRICK,),
        state=PlanState.PROPOSED,
        created_at=datetime.now(UTC),
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        runs_until=datetime(2100, 1, 1, tzinfo=UTC),
    )


def _hold_money(connection: Connection) -> None:
    take_hold(connection, UNKNOWN, "voicetel", Money(Decimal(2)), datetime.now(UTC))


def _insert_tricks(connection: Connection) -> None:
    texted = {"at": datetime.now(UTC), "source": f"texted {TRICK}"}
    connection.execute(insert(optouts), [texted | {"number": number} for number in (TRICK, LISTED)])
    asked = {"digest": "a" * 64, "sender": TRICK, "wish": "unclear", "words": TRICK}
    connection.execute(insert(optout_requests), [texted | asked])
    terms = {
        "operation": "voicetel_send_message",
        "principal": f"local:{TRICK}",
        "account": TRICK,
        "conditions": [str(Condition("text", Relation.EQUALS, (TRICK,)))],
        "count_most": 1,
        "count_window": "day",
        "until": datetime(2100, 1, 1, tzinfo=UTC),
        "created_at": datetime.now(UTC),
    }
    noted = terms | {"note": TRICK, "created_by": TRICK}
    connection.execute(insert(allowances), [noted | {"id": one} for one in (ALLOWANCE, ALLOWANCE_TOO)])
    connection.execute(insert(allowance_requests), [terms | {"id": REQUEST, "reason": TRICK}])


class _Tricking(BaseHTTPRequestHandler):
    """Says no to everything, in words that hold the trick."""

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps({"status": "error", "error": TRICK, "message": TRICK}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def _provider_answering_tricks() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tricking)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _names(app: typer.Typer, before: str = "") -> Iterator[str]:
    for command in app.registered_commands:
        assert command.callback
        yield before + (command.name or command.callback.__name__)
    for group in app.registered_groups:
        assert group.typer_instance
        yield from _names(group.typer_instance, f"{group.name} ")


async def _ringfence(*arguments: str, typed: str = "") -> Result:
    run = CliRunner()
    return await anyio.to_thread.run_sync(lambda: run.invoke(command_line(list(arguments)), list(arguments), typed))
