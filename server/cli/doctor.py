"""`ringfence doctor`: checks the installation, the settings, the store and the providers."""

from collections.abc import AsyncGenerator

import anyio
import typer

from guard.operator_commands import OperatorCommands
from server.cli.health_checks import (
    CheckResult,
    check_installation,
    check_provider,
    check_store,
    check_undocumented,
    check_zone_data,
)
from server.cli.terminal import Target, console, operator_command, plain
from server.services import Services
from server.simulation import services_for

MARKS = {"ok": "[green]ok  [/]", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}


@operator_command
def doctor(target: Target) -> None:
    """Check installation, settings, store and credentials, and try what no document shows, with harmless reads only."""
    settings = target.settings()

    async def check() -> bool:
        async with services_for(settings, sandbox=target.sandbox) as services:
            try:
                commands = services.settings.commands
                return [_report(result, commands) async for result in _check_all(services)].count("fail") == 0
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
    for name, client in services.clients.items():
        has_others = len(services.accounts_of(client.provider.name)) > 1
        login = await check_provider(client, services.settings.key_of(name), account=name if has_others else None)
        yield login
        if login.state == "ok":
            async for result in check_undocumented(client):
                yield result


def _report(result: CheckResult, commands: OperatorCommands) -> str:
    """Print one result and return its state."""
    console.print(MARKS[result.state], plain(commands.complete(f"{result.subject}: {result.detail}")), sep="  ")
    return result.state
