"""Which calls are allowed, asked about, or forbidden. The most specific rule of the operator counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from clients.effects import Effect
from clients.operation import Spec


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
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision and the rule it comes from."""

    decision: Decision
    rule: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Decides by operation, else toolset, else provider, else effect.

    By effect the strictest counts, and what no call brings back goes to the operator. `tightened_to` is what a session
    added: it can only make a decision stricter.
    """

    by_effect: Mapping[Effect, Decision] = field(default_factory=lambda: DEFAULT_BY_EFFECT)
    irreversible: Decision = Decision.PAGE
    by_provider: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    by_toolset: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    by_operation: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    tightened_to: Mapping[Effect, Decision] = field(default_factory=dict[Effect, Decision])

    def decide(self, spec: Spec) -> Decision:
        """The decision for an operation."""
        return self.ruling(spec).decision

    def ruling(self, spec: Spec) -> Ruling:
        """The decision for an operation, and the rule it comes from."""
        ruling = self._specific(spec) or self._general(spec)
        for effect, decision in self.tightened_to.items():
            if effect in spec.effect and decision > ruling.decision:
                ruling = Ruling(decision, f"this session's {effect.labels[0]} = {decision.word}")
        return ruling

    def guards(self, spec: Spec) -> bool:
        """True when calls of this operation go on the record: always, unless they are plain reads that are allowed."""
        return not spec.effect.is_plain_read or self.decide(spec) is not Decision.ALLOW

    def tightened(self, by_effect: Mapping[Effect, Decision]) -> "Policy":
        """The same policy, stricter for these effects."""
        return replace(self, tightened_to=by_effect)

    def _specific(self, spec: Spec) -> Ruling | None:
        full_toolset = f"{spec.provider.name}.{spec.toolset}"
        candidates = (
            (self.by_operation, spec.tool_name, "policy.operations"),
            (self.by_toolset, full_toolset, "policy.toolsets"),
            (self.by_toolset, spec.toolset, "policy.toolsets"),
            (self.by_provider, spec.provider.name, "policy.providers"),
        )
        for rules, name, where in candidates:
            if name in rules:
                return Ruling(rules[name], f"{where}.{name} = {rules[name].word}")
        return None

    def _general(self, spec: Spec) -> Ruling:
        effects = [effect for effect in Effect if effect in spec.effect]
        strictest = max(effects, key=lambda effect: self.by_effect[effect])
        ruling = Ruling(self.by_effect[strictest], f"policy.{strictest.labels[0]} = {self.by_effect[strictest].word}")
        if spec.irreversible and self.irreversible > ruling.decision:
            return Ruling(self.irreversible, f"policy.irreversible = {self.irreversible.word}")
        return ruling
