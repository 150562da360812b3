"""Which waiting calls may be answered together, and which of them a form names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from guard.action import Action, State
from guard.money import Money

MOST_TOGETHER: Final = 30
"""Calls that one form answers at most; a person has to look over them, and the form has to stay small."""

_ID: Final = re.compile(r"act_[a-z0-9]{4,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Waiting calls of one operation, which may be answered together."""

    operation: str
    title: str
    actions: tuple[Action, ...]

    @property
    def ids(self) -> str:
        """Their ids, as an address names them."""
        return ",".join(action.id for action in self.actions)

    @property
    def total(self) -> str:
        """What they cost together, as far as the prices are known."""
        sums: dict[str, Money] = {}
        for action in self.actions:
            amount = action.quote.amount
            if amount is not None:
                known = sums.get(amount.currency)
                sums[amount.currency] = amount if known is None else known + amount
        is_bound = any(action.quote.is_bound for action in self.actions)
        return f"{'at most ' if is_bound else ''}{' and '.join(map(str, sums.values()))}" if sums else "no charge"


def may_be_together(action: Action) -> bool:
    """Return True for a waiting call of known price: the amount of an unknown one is named for each by itself."""
    return action.state is State.PROPOSED and not action.quote.is_unknown


def find_alike(actions: Sequence[Action], titles: Mapping[str, str]) -> list[Alike]:
    """Return the operations of which several calls wait; `titles` are their titles by tool name."""
    by_operation: dict[str, list[Action]] = {}
    for action in actions:
        if may_be_together(action):
            by_operation.setdefault(action.operation, []).append(action)
    return [
        Alike(operation=name, title=titles.get(name, name), actions=tuple(found[:MOST_TOGETHER]))
        for name, found in by_operation.items()
        if len(found) > 1
    ]


def picked_in(form: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of the calls that a form names, by their ids: it answers what its page showed."""
    return {name: digest for name, digest in form.items() if _ID.fullmatch(name)}


def ids_in(text: str) -> list[str]:
    """Return the ids that an address names; anything else in it is left out."""
    return [word for word in text.split(",")[:MOST_TOGETHER] if _ID.fullmatch(word)]
