"""The record in PostgreSQL, shared by several servers: as exact as in a file."""

import base64
import json
import os
import sys
from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import Connection

from benchmarks.scale.filling import fill
from guard.errors import AuditGap, JournalUnavailable
from guard.money import Money
from guard.receipts.verification import check_file
from guard.rules.budget import Hold
from server.cli.archives.checking import check_with_archives
from server.console.health.verification import check_record
from server.console.passkeys.audit_check import SignatureCheck
from server.probes.server_process import run_server
from server.services import Services
from server.settings.model import ApprovalSettings
from server.store import schema
from server.store.archiving.archives import StoredArchives
from server.store.engine import Database
from server.store.reservations import locks_on_money
from server.store.store import open_store
from server.worker.worker import open_worker
from tests.accounts.two_accounts import CLINIC, OFFICE, two_accounts
from tests.allowances.terms import SEND
from tests.allowances.terms import options as allowance_options
from tests.allowances.terms import text as allowed_text
from tests.connecting import KEY as API_KEY
from tests.connecting import Person, connect, server_for, settings_for
from tests.fork_server import forking_python
from tests.notices.receivers import receiver
from tests.notices.telling import NOWHERE, Telling, told_to
from tests.plans import jobs
from tests.plans.jobs import content_of, customers, propose, texts
from tests.sandbox_control import sandboxes
from tests.server.operating import PASSCODE, ringfence, set_operator_passcode
from tests.server.postgres import PASSWORD, Postgres, programs, running_postgres
from tests.server.test_archives import OLD, SINCE
from tests.server.test_store import migrate, shape
from tests.server.test_transports import stdio_child

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode("ascii")
TOKEN = "a-long-token-of-alice"
FROM = "+12015550142"
NEW = {OFFICE: "+12125550100", CLINIC: "+12125550101"}
ALLOW: dict[str, Any] = {"policy": {"paid": "allow"}, "budget": [{"per": "day", "limit": "0.10"}]}


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres(where) as server:
        yield server


