"""Finds the allowances that cover one call, as it is now."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clients.operation import Members, Operation, is_dry_run
from guard.accounts import Account
from guard.action import Principal
from guard.allowances.allowance import NO_COVER, Allowance, Cover, Use, use_of
from guard.allowances.conditions import Condition, Relation
from guard.allowances.fitness import fits, needs_lookup, why_never
from guard.allowances.record import AllowanceRecord
from guard.rules.policy import Decision, Policy
from guard.rules.quote import Quote
from guard.rules.recipients import read_members

FindMembers = Callable[[str], Members[Any]]
"""Makes the read of the numbers in a group of a provider, by the group's name or id."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else decides about a call beside its arguments."""

    policy: Policy
    demanded: Decision
    """The strictest that anything but policy demands of this very call: taint, repetition, bulk, an unknown price."""

    account: Account
    quote: Quote


@dataclass(frozen=True, slots=True)
class Coverage:
    """Finds what covers a call; asks the store only where policy alone stands against it."""

    record: AllowanceRecord
    groups: Mapping[str, FindMembers]
    """How to find the members of a group, by the provider's name."""

    async def find(self, call: Operation[Any], principal: Principal, about: Circumstances, at: datetime) -> Cover:
        """Return what covers a call; nothing where no allowance may, or none does."""
        if not may_cover(call, about):
            return NO_COVER
        spec = call.spec
        standing = await self.record.in_force(spec.tool_name, principal.name, at)
        use = use_of(about.quote)
        found = [one.id for one in standing if await self._covers(one, call, about, use, at)]
        return Cover(tuple(found), use)

    async def _covers(
        self, allowance: Allowance, call: Operation[Any], about: Circumstances, use: Use, at: datetime
    ) -> bool:
        terms = allowance.terms
        if terms.account not in (None, about.account.name, about.account.identity) or not _is_countable(allowance, use):
            return False
        known: dict[Condition, Collection[str]] = {}
        for condition, numbers in needs_lookup(call, terms):
            known[condition] = await self._look_up(condition, numbers, about.account, at)
        return fits(call, terms, known)

    async def _look_up(
        self, condition: Condition, numbers: Collection[str], account: Account, at: datetime
    ) -> Collection[str]:
        """Return those of a call's numbers that are what a condition asks for."""
        if condition.relation is Relation.TEXTED_US:
            return await self.record.texted_us(numbers, at - timedelta(days=condition.values[0]), at)
        find = self.groups.get(account.provider)
        if find is None:
            return ()
        found = await read_members([find(condition.values[0])], account.client)
        return () if found.unknown else found.numbers


def may_cover(call: Operation[Any], about: Circumstances) -> bool:
    """Return True if policy alone stands against a call, and an allowance may be for it at all.

    A session's own tightening stays: nobody but its user set it.
    """
    spec, policy = call.spec, about.policy
    if about.demanded is not Decision.ALLOW or why_never(type(call)) is not None or is_dry_run(call):
        return False
    quote = about.quote
    if quote.is_unknown or quote.recipients is None:
        return False
    return policy.decide(spec) in {Decision.ASK, Decision.PAGE} and not policy.is_tightened(spec)


def _is_countable(allowance: Allowance, use: Use) -> bool:
    """Return True if the allowance can count what the call costs."""
    if use.amount is None:
        return True
    money = allowance.terms.money
    return money is not None and money.most.currency == use.amount.currency
