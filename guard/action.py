"""An action: one guarded call, with everything that a person approves.

    proposed → approved | declined | expired → sending → done | refused | unknown → (reconciled) done | refused

The digest binds provider, account, operation, exact arguments and principal. The price is bound beside it: it is
read again before sending, and a call that has become dearer than what was approved is asked again.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, cast

from clients.fields import RECORDED, secret_fields
from clients.operation import Operation, OperationType
from clients.phone_numbers import spellings
from guard.rules.quote import Quote

SET_BY_SERVER: Final = "[set by the server, kept for the operator]"

LOCAL: Final = "local:"
"""Begins the name of a principal on stdio."""

IN_FORM: Final = ", in the client's form"
_CLIENT_OF: Final = "the client of "

Channel = Literal["ask", "page"]
"""Who may be asked: the client's own user (`ask`), or only the operator out of band (`page`)."""


class State(StrEnum):
    """Where an action stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"

    @property
    def is_open(self) -> bool:
        """True while the same call may not be proposed a second time."""
        return self in {State.PROPOSED, State.APPROVED, State.SENDING, State.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the local user on stdio, the token's subject on HTTP."""

    name: str

    @property
    def is_local(self) -> bool:
        """True for the user of the machine that the server runs on."""
        return self.name.startswith(LOCAL)


@dataclass(frozen=True, slots=True)
class ArchivedAction:
    """Where an action or plan is that was moved out of the store."""

    id: str
    principal: str
    file: str
    """The name of the archive."""

    @property
    def place(self) -> str:
        """Say where it is, as a sentence."""
        return f"{self.id} was moved into the archive {self.file}, as old actions are."


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One guarded call and what became of it. Secrets are in none of its fields."""

    id: str
    provider: str
    account: str
    """Identifies the account itself: its provider, address, and user or key."""

    account_name: str = ""
    """The operator's name for the account; empty for the one that is named like its provider."""

    operation: str
    """Tool name of the operation."""

    title: str
    arguments: Mapping[str, Any]
    digest: str
    principal: str
    channel: Channel
    quote: Quote
    state: State
    created_at: datetime
    expires_at: datetime
    before: Any = None
    """The state the call will change, as read when it was proposed: empty where there was none, None where unread."""

    decided_by: str | None = None
    decided_at: datetime | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: str | None = None
    """What came of it, in a sentence."""

    answer: str | None = None
    """The provider's answer as it came, secrets hidden."""

    due_at: datetime | None = None
    """Since when the server carries it out by itself, once it is approved; None where the assistant does."""

    reason: str = ""
    """Why the assistant asks, in its own words. No guard input, and not in the digest."""

    decline_reason: str | None = None
    """Why it was declined, in the words of whoever declined it."""

    demanded: str | None = None
    """The decision that what was read then demanded of this very call, whatever the rules: text from outside, an
    unclear wish to stop, no full undo, a circle of forwards. None in records of before it was kept."""

    approvers: tuple[str, ...] = ()
    """The operators who approved it."""

    approvers_needed: int = 1
    """How many different operators have to."""

    @property
    def made_on(self) -> str:
        """The name of its account."""
        return self.account_name or self.provider

    @property
    def client_answered(self) -> bool:
        """True where the client answered, maybe without asking anybody; False for the operator's answer."""
        return is_of_client(self.decided_by)


def form_approver(principal: Principal) -> str:
    """Name the person at a principal's client, who approves in the client's form."""
    return f"{principal.name}{IN_FORM}"


def client_of(principal: Principal) -> str:
    """Name a principal's client, which declines: whether a person did so does not show."""
    return f"{_CLIENT_OF}{principal.name}"


def is_of_client(decided_by: str | None) -> bool:
    """Return True if the client answered a question, maybe without asking anybody."""
    by = decided_by or ""
    return by.startswith(_CLIENT_OF) or by.endswith(IN_FORM)


def new_action_id() -> str:
    """Random, short enough to read out: `act_` and eight characters."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "act_" + "".join(secrets.choice(alphabet) for _ in range(8))


def arguments_of(operation: Operation[Any]) -> dict[str, Any]:
    """Return the exact arguments as JSON values; a secret shows only that it is set."""
    hidden = secret_fields(type(operation))
    shown: dict[str, Any] = operation.model_dump(mode="json", exclude=set(hidden), exclude_none=True)
    return shown | {name: SET_BY_SERVER for name in sorted(hidden) if getattr(operation, name) is not None}


def rebuild_call(operation: OperationType, arguments: Mapping[str, Any]) -> Operation[Any]:
    """Return the call of an action from the arguments on the record.

    Raises:
        ValidationError: One of them was a secret, which is not on the record, or the arguments are no longer these.
    """
    return operation.model_validate(dict(arguments), context=RECORDED)


def digest_of(operation: Operation[Any], *, account: str, principal: Principal) -> str:
    """SHA-256 over the canonical JSON of the call."""
    return _digest(operation, arguments_of(operation), account, principal)


def digests_of_same_call(operation: Operation[Any], *, account: str, principal: Principal) -> tuple[str, ...]:
    """Return the digest of a call, and of calls that differ only in how a telephone that it goes to is written.

    An approval is bound to the first alone; the others show that the call was made before.
    """
    arguments = arguments_of(operation)
    forms = {number: spellings(number) for number in operation.destinations()}
    first = {number: found[0] for number, found in forms.items()}
    second = {number: found[1] for number, found in forms.items() if len(found) > 1}
    written = [arguments]
    written += [other for forms in (first, second) if (other := _with_numbers(arguments, forms)) not in written]
    return tuple(dict.fromkeys(_digest(operation, each, account, principal) for each in written))


def _with_numbers(arguments: Any, written: Mapping[str, str]) -> Any:
    """Return arguments with numbers in another form, wherever they stand."""
    if isinstance(arguments, str):
        return written.get(arguments, arguments)
    if isinstance(arguments, list):
        return [_with_numbers(each, written) for each in cast("list[object]", arguments)]
    if isinstance(arguments, dict):
        return {name: _with_numbers(each, written) for name, each in cast("dict[str, object]", arguments).items()}
    return arguments


def digested_text(action: Action) -> str:
    """Return the text of which an action's digest is the SHA-256."""
    return _canonical(action.provider, action.account, action.operation, action.arguments, action.principal)


def _digest(operation: Operation[Any], arguments: dict[str, Any], account: str, principal: Principal) -> str:
    spec = operation.spec
    canonical = _canonical(spec.provider.name, account, spec.tool_name, arguments, principal.name)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _canonical(provider: str, account: str, operation: str, arguments: Mapping[str, Any], principal: str) -> str:
    call = {
        "provider": provider,
        "account": account,
        "operation": operation,
        "arguments": dict(arguments),
        "principal": principal,
    }
    return json.dumps(call, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
