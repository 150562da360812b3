"""A later verification of the audit log goes on behind the last verified row, which nobody without the key can move."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.store.sealed.checkpoint import WHOLE_AFTER, WHOLE_BELOW, Checkpoint, Rows
from server.store.sealed.hash_chain import Head
from tests.operator_side import OperatorSide
from tests.record_file import change, rows

NUMBERS = [f"+1201555012{place}" for place in range(6)]
VERIFIED = "behind row 6, up to which it was verified on"


@pytest.fixture
async def operator(tmp_path: Path) -> OperatorSide:
    """Return an operator whose store has six rows in the audit log, which were verified."""
    operator = OperatorSide(tmp_path / "state")
    for number in NUMBERS:
        await operator.opt_out(number)
    assert "The audit log is intact: 6 rows.\n" in (await operator.run("audit", "verify")).stdout
    return operator


async def test_only_new_rows_are_read_and_which_those_are_is_said(operator: OperatorSide) -> None:
    await operator.opt_out("+12015550130")
    checked = await operator.run("audit", "verify", "--new")
    assert f"The audit log is intact: 1 rows {VERIFIED}" in checked.stdout
    assert "--all reads them again." in checked.stdout
    assert "intact: 0 rows behind row 7," in (await operator.run("audit", "verify", "--new")).stdout
    assert "intact: 7 rows.\n" in (await operator.run("audit", "verify", "--all")).stdout
    assert (await operator.run("audit", "verify", "--all", "--new")).exit_code == 2


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE audit SET detail = '{}' WHERE number = 7", "row 7 was changed"),
        ("DELETE FROM audit WHERE number = 7", "row 7 was removed"),
        ("DELETE FROM audit WHERE number >= 7", "row 7 and what came after it was cut off"),
        ("UPDATE audit SET mac = 'x' WHERE number = 6", "row 6 was changed"),
    ],
)
async def test_what_is_done_to_new_rows_or_the_last_verified_one_is_found(
    tampering: str, found: str, tmp_path: Path, operator: OperatorSide
) -> None:
    for number in ("+12015550130", "+12015550131"):
        await operator.opt_out(number)
    await change(tmp_path / "state", tampering)
    checked = await operator.run("audit", "verify", "--new")
    assert (checked.exit_code, checked.stdout) == (1, f"The audit log was tampered with: {found}.\n")


async def test_a_change_of_verified_rows_is_found_once_all_are_read_and_then_always(
    tmp_path: Path, operator: OperatorSide
) -> None:
    await change(tmp_path / "state", "UPDATE audit SET detail = '{}' WHERE number = 3")
    assert (await operator.run("audit", "verify", "--new")).exit_code == 0
    for options in ((), ("--new",), ("--all",)):
        assert "row 3 was changed" in (await operator.run("audit", "verify", *options)).stdout


@pytest.mark.parametrize("forged", ["", "x", "6 x", '{"row": {"number": 6}}'])
async def test_a_forged_checkpoint_is_none(forged: str, tmp_path: Path, operator: OperatorSide) -> None:
    await change(tmp_path / "state", "UPDATE audit SET detail = '{}' WHERE number = 3")
    await change(tmp_path / "state", "UPDATE facts SET value = ? WHERE name = 'audit checkpoint'", forged)
    assert "row 3 was changed" in (await operator.run("audit", "verify", "--new")).stdout


async def test_a_checkpoint_of_another_store_is_none(tmp_path: Path, operator: OperatorSide) -> None:
    other = OperatorSide(tmp_path / "other")
    for number in NUMBERS:
        await other.opt_out(number)
    await other.require_whole_audit()
    [theirs] = await rows(tmp_path / "other", "SELECT value FROM facts WHERE name = 'audit checkpoint'")
    await change(tmp_path / "state", "UPDATE facts SET value = ? WHERE name = 'audit checkpoint'", theirs["value"])
    assert "The audit log is intact: 6 rows.\n" in (await operator.run("audit", "verify", "--new")).stdout


def test_without_options_a_short_log_is_always_read_and_a_long_one_once_a_week() -> None:
    read = datetime(2026, 11, 21, 12, tzinfo=UTC)
    end = Checkpoint(
        row=Head(150_000, "mac"),
        at=read.isoformat(),
        by="a test",
        whole_at=read.isoformat(),
        read_from=1,
        rows=150_000,
        approvals=0,
        signed=0,
        gaps=0,
        receipts={},
        enrolled={},
    )
    soon = read + WHOLE_AFTER - timedelta(hours=1)
    assert Rows.AS_DUE.go_on(end, last=WHOLE_BELOW, now=soon)
    assert not Rows.AS_DUE.go_on(end, last=WHOLE_BELOW - 1, now=soon)
    assert not Rows.AS_DUE.go_on(end, last=WHOLE_BELOW, now=read + WHOLE_AFTER)
    assert Rows.NEW.go_on(end, last=1, now=read + 9 * WHOLE_AFTER)
    assert not Rows.ALL.go_on(end, last=WHOLE_BELOW, now=soon)
