"""`uv run python -m benchmarks.soak --minutes 30`: runs a soak, and compares what was told, recorded and received."""

import argparse
import json
import os
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
import httpx2
import psycopg

from benchmarks.soak.chaos import Chaos
from benchmarks.soak.children import CommandLine, Postgres, Server, free_port, running, running_postgres
from benchmarks.soak.ledgers import OPEN
from benchmarks.soak.proxy import run_proxy
from benchmarks.soak.receiving import received_marks, requests_of
from benchmarks.soak.reporting import Found, print_summary
from benchmarks.soak.settling import settle
from benchmarks.soak.traffic import Heard, Operator, Traffic
from benchmarks.soak.watching import Sample, sample
from sandbox.accounts import simulated_accounts
from sandbox.serving import serve_sandbox

HOLDERS: Final = ("alice", "bob", "carol", "dave")
PASSCODE: Final = "harbor lights 2026"
TOKEN: Final = "a-long-token-of-{}"  # noqa: S105 - of this run alone

SETTINGS: Final = """
toolsets = ["all"]
[policy.operations]
voicetel_send_message = "allow"
convirza_create_tag = "allow"
enswitch_create_queue = "ask"
routee_send_sms = "ask"
[[budget]]
per = "month"
limit = "{cap}"
[[budget]]
per = "month"
limit = "{cap}"
currency = "EUR"
[compliance]
duplicate_minutes = 0
[destinations]
countries = ["US"]
[approvals]
page = "auto"
wait_seconds = 0
[http]
public_address = "{address}"
allowed_hosts = ["{host}"]
"""


def _environment(folder: Path, name: str, settings: Path, sandbox: str, store: str, key: str) -> Mapping[str, str]:
    """Return the environment of one server: each has a state folder of its own, as on machines of their own."""
    accounts = {
        f"RINGFENCE_{provider}__{field}".upper(): value
        for provider, fields in simulated_accounts(sandbox).items()
        for field, value in fields.items()
    }
    outside = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    return {
        **outside,
        **accounts,
        "RINGFENCE_CONFIG": str(settings),
        "RINGFENCE_STATE_FOLDER": str(folder / name),
        "RINGFENCE_STORE_URL": store,
        "RINGFENCE_STATE_KEY": key,
        "RINGFENCE_HTTP__TOKENS": json.dumps({holder: TOKEN.format(holder) for holder in HOLDERS}),
    }


async def _watch(server: Server, postgres: Postgres, samples: list[Sample], began: float) -> None:
    """Sample the server that is never killed, once a second."""
    while True:
        try:
            connections = await anyio.to_thread.run_sync(postgres.connections)
        except psycopg.Error:
            connections = -1
        if server.process and (one := sample(server.process.pid, time.monotonic() - began, connections)):
            samples.append(one)
        await anyio.sleep(1)


async def _prepare(operator: CommandLine) -> None:
    """Set the passcode, and allow one kind of text beforehand."""
    await operator.run("approvals", "passcode", typed=f"{PASSCODE}\n")
    where = ["sender = Harbor", "to starts with +1212", "text any"]
    options = [word for condition in where for word in ("--where", condition)]
    limits = ["--count", "100000/day", "--money", "100000 EUR/day", "--until", "2027-06-30"]
    for holder in HOLDERS[:2]:
        words = ("allowances", "add", "routee_send_sms", "--for", f"token:{holder}", *options, *limits)
        await operator.run(*words, typed=f"{PASSCODE}\n")


