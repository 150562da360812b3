"""What the operator's rules demand of an approval: how many different people, and who they may be."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from clients.effects import Effect
from clients.spec import Spec
from guard.money import Money
from guard.operators.roles import ACCOUNT, LOCAL, Operator


@dataclass(frozen=True, slots=True)
class PricedCall:
    """A call with what an approval of it is worth."""

    spec: Spec
    account: str
    """Name of the account."""

    most: Money | None
    """The most that it costs; None where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Demands more of the approval of some calls than that one operator says yes."""

    place: str
    """Where it is set, as in `approvals.rules[0]`."""

    people: int = 1
    """How many different operators have to approve."""

    operators: frozenset[str] = frozenset()
    """Who may approve; every approver where it is empty."""

    above: Money | None = None
    """Only calls that cost more, together where they are one plan; an unknown price is more."""

    effects: frozenset[Effect] = frozenset()
    """Only calls with one of these effects; all where it is empty. So are the others."""

    is_irreversible: bool = False
    """Only calls that nothing undoes."""

    providers: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    toolsets: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()

    def applies(self, calls: Iterable[PricedCall]) -> bool:
        """Return True if the rule is about one of the calls, and they cost more than its amount together."""
        chosen = [call for call in calls if self._is_about(call)]
        return bool(chosen) and (self.above is None or _exceed(chosen, self.above))

    def _is_about(self, call: PricedCall) -> bool:
        spec = call.spec
        provider, toolset = spec.provider.name, spec.toolset
        return (
            (not self.effects or any(effect in spec.effect for effect in self.effects))
            and (not self.is_irreversible or spec.irreversible)
            and (not self.providers or provider in self.providers)
            and (not self.accounts or call.account in self.accounts)
            and (not self.toolsets or toolset in self.toolsets or f"{provider}.{toolset}" in self.toolsets)
            and (not self.operations or spec.tool_name in self.operations)
        )


@dataclass(frozen=True, slots=True)
class Demand:
    """What an approval of these calls needs. Without any rule: one operator, or the client's own user."""

    people: int = 1
    operators: frozenset[str] | None = None
    """Who may approve; None for every approver."""

    places: tuple[str, ...] = ()
    """Where the rules are set that say so."""

    @property
    def is_special(self) -> bool:
        """True where only operators whom the page knows can approve."""
        return bool(self.places)

    def admits(self, operator: str) -> bool:
        """Return True if the approval of this operator counts.

        Where several people are needed, the passcode counts for none of them: one person may know it beside a passkey.
        """
        if self.operators is not None and operator not in self.operators:
            return False
        return self.people == 1 or operator != LOCAL

    def missing(self, approvers: Collection[str]) -> int:
        """Return how many more operators have to approve."""
        return max(0, self.people - sum(1 for name in set(approvers) if self.admits(name)))

    @property
    def in_words(self) -> str:
        """Say what is needed, and which rule says so; empty where nothing is."""
        if not self.is_special:
            return ""
        among = f" of {', '.join(sorted(self.operators))}" if self.operators is not None else ""
        if self.people == 1:
            who = f"One{among} has" if among else "An operator has"
        else:
            who = f"{_COUNTS.get(self.people, str(self.people))} different operators{among} have"
        return f"{who} to approve this on the approval page ({', '.join(self.places)})."


NO_DEMAND: Final = Demand()
"""Nothing beyond what policy decides."""

_COUNTS: Mapping[int, str] = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}


@dataclass(frozen=True, slots=True)
class Approvers:
    """The rules about who approves what."""

    rules: tuple[ApprovalRule, ...] = ()
    owners: Mapping[str, str] = field(default_factory=dict[str, str])
    """The operator who owns the token of a principal, by the principal's name. Nobody approves what they ask for."""

    def demand(self, calls: Collection[PricedCall]) -> Demand:
        """Return what the approval of calls needs, which are one action or one plan."""
        found = Demand()
        for rule in self.rules:
            if rule.applies(calls):
                found = _with(found, rule)
        return found

    def owns(self, operator: Operator, principal: str) -> bool:
        """Return True if the operator owns the token of whoever asks, or signs in with the account that asks."""
        return self.owners.get(principal) == operator.name or operator.has_account(principal)

    def lacks_owner(self, principal: str) -> bool:
        """Return True if an account of the company's asks, and the settings do not say which operator it is.

        Its id alone does not rule out that whoever approves is the same person: a company's identity provider may name
        one person differently to each of its clients.
        """
        return principal.startswith(ACCOUNT) and principal not in self.owners


def _with(demand: Demand, rule: ApprovalRule) -> Demand:
    operators = demand.operators
    if rule.operators:
        operators = rule.operators if operators is None else operators & rule.operators
    return Demand(max(demand.people, rule.people), operators, (*demand.places, rule.place))


def _exceed(calls: Iterable[PricedCall], above: Money) -> bool:
    """Return True if calls cost more together. What is unknown or in another currency cannot be compared, and is."""
    total = Money(Decimal(0), above.currency)
    for call in calls:
        if call.most is None or (call.most.currency != above.currency and call.most.amount):
            return True
        if call.most.currency == above.currency:
            total = total + call.most
    return not total.is_at_most(above)
