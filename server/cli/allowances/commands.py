"""`ringfence allowances`: calls that the operator allows beforehand, within conditions, counts, money and a time."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
import typer
from pydantic import ValidationError
from rich.table import Table

from clients.operation import OperationType
from clients.shared.clock import SystemClock
from guard.action import rebuild_call
from guard.allowances.allowance import Allowance, AllowanceRequest, Terms, Usage
from guard.allowances.conditions import HOW_TO_WRITE
from guard.allowances.draft import Draft
from guard.allowances.fitness import why_never
from guard.allowances.suggestion import terms_like
from guard.allowances.wording import STILL_STANDS, brief, status_line, terms_lines, usage_line
from guard.errors import MayNotApprove
from guard.injection.reasons import in_marks, reason_line
from guard.messages import requester, shown
from guard.operators.roles import Role
from guard.replay.preview import Lookback, look_back
from server.cli.actions import find_action
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    console,
    fail,
    local_approver,
    operator_command,
    plain,
    require_passcode,
    tell,
    with_store,
)
from server.settings.allowances import fitness_of
from server.store.recorded.calls import RecordedCalls
from tools.operation_catalog import RegisteredOperations
from tools.registry import operation_named, operations_of, provider_names
from tools.suggestions import nearest_tools, reads_of

app = typer.Typer(help="Calls that you allow beforehand, within conditions.", no_args_is_help=True)

_REQUEST: Final = "alreq_"

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="What an argument must be, such as 'to_number starts with +1201' or 'text any'; may be repeated. "
        "`argument one of @FILE` takes the lines of a file.",
    ),
]


@app.command("list")
@operator_command
def list_allowances(
    target: Target,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List allowances, newest first, and what assistants ask for."""

    async def read(session: StoreSession) -> tuple[list[Allowance], dict[str, Usage], list[AllowanceRequest]]:
        book, now = session.store.allowances, SystemClock().now()
        found = await book.latest(limit)
        return found, dict(await book.usage(found, now)), await book.requests()

    found, usage, requests = anyio.run(lambda: with_store(read, target))
    if as_json:
        typer.echo(json.dumps([_facts(one, usage.get(one.id)) for one in found], default=str))
        return
    if requests:
        tell("Assistants ask for these, in their own words. None of them allows anything:")
        console.print(_requests_table(requests))
    console.print(_table(found, usage) if found else "There are no allowances.")


@app.command()
@operator_command
def show(target: Target, allowance_id: Annotated[str, typer.Argument(help="Id of an allowance or request.")]) -> None:
    """Show an allowance with what was let through, or what an assistant asks for."""

    async def read(session: StoreSession) -> list[str]:
        book, now = session.store.allowances, SystemClock().now()
        if allowance_id.startswith(_REQUEST):
            request = await book.find_request(allowance_id)
            if request is None:
                fail(f"There is no open request {allowance_id}.")
            return await _request_lines(session, request)
        found = await book.find(allowance_id)
        if found is None:
            fail(f"There is no allowance {allowance_id}.")
        usage = (await book.usage([found], now)).get(found.id)
        lines = terms_lines(operation_named(found.terms.operation), found.terms)
        return [*lines, f"Used: {usage_line(found, usage)}.", status_line(found, now)]

    tell(*anyio.run(lambda: with_store(read, target)))


@app.command()
@operator_command
def add(
    target: Target,
    operation: Annotated[str, typer.Argument(help="Tool name of the operation.")],
    who: Annotated[
        str,
        typer.Option(
            "--for", metavar="WHO", help="Who asks: token:NAME, 'oauth:ISSUER SUBJECT', or local:USER on stdio."
        ),
    ],
    count: Annotated[str, typer.Option(help="How many, such as 50/day; also /month and /total.")],
    until: Annotated[str, typer.Option(help="When it ends: a day, or a time such as 2026-12-04T18:00+01:00.")],
    where: Where = None,
    money: Annotated[str, typer.Option(help="How much money, such as '1.00 USD/day'; for what costs money.")] = "",
    account: Annotated[str, typer.Option(help="Only for this account, as `ringfence actions show` names it.")] = "",
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    request: Annotated[str | None, typer.Option(metavar="ID", help="The request that it answers.")] = None,
) -> None:
    """Allow calls beforehand. Says what that would have let through; needs the passcode."""
    made = _find_operation(operation)
    draft = Draft(
        principal=who,
        account=account,
        conditions=tuple(_with_file(line) for line in where or ()),
        count=count,
        money=money,
        until=until,
        note=note,
    )

    async def save(session: StoreSession) -> Allowance:
        book, now = session.store.allowances, SystemClock().now()
        if request is not None and await book.find_request(request) is None:
            fail(f"There is no open request {request}; nothing was saved.")
        terms = draft.read(made, now, fitness_of(session.settings))
        await _tell_terms(session, made, terms)
        await require_passcode(session)
        await _require_may_allow(session)
        return await book.add(terms, by=OPERATOR, at=now, request_id=request)

    saved = anyio.run(lambda: with_store(save, target))
    tell(f"{saved.id} is in force.")


async def _require_may_allow(session: StoreSession) -> None:
    """Refuse an allowance of the local operator where that one is disabled, or no admin any more.

    Raises:
        MayNotApprove: An admin with a name allows it on the page.
    """
    approver = await local_approver(session)
    if not approver.operator.role.includes(Role.ADMIN):
        raise MayNotApprove(
            f"The local operator is {approver.operator.role.value}, and an admin allows calls beforehand, on the page. "
            "Nothing was saved."
        )


