"""Old actions move into a file, and the record stays as checkable as before: at every step, and after a kill at any."""

import json
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import anyio
import pytest

from benchmarks.scale.filling import Span, fill
from guard.action import State
from guard.money import Money
from guard.plans.plan import PlanState
from guard.rules.budget import Cap
from server.console.health.verification import check_record
from server.console.passkeys.audit_check import SignatureCheck
from server.store.archiving.archives import Progress, StoredArchives
from server.store.store import Store, open_store
from tests.connecting import connect, content_of, server_for, settings_for
from tests.operator_side import PASSCODE, OperatorSide
from tests.plans.jobs import customers, propose, texts
from tests.record_file import FILE, change, rows

ACTIONS = 12
ROWS = 1 + 3 * ACTIONS + 1
LAST_OLD = ROWS - 1
"""The last row of the old actions; what is behind it was written now."""

OLD = Span(ACTIONS, datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC))
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
INTACT = "The audit log is intact: "


@dataclass(frozen=True)
class Here:
    """A store with old actions, its operator, and where its archive goes."""

    folder: Path
    operator: OperatorSide
    file: Path
    ids: list[str]

    def store(self) -> Store:
        """Open the store once more."""
        return open_store(f"sqlite:///{self.folder / FILE}", self.folder)

    async def archive(self, *options: str, file: Path | None = None) -> str:
        """Archive with the command; return what it prints."""
        await self.operator.set_passcode()
        words = ("actions", "archive", str(file or self.file), *options)
        result = await self.operator.run(*words, typed=f"{PASSCODE}\n")
        assert result.exit_code == 0, result.output
        return result.stdout

    async def steps(self, most: int, *, now: datetime | None = None, before: datetime = SINCE) -> list[Progress]:
        """Do so many steps of archiving, and then nothing more, as if the process were killed."""
        store, done = self.store(), list[Progress]()
        now = now or datetime.now(UTC)
        archives = StoredArchives(store.database, store.audit)
        steps = archives.archive(self.file, before=before, now=now, by="a test", passkeys=SignatureCheck())
        async for progress in steps:
            done.append(progress)
            if len(done) == most:
                break
        await steps.aclose()
        await store.database.close()
        return done

    async def verify(self, *options: str) -> str:
        """Verify with the command; return what it prints."""
        return (await self.operator.run("audit", "verify", *options)).stdout

    async def count(self, table: str) -> int:
        """Return how many rows a table has."""
        [found] = await rows(self.folder, f"SELECT count(*) AS rows FROM {table}")  # noqa: S608 - names of ours
        return int(found["rows"])


@pytest.fixture
async def here(tmp_path: Path) -> Here:
    folder = tmp_path / "state"
    store = open_store(f"sqlite:///{folder / FILE}", folder)
    ids = await fill(store, OLD)
    await store.database.close()
    return Here(folder, OperatorSide(folder), tmp_path / "archive.jsonl", ids)


async def test_old_actions_move_into_a_file_and_everything_is_still_verified(here: Here) -> None:
    printed = await here.archive()
    assert f"`ringfence audit verify {here.file} --state-folder {here.folder}`" in printed
    assert f"archive.jsonl has rows 1 to {LAST_OLD} of the audit log, {ACTIONS} actions and 0 plans" in printed
    for table in ("actions", "action_texts", "holds", "tracked", "approvals"):
        assert await here.count(table) == 0, table
    assert f"{INTACT}2 rows behind row {LAST_OLD}. Those before are in archives" in await here.verify()
    alone = await here.verify(str(here.file))
    assert f"The archive is intact: {LAST_OLD} rows behind row 0, with {ACTIONS} actions and 0 plans" in alone
    together = await here.verify("--archive", str(here.file))
    assert f"{INTACT}{LAST_OLD + 2} rows, 1 archive among them" in together
    assert f"Archived: archive.jsonl has rows 1 to {LAST_OLD}" in (await here.operator.run("actions", "list")).stdout
    shown = await here.operator.run("actions", "show", here.ids[0])
    assert (shown.exit_code, f"{here.ids[0]} was moved into the archive archive.jsonl" in shown.stderr) == (2, True)
    missing = await here.operator.run("plans", "show", "plan_nothere")
    assert (missing.exit_code, "There is no plan plan_nothere." in missing.stderr) == (2, True)
    assert "number 2: " in (await here.operator.run("receipts", "show", here.ids[0])).stdout
    assert json.loads((await here.operator.run("audit", "export")).stdout.splitlines()[0])["number"] == LAST_OLD + 1


