"""Runs a guarded call: validate, policy, quote, approve, send once, settle, audit.

    validate → policy → destination → quote → budget check → approval → hold + intent → send → settle → audit

Arguments are validated before an `Operation` exists. `propose` goes as far as the question (`guard/calls/drafting.py`
looks the call up), a person (never the asking side) answers it through `approve` or `decline`, and `execute` does the
rest. What `propose` checks is checked again when an answer comes back and again before sending
(`guard/calls/rechecks.py`), because rules, opt-outs and the hour change meanwhile. Where policy allows a call, nobody
is asked, and what was checked a moment ago counts.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, TypeVar

import anyio

from clients.errors import TelephonyError
from clients.operation import Operation
from clients.telemetry.spans import traced
from guard.accounts import ProviderClient
from guard.action import Action, Principal, State
from guard.allowances.allowance import Cover
from guard.approvals import BY_POLICY, Approvals, is_enough
from guard.calls.drafting import AskedCall, Draft, Drafting, Findings
from guard.calls.intent import ActionIntent, Intent
from guard.calls.rechecks import Rechecks
from guard.calls.refusals import Refusals
from guard.calls.state_before import not_possible, read_before, why_impossible
from guard.dependencies import GuardDependencies
from guard.errors import AllowanceGone, GuardRefusal, JournalUnavailable, NotTheSameCall, OutcomePending
from guard.injection.reasons import LONGEST_OF_ASSISTANT, clean_reason
from guard.messages import status_with_outcome
from guard.reconcile import Reconciler
from guard.rules.budget import Hold, applicable
from guard.rules.just_checked import Checked, JustChecked
from guard.rules.policy import Decision
from guard.rules.quote import PriceSource, Quote
from guard.rules.recipients import Recipients
from guard.settlement import Receipt, Settlement

R = TypeVar("R")

NEWS_FOR: Final = timedelta(days=1)
"""How long a repeated call shows what the server did, before it counts as a new one."""

_NOT_READ = Recipients()


class Guard:
    """Runs every operation that is more than a plain read."""

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._journal = dependencies.journal
        self._accounts = dependencies.configured
        self._catalog = dependencies.catalog
        self._rules = dependencies.rules
        self._clock = dependencies.clock
        self._approvals = Approvals(dependencies.journal, dependencies.clock, dependencies.catalog, dependencies.rules)
        self._drafting = Drafting(dependencies)
        self._rechecks = Rechecks(dependencies, self._drafting, self._approvals)
        self._refusals = Refusals(dependencies)
        self._settlement = Settlement(dependencies)
        self._just_checked = JustChecked()
        self.reconciler = Reconciler(dependencies)
        self._reconciliation = dependencies.reconciliation

    def with_prices(self, prices: Mapping[str, PriceSource]) -> "Guard":
        """Return this guard with other sources of prices; everything else, and what waits to be written, is shared."""
        guard = copy(self)
        guard._drafting = self._drafting.with_prices(prices)
        guard._rechecks = self._rechecks.with_drafting(guard._drafting)
        return guard

    @traced("guard: propose")
    async def propose(
        self,
        operation: Operation[Any],
        principal: Principal,
        notes: Sequence[str] = (),
        *,
        account: str | None = None,
        from_record: bool = False,
        reason: str = "",
    ) -> Action:
        """Return the open action for this call: the one that waits for an answer or has it, or a new proposal.

        `account` is the name of the account to make it on, which may be left out where the provider has only one.
        `notes` are what else a person should know, said by this server, never by the asking side. `from_record` is
        true for the undo of an action, whose arguments come from the record. `reason` is why the asking side wants it,
        which decides nothing: the open action of the same call keeps the reason that it was proposed with.

        Raises:
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made.
            NotPossibleNow: The call cannot be made as things are.
            OutcomePending: The same call is under way, or its outcome is not known.
            JournalUnavailable: The store cannot be written.
        """
        await self._settlement.pending.flush()
        self._reconciliation.request(self.reconciler)
        began = self._clock.now()
        try:
            asked = self._asked(operation, principal, account)
            drafted = await self._draft_or_find(asked, notes, from_record=from_record)
        except GuardRefusal as refusal:
            await self._refusals.note(operation, principal, refusal, account=account)
            raise
        if isinstance(drafted, Action):
            return drafted
        said = clean_reason(reason, LONGEST_OF_ASSISTANT)
        new, by_policy = replace(drafted.action, reason=said), drafted.decision is Decision.ALLOW
        decided = await self._approvals.yes_without_operator(new, BY_POLICY) if by_policy else None
        proposed = await self._journal.propose(new, decided=decided)
        if by_policy and proposed.state is State.PROPOSED:  # it waited already
            return await self.approve(proposed.id, by=BY_POLICY)
        if by_policy and proposed.id == new.id:
            self._just_checked.remember(new.id, Checked(began, new.quote), self._clock.now())
        return await self._approve_by_allowance(proposed, drafted.cover)

    async def draft(
        self,
        operation: Operation[Any],
        principal: Principal,
        *,
        account: str | None = None,
        from_record: bool = False,
        may_be_prepared: bool = False,
    ) -> Draft:
        """Look up and check a call as `propose` does, and record nothing.

        `may_be_prepared` is true for a step of a plan whose earlier steps may make possible what is not possible now:
        that is noted then, and `look_before` refuses it when its turn has come and it still is not.

        Raises:
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made.
            NotPossibleNow: The call cannot be made as things are.
            OutcomePending: The same call is under way, or its outcome is not known.
            JournalUnavailable: The store cannot be read.
        """
        asked = self._asked(operation, principal, account)
        recipients = await self._drafting.resolve(asked)
        await self._find_open(asked)
        found = await self._drafting.assess(asked, recipients, from_record=from_record)
        return await self._drafting.draft(asked, found, may_be_prepared=may_be_prepared)

    async def assess_later(
        self, operation: Operation[Any], principal: Principal, account: str
    ) -> tuple[Quote, Decision]:
        """Price a call that the record made and that is sent much later, and decide about it; its state is not read.

        Raises:
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made.
        """
        asked = self._asked(operation, principal, account)
        found = await self._drafting.assess(asked, await self._drafting.resolve(asked), from_record=True)
        return found.priced.with_notes(*found.assessment.notes), found.assessment.decision

    async def take_news(
        self, operation: Operation[Any], principal: Principal, *, account: str | None = None
    ) -> Action | None:
        """Return, once, the action of this call that the server carried out or closed by itself; None where none is.

        The same call is made again by whoever asked for it and was told to call again once it is approved.
        """
        digest = self._asked(operation, principal, account).digest
        return await self._journal.take_news(digest, self._clock.now() - NEWS_FOR)

    async def earlier_no(self, action: Action) -> Action | None:
        """Return the action of the same call that was declined shortly before with a reason; None where none was."""
        since = action.created_at - self._rules.compliance.duplicate_window
        found = await self._journal.last_answered(action.digest, since)
        return found if found is not None and found.state is State.DECLINED and found.decline_reason else None

    async def _approve_by_allowance(self, action: Action, cover: Cover) -> Action:
        """Approve an action that waits under an allowance that covers it; return it as it stands then."""
        if not cover.allowances or action.state is not State.PROPOSED:
            return action
        return await self._journal.approve_by_allowance(action, cover, self._clock.now()) or action

    async def look_before(
        self, operation: Operation[Any], account: str, *, may_be_prepared: bool = False
    ) -> dict[str, Any] | None:
        """Read the state that a call will change, as it is stored; None where there is none or it cannot be read.

        `account` is what identifies the account.

        Raises:
            AccountGone: It is not set up any more.
            NotPossibleNow: `may_be_prepared` is true, and the state still makes the call impossible.
        """
        client = self._accounts.require(operation.spec.provider.name, account).client
        before, kept = await read_before(operation, client)
        if may_be_prepared and (why := await why_impossible(operation, client, before)):
            raise not_possible(operation, why)
        return kept

    async def resume(
        self, action_id: str, operation: Operation[Any], principal: Principal, *, account: str | None = None
    ) -> Action:
        """Return the open action that an answer claims to belong to.

        Raises:
            NotTheSameCall: The call is not the one in the question, or somebody else asked.
            AlreadySettled: The action was carried out before.
        """
        asked = self._asked(operation, principal, account)
        action = await self._journal.find(action_id)
        if action is None or action.digest != asked.digest:
            raise NotTheSameCall("This answer belongs to another call; nothing was sent.")
        current = await self._approvals.expire_if_due(action)
        if current.state not in {State.PROPOSED, State.APPROVED}:
            self._approvals.refuse(current)
        return current

    async def check_answered(self, action: Action, operation: Operation[Any], *, from_record: bool = False) -> None:
        """Check an action whose answer came back, at the price and the number of recipients in its question.

        `execute` reads both again.

        Raises:
            RulesChanged: The rules demand another person's approval now.
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made any more.
        """
        intent = ActionIntent(self._journal, action)
        await self._rechecks.check(action, operation, _NOT_READ, action.quote, intent, from_record=from_record)

    async def approve(self, action_id: str, *, by: str) -> Action:
        """Record a person's approval. Raises as `Approvals.record` does."""
        return await self._approvals.record(action_id, State.APPROVED, by=by)

    async def note_no_answer(self, action: Action, why: str) -> None:
        """Put on the audit that the client gave no answer to a question, which still waits for one."""
        await self._journal.note("no answer", action_id=action.id, principal=action.principal, detail={"why": why})

    async def decline(self, action_id: str, *, by: str) -> Action:
        """Record that a person or their client declined. Raises as `Approvals.record` does."""
        return await self._approvals.record(action_id, State.DECLINED, by=by)

    @traced("guard: execute")
    async def execute(
        self, action: Action, operation: Operation[R], intent: Intent | None = None, *, from_record: bool = False
    ) -> Receipt[R]:
        """Send an approved call, once.

        The intent is on the record before the request leaves. From then on a cancelled caller cannot lose the outcome.
        `intent` takes the approval where it is not the action's own.

        Raises:
            AlreadySettled: Another caller took the approval first.
            Declined, Expired: There is no approval.
            AccountGone: Its account is not set up any more; it is never sent through another.
            PriceChanged, RecipientsChanged, RulesChanged: The approval is for something else, or not enough any more.
            AllowanceGone: The allowance under which it was approved was revoked meanwhile, or is over.
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made any more.
        """
        if action.state is State.DECLINED:
            self._approvals.refuse(action)
        account = self._accounts.require(action.provider, action.account)
        intent = intent or ActionIntent(self._journal, action)
        if (checked := self._just_checked.take(action.id, self._clock.now())) is not None:
            priced, remark = checked.priced, ""
        else:
            priced = await self._rechecks.price_again(action, operation, account, intent, from_record=from_record)
            remark = priced.not_read_since(intent.asked_at)
        kept = await self._settlement.keep_secret_inputs(action, operation)
        hold = Hold(action.provider, priced.most, account.name)
        caps = applicable(self._rules.caps, action.provider, account.name, priced.most.currency) if priced.most else []
        with anyio.CancelScope(shield=True):
            try:
                taken = await intent.begin(hold=hold, caps=caps, at=self._clock.now())
            except AllowanceGone as gone:
                await self._rechecks.close(action, str(gone))
                raise
            if taken is None:
                self._approvals.refuse(
                    await self._approvals.expire_if_due(await self._journal.find(action.id) or action)
                )
            return await self._send_and_settle(taken, operation, account.client, kept, remark)
        raise RuntimeError("A shielded scope was cancelled.")

    def needs_bound(self, action: Action) -> bool:
        """Return True if an approval of this action names the most that it may cost."""
        return self._rechecks.needs_bound(action)

    async def refresh(self, action: Action) -> Action:
        """Return the action as it is now; where its outcome is open, check it at the provider."""
        if action.state not in {State.SENDING, State.UNKNOWN}:
            return action
        with suppress(JournalUnavailable):
            await self._settlement.pending.flush()
            return await self.reconciler.check(await self._journal.find(action.id) or action)
        return action

    async def _send_and_settle(
        self, taken: Action, operation: Operation[R], client: ProviderClient, kept: tuple[str, ...], remark: str
    ) -> Receipt[R]:
        try:
            exchange = await client.exchange(operation, idempotency_key=taken.id)
        except TelephonyError as error:
            return await self._settlement.record_error(taken, error, kept)
        except BaseException as crash:
            await self._settlement.record_crash(taken, crash)
            raise
        return await self._settlement.record_answer(taken, operation, exchange, kept, remark=remark)

    def _asked(self, operation: Operation[Any], principal: Principal, account: str | None) -> AskedCall:
        """Return the call as it is asked for; without an account's name, on the only one of its provider."""
        return AskedCall(operation, self._accounts.select(operation.spec.provider.name, account), principal)

    async def _draft_or_find(self, call: AskedCall, notes: Sequence[str], *, from_record: bool) -> Draft | Action:
        """Return the draft of a new action, or the open action of this call if whoever is asked about it is enough."""
        recipients = await self._drafting.resolve(call)
        open_action = await self._find_open(call)
        found = await self._drafting.assess(call, recipients, from_record=from_record)
        if open_action is None:
            return await self._drafting.draft(call, found, notes)
        if open_action.state is State.PROPOSED and is_enough(open_action, found.assessment.decision):
            return await self._approve_found(open_action, call, found)
        decision = await self._drafting.decision_about(open_action, call.operation, found.priced, found.assessment)
        if is_enough(open_action, decision):
            return open_action
        await self._rechecks.close(open_action, "The rules have become stricter.")
        return await self._drafting.draft(call, found, notes)

    async def _approve_found(self, waiting: Action, call: AskedCall, found: Findings) -> Action:
        """Approve an action that waits if an allowance covers it by now: the operator may have added one since."""
        cover = await self._drafting.cover(call, found.priced, found.assessment)
        if not cover.allowances:
            return waiting
        drafted = await self._drafting.draft(call, found)
        return await self._approve_by_allowance(waiting, drafted.cover)

    async def _find_open(self, call: AskedCall) -> Action | None:
        """Return the action of this call that waits or is approved; None where there is none.

        Raises:
            OutcomePending: It is under way, or its outcome is not known.
        """
        found = await self._journal.find_open(call.digest)
        if found is None:
            return None
        current = await self.reconciler.check(await self._approvals.expire_if_due(found))
        if current.state in {State.SENDING, State.UNKNOWN}:
            raise OutcomePending(
                f"{status_with_outcome(current, self._catalog)} The same call is not sent a second time."
            )
        return current if current.state.is_open else None
