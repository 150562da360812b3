"""What the guard asks of the store. Every move is atomic; the store says no when it cannot write."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from guard.action import Action, ArchivedAction, Principal, State
from guard.allowances.allowance import Cover
from guard.errors import ActionArchived
from guard.injection.taint import OutsideSource
from guard.operators.approval import Approval
from guard.operators.demand import Demand
from guard.rules.budget import Cap, Hold, Spent


class History(Protocol):
    """What rules look at of the record: what was done before, what was spent, and whether everything is stopped."""

    async def find(self, action_id: str) -> Action | None:
        """Return the action of this id."""
        ...

    async def find_archived(self, subject_id: str) -> ArchivedAction | None:
        """Return where an archived action or plan of this id is."""
        ...

    async def last_answered(self, digest: str, since: datetime) -> Action | None:
        """Return the last action of this digest that was carried out or declined since then."""
        ...

    async def spent(self, caps: Sequence[Cap], now: datetime) -> list[Spent]:
        """Return what is held and settled in the window of each cap."""
        ...

    async def latest(
        self, limit: int, *, states: Collection[State] | None = None, principal: str | None = None, skip: int = 0
    ) -> list[Action]:
        """Actions, newest first, without the first `skip`."""
        ...

    async def is_frozen(self) -> bool:
        """Return True if the operator stopped everything."""
        ...


async def refuse_archived(history: History, subject_id: str, principal: str) -> None:
    """Refuse what is asked of an action or plan of this principal that was moved into an archive.

    Raises:
        ActionArchived: It was.
    """
    found = await history.find_archived(subject_id)
    if found is not None and found.principal == principal:
        raise ActionArchived(f"{found.place} The operator can read it there; nothing was sent.")


class Journal(History, Protocol):
    """Actions on the record, the money held for them, and the audit of every decision.

    Every method raises `JournalUnavailable` when the record cannot be read or written, so that nothing guarded goes on.
    """

    async def propose(self, action: Action, *, decided: Mapping[str, Any] | None = None) -> Action:
        """Record a new action, or return the one that is open for the same digest.

        `decided` is what the record says of a yes that needs nobody's answer; with it, the action is approved in the
        same transaction.
        """
        ...

    async def find_open(self, digest: str) -> Action | None:
        """Return the action that is open for this digest."""
        ...

    async def take_news(self, digest: str, since: datetime) -> Action | None:
        """Return, once, the action of this digest that the server carried out or closed since then by itself."""
        ...

    async def move(self, action_id: str, allowed: Collection[State], to: State, **changes: Any) -> Action | None:
        """Move an action from one of the allowed states; None if it is in none of them. Works once for any race.

        Money held for it is settled when it is done, and given back when it was refused.
        """
        ...

    async def approve_by_operator(self, approval: Approval, demand: Demand, **changes: Any) -> Action | None:
        """Record an operator's yes to an action that waits, and approve it once as many have as are demanded.

        Returns the action, which still waits while others are missing; None if it does not wait any more.

        Raises:
            MayNotApprove: The operator is disabled, or approved it before.
        """
        ...

    async def approvals_of(self, about: str) -> Sequence[Approval]:
        """Return what operators who are still enabled approved of an action or plan, oldest first."""
        ...

    async def approve_by_allowance(self, action: Action, cover: Cover, at: datetime) -> Action | None:
        """Approve an action that waits under the first allowance with room, and count it there, in one transaction.

        None if it does not wait any more, or no allowance that stands at that time has room for it.
        """
        ...

    async def begin(self, action_id: str, *, hold: Hold, caps: Sequence[Cap], at: datetime) -> Action | None:
        """Take the approval, set the money aside and write the intent, in one transaction.

        None if the approval was taken already, or is too old at that time.

        Raises:
            OverBudget: A cap leaves no room.
            Frozen: The operator stopped everything.
            AllowanceGone: It was approved under an allowance that was revoked meanwhile, or is over.
        """
        ...

    async def settle(self, action_id: str, hold: Hold) -> None:
        """Replace what was held by what was spent."""
        ...

    async def abandoned(self, before: datetime) -> list[Action]:
        """Actions under way whose process is gone, or that were sent before that time."""
        ...

    async def note(self, event: str, *, action_id: str | None, principal: str, detail: Mapping[str, Any]) -> None:
        """Put a decision that moved no action on the audit."""
        ...


class Tracker(Protocol):
    """Remembers which action messages belong to, for the receipts that come later."""

    async def track(
        self, provider: str, subjects: Iterable[str], action_id: str, *, account: str | None = None
    ) -> None:
        """Keep the ids under which a provider will report on an account. May be called again for the same ids."""
        ...


class Taint(Protocol):
    """Remembers text from outside, so that a call made from it is recognised."""

    async def found_in(
        self, principal: Principal, arguments: Mapping[str, Any], *, ours: Collection[str]
    ) -> Mapping[str, OutsideSource]:
        """Return where the outside text was read that each argument repeats, by the argument's name.

        `ours` are arguments, or items of lists, that are numbers of the company: outsiders know them, so repeating
        them means nothing.
        """
        ...


class Vault(Protocol):
    """Keeps secrets for the operator, sealed, under the action that made them."""

    async def keep(self, action_id: str, name: str, secret: str) -> None:
        """Keep a secret."""
        ...
