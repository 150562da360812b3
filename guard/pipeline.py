"""Runs a guarded call: validate, policy, quote, approve, send once, settle, audit.

    validate → policy → destination → quote → budget check → approval → hold + intent → send → settle → audit

Arguments are validated before an `Operation` exists. `propose` goes as far as the question, a person (never the asking
side) answers it through `approve` or `decline`, and `execute` does the rest. What `propose` checks is checked again
when an answer comes back and again before sending, because rules, opt-outs and the hour change meanwhile.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, Protocol, TypeVar, cast

import anyio
from pydantic import BaseModel

from clients.errors import NotFound, TelephonyError
from clients.operation import Operation, is_dry_run
from clients.questions.subjects import Reach
from guard.action import Action, Channel, Principal, State, arguments_of, digest_of, digests_of_same_call, new_action_id
from guard.approvals import BY_POLICY, Approvals, is_enough
from guard.dependencies import GuardDependencies, ProviderClient
from guard.errors import (
    GuardRefusal,
    JournalUnavailable,
    NotPossibleNow,
    NotTheSameCall,
    OutcomePending,
    PriceChanged,
    RecipientsChanged,
    RulesChanged,
)
from guard.injection.sanitize import escape_invisible
from guard.journal import Journal
from guard.messages import FINAL, status_with_outcome
from guard.money import Money
from guard.reconcile import Reconciler
from guard.rules.budget import Cap, Hold, applicable
from guard.rules.checks import Assessment, Checks
from guard.rules.forwarding import Forwarding
from guard.rules.policy import Decision
from guard.rules.quote import PriceSource, Quote, quote
from guard.rules.recipients import Recipients, recipient_count, require_unchanged, resolve_recipients
from guard.settlement import Receipt, Settlement

R = TypeVar("R")

NEWS_FOR: Final = timedelta(days=1)
"""How long a repeated call shows what the server did, before it counts as a new one."""

_NOT_READ = Recipients()


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
    def reserved(self) -> None:
        """Nothing: an action of its own holds its money when it begins."""
        return

    async def begin(self, *, hold: Hold, caps: Sequence[Cap], at: datetime) -> Action | None:
        """Take the action's approval."""
        return await self.journal.begin(self.action.id, hold=hold, caps=caps, at=at)


@dataclass(frozen=True, slots=True)
class Draft:
    """A call that was looked up and checked, as the action that would be recorded."""

    action: Action
    decision: Decision
    same_call: tuple[str, ...]
    """Digests of the same call, with its telephones in every form."""

    numbers: tuple[str, ...]
    """Numbers that it reaches, those of groups and lists included; empty where it names none."""


