"""The operator of a server under test: at the command line, on the store that the server uses."""

import json
import threading
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
from argon2 import PasswordHasher
from mcp import Client
from mcp.types import CallToolResult
from typer.testing import CliRunner, Result

from guard.action import State
from server.cli.app import command_line
from tests import record_file

PASSCODE: Final = "correct horse"

OPERATOR: Final = "the operator, on the command line"
"""Who approved, as the command line records it."""

CHEAP_HASH: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSCODE)
"""The passcode as the store holds it, hashed at the least cost that argon2 allows.

Hashing takes a quarter of a second on purpose, and the tests approve hundreds of calls. How a passcode is set, changed
and refused is tested where the approval page and the command line are.
"""

_ONE_AT_A_TIME: Final = threading.Lock()
"""A command in this process has the environment and standard streams of the whole process to itself."""


class OperatorSide:
    """Approves, stops and looks up with `ringfence ...`, in this process and without a terminal."""

    def __init__(self, state_folder: Path, *, store_folder: Path | None = None, **variables: str) -> None:
        """`store_folder` is where the store's file lies, if it is not in the state folder, which always holds the keys.

        `variables` are further settings, as the environment names them.
        """
        self.folder = store_folder or state_folder
        self._environment = {"RINGFENCE_STATE_FOLDER": str(state_folder), **variables}
        if store_folder is not None:
            self._environment["RINGFENCE_STORE_URL"] = f"sqlite:///{store_folder / record_file.FILE}"
        self._has_passcode = False

    async def run(self, *words: str, typed: str = "") -> Result:
        """Run a command with what is typed at it, whatever becomes of it."""

        def run() -> Result:
            with _ONE_AT_A_TIME:
                return CliRunner().invoke(command_line(list(words)), words, typed, env=self._environment)

        return await anyio.to_thread.run_sync(run)

    async def approve(self, action_id: str, *more: str) -> None:
        """Approve an action, with more words behind the command."""
        await self._run_with_passcode("approvals", "approve", action_id, *more)

    async def approve_plan(self, plan_id: str, *options: str) -> str:
        """Approve a plan; return what the command prints."""
        return await self._run_with_passcode("plans", "approve", plan_id, *options)

    async def decline_plan(self, plan_id: str, *options: str, fails: bool = False) -> str:
        """Decline a plan, or cancel an approved one; return what the command prints."""
        if fails:
            result = await self.run("plans", "decline", plan_id, typed=f"{PASSCODE}\n")
            assert result.exit_code == 2
            return result.output
        return await self._run_with_passcode("plans", "decline", plan_id, *options)

    async def allow(self, operation: str, *options: str) -> str:
        """Add an allowance; return its id."""
        printed = await self._run_with_passcode("allowances", "add", operation, *options)
        return printed.split()[-4]

    async def list_allowances(self) -> list[dict[str, Any]]:
        """Return the allowances on the store, newest first, with what was let through."""
        allowances: list[dict[str, Any]] = json.loads(await self._run("allowances", "list", "--json"))
        return allowances

    async def decline(self, action_id: str, *options: str) -> None:
        """Decline an action, with options behind the command."""
        await self._run_with_passcode("approvals", "decline", action_id, *options)

    async def read_question(self, action_id: str) -> str:
        """Return what the operator reads before approving an action."""
        return await self._run("approvals", "show", action_id)

    async def list_actions(self, *, limit: int = 1000) -> list[dict[str, Any]]:
        """Return the actions on the store, newest first, with every field."""
        actions: list[dict[str, Any]] = json.loads(await self._run("actions", "list", "--json", f"--limit={limit}"))
        return actions

    async def list_plans(self) -> list[dict[str, Any]]:
        """Return the plans on the store, newest first."""
        plans: list[dict[str, Any]] = json.loads(await self._run("plans", "list", "--json"))
        return plans

    async def newest(self) -> dict[str, Any]:
        """Return the action that was proposed last."""
        [action] = await self.list_actions(limit=1)
        return action

    async def action(self, action_id: str) -> dict[str, Any]:
        """Return one action, with every field."""
        [found] = [action for action in await self.list_actions() if action["id"] == action_id]
        return found

    async def resolve(self, action_id: str, outcome: str) -> None:
        """Close an action whose outcome is unknown as `done` or `refused`."""
        await self._run_with_passcode("actions", "resolve", action_id, outcome)

    async def reconcile(self) -> str:
        """Have the providers checked for what became of unknown actions; return what the command prints."""
        return await self._run("actions", "reconcile")

    async def secrets(self, action_id: str) -> dict[str, str]:
        """Return the secrets kept for an action, by name."""
        printed = await self._run_with_passcode("secrets", action_id)
        return dict(line.split(": ", 1) for line in printed.splitlines())

    async def freeze(self) -> None:
        """Stop every guarded action."""
        await self._run("freeze")

    async def unfreeze(self) -> None:
        """Let guarded actions resume."""
        await self._run_with_passcode("unfreeze")

    async def opt_out(self, *numbers: str) -> None:
        """Record that the owners of these numbers want nothing sent."""
        await self._run("optouts", "add", *numbers)

    async def opted_out(self) -> list[str]:
        """Return the numbers whose owners want nothing sent."""
        return [line.split()[0] for line in (await self._run("optouts", "list")).splitlines() if line.startswith("+")]

    async def audit_rows(self) -> list[dict[str, Any]]:
        """Return the audit, oldest row first."""
        return [json.loads(line) for line in (await self._run("audit", "export")).splitlines()]

    async def export_receipts(self, *options: str) -> Path:
        """Export the receipts; return the file, which lies beside the state folder."""
        file = self.folder.parent / "receipts.jsonl"
        await self._run("receipts", "export", str(file), *options)
        return file

    async def receipt_keys(self) -> dict[str, Any]:
        """Return the public keys with which others check receipts."""
        keys: dict[str, Any] = json.loads(await self._run("receipts", "keys"))
        return keys

    async def rotate_receipt_key(self) -> str:
        """Replace the key that signs receipts; return what the command prints."""
        return await self._run_with_passcode("receipts", "rotate")

    async def accept_gap(self) -> str:
        """Accept that rows of the audit are missing; return what the command prints."""
        return await self._run_with_passcode("audit", "accept")

    async def require_whole_audit(self) -> None:
        """Fail unless the audit's chain is whole."""
        assert "The audit log is intact" in await self._run("audit", "verify")

    async def _run(self, *words: str, typed: str = "") -> str:
        """Run a command that must succeed; return what it prints."""
        result = await self.run(*words, typed=typed)
        assert result.exit_code == 0, result.output or result.exception
        return result.stdout

    async def set_passcode(self) -> None:
        """Set the passcode of the store, unless that was done before."""
        if not self._has_passcode:
            await record_file.change(self.folder, "INSERT OR REPLACE INTO facts VALUES ('passcode', ?)", CHEAP_HASH)
            self._has_passcode = True

    async def _run_with_passcode(self, *words: str) -> str:
        await self.set_passcode()
        return await self._run(*words, typed=f"{PASSCODE}\n")


async def call_approved(client: Client, operator: OperatorSide, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    """Call a tool; where only the operator may approve it, the operator does, and it is called again."""
    result = await client.call_tool(tool, arguments)
    content: dict[str, Any] = result.structured_content or {}
    if not result.is_error or content.get("state") != State.PROPOSED:
        return result
    await operator.approve(content["action"])
    return await client.call_tool(tool, arguments)
