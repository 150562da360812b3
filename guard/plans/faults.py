"""Every fault of a proposed plan with the steps that have it, so that one answer corrects them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from guard.errors import GuardRefusal

_NAMED: Final = 8
"""How many steps with the same fault are named."""

_SHOWN: Final = 40
"""How many different faults are shown; a plan has at most 500 steps, and each may be wrong in a way of its own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one step, or with the plan as a whole."""

    step: str
    """Which step, for people: `step 3`, or `step 2, row 5 (line 6)`; empty for the plan as a whole."""

    message: str
    """What is wrong and what is allowed, as a sentence."""

    kind: str = ""
    """The name of the refusal or error that the call by itself would have got; empty for a fault of the plan."""


class BadPlan(GuardRefusal):
    """A plan has faults, so nothing of it was stored, asked or sent."""

    advice = "Correct every step that is named, and propose the whole plan again."

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        self.kinds = sorted({fault.kind for fault in self.faults if fault.kind})
        super().__init__("\n".join([_HEAD, *_lines(self.faults)]))


_HEAD: Final = "The plan was refused as a whole: nothing was stored, nobody was asked, nothing was sent."


def _lines(faults: Sequence[Fault]) -> list[str]:
    """Word the faults, one line for each different one."""
    by_message: dict[str, list[str]] = {}
    for fault in faults:
        by_message.setdefault(fault.message, []).append(fault.step)
    lines = [f"- {_steps(steps)}{message}" for message, steps in by_message.items()]
    more = len(lines) - _SHOWN
    return lines[:_SHOWN] + ([f"- and {more} more faults like these."] if more > 0 else [])


def _steps(steps: Sequence[str]) -> str:
    named = list(dict.fromkeys(step for step in steps if step))
    if not named:
        return ""
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}: "