class Guard:
    """Runs every operation that is more than a plain read."""

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._journal = dependencies.journal
        self._accounts = dependencies.accounts
        self._prices = dependencies.prices
        self._catalog = dependencies.catalog
        self._rules = dependencies.rules
        self._clock = dependencies.clock
        self._approval_lifetime = dependencies.approval_lifetime
        self._checks = Checks(dependencies)
        self._forwarding = Forwarding(dependencies.own_numbers)
        self._approvals = Approvals(dependencies.journal, dependencies.clock, dependencies.catalog, dependencies.rules)
        self._settlement = Settlement(dependencies)
        self.reconciler = Reconciler(dependencies)
        self._reconciliation = dependencies.reconciliation

    def with_prices(self, prices: Mapping[str, PriceSource]) -> "Guard":
        """Return this guard with other sources of prices; everything else, and what waits to be written, is shared."""
        guard = copy(self)
        guard._prices = prices
        return guard

    async def propose(
        self, operation: Operation[Any], principal: Principal, notes: Sequence[str] = (), *, from_record: bool = False
    ) -> Action:
        """Return the open action for this call: the one that waits for an answer or has it, or a new proposal.

        `notes` are what else a person should know, said by this server, never by the asking side. `from_record` is
        true for the undo of an action, whose arguments come from the record.

        Raises:
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made.
            NotPossibleNow: The call cannot be made as things are.
            OutcomePending: The same call is under way, or its outcome is not known.
            JournalUnavailable: The store cannot be written.
        """
        await self._settlement.pending.flush()
        self._reconciliation.request(self.reconciler)
        try:
            drafted = await self._draft_or_find(operation, principal, notes, from_record=from_record)
        except GuardRefusal as refusal:
            await self._note_refusal(operation, principal, refusal)
            raise
        if isinstance(drafted, Action):
            return drafted
        proposed = await self._journal.propose(drafted.action)
        if drafted.decision is Decision.ALLOW and proposed.state is State.PROPOSED:
            return await self.approve(proposed.id, by=BY_POLICY)
        return proposed

    async def draft(self, operation: Operation[Any], principal: Principal, *, from_record: bool = False) -> Draft:
        """Look up and check a call as `propose` does, and record nothing.

        Raises:
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made.
            NotPossibleNow: The call cannot be made as things are.
            OutcomePending: The same call is under way, or its outcome is not known.
            JournalUnavailable: The store cannot be read.
        """
        client, digest, recipients = await self._resolve(operation, principal)
        await self._open(digest)
        priced, assessment = await self._assess(
            operation, recipients, client.account, principal, from_record=from_record
        )
        return await self._as_draft(operation, client, principal, digest, recipients, priced, assessment)

    async def assess_later(self, operation: Operation[Any], principal: Principal) -> tuple[Quote, Decision]:
        """Price a call that the record made and that is sent much later, and decide about it; its state is not read.

        Raises:
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made.
        """
        client, _, recipients = await self._resolve(operation, principal)
        priced, assessment = await self._assess(operation, recipients, client.account, principal, from_record=True)
        return priced.with_notes(*assessment.notes), assessment.decision

    async def take_news(self, operation: Operation[Any], principal: Principal) -> Action | None:
        """Return, once, the action of this call that the server carried out or closed by itself; None where none is.

        The same call is made again by whoever asked for it and was told to call again once it is approved.
        """
        account = self._accounts[operation.spec.provider.name].account
        digest = digest_of(operation, account=account, principal=principal)
        return await self._journal.take_news(digest, self._clock.now() - NEWS_FOR)

    async def read_before(self, operation: Operation[Any]) -> dict[str, Any] | None:
        """Read the state that a call will change, as it is stored; None where there is none or it cannot be read."""
        return (await self._before(operation, self._accounts[operation.spec.provider.name]))[1]

    async def resume(self, action_id: str, operation: Operation[Any], principal: Principal) -> Action:
        """Return the open action that an answer claims to belong to.

        Raises:
            NotTheSameCall: The call is not the one in the question, or somebody else asked.
            AlreadySettled: The action was carried out before.
        """
        client = self._accounts[operation.spec.provider.name]
        action = await self._journal.find(action_id)
        if action is None or action.digest != digest_of(operation, account=client.account, principal=principal):
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
        await self._check_again(action, operation, _NOT_READ, action.quote, intent, from_record=from_record)

    async def approve(self, action_id: str, *, by: str) -> Action:
        """Record a person's approval. Raises as `Approvals.record` does."""
        return await self._approvals.record(action_id, State.APPROVED, by=by)

    async def note_no_answer(self, action: Action, why: str) -> None:
        """Put on the audit that the client gave no answer to a question, which still waits for one."""
        await self._journal.note("no answer", action_id=action.id, principal=action.principal, detail={"why": why})

    async def decline(self, action_id: str, *, by: str) -> Action:
        """Record that a person or their client declined. Raises as `Approvals.record` does."""
        return await self._approvals.record(action_id, State.DECLINED, by=by)

    async def execute(
        self, action: Action, operation: Operation[R], intent: Intent | None = None, *, from_record: bool = False
    ) -> Receipt[R]:
        """Send an approved call, once.

        The intent is on the record before the request leaves. From then on a cancelled caller cannot lose the outcome.
        `intent` takes the approval where it is not the action's own.

        Raises:
            AlreadySettled: Another caller took the approval first.
            Declined, Expired: There is no approval.
            PriceChanged, RecipientsChanged, RulesChanged: The approval is for something else, or not enough any more.
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made any more.
        """
        if action.state is State.DECLINED:
            self._approvals.refuse(action)
        recipients = await self._require_same_reach(action, operation)
        priced = await self._require_same_price(action, operation, recipients)
        intent = intent or ActionIntent(self._journal, action)
        await self._check_again(action, operation, recipients, priced, intent, from_record=from_record)
        await self._require_bound(action, priced)
        kept = await self._settlement.keep_secret_inputs(action, operation)
        hold = Hold(action.provider, priced.most)
        caps = applicable(self._rules.caps, action.provider, priced.most.currency) if priced.most else []
        with anyio.CancelScope(shield=True):
            taken = await intent.begin(hold=hold, caps=caps, at=self._clock.now())
            if taken is None:
                self._approvals.refuse(
                    await self._approvals.expire_if_due(await self._journal.find(action.id) or action)
                )
            remark = priced.not_read_since(intent.asked_at)
            return await self._send_and_settle(taken, operation, kept, remark)
        raise RuntimeError("A shielded scope was cancelled.")

    def needs_bound(self, action: Action) -> bool:
        """Return True if an approval of this action names the most that it may cost."""
        return action.quote.is_unknown and self._rules.needs_bound(action.provider)

    async def refresh(self, action: Action) -> Action:
        """Return the action as it is now; where its outcome is open, check it at the provider."""
        if action.state not in {State.SENDING, State.UNKNOWN}:
            return action
        with suppress(JournalUnavailable):
            await self._settlement.pending.flush()
            return await self.reconciler.check(await self._journal.find(action.id) or action)
        return action

    async def _send_and_settle(
        self, taken: Action, operation: Operation[R], kept: tuple[str, ...], remark: str
    ) -> Receipt[R]:
        try:
            exchange = await self._accounts[taken.provider].exchange(operation, idempotency_key=taken.id)
        except TelephonyError as error:
            return await self._settlement.record_error(taken, error, kept)
        except BaseException as crash:
            await self._settlement.record_crash(taken, crash)
            raise
        return await self._settlement.record_answer(taken, operation, exchange, kept, remark=remark)

    async def _draft_or_find(
        self, operation: Operation[Any], principal: Principal, notes: Sequence[str], *, from_record: bool
    ) -> Draft | Action:
        """Return the draft of a new action, or the open action of this call if whoever is asked about it is enough."""
        client, digest, recipients = await self._resolve(operation, principal)
        found = await self._open(digest)
        priced, assessment = await self._assess(
            operation, recipients, client.account, principal, from_record=from_record
        )
        if found is not None:
            if is_enough(found, assessment.decision):
                return found
            await self._close(found, "The rules have become stricter.")
        return await self._as_draft(operation, client, principal, digest, recipients, priced, assessment, notes)

    async def _resolve(self, operation: Operation[Any], principal: Principal) -> tuple[ProviderClient, str, Recipients]:
        """Refuse what no answer could allow, and return the client, the digest, and whom the call reaches."""
        await self._checks.refuse_early(operation)
        client = self._accounts[operation.spec.provider.name]
        digest = digest_of(operation, account=client.account, principal=principal)
        recipients = await resolve_recipients(operation, client)
        await self._checks.refuse_members(operation, recipients)
        return client, digest, recipients

    async def _assess(
        self,
        operation: Operation[Any],
        recipients: Recipients,
        account: str,
        principal: Principal,
        *,
        from_record: bool,
    ) -> tuple[Quote, Assessment]:
        """Price a call that may be made, and decide about it."""
        priced = await self._quote(operation, recipients)
        same = digests_of_same_call(operation, account=account, principal=principal)
        assessment = await self._checks.assess(operation, recipients, priced, same, principal, from_record=from_record)
        return priced, assessment

    async def _as_draft(
        self,
        operation: Operation[Any],
        client: ProviderClient,
        principal: Principal,
        digest: str,
        recipients: Recipients,
        priced: Quote,
        assessment: Assessment,
        notes: Sequence[str] = (),
    ) -> Draft:
        """Read the state that the call changes, which may tighten the decision, and build the action to record.

        Raises:
            NotPossibleNow: That state makes the call impossible.
            DestinationRefused: It forwards a number to itself.
        """
        is_final = operation.spec.irreversible and not is_dry_run(operation)
        all_notes = (*notes, *([FINAL] if is_final else []), *assessment.notes)
        assessment = replace(assessment, notes=all_notes)
        before, kept = await self._before(operation, client)
        await self._refuse_impossible(operation, client, before)
        reach = Reach(recipients.with_destinations(operation), priced.recipients)
        assessment = self._checks.ask_without_undo(operation, before, assessment)
        forwarding, warnings = await self._forwarding.check(operation, before)
        assessment = Assessment(max(assessment.decision, forwarding), (*warnings, *assessment.notes))
        channel: Channel = "page" if assessment.decision is Decision.PAGE else "ask"
        created = self._clock.now()
        changes = [escape_invisible(change) for change in operation.changes(before)]
        action = Action(
            id=new_action_id(),
            provider=operation.spec.provider.name,
            account=client.account,
            operation=operation.spec.tool_name,
            title=escape_invisible(operation.describe(before, reach)),
            arguments=arguments_of(operation),
            digest=digest,
            principal=principal.name,
            channel=channel,
            quote=replace(priced.with_notes(*assessment.notes, *changes), changes=operation.differences(before)),
            state=State.PROPOSED,
            created_at=created,
            expires_at=created + self._approval_lifetime,
            before=kept,
        )
        same = digests_of_same_call(operation, account=client.account, principal=principal)
        numbers = tuple(dict.fromkeys((*operation.destinations(), *recipients.numbers)))
        return Draft(action, assessment.decision, same, numbers)

    async def _quote(self, operation: Operation[Any], recipients: Recipients) -> Quote:
        prices = self._prices.get(operation.spec.provider.name)
        reached = recipient_count(operation, recipients)
        found = await quote(operation, prices, self._rules.prices, recipients=reached)
        return replace(found, members=recipients.digest)

    async def _before(
        self, operation: Operation[Any], client: ProviderClient
    ) -> tuple[BaseModel | None, dict[str, Any] | None]:
        """Read the state that the call will change: typed, and as stored. None where it could not be read."""
        read = operation.before()
        return (None, None) if read is None else await self._read_state(read, client)

    async def _read_state(
        self, read: Operation[Any], client: ProviderClient
    ) -> tuple[BaseModel | None, dict[str, Any] | None]:
        try:
            found = cast("BaseModel", (await client.exchange(read)).answer)
        except NotFound:
            return None, {}
        except TelephonyError:
            return None, None
        return found, found.model_dump(mode="json", exclude_none=True)

    async def _refuse_impossible(
        self, operation: Operation[Any], client: ProviderClient, before: BaseModel | None
    ) -> None:
        """Refuse a call that the provider would refuse. What cannot be read refuses nothing.

        Raises:
            NotPossibleNow: The state, as it was read, makes the call impossible.
        """
        for condition in operation.preconditions():
            is_read = condition.read == operation.before()
            found = before if is_read else (await self._read_state(condition.read, client))[0]
            if found is not None and (why := condition.fails(found)):
                raise NotPossibleNow(
                    f"{operation.spec.title} at {operation.spec.provider.title} is not possible now: {why}; "
                    "nothing was sent."
                )

    async def _open(self, digest: str) -> Action | None:
        found = await self._journal.find_open(digest)
        if found is None:
            return None
        current = await self.reconciler.check(await self._approvals.expire_if_due(found))
        if current.state in {State.SENDING, State.UNKNOWN}:
            raise OutcomePending(
                f"{status_with_outcome(current, self._catalog)} The same call is not sent a second time."
            )
        return current if current.state.is_open else None

    async def _check_again(
        self,
        action: Action,
        operation: Operation[Any],
        recipients: Recipients,
        priced: Quote,
        intent: Intent,
        *,
        from_record: bool,
    ) -> None:
        """Check an action that was asked or approved before against the rules, lists and budgets of now.

        Raises:
            RulesChanged: Whoever was asked, or approved, is not whom the rules demand now. The action is closed.
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made any more.
        """
        principal = Principal(action.principal)
        try:
            await self._checks.refuse_early(operation)
            await self._checks.refuse_members(operation, recipients)
            same = digests_of_same_call(operation, account=action.account, principal=principal)
            assessment = await self._checks.assess(
                operation, recipients, priced, same, principal, from_record=from_record, reserved=intent.reserved
            )
            if not is_enough(action, assessment.decision):
                await self._close_too_lenient(action, assessment.decision)
        except GuardRefusal as refusal:
            await self._note_refusal(operation, principal, refusal, about=intent.about)
            raise

    async def _close_too_lenient(self, action: Action, decision: Decision) -> NoReturn:
        who = "the operator" if decision is Decision.PAGE else "a person"
        changed = RulesChanged(
            f"By the rules of now {who} has to approve this, and "
            f"{'the approval it has' if action.state is State.APPROVED else 'an answer to the earlier question'} "
            "is not enough; nothing was sent."
        )
        if await self._close(action, str(changed)) is None:
            found = await self._journal.find(action.id)
            if found is not None:  # the step of a plan is on the record only once it is sent
                self._approvals.refuse(found)
        raise changed

    async def _close(self, action: Action, reason: str) -> Action | None:
        """Close an action that waits or is approved, to be proposed anew; None if it was in neither state."""
        return await self._journal.move(action.id, {State.PROPOSED, State.APPROVED}, State.EXPIRED, outcome=reason)

    async def _note_refusal(
        self, operation: Operation[Any], principal: Principal, refusal: GuardRefusal, *, about: str | None = None
    ) -> None:
        """Put a refusal on the audit; `about` is the action or the step of a plan, where there is one."""
        if isinstance(refusal, JournalUnavailable):
            return
        detail = {"operation": operation.spec.tool_name, "arguments": arguments_of(operation), "why": str(refusal)}
        detail |= {"action": about} if about else {}
        with suppress(JournalUnavailable):
            await self._journal.note("denied", action_id=None, principal=principal.name, detail=detail)

    async def _require_same_reach(self, action: Action, operation: Operation[Any]) -> Recipients:
        """Refuse a call whose recipients changed after the approval."""
        found = await resolve_recipients(operation, self._accounts[action.provider])
        try:
            require_unchanged(action.quote, operation, found)
        except RecipientsChanged as changed:
            await self._close(action, str(changed))
            raise
        return found

    async def _require_same_price(self, action: Action, operation: Operation[Any], recipients: Recipients) -> Quote:
        """Refuse a call that became more expensive than what was approved."""
        now = await self._quote(operation, recipients)
        now = replace(now, up_to=action.quote.up_to if now.is_unknown else None)
        approved, current = action.quote.most, now.most
        least = now.at_least if now.up_to else None
        if current is None and approved is None:
            return now
        if current and approved and current.is_at_most(approved) and (least is None or least.is_at_most(approved)):
            return now
        await self._close(action, "The price changed.")
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
            await self._close(action, str(changed))
            raise changed
