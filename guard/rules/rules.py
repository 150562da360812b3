"""The operator's rules as the guard uses them: policy, caps, destinations, compliance and prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guard.money import Money
from guard.operators.demand import Approvers
from guard.rules.budget import Cap
from guard.rules.compliance import Compliance
from guard.rules.destinations import Destinations
from guard.rules.policy import Decision, Policy


@dataclass(frozen=True, slots=True)
class Rules:
    """Policy, caps, destinations, compliance and the operator's own prices."""

    policy: Policy = field(default_factory=Policy)
    caps: tuple[Cap, ...] = ()
    prices: Mapping[str, Money] = field(default_factory=dict[str, Money])
    """Worst case for one, by tool name, where the provider publishes no price."""

    prices_by_account: Mapping[str, Mapping[str, Money]] = field(default_factory=dict[str, Mapping[str, Money]])
    """The same where an account's is another, by the account's name."""

    unknown_price: Decision | None = None
    """What to do where no price is known. Not set: ask; where a cap applies, the operator names the most it costs."""

    approvers: Approvers = field(default_factory=Approvers)
    """Who may approve, and how many of them have to."""

    destinations: Destinations = field(default_factory=Destinations)
    compliance: Compliance = field(default_factory=Compliance)

    def policy_at(self, account: str) -> Policy:
        """Return the policy with what the operator decided for an account."""
        return self.policy.at(account)

    def prices_at(self, account: str) -> Mapping[str, Money]:
        """Return the operator's worst cases for an account, by tool name."""
        return {**self.prices, **self.prices_by_account.get(account, {})}

    def for_unknown_price(self, provider: str, account: str) -> Decision:
        """Return the decision for a call whose price is not known."""
        if self.unknown_price is not None:
            return self.unknown_price
        return Decision.PAGE if self.needs_bound(provider, account) else Decision.ASK

    def needs_bound(self, provider: str, account: str) -> bool:
        """Return True if a call of unknown price needs an approval that names the most it may cost."""
        return self.unknown_price is None and self.caps_money_at(provider, account)

    def for_uncapped_price(self) -> Decision:
        """Return the decision for a known price that none of the provider's caps can count."""
        return Decision.DENY if self.unknown_price is None else self.unknown_price

    def caps_money_at(self, provider: str, account: str) -> bool:
        """Return True if a cap counts what is spent there, in whatever currency."""
        return any(cap.counts_at(provider, account) for cap in self.caps)
