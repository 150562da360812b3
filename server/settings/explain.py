"""Explains the operator's rules: all that are in force, and those for one operation."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from clients.effects import Effect, WorstCase
from clients.operation import OperationType
from guard.operators.demand import Approvers, PricedCall
from guard.rules.policy import Decision
from server.settings.guard_rules import approval_rule_of
from server.settings.model import Settings
from server.settings.rules import BudgetSettings
from server.settings.toml_positions import Place
from tools.registry import operations_of, provider_names

MEANING: Final = {
    Decision.ALLOW: "it is sent without approval",
    Decision.ASK: "the user approves it in the client's form; where the client has no form, the operator approves it",
    Decision.PAGE: "the operator approves it, on the approval page or the command line, never in the client",
    Decision.DENY: "it is refused, and nobody can approve it",
}


def explain(operation: OperationType, settings: Settings, *, shown: Collection[str] | None = None) -> Iterator[str]:
    """Explain what the rules say about an operation, in one line each; `shown` are the accounts that are named."""
    spec, policy = operation.spec, settings.session_policy()
    ruling = policy.ruling(spec)
    accounts = _shown(settings.accounts_of(spec.provider.name), shown)
    yield f"{spec.tool_name}: {ruling.decision.word}, by {ruling.rule}"
    yield f"that is: {MEANING[ruling.decision]}"
    effects = ", ".join(spec.effect.labels) + (", cannot be undone" if spec.irreversible else "")
    yield f"effect: {effects}"
    for other in policy.rulings(spec):
        if other.rule != ruling.rule:
            yield f"does not count, although it names it: {other.rule}"
    for account in accounts if len(accounts) > 1 else ():
        own = policy.at(account).ruling(spec)
        if own.rule != ruling.rule:
            yield f"on account {account}: {own.decision.word}, by {own.rule}"
    if settings.read_only and not spec.effect.is_plain_read:
        yield "read_only is set: the tool is not shown"
    if spec.provider.name not in settings.set_up:
        yield f"{spec.provider.title} is not set up, so every call is refused until it has credentials"
    if Effect.PAID in spec.effect:
        yield from _money(operation, settings, accounts)
    yield from _people(operation, settings)
    if not spec.effect.is_plain_read and ruling.decision < Decision.PAGE:
        limit, minutes = settings.compliance.bulk_limit, settings.compliance.duplicate_minutes
        yield (
            f"needs approval in any case: more than {limit} numbers or recipients at once (page), the same call within "
            f"{minutes:g} minutes, arguments taken from text from outside"
            + (", a state before it that cannot be read" if spec.effect.is_plain_write else "")
        )


def _shown(accounts: Collection[str], shown: Collection[str] | None) -> list[str]:
    return [name for name in accounts if shown is None or name in shown]


def _people(operation: OperationType, settings: Settings) -> Iterator[str]:
    """Explain the rules about who approves an operation, and who alone; those about amounts apply from there on."""
    if operation.spec.effect.is_plain_read:
        return
    for number, rule in enumerate(settings.approvals.rules):
        found = approval_rule_of(rule, f"approvals.rules[{number}]")
        accounts = settings.accounts_of(operation.spec.provider.name) or (operation.spec.provider.name,)
        calls = [PricedCall(operation.spec, account, None) for account in accounts]
        if any(found.applies([call]) for call in calls):
            above = f" where it costs more than {found.above}, or nobody knows" if found.above is not None else ""
            yield f"on the approval page{above}: {Approvers((found,)).demand(calls).in_words}"


def _money(operation: OperationType, settings: Settings, accounts: Collection[str]) -> Iterator[str]:
    spec = operation.spec
    caps = [cap for cap in settings.budget if cap.provider in {None, spec.provider.name}]
    for cap in caps:
        if cap.account is None or cap.account in accounts:
            yield f"budget: {cap.limit} {cap.currency} per {cap.per}, {place_of(cap)}"
    price = settings.prices.get(spec.tool_name)
    if price is not None:
        yield f"where no price is known: {price.amount} {price.currency} for one is taken, from [prices]"
        for account in _shown(price.accounts, accounts):
            yield f"on account {account}: {price.accounts[account]} {price.currency}"
        return
    if spec.worst_case is not None:
        most, source = f"{spec.worst_case.amount} {spec.worst_case.currency}", spec.worst_case.source
        yield f"where no price is known: {most} for one is taken, from {source}, by default"
        return
    if settings.policy.unknown_price:
        yield f"where no price is known: {settings.policy.unknown_price}, policy.unknown_price"
    elif caps:
        yield "where no price is known: page, because a cap applies; the operator names the most that it may cost"
    else:
        yield "where no price is known: ask, by default"


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """One rule, and where it is set."""

    name: str
    value: str
    place: Place | None = None
    """Its key in the settings; None where a default applies."""

    @property
    def is_set(self) -> bool:
        """True if the settings changed it."""
        return self.place is not None


def where(rule: RuleInForce, settings: Settings) -> str:
    """Say what sets a rule: `ringfence.toml, line 12`, a variable, or `default`."""
    return str(settings.where_set(rule.place)) if rule.place is not None else "default"


def rules_in_force(settings: Settings, *, shown: Collection[str] | None = None) -> Iterator[RuleInForce]:
    """Yield every rule. `shown` are the accounts whose rules are shown; all if left out."""
    policy = settings.policy
    for name in (*(effect.labels[0] for effect in Effect), "irreversible"):
        place = ("policy", name) if name in policy.model_fields_set else None
        alone = ", where no other effect decides" if name == "outward" and place is None else ""
        yield RuleInForce(f"policy.{name}", getattr(policy, name).word + alone, place)
    unknown = policy.unknown_price or "ask; page with the most it may cost where a cap applies"
    yield RuleInForce("policy.unknown_price", unknown, ("policy", "unknown_price") if policy.unknown_price else None)
    for section in ("providers", "toolsets", "operations"):
        for name, decision in getattr(policy, section).items():
            yield RuleInForce(f"policy.{section}.{name}", decision.word, ("policy", section, name))
    yield from _rules_of_accounts(settings, shown)
    for name, decision in settings.tighten.items():
        yield RuleInForce(f"tighten.{name}", decision.word, ("tighten", name))
    for number, approval in enumerate(settings.approvals.rules):
        yield RuleInForce(f"approvals.rules[{number}]", approval.in_words, ("approvals", "rules", number))
    yield from _money_in_force(settings, shown)
    yield from _reach(settings)


def _rules_of_accounts(settings: Settings, shown: Collection[str] | None) -> Iterator[RuleInForce]:
    for account in _shown(settings.policy.accounts, shown):
        rules, at = settings.policy.accounts[account], ("policy", "accounts", account)
        for name in (*(effect.labels[0] for effect in Effect), "irreversible"):
            given: Decision | None = getattr(rules, name)
            if given is not None:
                yield RuleInForce(f"policy.accounts.{account}.{name}", given.word, (*at, name))
        for section in ("toolsets", "operations"):
            for name, decision in getattr(rules, section).items():
                yield RuleInForce(f"policy.accounts.{account}.{section}.{name}", decision.word, (*at, section, name))
    for provider, account in settings.default_accounts.items():
        if _shown([account], shown):
            yield RuleInForce(f"default_accounts.{provider}", account, ("default_accounts", provider))


def _money_in_force(settings: Settings, shown: Collection[str] | None) -> Iterator[RuleInForce]:
    for number, cap in enumerate(settings.budget):
        if cap.account is None or _shown([cap.account], shown):
            yield RuleInForce(f"budget per {cap.per}", cap_in_words(cap), ("budget", number))
    if not settings.budget:
        yield RuleInForce("budget", "no cap")
    for name, price in settings.prices.items():
        at = ("prices", name)
        yield RuleInForce(f"prices.{name}", f"at most {price.amount} {price.currency} for one", at)
        for account in _shown(price.accounts, shown):
            most = f"at most {price.accounts[account]} {price.currency} for one"
            yield RuleInForce(f"prices.{name}.accounts.{account}", most, (*at, "accounts", account))
    for name, worst in documented_worst_cases(settings.set_up or provider_names()).items():
        if name not in settings.prices:
            most = f"at most {worst.amount} {worst.currency} for one, from {worst.source}"
            yield RuleInForce(f"prices.{name}", most)


def cap_in_words(cap: BudgetSettings) -> str:
    """Say how much a cap allows, and where money counts against it."""
    return f"{cap.limit} {cap.currency} {place_of(cap)}"


def place_of(cap: BudgetSettings) -> str:
    """Say where money counts against a cap."""
    if cap.account is not None:
        return f"on account {cap.account}"
    return f"at {cap.provider}" if cap.provider else "overall"


def documented_worst_cases(providers: Iterable[str]) -> dict[str, WorstCase]:
    """Return the worst cases that providers' documents name, by tool: defaults that an entry in [prices] replaces."""
    return {
        tool: operation.spec.worst_case
        for name in providers
        for tool, operation in operations_of(name).items()
        if operation.spec.worst_case is not None
    }


def _reach(settings: Settings) -> Iterator[RuleInForce]:
    destinations, compliance = settings.destinations, settings.compliance
    shown = {
        ("destinations", "countries"): ", ".join(destinations.countries) or "none",
        ("destinations", "refused_prefixes"): ", ".join(destinations.refused_prefixes) or "none of your own",
        ("destinations", "home"): destinations.home,
        ("compliance", "quiet_hours"): compliance.quiet_hours or "none",
        ("compliance", "duplicate_minutes"): f"{compliance.duplicate_minutes:g}",
        ("compliance", "bulk_limit"): str(compliance.bulk_limit),
    }
    set_ones = {"destinations": destinations.model_fields_set, "compliance": compliance.model_fields_set}
    for (section, name), value in shown.items():
        yield RuleInForce(f"{section}.{name}", value, (section, name) if name in set_ones[section] else None)
    yield RuleInForce(
        "read_only", "yes" if settings.read_only else "no", ("read_only",) if settings.read_only else None
    )
