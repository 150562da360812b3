"""Parses the calls of a plan: each as its tool would, with references to earlier steps where they are allowed."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from clients.operation import Operation, OperationType
from guard.errors import GuardRefusal
from guard.plans.expansion import StepCall
from guard.plans.faults import BadPlan, Fault
from guard.plans.references import KEY, NotKnownYet, Reference, references_in, why_no_source, why_not


class BadCall(GuardRefusal):
    """A step is no call that this session may make. The message names the rule and what is allowed, as a sentence."""

    advice = "Correct the step, and propose the plan again."

    def __init__(self, message: str, kind: str = "BadArguments") -> None:
        """`kind` is the name of the error that the call by itself would have got."""
        super().__init__(message)
        self.kind = kind


class CallParser(Protocol):
    """Parses calls as they are made by tools, for the session that asks."""

    def find(self, tool: str) -> OperationType:
        """Return the operation of a tool name.

        Raises:
            BadCall: There is none.
        """
        ...

    def parse(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        references: Collection[str] = frozenset(),
        *,
        account: str | None = None,
    ) -> "AccountCall":
        """Return the validated call and its account; arguments named in `references` have no value yet.

        `account` is the name of the account, where the arguments do not have it.

        Raises:
            BadCall: The session may not make the call, or an argument does not fit.
        """
        ...


@dataclass(frozen=True, slots=True)
class AccountCall:
    """A validated call, and the account that it is made on."""

    operation: Operation[Any]
    account: str
    """The account's name."""


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """A step whose arguments fit."""

    call: StepCall
    operation: Operation[Any]
    account: str
    """Name of the account that it is made on."""

    references: Mapping[str, Reference]
    """The arguments that answers of earlier steps give, by name."""


def parse_steps(calls: Sequence[StepCall], parser: CallParser) -> list[ParsedCall]:
    """Parse the calls of a plan.

    Raises:
        BadPlan: Some of them do not fit; the error names all of them.
    """
    parsed: list[ParsedCall] = []
    faults: list[Fault] = []
    for call in calls:
        try:
            parsed.append(_parse(call, calls, parser))
        except (BadCall, NotKnownYet) as bad:
            faults.append(Fault(call.place, str(bad), bad.kind if isinstance(bad, BadCall) else type(bad).__name__))
    used = {label for call in calls for label in _labels_used(call)}
    faults += [
        Fault(
            one.call.place,
            f"{one.operation.spec.tool_name} only reads: a plan has such a step only where a later one refers to its "
            "answer. Call it by itself.",
        )
        for one in parsed
        if one.operation.spec.effect.is_plain_read and one.call.label not in used
    ]
    if faults:
        raise BadPlan(faults)
    return parsed


def _parse(call: StepCall, calls: Sequence[StepCall], parser: CallParser) -> ParsedCall:
    operation = parser.find(call.operation)
    try:
        references = references_in(call.arguments)
    except ValueError as wrong:
        raise BadCall(str(wrong)) from None
    for name, reference in references.items():
        why = why_not(operation, name) or _why_no_source(reference, call, calls, parser)
        if why is not None:
            raise BadCall(why)
    made = parser.parse(call.operation, call.arguments, references.keys(), account=call.account)
    return ParsedCall(call, made.operation, made.account, references)


def _labels_used(call: StepCall) -> set[str]:
    """Return the labels that a call refers to; none where a reference is not written as one."""
    with suppress(ValueError):
        return {reference.label for reference in references_in(call.arguments).values()}
    return set()


def _why_no_source(reference: Reference, call: StepCall, calls: Sequence[StepCall], parser: CallParser) -> str | None:
    """Return why a reference names no answer of an earlier step; None if it names one."""
    source = next((one for one in calls if one.label == reference.label), None)
    if source is None:
        labels = ", ".join(one.label for one in calls if one.label) or "none"
        return f"{{{KEY}: {reference}}}: no step has the label {reference.label!r}; the labels: {labels}."
    if source.position >= call.position:
        return f"{{{KEY}: {reference}}}: {source.place} comes no earlier; a step refers to one before it."
    return why_no_source(parser.find(source.operation), reference)
