"""`ringfence revoke`: ends a session at a provider that keeps one."""

from typing import Annotated

import anyio
import typer

from clients.errors import TelephonyError
from clients.shared.revocable import Revocable
from server.cli.terminal import Target, console, fail, operator_command
from server.services import Services
from server.simulation import services_for


@operator_command
def revoke(
    target: Target,
    account: Annotated[str, typer.Argument(help="A provider whose sessions can be revoked, or one of its accounts.")],
) -> None:
    """End this installation's session at a provider and delete its tokens; the next call logs in again."""
    settings = target.settings()

    async def end_session() -> tuple[bool, str]:
        async with services_for(settings, sandbox=target.sandbox) as services:
            try:
                return await _end_session(services, account)
            finally:
                await services.close()

    is_ended, message = anyio.run(end_session)
    if not is_ended:
        fail(message)
    console.print(message)


async def _end_session(services: Services, account: str) -> tuple[bool, str]:
    client = services.clients.get(account)
    if not isinstance(client, Revocable):
        keeping = [name for name, one in services.clients.items() if isinstance(one, Revocable)]
        known = f"{', '.join(keeping)} does" if keeping else "no provider that is set up does"
        return False, f"{account} is not set up here, or keeps no session that can be revoked; {known}."
    try:
        return True, "The session is revoked." if await client.revoke() else "There was no session to revoke."
    except TelephonyError as error:
        return False, f"{error} {error.advice}"
