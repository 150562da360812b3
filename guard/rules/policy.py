"""Which calls are allowed, need approval, or are forbidden. The most specific rule of the operator counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

from clients.effects import Effect, effects_in

if TYPE_CHECKING:
    from clients.spec import Spec


class Decision(IntEnum):
    """What policy says of a call, from free to forbidden. The stricter of two is the greater."""

    ALLOW = 0
    ASK = 1
    """The client's own form, else the operator."""

    PAGE = 2
    """Always out of band: the operator, never the client that runs the model."""

    DENY = 3

    @property
    def word(self) -> str:
        """As it is written in the settings."""
        return self.name.lower()


DEFAULT_BY_EFFECT: Mapping[Effect, Decision] = {
    Effect.READ: Decision.ALLOW,
    Effect.WRITE: Decision.ALLOW,
    Effect.PAID: Decision.ASK,
    Effect.REROUTES: Decision.ASK,
    Effect.DESTRUCTIVE: Decision.ASK,
    Effect.PRIVILEGED: Decision.ASK,
    Effect.OUTWARD: Decision.ASK,
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision and the rule it comes from."""

    decision: Decision
    rule: str


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """What the operator decided for one account, which counts before the rules for all of them."""

    by_effect: Mapping[Effect, Decision] = field(default_factory=dict[Effect, Decision])
    irreversible: Decision | None = None
    by_toolset: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    by_operation: Mapping[str, Decision] = field(default_factory=dict[str, Decision])


@dataclass(frozen=True, slots=True)
class Policy:
    """Decides by account, else operation, else toolset, else provider, else effect.

    By effect the strictest counts, and what no call brings back goes to the operator. `tightened_to` is what a session
    added, by any of the names in `names_of`: it can only make a decision stricter.
    """

    by_effect: Mapping[Effect, Decision] = field(default_factory=lambda: DEFAULT_BY_EFFECT)
    outward_is_set: bool = False
    """True if the operator decided about `outward`. Otherwise it decides only where no other effect is guarded, so that
    `paid = "allow"` allows messages and calls as it did before there was this effect."""

    irreversible: Decision = Decision.PAGE
    by_provider: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    by_toolset: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    by_operation: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    tightened_to: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    by_account: Mapping[str, AccountPolicy] = field(default_factory=dict[str, AccountPolicy])
    account: str | None = None
    """The account that is decided about; None where none of them has rules of its own."""

    def at(self, account: str) -> "Policy":
        """Return the policy for calls on an account."""
        return replace(self, account=account) if account in self.by_account else self

    def decide(self, spec: "Spec") -> Decision:
        """Return the decision for an operation."""
        return self.ruling(spec).decision

    def decide_dry_run(self, spec: "Spec") -> Decision:
        """Return the decision for a dry run of an operation, which by the documents does nothing.

        It runs where a person would be asked by effect. What a rule names, what a session tightens, what the operator
        alone approves, and what is forbidden stays as it is for the call itself.
        """
        decision = self.decide(spec)
        is_named = bool(self._specific(spec) or self._specific_to_account(spec)) or not names_of(spec).isdisjoint(
            self.tightened_to
        )
        return Decision.ALLOW if decision is Decision.ASK and not is_named else decision

    def ruling(self, spec: "Spec") -> Ruling:
        """Return the decision for an operation and the rule it comes from."""
        ruling = self.rulings(spec)[0]
        names = names_of(spec)
        for name, decision in self.tightened_to.items():
            if name in names and decision > ruling.decision:
                ruling = Ruling(decision, f"tighten.{name} = {decision.word}, for this session")
        return ruling

    def is_tightened(self, spec: "Spec") -> bool:
        """Return True if this session made the decision for an operation stricter."""
        return self.ruling(spec) != self.rulings(spec)[0]

    def rulings(self, spec: "Spec") -> list[Ruling]:
        """Every rule of the policy that speaks of an operation; the first one counts."""
        return [
            *self._specific_to_account(spec),
            *self._general_on_account(spec),
            *self._specific(spec),
            *self._general(spec),
        ]

    def guards(self, spec: "Spec") -> bool:
        """Return True if calls of this operation pass the guard: all but plain reads that are allowed."""
        return not spec.effect.is_plain_read or self.decide(spec) is not Decision.ALLOW

    def tightened(self, by_name: Mapping[str, Decision]) -> "Policy":
        """Return the same policy, stricter for these names."""
        return replace(self, tightened_to=by_name)

    @property
    def _own(self) -> AccountPolicy:
        return self.by_account[self.account] if self.account is not None else AccountPolicy()

    def _specific_to_account(self, spec: "Spec") -> list[Ruling]:
        candidates = (
            (self._own.by_operation, spec.tool_name, "operations"),
            (self._own.by_toolset, spec.toolset, "toolsets"),
        )
        return [
            Ruling(rules[name], f"policy.accounts.{self.account}.{where}.{name} = {rules[name].word}")
            for rules, name, where in candidates
            if name in rules
        ]

    def _general_on_account(self, spec: "Spec") -> list[Ruling]:
        """By effect, where the account has rules for one of them: its other effects are decided as everywhere."""
        own, deciding = self._own, self._deciding(spec.effect)
        named = {effect for effect in effects_in(deciding) if effect in own.by_effect}
        has_final = spec.irreversible and own.irreversible is not None
        if not named and not has_final:
            return []
        prefix = f"policy.accounts.{self.account}."
        rules = [
            (
                f"{prefix if effect in named else 'policy.'}{effect.labels[0]}",
                (own.by_effect if effect in named else self.by_effect)[effect],
            )
            for effect in effects_in(deciding)
        ]
        final = own.irreversible if own.irreversible is not None else self.irreversible
        rules += [(f"{prefix if has_final else 'policy.'}irreversible", final)] if spec.irreversible else []
        by_strictness = sorted(rules, key=lambda rule: rule[1], reverse=True)
        return [Ruling(decision, f"{name} = {decision.word}") for name, decision in by_strictness]

    def _specific(self, spec: "Spec") -> list[Ruling]:
        full_toolset = f"{spec.provider.name}.{spec.toolset}"
        candidates = (
            (self.by_operation, spec.tool_name, "policy.operations"),
            (self.by_toolset, full_toolset, "policy.toolsets"),
            (self.by_toolset, spec.toolset, "policy.toolsets"),
            (self.by_provider, spec.provider.name, "policy.providers"),
        )
        return [
            Ruling(rules[name], f"{where}.{name} = {rules[name].word}")
            for rules, name, where in candidates
            if name in rules
        ]

    def _general(self, spec: "Spec") -> list[Ruling]:
        """By effect, the strictest first; among equals in the order of the effects, what cannot be undone last."""
        deciding = self._deciding(spec.effect)
        rules = [(effect.labels[0], self.by_effect[effect]) for effect in effects_in(deciding)]
        rules += [("irreversible", self.irreversible)] if spec.irreversible else []
        by_strictness = sorted(rules, key=lambda rule: rule[1], reverse=True)
        return [Ruling(decision, f"policy.{name} = {decision.word}") for name, decision in by_strictness]

    def _deciding(self, effect: Effect) -> Effect:
        return _deciding(effect, outward_is_set=self.outward_is_set or Effect.OUTWARD in self._own.by_effect)


@cache
def _deciding(effect: Effect, *, outward_is_set: bool) -> Effect:
    """Return the effects that decide: `outward` does only where it is set, or no other one is guarded."""
    others = effect & ~Effect.OUTWARD
    return others if others.is_guarded and not outward_is_set else effect


def names_of(spec: "Spec") -> frozenset[str]:
    """Return the names by which a session may tighten an operation: effects, provider, toolset (two ways), tool."""
    toolset = f"{spec.provider.name}.{spec.toolset}"
    return frozenset({*spec.effect.labels, spec.provider.name, spec.toolset, toolset, spec.tool_name})
