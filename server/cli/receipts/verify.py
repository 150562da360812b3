"""`ringfence verify`: checks a file of receipts on any machine, without settings, store, secret key or network."""

from pathlib import Path
from typing import Annotated

import typer

from guard.operators.approval import Assertion, Statement
from guard.receipts.keys import BadKeys, PublishedKeys, read_keys
from guard.receipts.receipt import SignedApproval
from guard.receipts.verification import DoesNotFit, Findings, check_file
from guard.receipts.wording import moment
from server.cli.terminal import fail, tell
from server.console.passkeys.ceremonies import BadPasskey, check_signature
from server.settings.text_files import read_text_file


def verify(
    file: Annotated[Path, typer.Argument(help="What `ringfence receipts export` wrote.")],
    keys: Annotated[Path, typer.Option(help="The published keys, as `ringfence receipts keys` writes them.")],
    known: Annotated[
        list[str] | None, typer.Option(help="Id of a receipt that you noted elsewhere; the file must hold it.")
    ] = None,
) -> None:
    """Check receipts that somebody gave you: every signature, the chain, and the end. Works without any settings."""
    published = _read_keys(keys)
    try:
        content = file.read_bytes()
    except OSError as unreadable:
        fail(f"{file} cannot be read: {unreadable.strerror}.")
    try:
        findings = check_file(content, published, passkeys=_Passkeys(), known=known or [])
    except DoesNotFit as wrong:
        tell(f"This file does not fit. {wrong}")
        raise typer.Exit(1) from None
    tell(*_summary(findings))


class _Passkeys:
    """Checks what passkeys signed, as the page did when they signed it."""

    def why_not(self, assertion: SignedApproval, public_key: str, statement: Statement) -> str:
        """Return why a signature is not that of a passkey under a statement; empty where it is."""
        try:
            check_signature(Assertion(**assertion.model_dump()), public_key, statement)
        except BadPasskey as bad:
            return str(bad)
        return ""


def _read_keys(file: Path) -> PublishedKeys:
    try:
        return read_keys(read_text_file(file))
    except OSError as unreadable:
        fail(f"{file} cannot be read: {unreadable.strerror}.")
    except (BadKeys, UnicodeDecodeError) as wrong:
        fail(f"{file} is no list of keys as `ringfence receipts keys` writes it: {wrong}")


def _summary(findings: Findings) -> list[str]:
    """Say what the file holds, and what it cannot show."""
    first, last, end = findings.first, findings.last, findings.end
    exported = f"exported {moment(end.exported_at)}" if end else ""
    if first is None or last is None:
        return [f"The file fits. It holds no receipt; it was {exported}."]
    lines = [
        f"Every receipt fits: {findings.receipts}, from number {first.number} of {moment(first.at)} to number "
        f"{last.number} of {moment(last.at)}, {exported}.",
        f"Signed with {', '.join(findings.keys)}: compare that with what the company published.",
    ]
    lines.append(
        f"Approved or declined: {findings.answers}, of which the passkey of a named operator signed {findings.signed}."
    )
    if findings.not_checked:
        lines.append(
            f"Signed by passkeys and not checked: {findings.not_checked}, because this list of keys names no passkeys. "
            "The operator has the whole list: `ringfence receipts keys`."
        )
    if first.number > 1:
        lines.append(f"Receipts 1 to {first.number - 1} are not in this file, and were not checked.")
    if findings.without_covered:
        lines.append(f"{findings.without_covered} name a digest without the text that it is of.")
    lines.append(f"What came after the export does not show here. The last receipt is {findings.ids[-1]}.")
    return lines
