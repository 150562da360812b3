"""Converts the operator's rules, as the settings have them, to those that the guard uses."""

from collections.abc import Mapping
from datetime import time, timedelta

from clients.effects import Effect
from guard.money import Money
from guard.operators.demand import ApprovalRule, Approvers
from guard.rules.budget import Cap
from guard.rules.compliance import Compliance, QuietHours
from guard.rules.destinations import Destinations
from guard.rules.policy import Decision, Policy
from guard.rules.rules import Rules
from server.settings.rules import ApprovalRuleSettings, PriceSettings, RuleSettings


def rules_of(settings: RuleSettings, policy: Policy) -> Rules:
    """Return the guard's rules, with a policy that the session may have tightened."""
    unknown = settings.policy.unknown_price
    return Rules(
        policy=policy,
        caps=tuple(Cap(cap.per, Money(cap.limit, cap.currency), cap.provider, cap.account) for cap in settings.budget),
        prices={name: Money(price.amount, price.currency) for name, price in settings.prices.items()},
        prices_by_account=_prices_by_account(settings.prices),
        approvers=Approvers(
            tuple(
                approval_rule_of(rule, f"approvals.rules[{number}]")
                for number, rule in enumerate(settings.approval_rules)
            ),
            settings.owners,
        ),
        unknown_price=None if unknown is None else Decision[unknown.upper()],
        destinations=Destinations(
            countries=frozenset(settings.destinations.countries),
            refused_prefixes=tuple(settings.destinations.refused_prefixes),
            home=settings.destinations.home,
        ),
        compliance=Compliance(
            quiet_hours=_quiet_hours(settings.compliance.quiet_hours),
            duplicate_window=timedelta(minutes=settings.compliance.duplicate_minutes),
            bulk_limit=settings.compliance.bulk_limit,
        ),
    )


def approval_rule_of(settings: ApprovalRuleSettings, place: str) -> ApprovalRule:
    """Return the guard's rule for approvals that is set at a place, such as `approvals.rules[0]`."""
    return ApprovalRule(
        place=place,
        people=settings.people,
        operators=frozenset(settings.operators),
        above=None if settings.above is None else Money(settings.above, settings.currency),
        effects=frozenset(effect for effect in Effect if effect.labels[0] in settings.effects),
        is_irreversible=settings.irreversible,
        providers=frozenset(settings.providers),
        accounts=frozenset(settings.accounts),
        toolsets=frozenset(settings.toolsets),
        operations=frozenset(settings.operations),
    )


def _prices_by_account(prices: Mapping[str, PriceSettings]) -> dict[str, dict[str, Money]]:
    found: dict[str, dict[str, Money]] = {}
    for tool, price in prices.items():
        for account, amount in price.accounts.items():
            found.setdefault(account, {})[tool] = Money(amount, price.currency)
    return found


def _quiet_hours(span: str | None) -> QuietHours | None:
    if span is None:
        return None
    start, _, end = span.partition("-")
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end))