async def test_the_rest_goes_on_and_is_archived_behind_the_first_file(here: Here, tmp_path: Path) -> None:
    await here.archive()
    await here.operator.opt_out("+12015550130")
    exported = tmp_path / "export.jsonl"
    await here.operator.run("audit", "export", str(exported))
    assert f"{INTACT}3 rows" in await here.verify(str(exported))
    second = Here(here.folder, here.operator, tmp_path / "second.jsonl", here.ids)
    assert [one.step for one in await _archive_all(second)][-1] == "done"
    both = ("--archive", str(here.file), "--archive", str(second.file))
    assert f"{INTACT}{LAST_OLD + 4} rows, 2 archives among them" in await here.verify(*both)
    lacking = await here.operator.run("audit", "verify", "--archive", str(second.file))
    assert (lacking.exit_code, "The archive archive.jsonl is missing" in lacking.stdout) == (1, True)


async def test_a_process_that_ends_behind_any_step_leaves_a_record_that_fits_and_the_command_goes_on(
    tmp_path: Path,
) -> None:
    most = 1
    while True:
        folder = tmp_path / f"state{most}"
        store = open_store(f"sqlite:///{folder / FILE}", folder)
        ids = await fill(store, OLD)
        await store.database.close()
        here = Here(folder, OperatorSide(folder), tmp_path / f"{most}.jsonl", ids)
        done = await here.steps(most)
        assert INTACT in await here.verify(), done[-1]
        if done[-1].step == "done":
            break
        await here.archive()
        assert (await here.count("actions"), await here.count("archived")) == (0, ACTIONS), done[-1]
        assert f"{INTACT}{LAST_OLD + 2} rows" in await here.verify("--archive", str(here.file))
        most += 1
    assert most > 4


