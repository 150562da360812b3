"""`ringfence doctor`: are the settings, the store and the providers in order?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anyio
import typer

from clients.client import ApiClient
from clients.errors import NotFound, TelephonyError
from guard.errors import JournalUnavailable
from server.commands.terminal import console
from server.providers import SETUPS
from server.settings import read_settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    is_well: bool
    detail: str


def doctor(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Check settings, store, credentials and reachability with harmless reads."""
    settings = read_settings(config)

    async def examine() -> list[Finding]:
        from server.serving import runtime_for

        async with runtime_for(settings, sandbox=sandbox) as runtime:
            try:
                findings = [await _store(lambda: runtime.record.facts.get("passcode"))]
                if not runtime.clients:
                    findings.append(Finding("providers", False, "none has credentials; see the README's settings"))
                return findings + [await _provider(client) for client in runtime.clients.values()]
            finally:
                await runtime.close()

    findings = anyio.run(examine)
    for finding in findings:
        mark = "[green]ok[/]" if finding.is_well else "[red]no[/]"
        console.print(f"{mark}  {finding.what}: {finding.detail}", highlight=False)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


async def _store(read_passcode: Callable[[], Awaitable[str | None]]) -> Finding:
    try:
        passcode = await read_passcode()
    except JournalUnavailable as broken:
        return Finding("store", False, str(broken))
    hint = "" if passcode else "; no passcode is set yet: ringfence approvals passcode"
    return Finding("store", True, f"can be read and written{hint}")


async def _provider(client: ApiClient) -> Finding:
    """Reads something that is not limited: VoiceTel allows only 6 account reads an hour."""
    title = client.provider.title
    try:
        await client.send(SETUPS[client.provider.name].harmless_read())
    except NotFound:
        pass
    except TelephonyError as error:
        return Finding(title, False, f"{error} {error.advice}")
    return Finding(title, True, f"answers at {client.base_url}")
