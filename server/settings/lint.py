"""Finds valid rules that do not do what they seem to: they never apply, overrule a stricter one, or tighten nothing."""

from collections.abc import Iterator, Sequence

from phonenumbers import SUPPORTED_REGIONS

from clients.effects import Effect
from clients.operation import OperationType
from guard.rules.policy import Decision, Policy, Ruling, names_of
from guard.rules.time_zones import describe_missing_zones, find_missing_zones
from server.settings.corrections import reach_of
from server.settings.model import Settings, TokenSettings
from tools.registry import operation_named, operations_of, provider_names

_NO_DECISIONS = {"accounts", "providers", "toolsets", "operations", "unknown_price"}
"""Keys of [policy] that hold no decision of their own."""

EXAMPLES = 3
"""Names listed in a sentence before the rest is counted."""


def lint(settings: Settings) -> list[str]:
    """Return what an operator should know about valid rules, one sentence each."""
    found: list[str] = list(settings.unfinished_accounts())
    if not settings.set_up:
        found.append("No provider has credentials here, so the rules are checked as if all had.")
    found += _find_rules_of_absent_providers(settings)
    found += _find_unused_rules(settings)
    found += _find_overruling_rules(settings)
    found += _find_unneeded_prices_and_paths(settings)
    found += reach_of(settings)
    found += _find_unknown_countries(settings)
    found += _find_missing_zone_data(settings)
    return found + ineffective_tightenings(settings)


def ineffective_tightenings(settings: Settings) -> list[str]:
    """Return the entries of `tighten` that make nothing stricter, one sentence each."""
    policy = settings.policy.policy()
    operations = _in_use(settings)
    lines: list[str] = []
    for name, decision in settings.tighten.items():
        meant = [operation for operation in operations if name in names_of(operation.spec)]
        if all(policy.decide(operation.spec) >= decision for operation in meant):
            why = (
                f"every call it means is decided as strictly by {_rules(policy, meant)}" if meant else "no call has it"
            )
            lines.append(
                f"tighten {name}={decision.word} has no effect: {why}. A session can only make the policy stricter."
            )
    return lines


def _in_use(settings: Settings) -> list[OperationType]:
    names = settings.set_up or provider_names()
    return [operation for name in names for operation in operations_of(name).values()]


def _find_rules_of_absent_providers(settings: Settings) -> Iterator[str]:
    present = settings.set_up or provider_names()
    policy = settings.policy
    named = [(f"policy.providers.{name}", name) for name in policy.providers]
    named += [(f"policy.toolsets.{name}", name.partition(".")[0]) for name in policy.toolsets if "." in name]
    for section, tools in (
        ("policy.operations", policy.operations),
        ("prices", settings.prices),
        ("paths", settings.paths),
        ("corrections", settings.corrections),
    ):
        named += [(f"{section}.{tool}", tool.partition("_")[0]) for tool in tools]
    named += [(f"budget[{n}].provider", cap.provider) for n, cap in enumerate(settings.budget, 1) if cap.provider]
    for key, provider in named:
        if provider not in present:
            yield f"{key}: {provider} is not set up, so this never applies."
    if not settings.set_up:
        return
    by_account = [(f"policy.accounts.{name}", name) for name in policy.accounts]
    by_account += [(f"budget[{n}].account", cap.account) for n, cap in enumerate(settings.budget, 1) if cap.account]
    by_account += [(f"default_accounts.{provider}", name) for provider, name in settings.default_accounts.items()]
    for holder, token in settings.http.tokens.items():
        if isinstance(token, TokenSettings):
            by_account += [(f"http.tokens.{holder}.accounts", name) for name in token.accounts or ()]
    for key, account in by_account:
        if account not in settings.account_names:
            yield f"{key}: the account {account} is not set up, so this never applies."


def _find_unused_rules(settings: Settings) -> Iterator[str]:
    """Yield rules that only name calls which other rules decide."""
    policy = settings.policy.policy()
    decided: dict[str, list[OperationType]] = {}
    naming: dict[str, list[OperationType]] = {}
    for operation in _in_use(settings):
        rulings = policy.rulings(operation.spec)
        decided.setdefault(rulings[0].rule, []).append(operation)
        for ruling in rulings:
            naming.setdefault(ruling.rule, []).append(operation)
    for rule in _rules_set_in(settings, policy):
        if rule in naming and rule not in decided:
            yield f"{rule} never applies: {_rules(policy, naming[rule])} decides instead."


def _find_overruling_rules(settings: Settings) -> Iterator[str]:
    """Yield rules for a whole provider or toolset that allow more for what cannot be undone."""
    policy = settings.policy.policy()
    loosened: dict[str, list[str]] = {}
    for operation in _in_use(settings):
        ruling = policy.rulings(operation.spec)[0]
        is_broad = ruling.rule.startswith(("policy.providers.", "policy.toolsets."))
        if is_broad and operation.spec.irreversible and ruling.decision < policy.irreversible:
            loosened.setdefault(ruling.rule, []).append(operation.spec.tool_name)
    for rule, tools in loosened.items():
        yield (
            f"{rule} counts before policy.irreversible = {policy.irreversible.word}, also for {_name_calls(tools)}, "
            "which cannot be undone."
        )


def _find_unneeded_prices_and_paths(settings: Settings) -> Iterator[str]:
    for tool in settings.prices:
        operation = operation_named(tool)
        if operation is not None and Effect.PAID not in operation.spec.effect:
            yield f"prices.{tool}: no charge is documented for it, so this price is never used."
    for tool in settings.paths:
        operation = operation_named(tool)
        if operation is not None and operation.spec.basis.path == "documented":
            yield f"paths.{tool}: the documented path is {operation.spec.path}; this one is used instead."


def _find_unknown_countries(settings: Settings) -> Iterator[str]:
    for country in settings.destinations.countries:
        if country not in SUPPORTED_REGIONS:
            yield f"destinations: no telephone number belongs to {country}; the United Kingdom is GB, for one."


def _find_missing_zone_data(settings: Settings) -> Iterator[str]:
    missing = find_missing_zones() if settings.compliance.quiet_hours is not None else ()
    if missing:
        yield f"compliance.quiet_hours: {describe_missing_zones(missing)}. Paid calls to numbers there are refused."


def _rules_set_in(settings: Settings, policy: Policy) -> Iterator[str]:
    """Yield the rules that the settings set, as rulings spell them."""
    for name in sorted(settings.policy.model_fields_set - _NO_DECISIONS):
        decision: Decision = getattr(settings.policy, name)
        yield f"policy.{name} = {decision.word}"
    for section, rules in (
        ("providers", policy.by_provider),
        ("toolsets", policy.by_toolset),
        ("operations", policy.by_operation),
    ):
        yield from (f"policy.{section}.{name} = {decision.word}" for name, decision in rules.items())


def _rules(policy: Policy, operations: Sequence[OperationType]) -> str:
    first: list[Ruling] = [policy.rulings(operation.spec)[0] for operation in operations]
    return _join_examples(list(dict.fromkeys(ruling.rule for ruling in first)), " or ")


def _name_calls(names: Sequence[str]) -> str:
    return f"{len(names)} call{'s' if len(names) > 1 else ''} ({_join_examples(names, ', ')})"


def _join_examples(names: Sequence[str], between: str) -> str:
    more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
    return between.join(names[:EXAMPLES]) + more
