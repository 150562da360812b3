"""Probes of integrity: secrets stay hidden, tampering shows, and a freeze stops every process."""

import re
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sandbox.voicetel import seed
from server.probes.assistant import Assistant, Person
from server.probes.attacks.calls import ORDER, ORDERS, SEND, SENDER, message, order, propose_order
from server.probes.bench import Bench
from server.probes.probe import Probe, expect
from server.store.sealed.anchor import ANCHOR_FILE
from server.store.sealed.seal import KEY_FILE
from server.store.store import Store, open_store

DATABASE = "ringfence.db"
LONGEST_PIN = 6


async def _secrets(bench: Bench) -> str:
    assistant = await bench.asking()
    stored: set[str] = set()
    for tool, arguments in (await _secret_calls(assistant)).items():
        reply, _ = await assistant.call_answering(tool, arguments, "accept")
        expect(not reply.is_error, f"{tool} did not run: {reply.text[:100]}")
        found = {secret.value for secret in await bench.store.vault.secrets_of(reply.action, by="a probe")}
        expect(bool(found), f"no secret of {tool} is stored for the operator")
        stored |= found
        await assistant.call("get_action", {"action_id": reply.action})
    wrong = await assistant.call("voicetel_get_number", {"number": "+12015550199"})
    expect(wrong.is_error, "there is a number that should not be there")
    given = {seed.API_KEY, seed.PASSWORD, *bench.tokens.values()}
    places = {
        "an answer": "\n".join(bench.all_results()),
        "a question": "\n".join(assistant.person.questions if assistant.person else []),
        "a log": bench.logs(),
        "the audit log": "\n".join([row["detail"] async for row in bench.store.audit.rows()]),
    }
    if processes := _command_lines(bench.folder):
        places["a process's arguments"] = "\n".join(processes)
    for place, text in places.items():
        leaked = [secret for secret in stored | given if _contains(text, secret)]
        expect(not leaked, f"{len(leaked)} secret(s) are in {place}")
    return f"{len(stored | given)} secrets that were created, fetched or set; in none of these: {', '.join(places)}"


async def _secret_calls(assistant: Assistant) -> Mapping[str, dict[str, Any]]:
    """Build calls that create or fetch a secret and leave the accounts usable."""
    roles = await assistant.call("enswitch_list_roles", {})
    role: int = roles.content["roles"][0]["id"]
    person: dict[str, Any] = {"username": "probe.person", "email": "probe@bluewater.example", "role": role}
    return {
        "voicetel_fetch_api_key": {},
        "voicetel_create_account": {"name": "Probe", "email": "probe@bluewater.example"},
        "voicetel_set_port_out_pin": {"number": SENDER},
        "enswitch_create_person": person,
    }


async def _tampered(bench: Bench) -> str:
    assistant = await bench.silent()
    await propose_order(assistant, "+12125550141")
    await assistant.call(SEND, message("+881612345678", "Hello"))
    untouched = await bench.store.audit.verify()
    expect(untouched.is_whole, f"the untouched audit log does not verify: {untouched.what}")
    rows = untouched.rows
    last, middle = rows, rows // 2 + 1
    attempts: Mapping[str, tuple[str, int]] = {
        "edited": (f"UPDATE audit SET principal = 'token:nobody' WHERE number = {middle}", middle),  # noqa: S608
        "removed": (f"DELETE FROM audit WHERE number = {middle}", middle),  # noqa: S608
        "cut off": (f"DELETE FROM audit WHERE number >= {last}", last),  # noqa: S608
    }
    for what, (statement, row) in attempts.items():
        copy = _copy_store(bench.folder, what)
        with closing(sqlite3.connect(copy / DATABASE)) as connection:
            connection.execute(statement)
            connection.commit()
        found = await _broken_at(copy)
        expect(found == row, f"{what} row {row}: the check names {found or 'nothing'}")
    return f"a row edited, removed, and cut off in {rows}: each is found; the log itself is intact"


