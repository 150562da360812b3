"""One operator's yes, and the statement that a passkey signs for it.

The challenge that the authenticator signs is derived from the statement: the digest of the action or plan, and all that
whoever approves may choose beside it. So a signature is for exactly that, by whom the key was enrolled for.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from guard.operators.roles import Operator

_PURPOSE: Final = b"Ringfence approval 1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What an operator says yes to."""

    about: str
    """Id of the action or plan."""

    digest: str
    """Digest of the action, or of the plan with all its steps."""

    operator: str
    up_to: str | None = None
    """The most that a call of unknown price may cost, as in `2.50 EUR`."""

    without: tuple[int, ...] = ()
    """Steps of a plan that are left out."""

    run_by_server: bool = False
    """True where the server carries it out whether the assistant calls again or not."""

    @property
    def challenge(self) -> bytes:
        """The 32 bytes that an authenticator signs: SHA-256 over the purpose and the statement as canonical JSON."""
        return hashlib.sha256(_PURPOSE + canonical(self.facts)).digest()

    @property
    def facts(self) -> dict[str, Any]:
        """The statement as JSON values."""
        return asdict(self) | {"without": list(self.without)}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Statement":
        """Read a statement from JSON values."""
        values: dict[str, Any] = {**facts, "without": tuple(facts["without"])}
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What an authenticator answered to the challenge of a statement, as the browser handed it on (WebAuthn, 5.2.2)."""

    key: str
    """Id of the passkey, in URL-safe base64."""

    client_data: str
    """The client data as JSON, in URL-safe base64: with the challenge, and the origin of the page."""

    authenticator_data: str
    signature_value: str
    """Not `signature`: under that name the redactor would hide it."""

    rp_id: str
    """The host name for which the key was enrolled."""


class HasAnswers(Protocol):
    """What operators answer: an action or a plan, as far as its approvals go."""

    @property
    def approvers(self) -> tuple[str, ...]:
        """The operators who approved it so far."""
        ...

    @property
    def approvers_needed(self) -> int:
        """How many different operators have to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One operator's yes."""

    operator: Operator
    by: str
    """As the record names the operator and the way, as in `anna, on the approval page`."""

    statement: Statement
    at: datetime
    assertion: Assertion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """An operator who answers, and the way."""

    operator: Operator
    by: str
    assertion: Assertion | None = None
    """What a passkey signed; checked by whoever hands it on."""

    @property
    def name(self) -> str:
        """The operator's name."""
        return self.operator.name


def canonical(value: Any) -> bytes:
    """Return JSON that is the same for the same value: RFC 8785, for text, whole numbers, truth values and lists."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def approvals_line(asked: HasAnswers) -> str:
    """Say who approved so far, and how many are missing; empty where one approval is enough."""
    if asked.approvers_needed < 2:
        return ""
    missing = asked.approvers_needed - len(asked.approvers)
    if missing <= 0:
        return f"Approved by {_and(asked.approvers)}."
    so_far = f"Approved by {_and(asked.approvers)}; " if asked.approvers else ""
    more = f"{missing} {'more ' if asked.approvers else 'different '}operator{'' if missing == 1 else 's'}"
    return f"{so_far}{more} {'has' if missing == 1 else 'have'} to approve."


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
