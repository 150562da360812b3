"""The compensating call, with an honest verdict."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import ValidationError

if TYPE_CHECKING:
    from clients.operation import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How to take a call back."""

    verdict: Literal["full", "partial", "none"]
    operation: "Operation[Any] | None" = None
    lost: str = ""
    """What the compensation does not bring back, or why there is none."""


UNREAD: Final = Undo(verdict="none", lost="The setting before the change was not read.")
NOT_SET: Final = Undo(verdict="none", lost="Nothing was set before, so that nothing changed.")


def put_back(operation: "type[Operation[Any]]", *, lost: str = "", **fields: Any) -> Undo:
    """The call that sets what was read before; none where the call does not take it."""
    try:
        return Undo(verdict="partial" if lost else "full", operation=operation.model_validate(fields), lost=lost)
    except ValidationError:
        return Undo(verdict="none", lost="No call of the API sets it back to what it was.")