@app.command()
@operator_command
def like(target: Target, action_id: Annotated[str, typer.Argument(help="Id of an action.")]) -> None:
    """Print the command that allows calls like one that was requested, for you to edit and run."""
    action = find_action(action_id, target)
    made = _find_operation(action.operation)
    if why := why_never(made):
        fail(why)
    try:
        call = rebuild_call(made, action.arguments)
    except ValidationError:
        fail(f"The call of {action_id} cannot be built again from the record.")
    terms = terms_like(action, call, SystemClock().now())

    async def describe(session: StoreSession) -> None:
        await _tell_terms(session, made, terms)

    anyio.run(lambda: with_store(describe, target))
    tell("", "Edit and run:", target.settings().commands.line(*_command(terms)))


@app.command()
@operator_command
def revoke(target: Target, allowance_id: str) -> None:
    """Revoke an allowance at once, also for calls that it approved and that were not sent; or dismiss a request."""

    async def end(session: StoreSession) -> str:
        book, now = session.store.allowances, SystemClock().now()
        if allowance_id.startswith(_REQUEST):
            if not await book.dismiss(allowance_id, by=OPERATOR, at=now):
                fail(f"There is no open request {allowance_id}.")
            return f"{allowance_id} is closed; nothing was allowed."
        found = await book.revoke(allowance_id, by=OPERATOR, at=now)
        if found is None:
            fail(f"There is no allowance {allowance_id}.")
        return status_line(found, now)

    tell(anyio.run(lambda: with_store(end, target)))


async def _tell_terms(session: StoreSession, operation: OperationType, terms: Terms) -> None:
    """Print what terms allow and what they would have let through."""
    session.tell(*terms_lines(operation, terms), STILL_STANDS, str(await _look_back(session, terms)))


async def _look_back(session: StoreSession, terms: Terms) -> Lookback:
    rules = session.settings.rules.rules(session.settings.session_policy())
    calls = RecordedCalls(session.store)
    return await look_back(calls, terms, rules, RegisteredOperations(), SystemClock().now())


async def _request_lines(session: StoreSession, request: AllowanceRequest) -> list[str]:
    """Word a request, with the command that would allow it."""
    operation = operation_named(request.terms.operation)
    lines = [
        f"{shown(requester(request.terms.principal))} asks for this allowance. It allows nothing until you add it.",
        reason_line(request.reason),
        "",
        *terms_lines(operation, request.terms),
    ]
    if operation is not None:
        lines.append(str(await _look_back(session, request.terms)))
    command = session.settings.commands.line(*_command(request.terms), "--request", request.id)
    dismiss = session.settings.commands.line("allowances", "revoke", request.id)
    return [*lines, "", "Edit and run, to allow it:", command, "To close the request:", dismiss]


def _command(terms: Terms) -> tuple[str, ...]:
    """Return the words of the command that adds an allowance."""
    draft = Draft.of(terms)
    where = (word for line in draft.conditions for word in ("--where", line))
    money = ("--money", draft.money) if draft.money else ()
    account = ("--account", draft.account) if draft.account else ()
    limits = ("--count", draft.count, *money, "--until", draft.until)
    return ("allowances", "add", terms.operation, "--for", terms.principal, *where, *limits, *account)


def _find_operation(name: str) -> OperationType:
    """Return the operation of a tool name; exit with 2 if there is none."""
    operation = operation_named(name)
    if operation is None:
        known = reads_of(one for provider in provider_names() for one in operations_of(provider).values())
        close = nearest_tools(name, known)
        fail(f"{name}: there is no such operation" + (f"; did you mean {close[0]}?" if close else "."))
    return operation


def _with_file(line: str) -> str:
    """Replace `@FILE` behind `one of` by the lines of the file; exit with 2 if it cannot be read."""
    head, separator, file = line.partition(" one of @")
    if not separator:
        return line
    try:
        text = Path(file.strip()).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as unread:
        fail(f"{file.strip()} cannot be read: {unread}. {HOW_TO_WRITE}")
    values = [json.dumps(value.strip()) for value in text.splitlines() if value.strip()]
    return f"{head} one of {', '.join(values)}"


def _table(found: list[Allowance], usage: dict[str, Usage]) -> Table:
    rows = Table("id", "state", "operation", "for", "conditions", "used", "until", box=None, pad_edge=False)
    now = SystemClock().now()
    for one in found:
        terms = one.terms
        conditions = "; ".join(str(condition) for condition in terms.conditions)
        until = f"{terms.until:%Y-%m-%d %H:%M}"
        used = usage_line(one, usage.get(one.id))
        cells = (one.id, one.status(now), terms.operation, terms.principal, conditions, used, until)
        rows.add_row(*(plain(cell) for cell in cells))
    return rows


def _requests_table(requests: list[AllowanceRequest]) -> Table:
    rows = Table("id", "operation", "for", "asks for", "reason", box=None, pad_edge=False)
    for one in requests:
        cells = (one.id, one.terms.operation, one.terms.principal, brief(one.terms), in_marks(one.reason))
        rows.add_row(*(plain(cell) for cell in cells))
    return rows


def _facts(one: Allowance, usage: Usage | None) -> dict[str, Any]:
    terms = one.terms
    facts = {"id": one.id, "state": one.status(SystemClock().now()), "operation": terms.operation}
    who = {"principal": terms.principal, "account": terms.account, "note": terms.note}
    limits = {"count": str(terms.count), "money": str(terms.money) if terms.money else None, "until": terms.until}
    used = {"used": usage.count if usage else 0, "spent": str(usage.money) if usage and usage.money else None}
    times = {"created_at": one.created_at, "created_by": one.created_by, "revoked_at": one.revoked_at}
    return {**facts, **who, "conditions": [str(each) for each in terms.conditions], **limits, **used, **times}
