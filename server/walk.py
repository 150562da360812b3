"""The steps of `ringfence demo`, each checked for what it says."""

import os
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.prompt import Confirm

from sandbox.serving import serve_sandbox
from sandbox.voicetel import seed

PASSCODE = "demo-passcode"
PATIENCE_SECONDS = 120


class DemoFailed(Exception):
    """A step did not do what it says."""


class Walk:
    """One client session over a real child process, and what is told about it."""

    def __init__(self, folder: Path, console: Console, url: str, *, answers_yes: bool) -> None:
        self._console = console
        self._folder = folder
        self._url = url
        self._answers_yes = answers_yes
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")},
            "RINGFENCE_STATE_FOLDER": str(folder),
            "RINGFENCE_VOICETEL__API_KEY": seed.API_KEY,
            "RINGFENCE_VOICETEL__BASE_URL": f"{url}/voicetel",
            "RINGFENCE_TOOLSETS": "default",
            "RINGFENCE_APPROVALS__PAGE": "off",
        }
        self._step = 0

    async def run(self) -> None:
        """All steps in order.

        Raises:
            DemoFailed: A step did not do what it says.
        """
        command = [sys.executable, "-m", "ringfence"]
        child = StdioServerParameters(
            command=command[0], args=[*command[1:], "serve"], env=self._environment, cwd=self._folder
        )
        await self._operator("approvals", "passcode", typed=PASSCODE)
        async with Client(child, elicitation_callback=self._ask) as client:
            await self._list_tools(client)
            numbers = await self._search(client)
            await self._order(client, numbers)
            await self._refuse_release(client)
            await self._forward(client, numbers[0])
            await self._show_record(client)

    async def _list_tools(self, client: Client) -> None:
        tools = (await client.list_tools()).tools
        self._check("voicetel_order_numbers" in {tool.name for tool in tools}, "the tools are listed")
        self._say(f"The assistant sees {len(tools)} tools, all of them typed and annotated.")

    async def _search(self, client: Client) -> list[str]:
        found = await self._call(client, "voicetel_search_inventory", {"tn_mask": "415", "quantity": 3})
        numbers = [row["number"] for row in found["numbers"]][:2]
        self._check(len(numbers) == 2, "two numbers are found")
        self._say(f"Searched for numbers in 415: {', '.join(numbers)} are free.")
        return numbers

    async def _order(self, client: Client, numbers: list[str]) -> None:
        self._say("The assistant orders both. The guard quotes, and asks a person:")
        receipt = await self._call(client, "voicetel_order_numbers", {"numbers": numbers})
        self._check(receipt["numbers_ordered"] == numbers, "both numbers are ordered")
        charged = [row["amount"] for row in await self._ledger()]
        self._check(charged == ["2.00"], f"the provider charged once, 2.00 (it charged {charged})")
        order = f"action {receipt['action']}, order {receipt['order_id']}"
        self._say(f"Receipt: {order}, {receipt['amount_charged']} charged once.")

    async def _refuse_release(self, client: Client) -> None:
        owned = (await self._call(client, "voicetel_list_numbers", {"limit": 1}))["numbers"][0]["number"]
        first = await client.call_tool("voicetel_release_number", {"number": owned})
        waiting: dict[str, Any] = first.structured_content or {}
        self._check(first.is_error and waiting.get("state") == "proposed", "a release waits for the operator")
        self._say(f"The assistant tries to release {owned}. That cannot be undone: only the operator may answer.")
        await self._operator("approvals", "decline", waiting["action"], typed=PASSCODE)
        still = await self._call(client, "voicetel_get_number", {"number": owned})
        self._check(still["number"] == owned, "the number is still there")
        self._say(f"The operator declined on the command line; {owned} is still there.")

    async def _forward(self, client: Client, number: str) -> None:
        self._say("The assistant forwards the first new number. Live calls would go elsewhere, so a person is asked:")
        await self._call(client, "voicetel_set_forward", {"number": number, "destination": "+12125550142"})
        now = await self._call(client, "voicetel_get_number", {"number": number})
        self._check(now.get("forward_to") == "+12125550142", "the forward is set")
        self._say(f"Calls to {number} now go to {now['forward_to']}.")

    async def _show_record(self, client: Client) -> None:
        self._say("What was asked and what became of it:")
        self._console.print(await self._operator("actions", "list"), markup=False, highlight=False)
        account = await self._call(client, "voicetel_get_account", {})
        self._check(account["cash"] == "248.00 USD", f"the balance is 248.00 (it is {account['cash']})")
        self._say(f"Balance: {account['cash']}.")

    # ----------------------------------------------------------------------------------------------------------------

    async def _ask(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self._console.print(Panel(escape(params.message), title="Ringfence asks you", border_style="yellow"))
        if self._answers_yes:
            self._console.print("  Approve? yes (answered by the demo: --yes, or no terminal)", highlight=False)
            return ElicitResult(action="accept", content={"approve": True})
        agreed = await anyio.to_thread.run_sync(lambda: Confirm.ask("  Approve?", console=self._console, default=False))
        return ElicitResult(action="accept" if agreed else "decline", content={"approve": True} if agreed else None)

    async def _call(self, client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result: CallToolResult = await client.call_tool(tool, arguments)
        if result.is_error:
            raise DemoFailed(f"{tool}: {getattr(result.content[0], 'text', '')}")
        return dict(result.structured_content or {})

    async def _operator(self, *words: str, typed: str = "") -> str:
        """A command of the operator's, in a process of its own, with the passcode on standard input."""
        with anyio.fail_after(PATIENCE_SECONDS):
            done = await anyio.run_process(
                [sys.executable, "-m", "ringfence", *words],
                input=f"{typed}\n".encode(),
                env=self._environment,
                cwd=self._folder,
                check=False,
            )
        if done.returncode != 0:
            raise DemoFailed(f"ringfence {' '.join(words)}: {done.stderr.decode('utf-8').strip()}")
        return done.stdout.decode("utf-8").rstrip()

    async def _ledger(self) -> list[dict[str, Any]]:
        async with httpx2.AsyncClient() as http:
            charges: list[dict[str, Any]] = (await http.get(f"{self._url}/_control/ledger")).json()
        return charges

    def _check(self, held: bool, what: str) -> None:
        if not held:
            raise DemoFailed(f"expected that {what}")

    def _say(self, text: str) -> None:
        self._step += 1
        self._console.print(f"[bold]{self._step:>2}.[/] {escape(text)}", highlight=False)


async def walk(folder: Path, console: Console, *, answers_yes: bool) -> None:
    """Run the demo against a sandbox on loopback.

    Raises:
        DemoFailed: A step did not do what it says.
    """
    failed: DemoFailed | None = None
    async with serve_sandbox() as url:
        try:
            await Walk(folder, console, url, answers_yes=answers_yes).run()
        except* DemoFailed as group:
            failed = _first(group)
    if failed is not None:
        raise failed


def _first(group: BaseExceptionGroup[DemoFailed]) -> DemoFailed:
    """Task groups wrap what is raised in them, some of them twice."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
