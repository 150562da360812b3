"""How an action is put to a person, and what is said of its state. Deterministic in the action."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from guard.action import Action, State
from guard.cleaning import made_visible

BEFORE_LIMIT: Final = 2000
"""So that a state which others wrote (a ticket, say) cannot push the question out of sight."""


def question(action: Action, quoted: Callable[[str], str] = str) -> str:
    """What a person says yes or no to: the call in plain words, its price, what it changes, and the action's id.

    `quoted` goes round what may repeat the state before, for readers to whom strangers' words are shown fenced.
    """
    lines = [
        f"{action.title}?",
        "",
        *argument_lines(action.arguments),
        *action.quote.lines(quoted),
        *before_lines(action.before),
        "",
        f"Action {action.id}, asked for by {action.principal}. "
        f"A yes counts for exactly this call, once, until {action.expires_at:%H:%M} UTC.",
    ]
    return "\n".join(lines)


def argument_lines(arguments: Mapping[str, Any]) -> list[str]:
    """The exact arguments, a line each."""
    return [f"  {name}: {shown(value)}" for name, value in arguments.items()]


def before_lines(before: Any) -> list[str]:
    """The state that the call will change, as far as a person can take it in."""
    if not before:
        return []
    told = shown(before)
    return [f"Now: {told if len(told) <= BEFORE_LIMIT else told[:BEFORE_LIMIT] + '…'}"]


def shown(value: Any) -> str:
    """A JSON value for people: whole, on one line, with nothing invisible in it."""
    if isinstance(value, str):
        return made_visible(value)
    if isinstance(value, list) and all(isinstance(item, str | int) for item in cast("list[object]", value)):
        return ", ".join(shown(item) for item in cast("list[object]", value))
    return made_visible(json.dumps(value, ensure_ascii=False, default=str))


def standing(action: Action) -> str:
    """One sentence on where an action stands."""
    return f"Action {action.id} is {action.state.value}: {_SENTENCE[action.state]}"


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
