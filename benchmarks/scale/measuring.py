"""Measures a large record: a guarded call, pages, `audit verify` from the beginning and going on, and archiving."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import anyio.to_thread

from benchmarks.measuring import Row
from benchmarks.processes import environment
from benchmarks.record import PASSCODE, Bench, open_bench, sender, spread, time_step
from benchmarks.scale.filling import Span, fill
from sandbox.serving import serve_sandbox
from tests.server.postgres import programs, running_postgres

ACTIONS: Final = 100_000
"""How many actions are measured without a word about it; there are three times as many rows of the audit log."""

DAYS: Final = 700
"""Over how many days they lie; all but those of this month are archived."""

NOWHERE: Final = "http://127.0.0.1:9"
"""Commands of the operator that are measured ask no provider."""

LOOKED_EACH: Final = 0.05
"""Seconds between two looks at the memory of a command."""

CALLS: Final = 60
VIEWS: Final = 15
PAGES: Final = (
    "/",
    "/history",
    "/history?state=done",
    "/history?principal=http%3Aassistant-3",
    "/history?search=%2B1+212+555+0142",
    "/history?search=nothing+that+stands+anywhere",
    "/health",
    "/money",
)


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record lies that is measured."""

    name: str
    folder: Path
    store: Mapping[str, str]
    """The setting that names its database, if that is not in the folder."""

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Bench]:
        """Open it, with its page, and a provider of its own: no other record uses up what that allows in an hour."""
        async with serve_sandbox() as url, open_bench(url, self.folder, **self.store) as bench:
            yield bench

    async def run(self, what: str, *words: str) -> Row:
        """Run a command in a process of its own, and measure that."""
        more = {f"RINGFENCE_{name.upper()}": value for name, value in self.store.items()}
        env = environment(NOWHERE, self.folder, **more)
        return await anyio.to_thread.run_sync(_run, f"{self.name}: {what}", words, env)


async def scale(_url: str, folder: Path) -> list[Row]:
    """Measure a hundred thousand actions in SQLite, and in PostgreSQL where there is one."""
    return [row async for row in measure(folder, ACTIONS)]


async def measure(folder: Path, count: int, *, is_filled: bool = False) -> AsyncGenerator[Row]:
    """Fill a record with so many actions, unless it is filled, and measure it; yield each row once it is there."""
    async for row in _measure(Record("SQLite", folder / "sqlite", {}), count, is_filled=is_filled):
        yield row
    where = programs()
    if where is None or is_filled:
        return
    with running_postgres(where, "fsync=on") as server:
        record = Record("PostgreSQL", folder / "postgres", {"store_url": server.database()})
        async for row in _measure(record, count):
            yield row


async def _measure(record: Record, count: int, *, is_filled: bool = False) -> AsyncGenerator[Row]:
    async with Record(record.name, record.folder.with_name(f"empty {record.name}"), {}).open() as empty:
        compared = await time_step(sender(empty), CALLS)
    async with record.open() as bench:
        if not is_filled:
            now, began = datetime.now(UTC), time.perf_counter()
            await fill(bench.store, Span(count, now - timedelta(days=DAYS), now))
            yield Row(f"{record.name}: fill with {count:,} actions", f"{time.perf_counter() - began:.0f} s")
        calls = await time_step(sender(bench), CALLS)
        ratio = sorted(calls)[CALLS // 2] / sorted(compared)[CALLS // 2]
        what, other = f"{record.name}: guarded call, {count:,} actions", f"{spread(compared)} in an empty SQLite store"
        yield Row(what, spread(calls), other, ratio, "flat")
        for path in PAGES:
            taken = await time_step(partial(bench.page.open, path.removesuffix("/")), VIEWS)
            yield Row(f"{record.name}: page {path}", spread(taken))
    archive = record.folder.with_name(f"{record.name}.archive.jsonl")
    yield await record.run("audit verify --all", "audit", "verify", "--all")
    yield await record.run("audit verify --new", "audit", "verify", "--new")
    yield await record.run("actions archive", "actions", "archive", str(archive))
    yield Row(f"{record.name}: size of the archive", f"{archive.stat().st_size / 2**20:,.0f} MiB")
    yield await record.run("audit verify ARCHIVE", "audit", "verify", str(archive))
    yield await record.run("audit verify --all, of the rest", "audit", "verify", "--all")


def _run(what: str, words: Sequence[str], env: Mapping[str, str]) -> Row:
    """Run a command with the passcode typed at it; its memory is the most that was resident at a time.

    The kernel's `ru_maxrss` of a child counts what its parent had when it was started, so the peak is read from /proc.
    """
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "ringfence", *words],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if process.stdin is None or process.stdout is None:
        raise OSError("The command has no standard streams.")
    process.stdin.write(f"{PASSCODE}\n")
    process.stdin.close()
    peak = 0
    while True:
        peak = max(peak, _peak_of(process.pid))
        time.sleep(LOOKED_EACH)
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
    process.returncode = os.waitstatus_to_exitcode(status)
    said = process.stdout.read()
    took, cpu = time.perf_counter() - began, used.ru_utime + used.ru_stime
    figures = f"{took:.1f} s, {cpu:.1f} s of CPU, {peak / 1024:.0f} MiB"
    return Row(what, figures, " ".join(said.split())[-100:] if process.returncode == 0 else f"FAILED: {said[-300:]}")


def _peak_of(pid: int) -> int:
    """Return the most memory that a process had resident so far, in KiB; 0 where it has ended or cannot be seen."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")), 0)
