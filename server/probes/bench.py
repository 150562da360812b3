"""The test bench of a probe: simulated providers, `ringfence serve` in child processes, clients, and the operator.

Several probes share a bench: one sandbox, one state folder, one HTTP server. Further servers on the same state folder
are started over stdio when a probe needs them.
"""

import getpass
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
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from sqlalchemy import Connection, update

from sandbox.accounts import simulated_accounts
from server.console.passcode import set_passcode
from server.probes.assistant import Assistant, Era, Person
from server.probes.operators import Operator
from server.probes.planning import PlanningAssistant, Way
from server.probes.providers import Providers, start_providers
from server.probes.server_process import PROGRAM, run_server
from server.store.schema import actions, plans
from server.store.store import Store, open_store

HOLDERS = ("alice", "bob")
"""Who holds a bearer token."""

Connect = Callable[[], AbstractAsyncContextManager[Assistant]]


class Bench:
    """Everything that probes under one set of rules need; created by `start_bench`."""

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
        way: Way,
    ) -> None:
        self.folder = folder
        self.environment = environment
        self.tokens = tokens
        self.providers = providers
        self.url = url
        self.operator = operator
        self.store = store
        self._program = program
        self._assistant = PlanningAssistant if way == "plans" else Assistant
        self._group = group
        self._closing = anyio.Event()
        self._assistants: dict[str, Assistant] = {}

    async def asking(self, era: Era = "auto") -> Assistant:
        """Connect a client with a person: over HTTP, in the legacy era over stdio."""
        if era == "legacy":
            return await self.over_stdio("legacy", era=era, person=Person())
        return await self._over_http("alice", era, Person())

    async def silent(self, holder: str = "alice", era: Era = "auto") -> Assistant:
        """Connect a client over HTTP that cannot ask."""
        return await self._over_http(holder, era, None)

    @asynccontextmanager
    async def restarted_with(self, settings: Mapping[str, Any]) -> AsyncGenerator[Assistant]:
        """Start another HTTP server on the same state folder, under further settings, and connect alice and a person.

        To a client it is the first server after a restart: what the first one sealed, it reads.
        """
        async with self.restarted_for(settings, ("alice",), person=Person()) as (assistant,):
            yield assistant

    @asynccontextmanager
    async def restarted_for(
        self, settings: Mapping[str, Any], holders: Sequence[str], *, person: Person | None = None
    ) -> AsyncGenerator[Sequence[Assistant]]:
        """Start another HTTP server as `restarted_with` does, and connect the holders of some tokens to it."""
        era = MODERN_PROTOCOL_VERSIONS[-1]
        async with self.restarted_at(settings) as url, AsyncExitStack() as stack:
            yield [await stack.enter_async_context(self._connection(url, holder, era, person)) for holder in holders]

    @asynccontextmanager
    async def restarted_at(self, settings: Mapping[str, Any]) -> AsyncGenerator[str]:
        """Start another HTTP server on the same state folder, under further settings; yields its address."""
        environment = {**self.environment, **in_environment({"approvals": {"page": "off"}, **settings})}
        log = self.folder / "restarted.stderr"
        async with run_server(environment, log=log, program=self._program) as url:
            yield url

    async def over_stdio(
        self, name: str, *, era: Era = "auto", person: Person | None = None, state_folder: Path | None = None
    ) -> Assistant:
        """Connect a client to a server of its own: a child process on the same state folder, if no other is given."""
        own = {"approvals": {"page": "off"}, "state_folder": str(state_folder or self.folder)}
        environment = {**self.environment, **in_environment(own)}
        arguments = [*self._program, "serve", "--toolsets", "all"]
        child = StdioServerParameters(command=sys.executable, args=arguments, env=environment)

        @asynccontextmanager
        async def connect() -> AsyncGenerator[Assistant]:
            with (self.folder / f"{name}.stderr").open("a", encoding="utf-8") as errors:
                async with Client(stdio_client(child, errlog=errors), mode=era, elicitation_callback=person) as client:
                    yield self._assistant(client, person)

        return await self._connect_once(name, connect)

    async def expire(self, identifier: str) -> None:
        """Move the expiry of an action or a plan to a minute ago in the store; the servers' clocks stay as they are."""
        expired = datetime.now(UTC) - timedelta(minutes=1)
        expiring = (
            update(actions).where(actions.c.id == identifier).values(expires_at=expired),
            update(plans).where(plans.c.id == identifier).values(expires_at=expired, runs_until=expired),
        )

        def work(connection: Connection) -> None:
            for statement in expiring:
                connection.execute(statement)

        await self.store.database.write(work)

    @property
    def principals(self) -> tuple[str, ...]:
        """Everybody who makes calls here: the holders of tokens, and the local user over stdio."""
        return (*(f"token:{holder}" for holder in HOLDERS), f"local:{getpass.getuser()}")

    def close(self) -> None:
        """Close every connection."""
        self._closing.set()

    def browser(self) -> httpx2.AsyncClient:
        """Open a browser at the HTTP server; nobody is signed in."""
        return httpx2.AsyncClient(base_url=self.url, timeout=60)

    def all_results(self) -> list[str]:
        """Return every result that any assistant saw, as text."""
        return [text for assistant in self._assistants.values() for text in assistant.heard]

    def logs(self) -> str:
        """Return what the server processes wrote to stderr."""
        return "\n".join(file.read_text(encoding="utf-8") for file in sorted(self.folder.glob("*.stderr")))

    async def _over_http(self, holder: str, era: Era, person: Person | None) -> Assistant:
        name = f"http {holder} {era} {'asking' if person else 'silent'}"
        return await self._connect_once(name, lambda: self._connection(self.url, holder, era, person))

    @asynccontextmanager
    async def _connection(self, url: str, holder: str, mode: str, person: Person | None) -> AsyncGenerator[Assistant]:
        headers = {"Authorization": f"Bearer {self.tokens[holder]}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{url}/mcp", http_client=http)
            async with Client(transport, mode=mode, elicitation_callback=person) as client:
                yield self._assistant(client, person)

    async def _connect_once(self, name: str, connect: Connect) -> Assistant:
        """Connect once under a name; the connection stays open until the bench closes.

        A task of its own holds each connection, so that a cancelled probe cannot leave it half closed.
        """
        if name not in self._assistants:
            self._assistants[name] = await self._group.start(self._hold, connect)
        return self._assistants[name]

    async def _hold(self, connect: Connect, *, task_status: TaskStatus[Assistant]) -> None:
        async with connect() as assistant:
            task_status.started(assistant)
            await self._closing.wait()


