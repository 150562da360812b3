"""`ringfence doctor`: checks the installation, the settings, the store and the providers."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import anyio
import typer

from server.cli.health_checks import (
    CheckResult,
    check_installation,
    check_provider,
    check_store,
    check_undocumented,
    check_zone_data,
)
from server.cli.terminal import console, plain
from server.services import Services
from server.settings.load import read_settings
from server.simulation import services_for

MARKS = {"ok": "[green]ok  [/]", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}


def doctor(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Check installation, settings, store and credentials, and try what no document shows, with harmless reads only."""
    settings = read_settings(config)

    async def check() -> bool:
        async with services_for(settings, sandbox=sandbox) as services:
            try:
                return [_report(result) async for result in _check_all(services)].count("fail") == 0
            finally:
                await services.close()

    if not anyio.run(check):
        raise typer.Exit(1)


async def _check_all(services: Services) -> AsyncGenerator[CheckResult]:
    zone_data = check_zone_data(has_quiet_hours=services.settings.compliance.quiet_hours is not None)
    for result in (*check_installation(), zone_data, *await check_store(services.store)):
        yield result
    unfinished = list(services.settings.unfinished_accounts())
    for line in unfinished:
        yield CheckResult("settings", "fail", line)
    if not (services.clients or unfinished):
        yield CheckResult("providers", "fail", "none has credentials; docs/settings.md lists what each one needs")
    for client in services.clients.values():
        login = await check_provider(client)
        yield login
        if login.state == "ok":
            async for result in check_undocumented(client):
                yield result


def _report(result: CheckResult) -> str:
    """Print one result and return its state."""
    console.print(MARKS[result.state], plain(f"{result.subject}: {result.detail}"), sep="  ")
    return result.state