async def _rolled_back(bench: Bench) -> str:
    older = _copy_store(bench.folder, "older")
    await propose_order(await bench.silent(), "+12125550115")
    newest = bench.folder / ANCHOR_FILE
    (older / ANCHOR_FILE).write_bytes(newest.read_bytes())
    since = await bench.providers.since_now()
    assistant = await bench.over_stdio("older record", person=Person(), state_folder=older)
    reply, asked = await assistant.call_answering(ORDER, order("+12125550116"), "accept")
    expect(reply.error == "AuditGap" and not asked, f"a call ran on an older copy of the record: {reply.text[:100]}")
    reading = await assistant.call("voicetel_list_numbers", {"limit": 1})
    expect(not reading.is_error, "plain reads were refused as well")
    expect(not await since.requests("POST", ORDERS), "an order was sent")
    kept = (older / ANCHOR_FILE).read_bytes() == newest.read_bytes()
    expect(kept, "the anchor was overwritten by a log that does not contain its row")
    await _accept_gap(older)
    later, _ = await assistant.call_answering(ORDER, order("+12125550116"), "accept")
    expect(not later.is_error, f"the call did not run after the gap was accepted: {later.text[:100]}")
    return "a call on an older copy: refused, 0 orders sent, until the operator accepted the gap; reads still work"


async def _frozen(bench: Bench) -> str:
    over_http, other_process = await bench.asking(), await bench.asking("legacy")
    silent = await bench.silent()
    since = await bench.providers.since_now()
    await bench.operator.approve(await propose_order(silent, "+12125550118"))
    await bench.operator.press("/freeze")
    try:
        for assistant in (over_http, other_process):
            reply, asked = await assistant.call_answering(ORDER, order("+12125550119"), "accept")
            expect(reply.error == "Frozen" and not asked, f"a call ran: {reply.text[:100]}")
        approved = await silent.call(ORDER, order("+12125550118"))
        expect(approved.error == "Frozen", f"a call that was approved before ran: {approved.text[:100]}")
        reading = await silent.call("voicetel_list_numbers", {"limit": 1})
        expect(not reading.is_error, "plain reads were stopped as well")
        expect(not await since.requests("POST", ORDERS), "an order was sent")
    finally:
        await bench.operator.press("/unfreeze")
    later = await silent.call(ORDER, order("+12125550118"))
    expect(not later.is_error, f"the approved call did not run afterwards: {later.text[:100]}")
    return "3 calls in 2 processes, one approved before: refused, 0 orders sent; reads still work"


def _contains(text: str, secret: str) -> bool:
    """Return True if a text contains a secret. A PIN must stand alone: its digits may be a part of a longer number."""
    if len(secret) > LONGEST_PIN:
        return secret in text
    return re.search(rf"(?<![\w.:+-]){re.escape(secret)}(?![\w.:+-])", text) is not None


def _command_lines(folder: Path) -> list[str]:
    """Read the arguments of every process that uses this folder, where the system shows them."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " "))
        except OSError:
            continue
    return found


def _copy_store(folder: Path, name: str) -> Path:
    """Copy the store with its key and its anchor."""
    copy = folder / f"copy {name}"
    copy.mkdir()
    with (
        closing(sqlite3.connect(folder / DATABASE)) as source,
        closing(sqlite3.connect(copy / DATABASE)) as target,
    ):
        source.backup(target)
    for file in (KEY_FILE, ANCHOR_FILE):
        (copy / file).write_bytes((folder / file).read_bytes())
    return copy


async def _broken_at(folder: Path) -> int | None:
    async with _opened(folder) as store:
        return (await store.audit.verify()).broken_at


async def _accept_gap(folder: Path) -> None:
    async with _opened(folder) as store:
        gap = await store.audit.find_gap()
        if gap is not None:
            await store.audit.accept_gap(gap, by="a probe")


@asynccontextmanager
async def _opened(folder: Path) -> AsyncGenerator[Store]:
    store = open_store(f"sqlite:///{folder / DATABASE}", folder)
    try:
        yield store
    finally:
        await store.database.close()


PROBES = (
    Probe(
        name="leaked-secret",
        tries="A password, a PIN and a key are created or fetched; answers, logs and process arguments are searched.",
        matters="Credentials in answers, error messages and `ps`.",
        run=_secrets,
        rules="permissive",
    ),
    Probe(
        name="tampered-audit",
        tries="An attacker with write access to the database edits, removes and cuts off rows of the audit log.",
        matters="Logs without a hash chain, or with one that can be recomputed.",
        run=_tampered,
        ways=("calls",),
    ),
    Probe(
        name="older-record",
        tries="An older copy of the record is put in place of the newer one, and a paid call is made.",
        matters="Caps, approvals and opt-outs that a restored backup resets.",
        run=_rolled_back,
    ),
    Probe(
        name="freeze",
        tries="The operator freezes everything; two servers on one store get paid calls, one of them approved before.",
        matters="A kill switch that only one process obeys.",
        run=_frozen,
    ),
)
