"""The operator's commands, run on the store of a server that a test looks at."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread
from typer.testing import CliRunner

from server.cli.app import command_line

PASSCODE = "correct horse"


async def ringfence(folder: Path, *words: str, typed: str = "", more: Mapping[str, str] | None = None) -> str:
    """Run a command with a state folder, more variables, and lines typed on standard input; return what it printed."""
    runner, environment = CliRunner(), {"RINGFENCE_STATE_FOLDER": str(folder), **(more or {})}
    done = await anyio.to_thread.run_sync(
        lambda: runner.invoke(command_line(list(words)), list(words), typed, env=environment)
    )
    assert done.exit_code == 0, done.output
    return done.stdout


async def audit_rows(folder: Path, *, more: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Export the audit log of a store."""
    return [json.loads(line) for line in (await ringfence(folder, "audit", "export", more=more)).splitlines()]


async def set_operator_passcode(folder: Path, *, more: Mapping[str, str] | None = None) -> None:
    """Set the passcode of a store."""
    await ringfence(folder, "approvals", "passcode", typed=f"{PASSCODE}\n", more=more)
