"""Who takes the approval of a call, and writes on the record that it is about to be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guard.action import Action
from guard.journal import Journal
from guard.money import Money
from guard.rules.budget import Cap, Hold


class Intent(Protocol):
    """Takes the approval of a call and writes on the record that it is about to be sent."""

    @property
    def asked_at(self) -> datetime:
        """When the question was worded that the approval answers."""
        ...

    @property
    def about(self) -> str:
        """What the approval is for, as the audit names it: an action's id, or a step of a plan."""
        ...

    @property
    def approved_as(self) -> str:
        """Id of the action or plan that operators approved."""
        ...

    @property
    def reserved(self) -> Money | None:
        """Money that is set aside for this call already, which counts as spent until the call begins."""
        ...

    async def begin(self, *, hold: Hold, caps: Sequence[Cap], at: datetime) -> Action | None:
        """Take the approval, hold the money and write the intent, in one transaction.

        None if the approval was taken already, or is too old at that time. Raises what `Journal.begin` raises.
        """
        ...


@dataclass(frozen=True, slots=True)
class ActionIntent:
    """The intent of an action that has an approval of its own."""

    journal: Journal
    action: Action

    @property
    def asked_at(self) -> datetime:
        """When the action was proposed."""
        return self.action.created_at

    @property
    def about(self) -> str:
        """The action's id."""
        return self.action.id

    @property
    def approved_as(self) -> str:
        """The action's id."""
        return self.action.id

    @property
    def reserved(self) -> None:
        """Nothing: an action of its own holds its money when it begins."""
        return

    async def begin(self, *, hold: Hold, caps: Sequence[Cap], at: datetime) -> Action | None:
        """Take the action's approval."""
        return await self.journal.begin(self.action.id, hold=hold, caps=caps, at=at)
