"""`ringfence revoke`: ends a session at a provider that keeps one."""

from pathlib import Path
from typing import Annotated

import anyio
import typer

from clients.errors import TelephonyError
from server.cli.terminal import console, fail
from server.settings.model import read_settings
from server.simulation import services_for
from tools.convirza.client import Convirza


def revoke(
    provider: Annotated[str, typer.Argument(help="convirza: the only provider whose sessions can be revoked.")],
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """End this installation's session at a provider and delete its tokens; the next call logs in again."""
    settings = read_settings(config)

    async def end() -> tuple[bool, str]:
        async with services_for(settings, sandbox=sandbox) as services:
            client = services.clients.get(provider)
            if not isinstance(client, Convirza):
                return False, f"{provider} is not set up here, or its sessions cannot be revoked; convirza's can."
            try:
                return True, "The session is revoked." if await client.revoke() else "There was no session to revoke."
            except TelephonyError as error:
                return False, f"{error} {error.advice}"
            finally:
                await services.close()

    is_done, message = anyio.run(end)
    if not is_done:
        fail(message)
    console.print(message)
