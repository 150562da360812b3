"""`ringfence revoke`: ends a session at a provider that keeps one."""

from pathlib import Path
from typing import Annotated

import anyio
import typer

from clients.errors import TelephonyError
from clients.shared.revocable import Revocable
from server.cli.terminal import console, fail
from server.services import Services
from server.settings.load import read_settings
from server.simulation import services_for


def revoke(
    provider: Annotated[str, typer.Argument(help="A provider whose sessions can be revoked.")],
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """End this installation's session at a provider and delete its tokens; the next call logs in again."""
    settings = read_settings(config)

    async def end_session() -> tuple[bool, str]:
        async with services_for(settings, sandbox=sandbox) as services:
            try:
                return await _end_session(services, provider)
            finally:
                await services.close()

    is_ended, message = anyio.run(end_session)
    if not is_ended:
        fail(message)
    console.print(message)


async def _end_session(services: Services, provider: str) -> tuple[bool, str]:
    client = services.clients.get(provider)
    if not isinstance(client, Revocable):
        keeping = [name for name, one in services.clients.items() if isinstance(one, Revocable)]
        known = f"{', '.join(keeping)} does" if keeping else "no provider that is set up does"
        return False, f"{provider} is not set up here, or keeps no session that can be revoked; {known}."
    try:
        return True, "The session is revoked." if await client.revoke() else "There was no session to revoke."
    except TelephonyError as error:
        return False, f"{error} {error.advice}"