@asynccontextmanager
async def start_bench(
    rules: Mapping[str, Any], folder: Path, program: Sequence[str] = PROGRAM, *, way: Way = "calls"
) -> AsyncGenerator[Bench]:
    """Start a bench whose servers run under these settings, with its state in an empty folder.

    `rules` are settings by their names, as in the settings file; `program` is what Python runs; `way` is how
    assistants make guarded calls.
    """
    passcode = secrets.token_urlsafe(12)
    tokens = {holder: secrets.token_urlsafe(24) for holder in HOLDERS}
    store = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.database.close)
        await set_passcode(store, passcode, old=None)
        providers = await stack.enter_async_context(start_providers())
        environment = _environment(folder, providers.url, {**rules, "http": {"tokens": tokens}})
        url = await stack.enter_async_context(run_server(environment, log=folder / "http.stderr", program=program))
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
            way=way,
        )
        stack.callback(bench.close)
        yield bench


def in_environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """Convert settings to environment variables; sections and lists become JSON."""
    return {f"RINGFENCE_{name.upper()}": _to_text(value) for name, value in settings.items()}


def _environment(folder: Path, url: str, rules: Mapping[str, Any]) -> dict[str, str]:
    """Build the environment of the servers, without the variables and the settings file of this machine's operator."""
    empty = folder / "probes.toml"
    empty.write_text("", encoding="utf-8")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    accounts = {name: dict(account) for name, account in simulated_accounts(url).items()}
    own = {"config": str(empty), "state_folder": str(folder), "approvals": {"port": 0, "wait_seconds": 0}}
    return {**outside, "PYTHONUTF8": "1", **in_environment({**own, **accounts, **rules})}


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
