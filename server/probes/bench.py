"""What a probe works on: simulated providers, `ringfence serve` in processes of its own, clients, and the operator.

Several probes share a bench: one sandbox, one state folder, one HTTP server. Further servers on the same state folder
are started over stdio when a probe needs them.
"""

import json
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import TaskGroup, TaskStatus
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import update

from sandbox.accounts import simulated_accounts
from server.console.passcode import set_passcode
from server.probes.answering import Operator
from server.probes.assistant import Assistant, Era, Person
from server.probes.child import PROGRAM, served
from server.probes.simulated import Providers, simulated_providers
from server.store.schema import actions
from server.store.store import Store, open_store

HOLDERS = ("alice", "bob")
"""Who holds a bearer token."""

Connected = Callable[[], AbstractAsyncContextManager[Assistant]]


class Bench:
    """One set of the operator's rules, with everything that a probe needs. Made by `bench_with`."""

    def __init__(
        self,
        *,
        group: TaskGroup,
        folder: Path,
        environment: Mapping[str, str],
        tokens: Mapping[str, str],
        providers: Providers,
        url: str,
        operator: Operator,
        store: Store,
        program: Sequence[str],
    ) -> None:
        self.folder = folder
        self.environment = environment
        self.tokens = tokens
        self.providers = providers
        self.url = url
        self.operator = operator
        self.store = store
        self._program = program
        self._group = group
        self._left = anyio.Event()
        self._assistants: dict[str, Assistant] = {}

    async def asking(self, era: Era = "auto") -> Assistant:
        """A client with a person before it: over HTTP, in the legacy era over stdio."""
        if era == "legacy":
            return await self.over_stdio("legacy", era=era, person=Person())
        return await self._over_http("alice", era, Person())

    async def silent(self, holder: str = "alice", era: Era = "auto") -> Assistant:
        """A client over HTTP that cannot ask."""
        return await self._over_http(holder, era, None)

    async def over_stdio(self, name: str, *, era: Era = "auto", person: Person | None = None) -> Assistant:
        """A client with a server of its own as a child process, on the same state folder."""
        environment = {**self.environment, **in_environment({"approvals": {"page": "off"}})}
        arguments = [*self._program, "serve", "--toolsets", "all"]
        child = StdioServerParameters(command=sys.executable, args=arguments, env=environment)

        @asynccontextmanager
        async def connected() -> AsyncGenerator[Assistant]:
            with (self.folder / f"{name}.stderr").open("a", encoding="utf-8") as errors:
                async with Client(stdio_client(child, errlog=errors), mode=era, elicitation_callback=person) as client:
                    yield Assistant(client, person)

        return await self._kept(name, connected)

    async def let_expire(self, action_id: str) -> None:
        """Move the end of a question to a minute ago, in the store; the servers' clocks go on as they are."""
        over = datetime.now(UTC) - timedelta(minutes=1)
        async with self.store.database.transaction() as connection:
            await connection.execute(update(actions).where(actions.c.id == action_id).values(expires_at=over))

    def leave(self) -> None:
        """Let every connection be closed."""
        self._left.set()

    def browser(self) -> httpx2.AsyncClient:
        """A browser at the HTTP server that nobody has signed in with."""
        return httpx2.AsyncClient(base_url=self.url, timeout=60)

    def everything_heard(self) -> list[str]:
        """Every answer that any of the assistants saw, as text."""
        return [text for assistant in self._assistants.values() for text in assistant.heard]

    def logs(self) -> str:
        """What the server processes wrote to their stderr."""
        return "\n".join(file.read_text(encoding="utf-8") for file in sorted(self.folder.glob("*.stderr")))

    async def _over_http(self, holder: str, era: Era, person: Person | None) -> Assistant:
        @asynccontextmanager
        async def connected() -> AsyncGenerator[Assistant]:
            headers = {"Authorization": f"Bearer {self.tokens[holder]}"}
            async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
                transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
                async with Client(transport, mode=era, elicitation_callback=person) as client:
                    yield Assistant(client, person)

        return await self._kept(f"http {holder} {era} {'asking' if person else 'silent'}", connected)

    async def _kept(self, name: str, connected: Connected) -> Assistant:
        """One connection a name, open until the bench is left. Each is held by a task of its own, so that a probe that
        is given up cannot leave it half closed."""
        if name not in self._assistants:
            self._assistants[name] = await self._group.start(self._hold, connected)
        return self._assistants[name]

    async def _hold(self, connected: Connected, *, task_status: TaskStatus[Assistant]) -> None:
        async with connected() as assistant:
            task_status.started(assistant)
            await self._left.wait()


@asynccontextmanager
async def bench_with(rules: Mapping[str, Any], folder: Path, program: Sequence[str] = PROGRAM) -> AsyncGenerator[Bench]:
    """A bench whose servers run under these settings, with its state in a folder that is empty.

    `rules` are settings by their names, as in the settings file; `program` is what Python runs.
    """
    passcode = secrets.token_urlsafe(12)
    tokens = {holder: secrets.token_urlsafe(24) for holder in HOLDERS}
    store = open_store(f"sqlite+aiosqlite:///{folder / 'ringfence.db'}", folder)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.database.close)
        await set_passcode(store, passcode, old=None)
        providers = await stack.enter_async_context(simulated_providers())
        environment = _environment(folder, providers.url, {**rules, "http": {"tokens": tokens}})
        url = await stack.enter_async_context(served(environment, log=folder / "http.stderr", program=program))
        # Without kept connections: the server closes them while a probe is busy elsewhere.
        fresh = httpx2.Limits(max_keepalive_connections=0)
        page = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=60, limits=fresh))
        group = await stack.enter_async_context(anyio.create_task_group())
        bench = Bench(
            group=group,
            folder=folder,
            environment=environment,
            tokens=tokens,
            providers=providers,
            url=url,
            operator=Operator(page, passcode, environment, program),
            store=store,
            program=program,
        )
        stack.callback(bench.leave)
        yield bench


def in_environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as environment variables; sections and lists as JSON."""
    return {f"RINGFENCE_{name.upper()}": _written(value) for name, value in settings.items()}


def _environment(folder: Path, url: str, rules: Mapping[str, Any]) -> dict[str, str]:
    """Nothing of the operator's own settings comes in: neither a variable nor a settings file."""
    empty = folder / "probes.toml"
    empty.write_text("", encoding="utf-8")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    accounts = {name: dict(account) for name, account in simulated_accounts(url).items()}
    own = {"config": str(empty), "state_folder": str(folder), "approvals": {"port": 0, "wait_seconds": 0}}
    return {**outside, "PYTHONUTF8": "1", **in_environment({**own, **accounts, **rules})}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