async def test_fifty_parallel_sends_of_two_processes_against_a_cap_for_ten_let_exactly_ten_through(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres.database()
    monkeypatch.setenv("RINGFENCE_STORE_URL", store)
    monkeypatch.setenv("RINGFENCE_STATE_KEY", KEY)
    monkeypatch.setenv("RINGFENCE_POLICY__PAID", "allow")
    monkeypatch.setenv("RINGFENCE_BUDGET", json.dumps(ALLOW["budget"]))
    sent: list[bool] = []

    async def send(client: Client, number: int) -> None:
        words = {"from_number": FROM, "to_number": "+12125550142", "text": f"Order {number} is ready."}
        sent.append(not (await client.call_tool("voicetel_send_message", words)).is_error)

    async with sandboxes() as sandbox:
        one, other = (stdio_child(tmp_path / name, sandbox.url, "--toolsets", "all") for name in ("one", "other"))
        async with Client(one) as first, Client(other) as second, anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(send, second if number % 2 else first, number)
        assert (sent.count(True), len(sent)) == (10, 50)
        assert len(await sandbox.charges()) == 10
    record = open_store(store, tmp_path, KEY)
    verdict = await record.audit.verify()
    assert verdict.is_whole, verdict.what
    assert verdict.rows >= 30
    assert (await record.receipts.verify()).receipts >= 20, "of two processes, in one chain"
    file = "".join(f"{line}\n" for line in await record.receipts.export())
    assert check_file(file.encode(), await record.receipts.published_keys()).receipts >= 20
    await record.database.close()


async def test_fifty_parallel_sends_of_two_processes_under_an_allowance_for_ten_let_exactly_ten_through(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres.database()
    shared, elsewhere = {"RINGFENCE_STORE_URL": store, "RINGFENCE_STATE_KEY": KEY}, tmp_path / "operator"
    for name, value in shared.items():
        monkeypatch.setenv(name, value)
    await set_operator_passcode(elsewhere, more=shared)
    add = ("allowances", "add", SEND, *allowance_options(count="10/day"))
    await ringfence(elsewhere, *add, typed=f"{PASSCODE}\n", more=shared)
    states: list[str] = []

    async def send(client: Client, number: int) -> None:
        result = content_of(await client.call_tool(SEND, allowed_text(f"+1917555{number:04d}")))
        states.append(str(result.get("state")))

    async with sandboxes() as sandbox:
        one, other = (stdio_child(tmp_path / name, sandbox.url, "--toolsets", "all") for name in ("one", "other"))
        async with Client(one) as first, Client(other) as second, anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(send, second if number % 2 else first, number)
        assert sorted(states) == ["done"] * 10 + ["proposed"] * 40
        assert len(await sandbox.charges()) == 10


async def test_an_approval_given_at_one_server_is_carried_out_once_at_another(
    postgres: Postgres, tmp_path: Path
) -> None:
    order = {"numbers": ["+12125550100"]}
    async with sandboxes() as sandbox:
        store = postgres.database()
        shared, elsewhere = {"RINGFENCE_STORE_URL": store, "RINGFENCE_STATE_KEY": KEY}, tmp_path / "operator"
        await set_operator_passcode(elsewhere, more=shared)
        (_, server), (_, second) = _two(store, sandbox.voicetel, tmp_path)
        async with connect(server) as client, connect(second) as another:
            pending: dict[str, Any] = (await client.call_tool("voicetel_order_numbers", order)).structured_content or {}
            approve = ("approvals", "approve", pending["action"])
            await ringfence(elsewhere, *approve, typed=f"{PASSCODE}\n", more=shared)
            results: list[bool] = []

            async def call(connected: Client) -> None:
                results.append((await connected.call_tool("voicetel_order_numbers", order)).is_error)

            async with anyio.create_task_group() as group:
                group.start_soon(call, client)
                group.start_soon(call, another)
        assert len(await sandbox.charges()) == 1


async def test_a_plan_that_two_servers_carry_out_at_once_sends_each_step_once(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        store = postgres.database()
        (_, server), (_, second) = _two(store, sandbox.voicetel, tmp_path)
        async with connect(server, person=Person()) as client, connect(second) as another:
            plan = (await propose(client, texts(customers(8))))["plan"]

            async def run_until_done(connected: Client) -> None:
                while content_of(await connected.call_tool("run_plan", {"plan_id": plan})).get("state") != "done":
                    pass  # the other one is sending a step

            async with anyio.create_task_group() as group:
                group.start_soon(run_until_done, client)
                group.start_soon(run_until_done, another)
        sent = [row["body"]["toNumber"] for row in await sandbox.requests(method="POST", path="messages")]
        assert ["+1" + to for to in sent] == [jobs.number(place) for place in range(8)]
        assert len(await sandbox.charges()) == 8


async def test_two_workers_carry_out_plans_together_and_keep_their_queue_in_a_schema_of_its_own(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        store = postgres.database()
        settings = _settings(store, sandbox.voicetel, tmp_path / "one")
        services, server = server_for(settings.model_copy(update={"approvals": ApprovalSettings(run="server")}))
        environment = {
            **os.environ,
            "RINGFENCE_STATE_FOLDER": str(tmp_path / "other"),
            "RINGFENCE_STORE_URL": store,
            "RINGFENCE_STATE_KEY": KEY,
            "RINGFENCE_VOICETEL__API_KEY": API_KEY,
            "RINGFENCE_VOICETEL__USERNAME": "2015550100",
            "RINGFENCE_VOICETEL__BASE_URL": sandbox.voicetel,
        }
        async with connect(server, person=Person()) as client:
            for job in range(8):
                words = f"Hello {{{{name}}}}, this is text {job}."
                assert (await propose(client, texts(customers(5), text=words)))["state"] == "approved"
            command = [sys.executable, *forking_python(), "-m", "ringfence", "work", "--once"]
            async with anyio.create_task_group() as group:
                group.start_soon(partial(anyio.run_process, command, env=environment))
                async with open_worker(services) as worker:
                    await worker.work_off()
            shown = content_of(await client.call_tool("list_actions", {}))["plans"]
            assert [plan["state"] for plan in shown] == ["done"] * 8
        sent = [
            (row["body"]["toNumber"], row["body"]["text"])
            for row in await sandbox.requests(method="POST", path="messages")
        ]
        assert (len(sent), len(set(sent))) == (40, 40)
        assert len(await sandbox.charges()) == 40
        await services.close()
    engine = create_engine(store)
    with engine.connect() as connection:
        schemas = set(connection.execute(text("SELECT schema_name FROM information_schema.schemata")).scalars())
        tables = set(connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())
        assert tables == {*schema.metadata.tables, "alembic_version"}
    engine.dispose()
    assert "ringfence_worker" in schemas


async def test_servers_behind_one_address_answer_for_each_other(postgres: Postgres, tmp_path: Path) -> None:
    person = Person()
    async with sandboxes() as sandbox:
        environment = {
            **os.environ,
            "RINGFENCE_STORE_URL": postgres.database(),
            "RINGFENCE_STATE_KEY": KEY,
            "RINGFENCE_HTTP__TOKENS__ALICE": TOKEN,
            "RINGFENCE_VOICETEL__API_KEY": API_KEY,
            "RINGFENCE_VOICETEL__BASE_URL": sandbox.voicetel,
        }
        logs = tmp_path / "one.log", tmp_path / "other.log"
        program = (*forking_python(), "-m", "ringfence")
        async with (
            run_server(environment, log=logs[0], program=program) as one,
            run_server(environment, log=logs[1], program=program) as other,
        ):
            balancer = Balancer(one, other)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with httpx2.AsyncClient(transport=balancer, headers=headers, timeout=60) as http:
                transport = streamable_http_client(f"{one}/mcp", http_client=http)
                async with Client(transport, elicitation_callback=person) as client:
                    done = await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
        assert not done.is_error, done.content
        assert len(person.questions) == 1
        assert len(await sandbox.charges()) == 1
    assert balancer.answered_by == {one, other}
    assert "Harbor2026" not in "".join(log.read_text(encoding="utf-8") for log in logs)


async def test_a_freeze_at_one_server_stops_the_other_at_once(postgres: Postgres, tmp_path: Path) -> None:
    order = {"numbers": ["+12125550100"]}
    async with sandboxes() as sandbox:
        store = postgres.database()
        shared, elsewhere = {"RINGFENCE_STORE_URL": store, "RINGFENCE_STATE_KEY": KEY}, tmp_path / "operator"
        await set_operator_passcode(elsewhere, more=shared)
        (_, server), (_, second) = _two(store, sandbox.voicetel, tmp_path)
        async with connect(server), connect(second, person=Person()) as client:
            await ringfence(elsewhere, "freeze", more=shared)
            frozen = await client.call_tool("voicetel_order_numbers", order)
            assert "froze" in getattr(frozen.content[0], "text", "")
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
            await ringfence(elsewhere, "unfreeze", typed=f"{PASSCODE}\n", more=shared)
            assert not (await client.call_tool("voicetel_order_numbers", order)).is_error
        assert len(await sandbox.charges()) == 1


async def test_two_servers_tell_the_operators_once(postgres: Postgres, tmp_path: Path) -> None:
    async with receiver() as ops:
        settings = told_to(
            tmp_path, NOWHERE, ops=ops.url, more={"store_url": postgres.database(), "state_key": SecretStr(KEY)}
        )
        servers = [Telling(Services(settings)) for _ in range(2)]
        await servers[0].services.store.freeze.freeze("the operator")
        for _ in range(2):
            async with anyio.create_task_group() as group:
                for server in servers:
                    group.start_soon(server.look)
        for server in servers:
            await server.services.close()
    assert ops.titles() == ["Frozen: every guarded call is refused"]


async def test_several_openers_of_a_new_database_all_succeed_and_their_audit_is_one_chain(
    postgres: Postgres, tmp_path: Path
) -> None:
    store = postgres.database()
    records = [open_store(store, tmp_path / str(number), KEY) for number in range(6)]
    async with anyio.create_task_group() as group:
        for record in records:
            for number in range(10):
                group.start_soon(_note, record, number)
    verdict = await records[0].audit.verify()
    assert (verdict.is_whole, verdict.rows) == (True, 60)
    for record in records:
        await record.database.close()


async def test_a_tampered_row_is_named_there_too(postgres: Postgres, tmp_path: Path) -> None:
    record = open_store(postgres.database(), tmp_path, KEY)
    for number in range(3):
        await _note(record, number)
    changing = text("UPDATE audit SET detail = '{}' WHERE number = 2")
    await record.database.write(lambda connection: connection.execute(changing))
    assert (await record.audit.verify()).what == "row 2 was changed"
    await record.database.close()


OLDER_DUMP = ["DELETE FROM audit WHERE number >= 2", "DELETE FROM facts WHERE name = 'audit head'"]
EMPTIED = ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"]


@pytest.mark.parametrize("statements", [OLDER_DUMP, EMPTIED], ids=["older dump", "emptied"])
async def test_an_older_or_an_emptied_database_refuses_until_each_server_accepts_the_gap(
    statements: list[str], postgres: Postgres, tmp_path: Path
) -> None:
    store = postgres.database()
    one, other = open_store(store, tmp_path / "one", KEY), open_store(store, tmp_path / "other", KEY)
    for record in (one, one, other, one):
        await _note(record, 0)
    engine = create_engine(store)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
    for record in (one, other):
        with pytest.raises(JournalUnavailable):
            await record.journal.find_open("digest")
        with suppress(JournalUnavailable):
            await _note(record, 1)  # notices that the tables are gone, and the next one makes them
        await _note(record, 1)
        with pytest.raises(AuditGap, match="ringfence audit accept"):
            await record.journal.find_open("digest")
        gap = await record.audit.find_gap()
        assert gap is not None
        await record.audit.accept_gap(gap, by="the operator")
        assert await record.journal.find_open("digest") is None
    verdict = await one.audit.verify()
    assert (verdict.is_whole, len(verdict.accepted)) == (True, 2)
    for record in (one, other):
        await record.database.close()


async def test_tables_of_a_newer_version_are_noticed_by_a_running_server(postgres: Postgres, tmp_path: Path) -> None:
    record = open_store(postgres.database(), tmp_path, KEY)
    await _note(record, 0)
    upgrading = text("UPDATE alembic_version SET version_num = '9999'")
    await record.database.write(lambda connection: connection.execute(upgrading))
    for why in ("its tables are of version 9999", "by a newer Ringfence"):
        with pytest.raises(JournalUnavailable, match=why):
            await _note(record, 1)
    await record.database.close()


def test_the_migrations_make_the_same_tables_there(postgres: Postgres) -> None:
    migrated, created = make_url(postgres.database()), make_url(postgres.database())
    migrate(migrated)
    engine = create_engine(created)
    with engine.begin() as connection:
        for statement in schema.creating_statements(connection.dialect.name):
            connection.exec_driver_sql(statement)
    engine.dispose()
    assert shape(migrated) == shape(created)


OPENS = """
import os, anyio
from server.store.engine import Database
from server.store.reservations import locks_on_money

async def use():
    database = Database(os.environ["RINGFENCE_STORE_URL"])
    await database.write(lambda _: None)
    await database.close()

anyio.run(use)
"""


async def test_processes_that_bring_an_old_database_up_to_date_together_all_succeed(postgres: Postgres) -> None:
    store = postgres.database()
    migrate(make_url(store), to="0001")

    async def use() -> None:
        environment = {**os.environ, "RINGFENCE_STORE_URL": store}
        ended = await anyio.run_process([sys.executable, *forking_python(), "-c", OPENS], env=environment, check=False)
        assert ended.returncode == 0, ended.stderr

    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(use)
    engine = create_engine(store)
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    engine.dispose()
    assert versions == [schema.HEAD]


async def test_a_restart_during_a_job_of_many_reads_is_told_in_our_words(postgres: Postgres, tmp_path: Path) -> None:
    store = postgres.database()
    record = open_store(store, tmp_path, KEY)
    await record.key_values.put("name", "value")
    engine = create_engine(store)
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid != pg_backend_pid() AND datname = current_database()"
    )
    async with record.database.snapshot():
        assert await record.key_values.get("name") == "value"
        with engine.connect() as connection:
            connection.execute(others)
        with pytest.raises(JournalUnavailable):
            await record.key_values.get("name")
    async with record.database.snapshot():
        assert await record.key_values.get("name") == "value"
        with engine.connect() as connection:
            connection.execute(others)
    assert await record.key_values.get("name") == "value"
    engine.dispose()
    await record.database.close()


async def test_a_caller_that_gives_up_leaves_no_lock_behind(postgres: Postgres, tmp_path: Path) -> None:
    one, other = (open_store(address, tmp_path, KEY) for address in [postgres.database()] * 2)
    with anyio.CancelScope() as scope:
        await one.database.write(lambda _: anyio.from_thread.run_sync(scope.cancel))
        await anyio.sleep_forever()
    assert scope.cancelled_caught
    with anyio.fail_after(60):
        await other.key_values.put("name", "value")
    assert await one.key_values.get("name") == "value"
    for record in (one, other):
        await record.database.close()


async def test_calls_on_one_account_do_not_wait_for_another_account_at_another_server(
    postgres: Postgres, tmp_path: Path
) -> None:
    store = postgres.database()
    caps = [{"per": "day", "limit": "10", "account": name} for name in (OFFICE, CLINIC)]
    shared = {"store_url": SecretStr(store), "state_key": SecretStr(KEY), "policy": {"paid": "allow"}, "budget": caps}
    done: list[str] = []
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path / "one", sandbox.voicetel, **shared))
        other = open_store(store, tmp_path / "other", KEY)
        async with connect(server) as client, anyio.create_task_group() as calls:

            async def order(account: str) -> None:
                wanted = {"numbers": [NEW[account]], "account": account}
                assert not (await client.call_tool("voicetel_order_numbers", wanted)).is_error
                done.append(account)

            def hold_office(_: Connection) -> None:
                anyio.from_thread.run_sync(calls.start_soon, order, OFFICE)
                anyio.from_thread.run(order, CLINIC)
                assert done == [CLINIC]

            paid = Hold("voicetel", Money(Decimal(1), "USD"), OFFICE)
            await other.database.write(hold_office, locks=locks_on_money(paid))
        assert done == [CLINIC, OFFICE]
        assert len(await sandbox.charges()) == 2
        await other.database.close()


async def test_the_password_of_the_database_is_in_no_error(postgres: Postgres, tmp_path: Path) -> None:
    url = make_url(postgres.database())
    addresses = [
        url.set(password=f"{PASSWORD}-wrong"),
        url.set(port=1),
        url.set(database="nowhere"),
        url.update_query_dict({"sslmode": "nonsense"}),
    ]
    for address in addresses:
        database = Database(address.render_as_string(hide_password=False))
        with pytest.raises(JournalUnavailable, match="The store cannot be written") as refused:
            await database.write(lambda _: None)
        assert "Harbor2026" not in str(refused.value)
        assert "Harbor2026" not in repr(refused.value.__cause__)
    assert "Harbor2026" not in repr(_settings(url.render_as_string(hide_password=False), "https://x.test", tmp_path))


async def test_a_server_that_is_gone_refuses_guarded_calls_and_lets_reads_go_on(tmp_path: Path) -> None:
    unreachable = f"postgresql+psycopg://operator:{PASSWORD.replace('@', '%40').replace('/', '%2F')}@127.0.0.1:1/none"
    async with sandboxes() as sandbox:
        _, server = server_for(_settings(unreachable, sandbox.voicetel, tmp_path))
        async with connect(server, person=Person()) as client:
            refused = await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
            assert refused.is_error
            assert "The store cannot be read" in getattr(refused.content[0], "text", "")
            assert "Harbor2026" not in refused.model_dump_json()
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
        assert await sandbox.writes() == []


class Balancer(httpx2.AsyncHTTPTransport):
    """Sends each request to another server than the one before."""

    def __init__(self, *servers: str) -> None:
        super().__init__()
        self.answered_by: set[str] = set()
        self._servers = cycle(servers)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        server = next(self._servers)
        self.answered_by.add(server)
        target = httpx2.URL(server)
        request.url = request.url.copy_with(host=target.host, port=target.port)
        request.headers["Host"] = f"{target.host}:{target.port}"
        return await super().handle_async_request(request)


def _two(store: str, url: str, folder: Path) -> tuple[tuple[Services, Any], tuple[Services, Any]]:
    """Build two servers with engines and folders of their own on one store."""
    one, other = (_settings(store, url, folder / name) for name in ("one", "other"))
    return server_for(one), server_for(other)


def _settings(store: str, url: str, folder: Path) -> Any:
    return settings_for(folder, url, store_url=SecretStr(store), state_key=SecretStr(KEY))


async def _note(record: Any, number: int) -> None:
    await record.audit.note("noted", principal=f"process {os.getpid()}", detail={"number": number})


async def test_old_actions_are_archived_and_verified_with_the_rest(postgres: Postgres, tmp_path: Path) -> None:
    record, file = open_store(postgres.database(), tmp_path, KEY), tmp_path / "archive.jsonl"
    await fill(record, OLD)
    archives, now = StoredArchives(record.database, record.audit), datetime.now(UTC)
    steps = archives.archive(file, before=SINCE, now=now, by="a test", passkeys=SignatureCheck())
    last = [progress async for progress in steps][-1]
    assert (last.step, last.units, last.changed) == ("done", OLD.count, 0)
    assert await record.journal.latest(1) == []
    rest = await check_record(record, by="a test", at=now)
    assert (rest.fits, rest.verdict.rows) == (True, 2)
    whole = await check_with_archives(record, [file], by="a test")
    assert (whole.fits, whole.verdict.rows) == (True, 3 * OLD.count + 3)
    await record.database.close()
