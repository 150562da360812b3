"""`ringfence operators`: people with a name who answer, their roles, links, passkeys and sessions."""

from datetime import datetime
from typing import Annotated

import anyio
import typer
from rich.table import Table

from clients.shared.clock import SystemClock
from guard.operators.roles import Operator, Role
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    console,
    operator_command,
    plain,
    require_passcode,
    tell,
    with_store,
)
from server.console.urls import ROOT
from server.store.operators.operators import LINK_LIFETIME, Passkey
from server.store.operators.sessions import StoredSession

app = typer.Typer(help="Operators with a name: who may answer what assistants ask for.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the operator, such as anna or anna@example.com.")]


@app.command("list")
@operator_command
def list_operators(target: Target) -> None:
    """List operators with their roles and passkeys."""

    async def read(session: StoreSession) -> list[tuple[Operator, list[Passkey]]]:
        operators = session.store.operators
        return [(one, await operators.passkeys_of(one.name)) for one in await operators.all()]

    table = Table("Name", "Role", "Signs in with", "State")
    for operator, passkeys in anyio.run(lambda: with_store(read, target)):
        state = "enabled" if operator.is_enabled else f"disabled by {operator.disabled_by}"
        table.add_row(plain(operator.name), operator.role.value, plain(_ways(operator, passkeys)), plain(state))
    console.print(table)


@app.command()
@operator_command
def add(
    target: Target,
    name: Name,
    role: Annotated[Role, typer.Option(help="What the operator may do.")] = Role.APPROVER,
) -> None:
    """Add an operator, and print the link by which the operator enrols a passkey."""

    async def store(session: StoreSession) -> None:
        await require_passcode(session)
        await session.store.operators.add(name, role, by=OPERATOR, at=_now())
        session.tell(f"{name} is an operator now, as {role.value}.")
        await _print_link(session, name)

    anyio.run(lambda: with_store(store, target))


@app.command()
@operator_command
def link(target: Target, name: Name) -> None:
    """Print a new link by which an operator enrols a passkey; it works once, and links made before end."""

    async def store(session: StoreSession) -> None:
        await require_passcode(session)
        await _print_link(session, name)

    anyio.run(lambda: with_store(store, target))


@app.command()
@operator_command
def roles(
    target: Target,
    name: Annotated[str | None, typer.Argument(help="Name of the operator; without one, what roles are.")] = None,
    role: Annotated[Role | None, typer.Argument(help="The operator's role from now on.")] = None,
) -> None:
    """Say what each role may do, or give an operator another one."""
    if name is None or role is None:
        for one, does in _ROLES.items():
            tell(f"{one.value}: {does}")
        return

    async def store(session: StoreSession) -> None:
        await require_passcode(session)
        await session.store.operators.set_role(name, role, by=OPERATOR, at=_now())

    anyio.run(lambda: with_store(store, target))
    tell(f"{name} is {_article(role)} {role.value} now.")


@app.command()
@operator_command
def disable(target: Target, name: Name) -> None:
    """Disable an operator: sessions end, and what was approved but not sent counts no more."""

    async def store(session: StoreSession) -> None:
        await require_passcode(session)
        await session.store.operators.disable(name, by=OPERATOR, at=_now())

    anyio.run(lambda: with_store(store, target))
    tell(f"{name} is disabled.")


@app.command()
@operator_command
def enable(target: Target, name: Name) -> None:
    """Let an operator who was disabled sign in again."""

    async def store(session: StoreSession) -> None:
        await require_passcode(session)
        await session.store.operators.enable(name, by=OPERATOR, at=_now())

    anyio.run(lambda: with_store(store, target))
    tell(f"{name} may sign in again.")


@app.command("remove-passkey")
@operator_command
def remove_passkey(
    target: Target, passkey: Annotated[str, typer.Argument(help="Id of the passkey, or how it begins.")]
) -> None:
    """Remove a lost passkey, and end its operator's sessions; what it signed can still be checked."""

    async def store(session: StoreSession) -> Passkey:
        await require_passcode(session)
        return await session.store.operators.remove_passkey(passkey, by=OPERATOR, at=_now())

    removed = anyio.run(lambda: with_store(store, target))
    tell(f"The passkey {removed.label} of {removed.operator} is removed.")


@app.command()
@operator_command
def sessions(
    target: Target,
    end: Annotated[str | None, typer.Option(metavar="ID", help="End the session with this id.")] = None,
) -> None:
    """List the sessions that are open on the page, or end one."""
    if end is not None:
        _end_session(end, target)
        return

    async def read(session: StoreSession) -> list[StoredSession]:
        return await session.store.sessions.open(_now())

    table = Table("Id", "Operator", "Signed in with", "Since", "Browser")
    for one in anyio.run(lambda: with_store(read, target)):
        since = f"{one.created_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(one.id, plain(one.operator), one.via, since, plain(one.browser))
    console.print(table)


def _end_session(session_id: str, target: Target) -> None:
    async def store(session: StoreSession) -> bool:
        await require_passcode(session)
        return await session.store.sessions.end(session_id, by=OPERATOR, at=_now())

    ended = anyio.run(lambda: with_store(store, target))
    tell("The session is ended." if ended else "There is no open session with this id.")


async def _print_link(session: StoreSession, name: str) -> None:
    secret = await session.store.operators.open_enrolment(name, by=OPERATOR, at=_now())
    settings = session.settings
    base = settings.approvals.address or f"http://localhost:{settings.approvals.port}"
    hours = int(LINK_LIFETIME.total_seconds() // 3600)
    session.tell(
        f"Give {name} this link over a channel that only {name} reads. It works once, within {hours} hours:",
        f"{base.rstrip('/')}{ROOT}/enrol#{secret}",
    )
    if settings.approvals.address is None:
        session.tell(
            "It is for a browser on this machine, while a page is served: `ringfence approvals page`. "
            "For other machines set approvals.address to the page's own name behind TLS."
        )


_ROLES = {
    Role.VIEWER: "reads every page, and stops everything with the stop switch.",
    Role.APPROVER: "also approves and declines, and resumes after a stop.",
    Role.ADMIN: "also allows calls beforehand, disables operators and ends their sessions.",
}


def _ways(operator: Operator, passkeys: list[Passkey]) -> str:
    if operator.is_local:
        return "the passcode"
    keys = ", ".join(f"{one.label} ({one.id[:8]}, for {one.rp_id})" for one in passkeys)
    return keys or ("single sign-on" if operator.subject else "nothing yet")


def _article(role: Role) -> str:
    return "a" if role is Role.VIEWER else "an"


def _now() -> datetime:
    return SystemClock().now()
