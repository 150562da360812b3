"""`ringfence doctor`: are the settings, the store and the providers in order?"""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import anyio
import typer

from server.cli.health_checks import Finding, examine_inferred, examine_provider, examine_store
from server.cli.terminal import console, plain
from server.services import Runtime
from server.settings.model import read_settings
from tools.provider import half_set_up

MARKS = {"ok": "[green]ok  [/]", "look": "[yellow]look[/]", "no": "[red]no  [/]"}


def doctor(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Check settings, store, credentials and reachability with harmless reads, and what inferred paths answer."""
    settings = read_settings(config)

    async def examine() -> bool:
        from server.http.app import runtime_for

        async with runtime_for(settings, sandbox=sandbox) as runtime:
            try:
                return [_told(finding) async for finding in _findings(runtime)].count("no") == 0
            finally:
                await runtime.close()

    if not anyio.run(examine):
        raise typer.Exit(1)


async def _findings(runtime: Runtime) -> AsyncGenerator[Finding]:
    for finding in await examine_store(runtime.record):
        yield finding
    unfinished = list(half_set_up(runtime.settings))
    for line in unfinished:
        yield Finding("settings", "no", line)
    if not (runtime.clients or unfinished):
        yield Finding("providers", "no", "none has credentials; docs/settings.md lists what each one needs")
    for client in runtime.clients.values():
        found = await examine_provider(client)
        yield found
        if found.state == "ok":
            async for finding in examine_inferred(client):
                yield finding


def _told(finding: Finding) -> str:
    console.print(MARKS[finding.state], plain(f"{finding.what}: {finding.detail}"), sep="  ")
    return finding.state
