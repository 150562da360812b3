"""`ringfence doctor`: are the settings, the store and the providers in order?"""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import anyio
import typer

from server.cli.health_checks import Finding, examine_inferred, examine_provider, examine_store
from server.cli.terminal import console, plain
from server.services import Services
from server.settings.load import read_settings

MARKS = {"ok": "[green]ok  [/]", "look": "[yellow]look[/]", "no": "[red]no  [/]"}


def doctor(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Check settings, store, credentials and reachability with harmless reads, and what inferred paths answer."""
    settings = read_settings(config)

    async def examine() -> bool:
        from server.process import services_for

        async with services_for(settings, sandbox=sandbox) as services:
            try:
                return [_told(finding) async for finding in _findings(services)].count("no") == 0
            finally:
                await services.close()

    if not anyio.run(examine):
        raise typer.Exit(1)


async def _findings(services: Services) -> AsyncGenerator[Finding]:
    for finding in await examine_store(services.store):
        yield finding
    unfinished = list(services.settings.unfinished_accounts())
    for line in unfinished:
        yield Finding("settings", "no", line)
    if not (services.clients or unfinished):
        yield Finding("providers", "no", "none has credentials; docs/settings.md lists what each one needs")
    for client in services.clients.values():
        found = await examine_provider(client)
        yield found
        if found.state == "ok":
            async for finding in examine_inferred(client):
                yield finding


def _told(finding: Finding) -> str:
    console.print(MARKS[finding.state], plain(f"{finding.what}: {finding.detail}"), sep="  ")
    return finding.state