async def soak(minutes: float, seed: int, cap: str, folder: Path, postgres: Postgres) -> Found:
    """Run traffic and chaos for so many minutes, settle what is left, and return what was found."""
    proxy_port, host_key = free_port(), secrets.token_urlsafe(32) + "="
    address = f"http://127.0.0.1:{proxy_port}"
    settings = folder / "ringfence.toml"
    settings.write_text(SETTINGS.format(cap=cap, address=address, host=f"127.0.0.1:{proxy_port}"), encoding="utf-8")
    heard, samples = Heard(), list[Sample]()
    async with serve_sandbox() as sandbox:
        env = partial(_environment, folder, settings=settings, sandbox=sandbox, store=postgres.url, key=host_key)
        steady, victim = (Server(free_port(), env(name=name), folder / f"{name}.log") for name in ("one", "two"))
        operator = CommandLine(env(name="operator"))
        async with running(steady, victim), run_proxy([steady.port, victim.port], proxy_port) as proxy:
            await _prepare(operator)
            began = time.monotonic()
            sys.stderr.write("The traffic begins.\n")
            chaos = Chaos(sandbox, postgres, victim, proxy, random.Random(seed), began)  # noqa: S311 - the seed decides
            traffic = Traffic(address, heard, random.Random(seed + 1))  # noqa: S311 - the same
            person = Operator(address, PASSCODE, heard, random.Random(seed + 2))  # noqa: S311 - the same
            async with anyio.create_task_group() as watching:
                watching.start_soon(_watch, steady, postgres, samples, began)
                watching.start_soon(person.answer)
                async with anyio.create_task_group() as clients:
                    for holder in HOLDERS:
                        clients.start_soon(traffic.call_as, TOKEN.format(holder))
                    async with anyio.create_task_group() as failing:
                        failing.start_soon(chaos.run)
                        await anyio.sleep(60 * minutes)
                        failing.cancel_scope.cancel()
                    async with httpx2.AsyncClient() as http:
                        await http.delete(f"{sandbox}/_control/faults")
                    traffic.ends.set()
                watching.cancel_scope.cancel()
            sys.stderr.write("The traffic has ended.\n")
            unknown = await settle(operator, sandbox, chaos.moments, PASSCODE)
            recorded = await operator.actions()
            requests = await requests_of(sandbox)
            async with httpx2.AsyncClient() as http:
                charges: list[dict[str, Any]] = (await http.get(f"{sandbox}/_control/ledger")).json()
            verified = [await _verify(operator, folder)]
            return Found(
                heard=heard,
                recorded=recorded,
                received=received_marks(requests),
                unknown=unknown,
                charges=charges,
                cap=cap,
                chaos=chaos.done,
                samples=samples,
                verified=verified,
                kills=len(victim.kills),
                tracebacks=Counter(
                    {one.log.name: one.log.read_text(encoding="utf-8").count("Traceback") for one in (steady, victim)}
                ),
                states=Counter(str(one["state"]) for one in recorded if one["state"] in OPEN),
            )


async def _verify(operator: CommandLine, folder: Path) -> str:
    """Verify the audit log and the receipts as somebody else would; return the error, empty if all is whole."""
    try:
        await operator.run("audit", "verify")
        receipts, keys = folder / "receipts.jsonl", folder / "keys.json"
        await operator.run("receipts", "export", str(receipts))
        keys.write_text(await operator.run("receipts", "keys"), encoding="utf-8")
        await operator.run("verify", str(receipts), "--keys", str(keys))
    except RuntimeError as wrong:
        return str(wrong)
    return ""


def main() -> None:
    """Run with the options of the command line; exit with 1 where something is neither zero nor explained."""
    parser = argparse.ArgumentParser(description="Soak two servers in mixed traffic and chaos.")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--cap", default="25", help="Monthly cap in USD and in EUR; small enough that it is reached.")
    parser.add_argument("--keep", type=Path, help="Folder for the logs and the settings; a temporary one if left out.")
    options = parser.parse_args()
    print(f"Seed {options.seed}.", flush=True)
    with tempfile.TemporaryDirectory() as temporary, running_postgres() as postgres:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = anyio.run(soak, options.minutes, options.seed, options.cap, folder, postgres)
    sys.exit(0 if print_summary(found) else 1)


if __name__ == "__main__":
    main()
