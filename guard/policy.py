"""Which calls are allowed, asked about, or forbidden."""

from dataclasses import dataclass, field
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


DEFAULT_BY_EFFECT: dict[Effect, Decision] = {
    Effect.READ: Decision.ALLOW,
    Effect.WRITE: Decision.ALLOW,
    Effect.PAID: Decision.ASK,
    Effect.REROUTES: Decision.ASK,
    Effect.DESTRUCTIVE: Decision.ASK,
    Effect.PRIVILEGED: Decision.ASK,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Decides by effect; the strictest of a call's effects counts. What no call brings back goes to the operator."""

    by_effect: dict[Effect, Decision] = field(default_factory=lambda: dict(DEFAULT_BY_EFFECT))
    irreversible: Decision = Decision.PAGE

    def decide(self, spec: Spec) -> Decision:
        """The decision for an operation."""
        strictest = max(self.by_effect[effect] for effect in Effect if effect in spec.effect)
        return max(strictest, self.irreversible) if spec.irreversible else strictest

    def guards(self, spec: Spec) -> bool:
        """True when calls of this operation must go through the guard: always, unless they are plain and allowed."""
        return spec.effect.is_guarded or self.decide(spec) is not Decision.ALLOW
