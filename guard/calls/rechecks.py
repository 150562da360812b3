"""Checks an action once more, between its question and its request: what it was approved for must still be so."""

from copy import copy
from dataclasses import replace
from typing import Any, NoReturn

from clients.operation import Operation
from clients.telemetry.spans import traced
from guard.accounts import Account
from guard.action import Action, Principal, State, digests_of_same_call
from guard.allowances.allowance import is_allowance
from guard.approvals import Approvals, is_enough
from guard.calls.drafting import Drafting
from guard.calls.intent import Intent
from guard.calls.refusals import Refusals
from guard.dependencies import GuardDependencies
from guard.errors import AllowanceGone, GuardRefusal, PriceChanged, RecipientsChanged, RulesChanged
from guard.operators.judge import ApprovalJudge
from guard.rules.checks import Checks
from guard.rules.policy import Decision
from guard.rules.quote import Quote
from guard.rules.recipients import Recipients, require_unchanged, resolve_recipients


class Rechecks:
    """Checks what is asked or approved by the rules, lists, prices and budgets of now; what fails is closed."""

    def __init__(self, dependencies: GuardDependencies, drafting: Drafting, approvals: Approvals) -> None:
        self._journal = dependencies.journal
        self._accounts = dependencies.configured
        self._rules = dependencies.rules
        self._checks = Checks(dependencies)
        self._judge = ApprovalJudge(dependencies.rules.approvers, dependencies.catalog)
        self._refusals = Refusals(dependencies)
        self._drafting = drafting
        self._approvals = approvals

    def with_drafting(self, drafting: Drafting) -> "Rechecks":
        """Return the same with other sources of prices, as the drafting has them."""
        rechecks = copy(self)
        rechecks._drafting = drafting
        return rechecks

    async def price_again(
        self, action: Action, operation: Operation[Any], account: Account, intent: Intent, *, from_record: bool
    ) -> Quote:
        """Check an approved call before it is sent, and return its price of now.

        Raises:
            PriceChanged, RecipientsChanged, RulesChanged: The approval is for something else, or not enough any more.
            AllowanceGone: The allowance under which it was approved no longer covers it.
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made any more.
        """
        recipients = await self._require_same_reach(action, operation, account)
        priced = await self._require_same_price(action, operation, recipients, account)
        await self.check(action, operation, recipients, priced, intent, from_record=from_record)
        await self._require_bound(action, priced)
        return priced

    @traced("guard: check again")
    async def check(
        self,
        action: Action,
        operation: Operation[Any],
        recipients: Recipients,
        priced: Quote,
        intent: Intent,
        *,
        from_record: bool,
    ) -> None:
        """Check an action that was asked or approved before, at this price and with these recipients.

        Raises:
            RulesChanged: Whoever was asked, or approved, is not whom the rules demand now. The action is closed.
            AllowanceGone: It was approved under an allowance that no longer covers it. The action is closed.
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made any more.
        """
        principal = Principal(action.principal)
        account = self._accounts.require(action.provider, action.account).name
        try:
            await self._checks.refuse_early(operation, account)
            await self._checks.refuse_members(operation, recipients)
            same = digests_of_same_call(operation, account=action.account, principal=principal)
            assessment = await self._checks.assess(
                operation,
                account,
                recipients,
                priced,
                same,
                principal,
                from_record=from_record,
                reserved=intent.reserved,
            )
            decision = await self._drafting.decision_about(action, operation, priced, assessment)
            if not is_enough(action, decision):
                await self._close_too_lenient(action, decision)
            await self._require_approvers(action, priced, intent)
        except GuardRefusal as refusal:
            await self._refusals.note(operation, principal, refusal, account=account, about=intent.about)
            raise

    async def close(self, action: Action, reason: str) -> Action | None:
        """Close an action that waits or is approved, to be proposed anew; None if it was in neither state."""
        return await self._journal.move(action.id, {State.PROPOSED, State.APPROVED}, State.EXPIRED, outcome=reason)

    def needs_bound(self, action: Action) -> bool:
        """Return True if an approval of this action names the most that it may cost."""
        return action.quote.is_unknown and self._rules.needs_bound(action.provider, action.made_on)

    async def _require_approvers(self, action: Action, priced: Quote, intent: Intent) -> None:
        """Refuse a call whose approvals are fewer than the rules demand now, or of operators who were disabled since.

        Raises:
            RulesChanged: The action is closed.
        """
        if action.state is State.PROPOSED:
            return
        demand = self._judge.demand_of(replace(action, quote=priced))
        if not action.approvers and not demand.is_special:
            return
        standing = [one.operator.name for one in await self._journal.approvals_of(intent.approved_as)]
        gone = [name for name in action.approvers if name not in standing]
        if gone or demand.missing(standing):
            why = f"{' and '.join(gone)}, who approved this, is disabled" if gone else demand.in_words
            changed = RulesChanged(f"By the rules of now the approval it has is not enough: {why} Nothing was sent.")
            await self.close(action, str(changed))
            raise changed

    async def _close_too_lenient(self, action: Action, decision: Decision) -> NoReturn:
        changed = _no_longer_enough(action, decision)
        if await self.close(action, str(changed)) is None:
            found = await self._journal.find(action.id)
            if found is not None:  # the step of a plan is on the record only once it is sent
                self._approvals.refuse(found)
        raise changed

    async def _require_same_reach(self, action: Action, operation: Operation[Any], account: Account) -> Recipients:
        """Refuse a call whose recipients changed after the approval."""
        found = await resolve_recipients(operation, account.client)
        try:
            require_unchanged(action.quote, operation, found)
        except RecipientsChanged as changed:
            await self.close(action, str(changed))
            raise
        return found

    async def _require_same_price(
        self, action: Action, operation: Operation[Any], recipients: Recipients, account: Account
    ) -> Quote:
        """Refuse a call that became more expensive than what was approved."""
        now = await self._drafting.quote(operation, recipients, account.name)
        now = replace(now, up_to=action.quote.up_to if now.is_unknown else None)
        approved, current = action.quote.most, now.most
        least = now.at_least if now.up_to else None
        if current is None and approved is None:
            return now
        if current and approved and current.is_at_most(approved) and (least is None or least.is_at_most(approved)):
            return now
        await self.close(action, "The price changed.")
        raise PriceChanged(
            f"You approved {approved or 'an unknown price'}, and it is now {now.amount or least or 'unknown'}; "
            "nothing was sent."
        )

    async def _require_bound(self, action: Action, priced: Quote) -> None:
        """Refuse a call of unknown price that a cap applies to, and whose approval names no amount for it to hold."""
        if self.needs_bound(action) and priced.is_unknown and priced.up_to is None:
            changed = RulesChanged(
                "By the rules of now an approval of an unknown price names the most that it may cost; nothing was sent."
            )
            await self.close(action, str(changed))
            raise changed


def _no_longer_enough(action: Action, decision: Decision) -> GuardRefusal:
    """Return the refusal of an action whose approval, or question, is not what is demanded now."""
    if is_allowance(action.decided_by):
        return AllowanceGone(f"The {action.decided_by} no longer covers this call; nothing was sent.")
    who = "the operator" if decision is Decision.PAGE else "a person"
    which = "the approval it has" if action.state is State.APPROVED else "an answer to the earlier question"
    return RulesChanged(f"By the rules of now {who} has to approve this, and {which} is not enough; nothing was sent.")