async def test_a_kill_between_two_batches_loses_nothing(here: Here) -> None:
    """A real process, which kills itself once the first rows are deleted."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    words = (sys.executable, "-m", "tests.server.killed_archiving", str(here.folder), str(here.file))
    process = await anyio.run_process(words, env=environment, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert await here.count("actions") == ACTIONS
    assert INTACT in await here.verify()
    await here.operator.set_passcode()
    other = await here.operator.run("actions", "archive", str(here.file) + "2", typed=f"{PASSCODE}\n")
    assert other.exit_code == 2
    await here.archive()
    assert await here.count("actions") == 0
    assert f"{INTACT}{LAST_OLD + 2} rows" in await here.verify("--archive", str(here.file))


async def test_another_archive_in_the_place_of_the_one_under_way_is_refused(here: Here, tmp_path: Path) -> None:
    await here.archive()
    await here.operator.opt_out("+12015550130")
    second = Here(here.folder, here.operator, tmp_path / "second.jsonl", here.ids)
    later = datetime.now(UTC) + timedelta(days=40)
    assert [one.step for one in await second.steps(2, now=later, before=later)] == ["written", "noted"]
    whole = second.file.read_bytes()
    second.file.write_bytes(here.file.read_bytes())
    before = await here.count("audit")
    refused = await here.operator.run("actions", "archive", str(second.file), typed=f"{PASSCODE}\n")
    assert (refused.exit_code, "not the archive that the store knows" in refused.stderr) == (2, True)
    assert await here.count("audit") == before
    second.file.write_bytes(whole)
    await second.archive()
    assert INTACT in await here.verify("--archive", str(here.file), "--archive", str(second.file))


@pytest.mark.parametrize(
    ("done_before", "statement", "found"),
    [
        ("written", "UPDATE audit SET detail = '{}' WHERE number = 3", "Row 3 of the audit log"),
        ("noted", "UPDATE audit SET detail = '{}' WHERE number = 3", "Row 3 of the audit log in the store is not"),
    ],
)
async def test_a_row_that_is_not_the_one_in_the_file_is_not_deleted(
    done_before: str, statement: str, found: str, here: Here
) -> None:
    await here.steps({"written": 1, "noted": 2}[done_before])
    await change(here.folder, statement)
    await here.operator.set_passcode()
    refused = await here.operator.run("actions", "archive", str(here.file), typed=f"{PASSCODE}\n")
    assert refused.exit_code == 2
    assert found in refused.stderr or "row 3 was changed" in refused.stderr
    assert await here.count("audit") >= LAST_OLD


async def test_an_action_that_changed_since_it_was_written_stays(here: Here) -> None:
    await here.steps(1)
    await change(here.folder, "UPDATE holds SET billionths = 5 WHERE action_id = ?", here.ids[3])
    assert "1 actions or plans changed meanwhile" in await here.archive()
    assert [row["id"] for row in await rows(here.folder, "SELECT id FROM actions")] == [here.ids[3]]
    assert INTACT in await here.verify("--archive", str(here.file))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE facts SET value = 'x' WHERE name = 'audit archived'", "row 1 was removed"),
        ("DELETE FROM facts WHERE name = 'audit archived'", "row 1 was removed"),
        ("UPDATE audit SET principal = 'x' WHERE number = 38", "row 38 was changed"),
        ("DELETE FROM audit WHERE number = 38", "row 38 was removed"),
        (
            "INSERT INTO audit SELECT 3, at, event, action_id, principal, detail, mac FROM audit WHERE number = 38",
            "row 3 was inserted",
        ),
    ],
)
async def test_tampering_behind_an_archive_is_found(statement: str, found: str, here: Here) -> None:
    await here.archive()
    await change(here.folder, statement)
    assert found in await here.verify()


async def test_tampering_with_the_file_is_found(here: Here) -> None:
    await here.archive()
    whole = here.file.read_bytes()
    lines = whole.splitlines(keepends=True)
    for changed, why in (
        (whole.replace(b'"proposed"', b'"approved"', 1), "was changed after it was written"),
        (b"".join([*lines[:5], *lines[6:]]), "was changed after it was written"),
        (b"".join(lines[:-1]), "is no archive, or a part of it is missing"),
        (whole.replace(b'"actions": 12', b'"actions": 11'), "was changed, or it was written with another key"),
    ):
        here.file.write_bytes(changed)
        for options in ((str(here.file),), ("--archive", str(here.file))):
            checked = await here.operator.run("audit", "verify", *options)
            assert (checked.exit_code, why in checked.stdout) == (1, True), checked.output


async def test_what_was_tampered_with_is_not_archived(here: Here) -> None:
    await change(here.folder, "UPDATE audit SET detail = '{}' WHERE number = 3")
    await here.operator.set_passcode()
    refused = await here.operator.run("actions", "archive", str(here.file), typed=f"{PASSCODE}\n")
    assert (refused.exit_code, "row 3 was changed. Nothing was archived." in refused.stderr) == (2, True)
    assert not here.file.exists()


async def test_what_may_still_count_is_refused_and_nothing_is_done_without_the_passcode(here: Here) -> None:
    await here.operator.set_passcode()
    for options, typed, why in (
        (("--before", "2999-01-01"), PASSCODE, "caps count this month, and the check for duplicates looks back"),
        (("--before", "soon"), PASSCODE, "'soon' is no day"),
        ((), "wrong", "passcode"),
    ):
        words = ("actions", "archive", str(here.file), *options)
        refused = await here.operator.run(*words, typed=f"{typed}\n")
        assert (refused.exit_code, why in refused.stderr) == (2, True), refused.stderr
    assert not here.file.exists()
    assert await here.count("actions") == ACTIONS


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE actions SET state = 'unknown' WHERE id = ?",
        "UPDATE actions SET state = 'sending' WHERE id = ?",
        "UPDATE actions SET finished_at = '2999-01-01T00:00:00.000000+00:00' WHERE id = ?",
        "UPDATE holds SET state = 'held' WHERE action_id = ?",
        "INSERT INTO plan_steps (plan_id, position, provider, account, operation, title, given, arguments, digest, "
        "quote, action_id, is_struck, reserved) VALUES ('plan_openopenop', 1, 'voicetel', 'a', 'o', 't', '{}', '{}', "
        "'d', '{}', ?, 0, 0)",
    ],
)
async def test_what_is_open_stays_in_the_store_with_its_approval(statement: str, here: Here) -> None:
    await change(here.folder, statement, here.ids[0])
    await here.archive()
    assert [row["id"] for row in await rows(here.folder, "SELECT id FROM actions")] == [here.ids[0]]
    assert await here.count("approvals") == 1
    assert INTACT in await here.verify()
    await change(here.folder, "UPDATE approvals SET statement = '{}'")
    assert "in the store is not the one on the audit log" in await here.verify()


async def test_what_an_allowance_counts_that_still_stands_stays(here: Here) -> None:
    until = (datetime.now(UTC) + timedelta(days=300)).isoformat(timespec="microseconds")
    await change(
        here.folder,
        "INSERT INTO allowances (id, operation, principal, conditions, count_most, count_window, until, note, "
        "created_at, created_by) VALUES ('al_a', 'o', 'p', '{}', 5, 'day', ?, '', ?, 'x')",
        until,
        until,
    )
    await change(
        here.folder,
        "INSERT INTO allowance_uses (allowance_id, at, count, billionths, action_id, state) "
        "VALUES ('al_a', ?, 1, 0, ?, 'counted')",
        until,
        here.ids[5],
    )
    await here.archive()
    assert [row["id"] for row in await rows(here.folder, "SELECT id FROM actions")] == [here.ids[5]]


async def test_an_approval_that_only_the_store_has_is_found_behind_an_archive(here: Here) -> None:
    await here.archive()
    await change(
        here.folder,
        "INSERT INTO approvals (about, operator, by, at, statement) VALUES ('act_x', 'local', 'me', '2024', '{}')",
    )
    assert "local's approval of act_x in the store is not the one on the audit log." in await here.verify()


async def test_a_server_elsewhere_whose_anchor_names_an_archived_row_misses_nothing(here: Here) -> None:
    anchor = here.folder / "audit.anchor"
    old = anchor.read_bytes()
    await _archive_all(here)
    anchor.write_bytes(old)
    store = here.store()
    assert await store.audit.find_gap() is None
    await store.audit.note("noted", principal="a test")
    await store.database.close()
    assert INTACT in await here.verify()
    assert anchor.read_bytes() != old


async def test_what_caps_count_does_not_change(here: Here) -> None:
    store = here.store()
    caps = [Cap("day", Money(Decimal(5))), Cap("month", Money(Decimal(5)), provider="voicetel")]
    then = OLD.at(ACTIONS - 1)
    before = [one.amount for one in await store.journal.spent(caps, then)]
    await here.archive()
    assert [one.amount for one in await store.journal.spent(caps, then)] == before
    assert before[0] > 0
    await store.database.close()


async def test_an_assistant_is_told_where_an_action_and_a_plan_are_and_neither_is_undone(tmp_path: Path) -> None:
    """What was done today is archived as if it were long ago."""
    settings = settings_for(tmp_path, policy={"paid": "allow"})
    services, server = server_for(settings)
    async with connect(server) as client:
        await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
        plan_id = (await propose(client, texts(customers(2))))["plan"]
        [action] = await services.store.journal.latest(1)
        assert await services.store.journal.move(action.id, {action.state}, State.DECLINED)
        assert await services.store.plans.move(plan_id, {PlanState.PROPOSED}, PlanState.DECLINED)
        later = datetime.now(UTC) + timedelta(days=40)
        archives = StoredArchives(services.store.database, services.store.audit)
        steps = archives.archive(
            tmp_path / "a.jsonl", before=later - timedelta(days=1), now=later, by="me", passkeys=SignatureCheck()
        )
        assert [one async for one in steps][-1].units == 2
        for tool, subject in product(("get_action", "undo_action"), (action.id, plan_id)):
            result = await client.call_tool(tool, {"action_id": subject})
            assert result.is_error
            assert f"{subject} was moved into the archive a.jsonl" in str(content_of(result))
        checked = await check_record(services.store, by="me", at=later)
        assert checked.fits
    await services.close()


async def _archive_all(here: Here) -> list[Progress]:
    """Archive everything that there is, as if it were long ago."""
    store = here.store()
    later = datetime.now(UTC) + timedelta(days=40)
    archives = StoredArchives(store.database, store.audit)
    passkeys = SignatureCheck()
    steps = archives.archive(here.file, before=later - timedelta(days=1), now=later, by="a test", passkeys=passkeys)
    done = [progress async for progress in steps]
    await store.database.close()
    return done
