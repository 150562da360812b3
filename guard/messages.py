"""An action in words for people: the question that is approved, and its status. Deterministic in the action."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from guard.action import Action, State
from guard.allowances.allowance import is_allowance
from guard.catalog import OperationCatalog
from guard.injection.reasons import reason_line
from guard.injection.sanitize import escape_invisible
from guard.operators.approval import approvals_line
from guard.verification_hint import outcome_text

FINAL: Final = "THIS CANNOT BE UNDONE: no call of the provider restores what it removes."

MOST_BEFORE_LINES = 8
"""Few enough that text from outside (a ticket, for example) cannot push the question out of sight."""


def approval_prompt(action: Action, quoted: Callable[[str], str] = str, *, with_budgets: bool = False) -> str:
    """Word the question: what exactly this call does and costs, its arguments, what it changes, and the action's id.

    `quoted` fences what may repeat the state before, for readers who are shown text from outside between markers.
    `with_budgets` says what is left of each cap, to readers who may see what others spend.
    """
    lines = [
        f"{headline(action)}?",
        *([FINAL] if is_irreversible(action) else []),
        f"At {action.quote.charged_by or action.provider}, account {action.account}.",
        "",
        *argument_lines(action.arguments),
        *replace(action.quote, warnings=notes_of(action)).lines(quoted, with_budgets=with_budgets),
        *before_lines(action.before),
        "",
        *([reason_line(action.reason)] if action.reason else []),
        f"Requested by {requester(action.principal)}. "
        f"Your approval covers exactly this call ({action.id}), once, until {action.expires_at:%H:%M} UTC.",
    ]
    return "\n".join(lines)


def headline(action: Action) -> str:
    """Say what a call does and what it costs, in one line: `Text 40 people in Greece, 2 parts, at most €3.84`."""
    return ", ".join(filter(None, [action.title, action.quote.brief]))


def is_irreversible(action: Action) -> bool:
    """Return True for a call that no other call undoes."""
    return FINAL in action.quote.warnings


def notes_of(action: Action) -> tuple[str, ...]:
    """Return what to check before approving, without the sentence about undoing, which stands above everything."""
    return tuple(note for note in action.quote.warnings if note != FINAL)


def requester(principal: str) -> str:
    """Who asks, for people: `alice` for the local user, `alice (token)` for the holder of a token."""
    kind, separator, name = principal.partition(":")
    if not separator:
        return principal
    return name if kind == "local" else f"{name} ({kind})"


def argument_lines(arguments: Mapping[str, Any]) -> list[str]:
    """Return the exact arguments, one line each."""
    return [f"  {name}: {shown(value)}" for name, value in arguments.items()]


def before_lines(before: Mapping[str, Any] | str | None) -> list[str]:
    """Return what is set in the state that the call will change, one line each; the record has all of it."""
    if isinstance(before, str):
        return [f"Now: {shown(before)}"]
    facts = [f"  {name}: {shown(value)}" for name, value in _set_values(before or {})]
    if not facts:
        return []
    left_out = len(facts) - MOST_BEFORE_LINES
    more = [f"  and {left_out} more, on the approval page"] if left_out > 0 else []
    return ["Now:", *facts[:MOST_BEFORE_LINES], *more]


def _set_values(state: Mapping[str, Any], within: str = "") -> Iterable[tuple[str, object]]:
    """Yield the values of a state by dotted name, without empty values and empty groups."""
    for name, value in state.items():
        if isinstance(value, dict):
            if any(cast("dict[str, Any]", value).values()):
                yield from _set_values(cast("dict[str, Any]", value), f"{within}{name}.")
        elif value not in (None, "", []):
            yield f"{within}{name}", cast("object", value)


def shown(value: Any) -> str:
    """Return a JSON value for people: whole, on one line, with nothing invisible in it."""
    if isinstance(value, str):
        return escape_invisible(value)
    if isinstance(value, list) and all(isinstance(item, str | int) for item in cast("list[object]", value)):
        return ", ".join(shown(item) for item in cast("list[object]", value))
    return escape_invisible(json.dumps(value, ensure_ascii=False, default=str))


def status_line(action: Action) -> str:
    """Say in one sentence which state an action is in."""
    was_closed = action.state is State.EXPIRED and action.outcome is not None
    sentence = "it was closed before it was sent." if was_closed else _SENTENCE[action.state]
    if action.state is State.DECLINED and action.client_answered:
        sentence = "the client answered no, and nothing was sent."
    if action.state is State.APPROVED and is_allowance(action.decided_by):
        sentence = f"the operator's {action.decided_by} covers it, and nothing was sent yet."
    if action.state is State.PROPOSED and action.approvers:
        sentence = f"{approvals_line(action)} Nothing was sent."
    return f"Action {action.id} is {action.state.value}: {sentence}"


def status_with_outcome(action: Action, catalog: OperationCatalog) -> str:
    """Where an action stands and its outcome, or how to check while the outcome is unknown."""
    return f"{status_line(action)} {outcome_text(action, catalog)}".strip()


_SENTENCE: Mapping[State, str] = {
    State.PROPOSED: "nobody has answered yet, and nothing was sent.",
    State.APPROVED: "a person said yes, and nothing was sent yet.",
    State.DECLINED: "a person said no, and nothing was sent.",
    State.EXPIRED: "nobody answered in time, and nothing was sent.",
    State.SENDING: "the request is under way.",
    State.DONE: "it was carried out.",
    State.REFUSED: "the provider refused it.",
    State.UNKNOWN: "the request was sent, but it is not known whether it took effect.",
}
