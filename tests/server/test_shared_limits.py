"""Servers on one store share VoiceTel's six calls an hour, and a call that is refused uses up none of them."""

import re
import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import anyio
from mcp import Client
from pydantic import SecretStr

from tests.connecting import connect, server_for, settings_for
from tests.sandbox_control import Sandbox, sandboxes

LIMITED = "voicetel_list_call_records"
HOUR = 3600
STORE = "limits.db"


async def test_a_call_that_another_server_left_no_room_for_is_not_counted(tmp_path: Path) -> None:
    async with _two_servers(tmp_path) as (one, other, sandbox):
        for _ in range(6):
            assert await _wait_of(one) is None
        for _ in range(6):
            assert await _wait_of(other) is not None
        await _let_pass(HOUR + 1, tmp_path, sandbox)
        assert await _wait_of(other) is None
        assert len(await sandbox.requests()) == 7


async def test_the_wait_is_for_the_oldest_call_of_any_server(tmp_path: Path) -> None:
    async with _two_servers(tmp_path) as (one, other, sandbox):
        await _wait_of(one)
        await _let_pass(HOUR / 2, tmp_path, sandbox)
        for _ in range(5):
            assert await _wait_of(other) is None
        assert await _wait_of(other) == "30 minutes"
        assert await _wait_of(one) == "30 minutes"


async def test_many_calls_at_once_of_two_servers_send_six_and_all_others_wait_an_hour(tmp_path: Path) -> None:
    waits: list[str | None] = []

    async def call(client: Client) -> None:
        waits.append(await _wait_of(client))

    async with _two_servers(tmp_path) as (one, other, sandbox):
        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(call, other if number % 2 else one)
        assert len(await sandbox.requests()) == 6
    assert (waits.count(None), waits.count("60 minutes")) == (6, 6)


async def test_while_the_store_cannot_be_used_a_server_counts_by_what_it_sent_itself(tmp_path: Path) -> None:
    async with _two_servers(tmp_path, patience=0.2) as (one, _, sandbox):
        assert [await _wait_of(one) for _ in range(2)] == [None] * 2
        with _locked(tmp_path):
            assert [await _wait_of(one) for _ in range(4)] == [None] * 4
            assert await _wait_of(one) == "60 minutes"
        assert await _wait_of(one) == "60 minutes"
        assert len(await sandbox.requests()) == 6


async def test_a_refusal_by_the_provider_counts_for_every_server(tmp_path: Path) -> None:
    async with _two_servers(tmp_path) as (one, other, sandbox):
        await sandbox.break_with("status", path="/cdr$", status=429)
        refused = await one.call_tool(LIMITED, {})
        assert refused.is_error
        assert [await _wait_of(one), await _wait_of(other)] == ["60 minutes"] * 2
        await _let_pass(HOUR + 1, tmp_path, sandbox)
        assert await _wait_of(other) is None
        assert len(await sandbox.requests()) == 2


@asynccontextmanager
async def _two_servers(folder: Path, *, patience: float = 10) -> AsyncGenerator[tuple[Client, Client, Sandbox]]:
    store = SecretStr(f"sqlite:///{folder / STORE}?timeout={patience}")
    async with sandboxes() as sandbox:
        settings = settings_for(folder, sandbox.voicetel, store_url=store)
        (_, first), (_, second) = server_for(settings), server_for(settings)
        async with connect(first) as one, connect(second) as other:
            yield one, other, sandbox


async def _wait_of(client: Client) -> str | None:
    """Return the wait that a limited call is refused with; None if it was sent and answered."""
    result = await client.call_tool(LIMITED, {})
    if not result.is_error:
        return None
    refusal = re.search(r"nothing was sent\. The next is possible in (.+?)\.", getattr(result.content[0], "text", ""))
    assert refusal, result
    return refusal[1]


async def _let_pass(seconds: float, folder: Path, sandbox: Sandbox) -> None:
    """Make what the store counted that much older, and the provider's clock later."""
    await sandbox.advance(seconds)
    with closing(sqlite3.connect(folder / STORE)) as connection, connection:
        connection.execute("UPDATE limit_uses SET at = at - ?", [seconds])


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Lock the store, as another program that writes to it, as long as the block runs."""
    with closing(sqlite3.connect(folder / STORE)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()
