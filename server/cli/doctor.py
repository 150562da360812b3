"""`ringfence doctor`: checks the installation, the settings, the store and the providers."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import typer

from guard.operator_commands import OperatorCommands
from server.cli.health_checks import (
    CheckResult,
    check_authorization_server,
    check_channels,
    check_collector,
    check_installation,
    check_provider,
    check_secrets_file,
    check_single_sign_on,
    check_store,
    check_undocumented,
    check_zone_data,
)
from server.cli.terminal import Target, console, operator_command, plain
from server.notices.channel import channels_of
from server.services import Services
from server.settings.model import Settings
from server.settings.secrets_file import secrets_beside
from server.simulation import services_for

MARKS = {"ok": "[green]ok  [/]", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}


@operator_command
def doctor(target: Target) -> None:
    """Check installation, settings, store and credentials, and try what no document shows, with harmless reads only."""
    if not anyio.run(lambda: report_checks(target)):
        raise typer.Exit(1)


async def report_checks(target: Target, *, undocumented: bool = True) -> bool:
    """Run the checks and print each; returns True if none failed. `undocumented` also tries what no document shows."""
    settings, secrets = target.settings(), secrets_beside(target.config)
    async with services_for(settings, sandbox=target.sandbox) as services:
        try:
            commands = services.settings.commands
            checks = _check_all(services, secrets, undocumented=undocumented)
            return [_report(result, commands) async for result in checks].count("fail") == 0
        finally:
            await services.close()


async def _check_all(services: Services, secrets: Path, *, undocumented: bool) -> AsyncGenerator[CheckResult]:
    zone_data = check_zone_data(has_quiet_hours=services.settings.compliance.quiet_hours is not None)
    local = (*check_installation(), zone_data, *check_secrets_file(secrets))
    for result in (*local, *await check_store(services.store), *await _check_sign_ins(services.settings)):
        yield result
    for result in await check_collector(services.settings.telemetry):
        yield result
    channels = channels_of(services.settings.notify)
    for result in await check_channels(channels, services.store, services.clock.now()) if channels else ():
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
        if undocumented and login.state == "ok":
            async for result in check_undocumented(client):
                yield result


def _report(result: CheckResult, commands: OperatorCommands) -> str:
    """Print one result and return its state."""
    console.print(MARKS[result.state], plain(commands.complete(f"{result.subject}: {result.detail}")), sep="  ")
    return result.state


async def _check_sign_ins(settings: Settings) -> list[CheckResult]:
    return [*await check_single_sign_on(settings), *await check_authorization_server(settings)]
