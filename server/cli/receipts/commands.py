"""`ringfence receipts`: signed receipts of what was approved, declined and carried out, for others to check."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import anyio
import typer

from guard.receipts.keys import PublishedKeys
from guard.receipts.receipt import StoredReceipt
from guard.receipts.wording import receipt_lines
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    fail,
    operator_command,
    require_passcode,
    tell,
    with_store,
)

app = typer.Typer(help="Signed receipts that anybody can check.", no_args_is_help=True)

WRITTEN_FOR: Final = (
    "Receipts are written for what is approved, declined and carried out, since the store was upgraded to a version "
    "that writes them. What happened before stands in the audit log alone."
)


@app.command()
@operator_command
def export(
    target: Target,
    file: Annotated[Path, typer.Argument(help="File to write.")],
    since: Annotated[str | None, typer.Option(help="Only receipts since then, such as 2026-11-30.")] = None,
) -> None:
    """Write every receipt as a line, oldest first, and a signed end; `ringfence verify` checks the file."""
    since_moment = _read_moment(since) if since is not None else None
    lines = anyio.run(lambda: with_store(lambda session: session.store.receipts.export(since=since_moment), target))
    file.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))
    commands = target.store_settings().commands
    needed = commands.complete("Whoever checks them needs the public keys, too: `ringfence receipts keys`.")
    tell(f"Receipts written to {file}: {len(lines) - 1}. {needed}")


@app.command()
@operator_command
def show(
    target: Target,
    receipt_id: Annotated[str, typer.Argument(help="Id of a receipt, or of an action, plan or allowance.")],
) -> None:
    """Show a receipt in plain words, or all those of an action, a plan or an allowance."""
    is_id = receipt_id.startswith("rcp_")

    async def find(session: StoreSession) -> list[StoredReceipt]:
        if not is_id:
            return list(await session.store.receipts.of(receipt_id))
        found = await session.store.receipts.find(receipt_id)
        return [found] if found else []

    found = anyio.run(lambda: with_store(find, target))
    if not found:
        fail(f"There is no receipt {receipt_id}." if is_id else f"There is no receipt of {receipt_id}. {WRITTEN_FOR}")
    for one in found:
        tell(*receipt_lines(one))


@app.command()
@operator_command
def keys(
    target: Target,
    file: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
) -> None:
    """Write the public keys, with which others check receipts, and those of the operators' passkeys. None is secret."""

    async def read(session: StoreSession) -> PublishedKeys:
        await session.store.receipts.require_key()
        return await session.store.receipts.published_keys(with_passkeys=True)

    found = anyio.run(lambda: with_store(read, target))
    text = json.dumps(found.as_json(), indent=2) + "\n"
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        tell(f"Public keys written to {file}: {len(found.keys)}, and {len(found.passkeys or ())} of passkeys.")


@app.command()
@operator_command
def rotate(target: Target) -> None:
    """Replace the key that signs receipts, and destroy the old private key. Old receipts stay checkable."""

    async def replace_key(session: StoreSession) -> tuple[str, PublishedKeys]:
        await require_passcode(session)
        receipts = session.store.receipts
        return await receipts.replace_key(by=OPERATOR), await receipts.published_keys()

    receipt_id, found = anyio.run(lambda: with_store(replace_key, target))
    tell(f"Key {found.keys[-1].kid} signs receipts from now on, and the old private key is destroyed.")
    tell(f"Receipt {receipt_id} says so, signed with the old key.")
    again = "Publish the list of public keys again, with the old ones in it: `ringfence receipts keys`."
    tell(target.store_settings().commands.complete(again))


def _read_moment(text: str) -> datetime:
    """Read a day, which counts from its beginning in UTC, or a time."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"{text[:40]!r} is no day or time: write 2026-12-04 or 2026-12-04T18:00+01:00.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
