"""`ringfence policy`: what is allowed, asked about, or forbidden, and by which rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from clients.effects import Effect
from guard.policy import Decision
from server.commands.terminal import console, fail
from server.rule_names import unknown_tool
from server.rule_review import providers_of, review
from server.runtime import session_policy
from server.settings import Settings, read_settings
from tools.catalog import OperationType, operation_named

app = typer.Typer(help="What is allowed, asked about, or forbidden.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file.")]

MEANING: Final = {
    Decision.ALLOW: "it is sent without a question",
    Decision.ASK: "the client's own form asks its user; where the client has none, the operator is asked",
    Decision.PAGE: "the operator is asked, on the approval page or the command line, never in the client",
    Decision.DENY: "it is refused, and nobody is asked",
}


@app.command()
def show(config: Config = None) -> None:
    """Show the rules in force, and which of them the settings changed."""
    table = Table("rule", "value", "set by", box=None, pad_edge=False)
    for name, value, is_set in _rules(read_settings(config)):
        table.add_row(name, value, "the settings" if is_set else "default")
    console.print(table)
    for decision, meaning in MEANING.items():
        console.print(f"{decision.word}: {meaning}.", markup=False, highlight=False)
    console.print("An operation's rule counts before its toolset's, then its provider's, then the strictest effect's.")


@app.command()
def check(config: Annotated[Path | None, typer.Argument(help="Settings file.")] = None) -> None:
    """Check the settings and every name in them without starting anything; say which rules never apply."""
    settings = read_settings(config)
    for line in review(settings):
        console.print(f"Note: {line}", markup=False, highlight=False, soft_wrap=True)
    console.print("The settings fit.")


@app.command()
def explain(tool: str, config: Config = None) -> None:
    """Say what happens when a tool is called, and by which rule."""
    operation = operation_named(tool)
    if operation is None:
        fail(f"{tool}: {unknown_tool(tool)}")
    for line in explained(operation, read_settings(config)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def explained(operation: OperationType, settings: Settings) -> Iterator[str]:
    """What the rules say of an operation, a line each."""
    spec, policy = operation.spec, session_policy(settings)
    ruling = policy.ruling(spec)
    yield f"{spec.tool_name}: {ruling.decision.word}, by {ruling.rule}"
    yield f"that is: {MEANING[ruling.decision]}"
    effects = ", ".join(spec.effect.labels) + (", cannot be undone" if spec.irreversible else "")
    yield f"effect: {effects}"
    for other in policy.rulings(spec):
        if other.rule != ruling.rule:
            yield f"also names it, and does not count: {other.rule}"
    if settings.read_only and not spec.effect.is_plain_read:
        yield "read_only is set: the tool is not shown"
    if spec.provider.name not in providers_of(settings):
        yield f"{spec.provider.title} is not set up, so every call is refused until it has credentials"
    if Effect.PAID in spec.effect:
        yield from _money(operation, settings)
    if not spec.effect.is_plain_read and ruling.decision < Decision.PAGE:
        limit, minutes = settings.compliance.bulk_limit, settings.compliance.duplicate_minutes
        yield (
            f"asked all the same: more than {limit} numbers or recipients at once (page), the same call within "
            f"{minutes:g} minutes, words of a stranger in the arguments"
        )


def _money(operation: OperationType, settings: Settings) -> Iterator[str]:
    spec = operation.spec
    caps = [cap for cap in settings.budget if cap.provider in {None, spec.provider.name}]
    for cap in caps:
        yield f"budget: {cap.limit} {cap.currency} per {cap.per}, {f'at {cap.provider}' if cap.provider else 'overall'}"
    price = settings.prices.get(spec.tool_name)
    if price is not None:
        yield f"where no price is known: {price.amount} {price.currency} for one is taken, from [prices]"
        return
    unknown = settings.policy.unknown_price or ("deny" if caps else "ask")
    why = "policy.unknown_price" if settings.policy.unknown_price else "because a cap applies" if caps else "by default"
    yield f"where no price is known: {unknown}, {why}"


def _rules(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    policy = settings.policy
    for name in (*(effect.labels[0] for effect in Effect), "irreversible"):
        yield f"policy.{name}", getattr(policy, name).word, name in policy.model_fields_set
    unknown = policy.unknown_price or "ask; deny where a cap applies"
    yield "policy.unknown_price", unknown, policy.unknown_price is not None
    for section in ("providers", "toolsets", "operations"):
        for name, decision in getattr(policy, section).items():
            yield f"policy.{section}.{name}", decision.word, True
    for name, decision in settings.tighten.items():
        yield f"tighten.{name}", decision.word, True
    for cap in settings.budget:
        where = f"at {cap.provider}" if cap.provider else "overall"
        yield f"budget per {cap.per}", f"{cap.limit} {cap.currency} {where}", True
    if not settings.budget:
        yield "budget", "no cap", False
    for name, price in settings.prices.items():
        yield f"prices.{name}", f"at most {price.amount} {price.currency} for one", True
    yield from _reach(settings)


def _reach(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    destinations, compliance = settings.destinations, settings.compliance
    shown = {
        "destinations.countries": ", ".join(destinations.countries) or "none",
        "destinations.refused_prefixes": ", ".join(destinations.refused_prefixes) or "none of your own",
        "destinations.home": destinations.home,
    }
    for name, value in shown.items():
        yield name, value, name.partition(".")[2] in destinations.model_fields_set
    limits = {
        "compliance.quiet_hours": compliance.quiet_hours or "none",
        "compliance.duplicate_minutes": f"{compliance.duplicate_minutes:g}",
        "compliance.bulk_limit": str(compliance.bulk_limit),
    }
    for name, value in limits.items():
        yield name, value, name.partition(".")[2] in compliance.model_fields_set
    yield "read_only", "yes" if settings.read_only else "no", settings.read_only
