"""A person's answer to a proposed action: once, in time, and never by the side that asks."""

from dataclasses import replace
from datetime import timedelta
from typing import Final, NoReturn

from clients.shared.clock import Clock
from clients.telemetry.spans import traced
from guard.action import IN_FORM, Action, State
from guard.allowances.allowance import is_allowance
from guard.catalog import OperationCatalog
from guard.errors import AlreadySettled, BadBound, Declined, Expired, MayNotApprove, NotTheSameCall, OutcomePending
from guard.injection.reasons import LONGEST_OF_OPERATOR, clean_reason
from guard.journal import Journal
from guard.messages import status_line, status_with_outcome
from guard.money import Money, NotAPrice, require_price
from guard.operators.approval import Approval, Approver, Statement
from guard.operators.demand import Demand
from guard.operators.judge import ApprovalJudge, require_same_terms
from guard.rules.budget import applicable, require_room
from guard.rules.policy import Decision
from guard.rules.quote import Quote
from guard.rules.rules import Rules

BY_POLICY: Final = "policy"
"""Who approved a call that needs no person's approval."""

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clocks of servers that share a store may be apart. A clock that is set back further would give every
question and approval as much more time, so they expire."""

ANSWERS_ALONE: Final = (
    "If nobody was asked, the client answers by itself: the operator can set RINGFENCE_APPROVALS__FORM=off for it, and "
    "then approves on the approval page or with `ringfence approvals approve`."
)
"""What helps where nobody sits at a client that declares that it can ask."""


def statement_of(
    action: Action, operator: str, *, up_to: Money | None = None, run_by_server: bool = False
) -> Statement:
    """Return what an operator says yes to by approving an action."""
    return Statement(
        about=action.id,
        digest=action.digest,
        operator=operator,
        up_to=f"{up_to.amount} {up_to.currency}" if up_to is not None else None,
        run_by_server=run_by_server,
    )


def is_enough(action: Action, decision: Decision) -> bool:
    """Return True if whoever is asked about an action, or approved it, is whom a decision demands.

    An allowance is nobody's answer to this very call: where it still covers the call, the decision demands nobody.
    """
    by = action.decided_by
    nobody = by == BY_POLICY or is_allowance(by)
    match decision:
        case Decision.ALLOW:
            return True
        case Decision.ASK:
            return not nobody
        case Decision.PAGE:
            return action.channel == "page" if by is None else not nobody and not by.endswith(IN_FORM)
        case Decision.DENY:
            return False


class Approvals:
    """Records approvals and refusals, and expires questions that nobody answered in time."""

    def __init__(self, journal: Journal, clock: Clock, catalog: OperationCatalog, rules: Rules) -> None:
        self._journal = journal
        self._clock = clock
        self._catalog = catalog
        self._rules = rules
        self._judge = ApprovalJudge(rules.approvers, catalog)

    @traced("guard: record a yes or no")
    async def record(self, action_id: str, to: State, *, by: str, reason: str = "") -> Action:
        """Record a yes (`approved`) of policy or of a client's own user, or anybody's no (`declined`).

        `reason` is why not, in the words of whoever declines.

        Raises:
            NotTheSameCall: There is no such action.
            BadBound: Its price is unknown, and a cap applies; the action still waits.
            MayNotApprove: By the rules only operators approve it; the action still waits.
            Expired: The question is too old.
            AlreadySettled, Declined, OutcomePending: It was answered before.
        """
        current = await self._require_waiting(action_id)
        if to is State.APPROVED:
            changes = await self.yes_without_operator(current, by)
        else:
            why = clean_reason(reason, LONGEST_OF_OPERATOR) or None
            changes = {"decided_by": by, "decided_at": self._clock.now(), "decline_reason": why}
        moved = await self._journal.move(action_id, {State.PROPOSED}, to, **changes)
        if moved is None:
            self.refuse(await self._journal.find(action_id) or current)
        return moved

    @traced("guard: record a yes or no")
    async def approve(
        self, action_id: str, approver: Approver, *, up_to: Money | None = None, run_by_server: bool = False
    ) -> Action:
        """Record an operator's yes; return the action, which still waits where others have to approve it, too.

        `up_to` is the most that the whole call may cost, where its price is unknown. It is bound to this action. With
        `run_by_server` the server carries out what is approved, whether the assistant calls again or not.

        Raises:
            NotTheSameCall: There is no such action.
            BadBound: `up_to` is missing where a cap applies, or it does not fit; the action still waits.
            OverBudget: A cap leaves no room for `up_to`; the action still waits.
            MayNotApprove: This operator's approval does not count; the action still waits.
            Expired: The question is too old.
            AlreadySettled, Declined, OutcomePending: It was answered before.
        """
        current = await self._require_waiting(action_id)
        demand = self._judge.demand_of(current, up_to)
        self._judge.require_may_approve(approver, current.principal, demand)
        now = self._clock.now()
        changes: dict[str, object] = {"due_at": now} if run_by_server else {}
        changes |= await self._bound(current, up_to)
        statement = statement_of(current, approver.name, up_to=up_to, run_by_server=run_by_server)
        if current.approvers:
            require_same_terms(statement, await self._journal.approvals_of(action_id))
        approval = Approval(
            operator=approver.operator, by=approver.by, statement=statement, at=now, assertion=approver.assertion
        )
        moved = await self._journal.approve_by_operator(approval, demand, **changes)
        if moved is None:
            self.refuse(await self._journal.find(action_id) or current)
        return moved

    async def yes_without_operator(self, action: Action, by: str) -> dict[str, object]:
        """Return what the record says of a yes that is no operator's, of policy or of a client's own user.

        Raises:
            BadBound: Its price is unknown, and a cap applies.
            MayNotApprove: By the rules only operators approve it.
        """
        if (demand := self._judge.demand_of(action)).is_special:
            raise MayNotApprove(f"{demand.in_words} Nothing was recorded.")
        return {"decided_by": by, "decided_at": self._clock.now(), **await self._bound(action, None)}

    def demand_of(self, action: Action) -> Demand:
        """Return what the approval of an action needs."""
        return self._judge.demand_of(action)

    async def _require_waiting(self, action_id: str) -> Action:
        found = await self._journal.find(action_id)
        if found is None:
            raise NotTheSameCall(f"There is no action {action_id}.")
        current = await self.expire_if_due(found)
        if current.state is not State.PROPOSED:
            self.refuse(current)
        return current

    async def _bound(self, action: Action, up_to: Money | None) -> dict[str, Quote]:
        """Return the change that binds the most that a call of unknown price may cost; none where none is named."""
        if not action.quote.is_unknown:
            if up_to is not None:
                raise BadBound(f"The price of {action.id} is known, so it takes no other amount; nothing was recorded.")
            return {}
        if up_to is None:
            if self._rules.needs_bound(action.provider, action.made_on):
                raise BadBound(
                    f"The price is unknown, and a budget cap applies, so an approval names the most that it may cost: "
                    f"`ringfence approvals approve {action.id} --up-to 2.50`, for example. Nothing was recorded."
                )
            return {}
        try:
            require_price(up_to)
        except NotAPrice as wrong:
            raise BadBound(f"That is no price: {wrong} Nothing was recorded.") from None
        if up_to.amount == 0:
            raise BadBound("An unknown price is not zero: name the most that the call may cost. Nothing was recorded.")
        least = action.quote.at_least
        if least is not None and not least.is_at_most(up_to):
            raise BadBound(f"It costs at least {least}, and {up_to} does not cover that. Nothing was recorded.")
        caps = applicable(self._rules.caps, action.provider, action.made_on, up_to.currency)
        if not caps and self._rules.caps_money_at(action.provider, action.made_on):
            raise BadBound(f"No budget cap is in {up_to.currency}, so none can hold {up_to}. Nothing was recorded.")
        require_room(await self._journal.spent(caps, self._clock.now()), up_to)
        return {"quote": replace(action.quote, up_to=up_to)}

    async def expire_if_due(self, action: Action) -> Action:
        """Expire the action if nobody acted on it in time, or the clock was set back meanwhile, and return it."""
        waiting, now = {State.PROPOSED, State.APPROVED}, self._clock.now()
        was_set_back = now + CLOCK_SKEW < action.created_at
        if action.state not in waiting or (now < action.expires_at and not was_set_back):
            return action
        outcome = {"outcome": "The clock was set back after it was asked."} if was_set_back else {}
        moved = await self._journal.move(action.id, waiting, State.EXPIRED, **outcome)
        return moved or await self._journal.find(action.id) or action

    def refuse(self, action: Action) -> NoReturn:
        """Raise the refusal that fits the state of an action that cannot go on."""
        match action.state:
            case State.DECLINED:
                alone = f" {ANSWERS_ALONE}" if action.client_answered else ""
                raise Declined(f"{status_line(action)}{alone}", action.decline_reason or "")
            case State.EXPIRED:
                raise Expired(status_with_outcome(action, self._catalog))
            case State.SENDING | State.UNKNOWN:
                raise OutcomePending(status_with_outcome(action, self._catalog))
            case _:
                raise AlreadySettled(f"{status_line(action)} An approval works once; nothing more was sent.")
