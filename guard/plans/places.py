"""Names steps of a plan by their positions."""

from collections.abc import Iterable, Sequence
from typing import Final

from guard.plans.plan import Step

_SHOWN: Final = 6


def places(steps: Sequence[Step]) -> str:
    """Name steps by their positions: `step 3`, `steps 1-8`, `steps 1, 4, 6`."""
    spans = _spans(step.position for step in steps)
    words = [str(start) if start == end else f"{start}-{end}" for start, end in spans]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return f"step{'' if len(steps) == 1 else 's'} {', '.join(words[:_SHOWN])}{more}"


def _spans(positions: Iterable[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for position in positions:
        if spans and spans[-1][1] + 1 == position:
            spans[-1] = (spans[-1][0], position)
        else:
            spans.append((position, position))
    return spans
