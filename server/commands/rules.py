"""`ringfence policy`, `freeze`, `unfreeze` and `optouts`: the operator's rules."""

from pathlib import Path
from typing import Annotated

import anyio
import phonenumbers
import typer
from rich.table import Table

from clients.effects import Effect
from server.commands.terminal import Opened, Sandboxed, console, fail, opened_record, require_passcode
from server.settings import Settings, read_settings
from tools.catalog import catalogue, nearest

policy = typer.Typer(help="What is allowed, asked about, or forbidden.", no_args_is_help=True)
optouts = typer.Typer(help="Numbers whose owners want nothing sent.", no_args_is_help=True)

OPERATOR = "the operator, on the command line"


@policy.command()
def show() -> None:
    """Show the rules in force."""
    settings = read_settings()
    rules = Table("rule", "value", box=None, pad_edge=False)
    for name, value in _rules(settings):
        rules.add_row(name, value)
    console.print(rules)


@policy.command()
def check(config: Annotated[Path | None, typer.Argument(help="Settings file.")] = None) -> None:
    """Check the settings without starting anything."""
    read_settings(config)
    console.print("The settings fit.")


@policy.command()
def explain(tool: str) -> None:
    """Say what happens when a tool is called, and by which rule."""
    operation = catalogue().get(tool)
    if operation is None:
        close = ", ".join(nearest(tool, catalogue()))
        fail(f"There is no tool {tool}." + (f" Closest: {close}." if close else ""))
    settings = read_settings()
    ruling = settings.policy.policy().ruling(operation.spec)
    console.print(f"{tool}: {ruling.decision.word}, by {ruling.rule}", highlight=False)
    console.print(f"effect: {', '.join(operation.spec.effect.labels)}", highlight=False)


def freeze(sandbox: Sandboxed = False) -> None:
    """Stop every guarded action at once, in every process on this store. Needs no passcode: stopping is always safe."""
    anyio.run(lambda: opened_record(lambda opened: opened.record.freeze.freeze(OPERATOR), sandbox=sandbox))
    console.print("Frozen. Nothing guarded is sent until `ringfence unfreeze`.")


def unfreeze(sandbox: Sandboxed = False) -> None:
    """Let guarded actions go on."""

    async def lift(opened: Opened) -> None:
        await require_passcode(opened)
        await opened.record.freeze.unfreeze(OPERATOR)

    anyio.run(lambda: opened_record(lift, sandbox=sandbox))
    console.print("Guarded actions go on.")


@optouts.command("add")
def add_optouts(numbers: list[str], sandbox: Sandboxed = False) -> None:
    """Add numbers."""
    _add([_e164(number) for number in numbers], source=OPERATOR, sandbox=sandbox)


@optouts.command("import")
def import_optouts(file: Path, sandbox: Sandboxed = False) -> None:
    """Add the numbers in a text file, one a line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    _add([_e164(line) for line in lines if line.strip()], source=f"imported from {file.name}", sandbox=sandbox)


@optouts.command("remove")
def remove_optout(number: str, sandbox: Sandboxed = False) -> None:
    """Remove a number, so that it may be written to again."""

    async def remove(opened: Opened) -> bool:
        await require_passcode(opened)
        return await opened.record.optouts.remove(_e164(number))

    if not anyio.run(lambda: opened_record(remove, sandbox=sandbox)):
        fail(f"{number} is not among the opt-outs.")
    console.print(f"{number} is removed.")


@optouts.command("list")
def list_optouts(sandbox: Sandboxed = False) -> None:
    """List every number with where it came from."""
    found = anyio.run(lambda: opened_record(lambda opened: opened.record.optouts.all(), sandbox=sandbox))
    for number, source in found:
        console.print(f"{number}  {source}", highlight=False)
    if not found:
        console.print("Nobody opted out.")


def _add(numbers: list[str], *, source: str, sandbox: bool) -> None:
    added = anyio.run(
        lambda: opened_record(lambda opened: opened.record.optouts.add(numbers, source=source), sandbox=sandbox)
    )
    console.print(f"{added} added, {len(numbers) - added} were there.")


def _e164(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number.strip(), "US")
    except phonenumbers.NumberParseException:
        fail(f"{number.strip()} is not a telephone number; E.164 is expected, such as +12015550123.")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _rules(settings: Settings) -> list[tuple[str, str]]:
    policy_settings = settings.policy
    rows = [(f"policy.{effect.labels[0]}", getattr(policy_settings, effect.labels[0]).word) for effect in Effect]
    rows += [("policy.irreversible", policy_settings.irreversible.word)]
    for section in ("providers", "toolsets", "operations"):
        named = getattr(policy_settings, section)
        rows += [(f"policy.{section}.{name}", decision.word) for name, decision in named.items()]
    rows += [(f"tighten.{name}", decision.word) for name, decision in settings.tighten.items()]
    rows += [
        (f"budget per {cap.per}", f"{cap.limit} {cap.currency}" + (f" at {cap.provider}" if cap.provider else ""))
        for cap in settings.budget
    ]
    rows += [(f"prices.{name}", f"{price.amount} {price.currency}") for name, price in settings.prices.items()]
    rows += [("policy.unknown_price", policy_settings.unknown_price or "ask; deny where a cap applies")]
    rows += [("destinations.countries", ", ".join(settings.destinations.countries))]
    rows += [("compliance.quiet_hours", settings.compliance.quiet_hours or "none")]
    rows += [("compliance.duplicate_minutes", f"{settings.compliance.duplicate_minutes:g}")]
    rows += [("compliance.bulk_limit", str(settings.compliance.bulk_limit))]
    return rows
