"""`ringfence revoke`: ends a session at a provider that keeps one."""

from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

import anyio
import typer

from clients.errors import TelephonyError
from server.cli.terminal import console, fail
from server.settings.model import read_settings
from server.simulation import services_for


@runtime_checkable
class Revocable(Protocol):
    """A client whose session at the provider can be revoked."""

    async def revoke(self) -> bool:
        """End the session and delete its tokens; False if there was none."""
        ...


def revoke(
    provider: Annotated[str, typer.Argument(help="A provider whose sessions can be revoked.")],
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """End this installation's session at a provider and delete its tokens; the next call logs in again."""
    settings = read_settings(config)

    async def end() -> tuple[bool, str]:
        async with services_for(settings, sandbox=sandbox) as services:
            client = services.clients.get(provider)
            if not isinstance(client, Revocable):
                others = [name for name, other in services.clients.items() if isinstance(other, Revocable)]
                hint = f"; {', '.join(others)} does" if others else ""
                return False, f"{provider} is not set up here, or keeps no session that can be revoked{hint}."
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
