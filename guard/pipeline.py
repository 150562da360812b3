"""Runs a guarded call: validate, policy, quote, approve, send once, settle, audit.

    validate → policy → destination → quote → budget check → approval → hold + intent → send → settle → audit

Arguments are validated before an `Operation` exists. `propose` goes as far as the question, a person (never the asking
side) answers it through `approve` or `decline`, and `execute` does the rest. What `propose` checks is checked again
when an answer comes back and again before sending, because rules, opt-outs and the hour change meanwhile. Where policy
allows a call, nobody is asked, and what was checked a moment ago counts.
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
from clients.operation import NumberForward, Operation, is_dry_run
from clients.questions.subjects import Reach
from clients.telemetry.spans import traced
from guard.accounts import Account, ProviderClient
from guard.action import Action, Channel, Principal, State, arguments_of, digest_of, digests_of_same_call, new_action_id
from guard.allowances.allowance import NO_COVER, Cover, allowance_of, is_allowance
from guard.allowances.coverage import Circumstances, Coverage
from guard.approvals import BY_POLICY, Approvals, is_enough
from guard.dependencies import GuardDependencies
from guard.errors import (
    AllowanceGone,
    GuardRefusal,
    JournalUnavailable,
    NotPossibleNow,
    NotTheSameCall,
    OutcomePending,
    PriceChanged,
    RecipientsChanged,
    RulesChanged,
)
from guard.injection.reasons import LONGEST_OF_ASSISTANT, clean_reason
from guard.injection.sanitize import escape_invisible
from guard.journal import Journal
from guard.messages import FINAL, status_with_outcome
from guard.money import Money
from guard.operators.judge import ApprovalJudge
from guard.reconcile import Reconciler
from guard.rules.budget import Cap, Hold, applicable
from guard.rules.checks import Assessment, Checks
from guard.rules.forwarding import Forwarding
from guard.rules.just_checked import Checked, JustChecked
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


@dataclass(frozen=True, slots=True)
class Draft:
    """A call that was looked up and checked, as the action that would be recorded."""

    action: Action
    decision: Decision
    same_call: tuple[str, ...]
    """Digests of the same call, with its telephones in every form."""

    numbers: tuple[str, ...]
    """Numbers that it reaches, those of groups and lists included; empty where it names none."""

    forwards: tuple[NumberForward, ...] = ()
    """Which numbers of ours it forwards, and where to."""

    cover: Cover = NO_COVER
    """The allowances that cover it; none where nobody has to be asked, or something demands that somebody is."""


class Guard:
    """Runs every operation that is more than a plain read."""

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._journal = dependencies.journal
        self._accounts = dependencies.configured
        self._prices = dependencies.prices
        self._catalog = dependencies.catalog
        self._rules = dependencies.rules
        self._clock = dependencies.clock
        self._approval_lifetime = dependencies.approval_lifetime
        self._checks = Checks(dependencies)
        self._forwarding = Forwarding(dependencies.own_numbers)
        self._coverage = Coverage(dependencies.allowances, dependencies.groups)
        self._approvals = Approvals(dependencies.journal, dependencies.clock, dependencies.catalog, dependencies.rules)
        self._judge = ApprovalJudge(dependencies.rules.approvers, dependencies.catalog)
        self._settlement = Settlement(dependencies)
        self._just_checked = JustChecked()
        self.reconciler = Reconciler(dependencies)
        self._reconciliation = dependencies.reconciliation

    def with_prices(self, prices: Mapping[str, PriceSource]) -> "Guard":
        """Return this guard with other sources of prices; everything else, and what waits to be written, is shared."""
        guard = copy(self)
        guard._prices = prices
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
            chosen = self._accounts.select(operation.spec.provider.name, account)
            drafted = await self._draft_or_find(operation, chosen, principal, notes, from_record=from_record)
        except GuardRefusal as refusal:
            await self._note_refusal(operation, principal, refusal, account=account)
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
        chosen = self._accounts.select(operation.spec.provider.name, account)
        digest, recipients = await self._resolve(operation, chosen, principal)
        await self._open(digest)
        priced, assessment = await self._assess(operation, recipients, chosen, principal, from_record=from_record)
        return await self._as_draft(
            operation, chosen, principal, digest, recipients, priced, assessment, may_be_prepared=may_be_prepared
        )

    async def assess_later(
        self, operation: Operation[Any], principal: Principal, account: str
    ) -> tuple[Quote, Decision]:
        """Price a call that the record made and that is sent much later, and decide about it; its state is not read.

        Raises:
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made.
        """
        chosen = self._accounts.select(operation.spec.provider.name, account)
        _, recipients = await self._resolve(operation, chosen, principal)
        priced, assessment = await self._assess(operation, recipients, chosen, principal, from_record=True)
        return priced.with_notes(*assessment.notes), assessment.decision

    async def take_news(
        self, operation: Operation[Any], principal: Principal, *, account: str | None = None
    ) -> Action | None:
        """Return, once, the action of this call that the server carried out or closed by itself; None where none is.

        The same call is made again by whoever asked for it and was told to call again once it is approved.
        """
        identity = self._accounts.select(operation.spec.provider.name, account).identity
        digest = digest_of(operation, account=identity, principal=principal)
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
        before, kept = await self._before(operation, client)
        if may_be_prepared and (why := await self._why_impossible(operation, client, before)):
            raise _not_possible(operation, why)
        return kept

    async def resume(
        self, action_id: str, operation: Operation[Any], principal: Principal, *, account: str | None = None
    ) -> Action:
        """Return the open action that an answer claims to belong to.

        Raises:
            NotTheSameCall: The call is not the one in the question, or somebody else asked.
            AlreadySettled: The action was carried out before.
        """
        identity = self._accounts.select(operation.spec.provider.name, account).identity
        action = await self._journal.find(action_id)
        if action is None or action.digest != digest_of(operation, account=identity, principal=principal):
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
        priced, remark = await self._price_again(action, operation, account, intent, from_record=from_record)
        kept = await self._settlement.keep_secret_inputs(action, operation)
        hold = Hold(action.provider, priced.most, account.name)
        caps = applicable(self._rules.caps, action.provider, account.name, priced.most.currency) if priced.most else []
        with anyio.CancelScope(shield=True):
            try:
                taken = await intent.begin(hold=hold, caps=caps, at=self._clock.now())
            except AllowanceGone as gone:
                await self._close(action, str(gone))
                raise
            if taken is None:
                self._approvals.refuse(
                    await self._approvals.expire_if_due(await self._journal.find(action.id) or action)
                )
            return await self._send_and_settle(taken, operation, account.client, kept, remark)
        raise RuntimeError("A shielded scope was cancelled.")

    def needs_bound(self, action: Action) -> bool:
        """Return True if an approval of this action names the most that it may cost."""
        return action.quote.is_unknown and self._rules.needs_bound(action.provider, action.made_on)

    async def refresh(self, action: Action) -> Action:
        """Return the action as it is now; where its outcome is open, check it at the provider."""
        if action.state not in {State.SENDING, State.UNKNOWN}:
            return action
        with suppress(JournalUnavailable):
            await self._settlement.pending.flush()
            return await self.reconciler.check(await self._journal.find(action.id) or action)
        return action

    async def _price_again(
        self, action: Action, operation: Operation[Any], account: Account, intent: Intent, *, from_record: bool
    ) -> tuple[Quote, str]:
        """Check an approved call once more before it is sent. Return its price, and a remark where that is an old one.

        What was checked a moment ago, because policy allows the call and nobody was asked, is not read again.

        Raises:
            PriceChanged, RecipientsChanged, RulesChanged: The approval is for something else, or not enough any more.
            AllowanceGone: The allowance under which it was approved no longer covers it.
            Frozen, Denied, DestinationRefused, OverBudget: The call may not be made any more.
        """
        if (checked := self._just_checked.take(action.id, self._clock.now())) is not None:
            return checked.priced, ""
        recipients = await self._require_same_reach(action, operation, account)
        priced = await self._require_same_price(action, operation, recipients, account)
        await self._check_again(action, operation, recipients, priced, intent, from_record=from_record)
        await self._require_bound(action, priced)
        return priced, priced.not_read_since(intent.asked_at)

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

    async def _draft_or_find(
        self,
        operation: Operation[Any],
        account: Account,
        principal: Principal,
        notes: Sequence[str],
        *,
        from_record: bool,
    ) -> Draft | Action:
        """Return the draft of a new action, or the open action of this call if whoever is asked about it is enough."""
        digest, recipients = await self._resolve(operation, account, principal)
        found = await self._open(digest)
        priced, assessment = await self._assess(operation, recipients, account, principal, from_record=from_record)
        if found is not None and found.state is State.PROPOSED and is_enough(found, assessment.decision):
            return await self._approve_found(found, operation, account, recipients, priced, assessment)
        if found is not None:
            decision = await self._decision_about(found, operation, priced, assessment)
            if is_enough(found, decision):
                return found
            await self._close(found, "The rules have become stricter.")
        return await self._as_draft(operation, account, principal, digest, recipients, priced, assessment, notes)

    async def _approve_found(
        self,
        found: Action,
        operation: Operation[Any],
        account: Account,
        recipients: Recipients,
        priced: Quote,
        assessment: Assessment,
    ) -> Action:
        """Approve an action that waits if an allowance covers it by now: the operator may have added one since."""
        principal = Principal(found.principal)
        cover = await self._cover(operation, principal, account, priced, assessment)
        if not cover.allowances:
            return found
        drafted = await self._as_draft(operation, account, principal, found.digest, recipients, priced, assessment)
        return await self._approve_by_allowance(found, drafted.cover)

    async def _cover(
        self,
        operation: Operation[Any],
        principal: Principal,
        account: Account,
        priced: Quote,
        assessment: Assessment,
    ) -> Cover:
        """Return the allowances that cover a call, where policy alone stands against it."""
        about = Circumstances(self._rules.policy_at(account.name), assessment.demanded, account, priced)
        return await self._coverage.find(operation, principal, about, self._clock.now())

    async def _decision_about(
        self, action: Action, operation: Operation[Any], priced: Quote, assessment: Assessment
    ) -> Decision:
        """Return what is demanded of whoever approved an action: nothing where its allowance still covers it."""
        if not is_allowance(action.decided_by) or assessment.decision is Decision.DENY:
            return assessment.decision
        account = self._accounts.require(action.provider, action.account)
        cover = await self._cover(operation, Principal(action.principal), account, priced, assessment)
        return Decision.ALLOW if allowance_of(action.decided_by) in cover.allowances else assessment.decision

    @traced("guard: read recipients")
    async def _resolve(
        self, operation: Operation[Any], account: Account, principal: Principal
    ) -> tuple[str, Recipients]:
        """Refuse what no answer could allow, and return the digest, and whom the call reaches."""
        await self._checks.refuse_early(operation, account.name)
        digest = digest_of(operation, account=account.identity, principal=principal)
        recipients = await resolve_recipients(operation, account.client)
        await self._checks.refuse_members(operation, recipients)
        return digest, recipients

    async def _assess(
        self,
        operation: Operation[Any],
        recipients: Recipients,
        account: Account,
        principal: Principal,
        *,
        from_record: bool,
    ) -> tuple[Quote, Assessment]:
        """Price a call that may be made, and decide about it."""
        priced = await self._quote(operation, recipients, account.name)
        same = digests_of_same_call(operation, account=account.identity, principal=principal)
        assessment = await self._checks.assess(
            operation, account.name, recipients, priced, same, principal, from_record=from_record
        )
        return priced, assessment

    async def _as_draft(
        self,
        operation: Operation[Any],
        account: Account,
        principal: Principal,
        digest: str,
        recipients: Recipients,
        priced: Quote,
        assessment: Assessment,
        notes: Sequence[str] = (),
        *,
        may_be_prepared: bool = False,
    ) -> Draft:
        """Read the state that the call changes, which may tighten the decision, and build the action to record.

        Raises:
            NotPossibleNow: That state makes the call impossible.
            DestinationRefused: It forwards a number to itself.
        """
        is_final = operation.spec.irreversible and not is_dry_run(operation)
        all_notes = (*notes, *([FINAL] if is_final else []), *assessment.notes)
        assessment = replace(assessment, notes=all_notes)
        before, kept = await self._before(operation, account.client)
        if why := await self._why_impossible(operation, account.client, before):
            if not may_be_prepared:
                raise _not_possible(operation, why)
            all_notes = (
                *all_notes,
                f"As things are now this is not possible: {why}. It is looked at again in its turn.",
            )
            assessment = replace(assessment, notes=all_notes)
        reach = Reach(recipients.with_destinations(operation), priced.recipients)
        assessment = self._checks.ask_without_undo(operation, before, assessment)
        forwards = operation.forwards(before)
        forwarding, warnings = await self._forwarding.check(forwards)
        assessment = replace(assessment.finding(forwarding), notes=(*warnings, *assessment.notes))
        channel: Channel = "page" if assessment.decision is Decision.PAGE else "ask"
        created = self._clock.now()
        changes = [escape_invisible(change) for change in operation.changes(before)]
        action = Action(
            id=new_action_id(),
            provider=operation.spec.provider.name,
            account=account.identity,
            account_name=account.name,
            operation=operation.spec.tool_name,
            title=self._accounts.with_account(escape_invisible(operation.describe(before, reach)), account),
            arguments=arguments_of(operation),
            digest=digest,
            principal=principal.name,
            channel=channel,
            quote=replace(
                priced.with_notes(*assessment.notes, *changes),
                changes=operation.differences(before),
                room=assessment.room,
            ),
            state=State.PROPOSED,
            created_at=created,
            expires_at=created + self._approval_lifetime,
            before=kept,
            demanded=assessment.found.word,
            approvers_needed=assessment.approvers_needed,
        )
        same = digests_of_same_call(operation, account=account.identity, principal=principal)
        numbers = tuple(dict.fromkeys((*operation.destinations(), *recipients.numbers)))
        cover = await self._cover(operation, principal, account, action.quote, assessment)
        return Draft(action, assessment.decision, same, numbers, forwards, cover)

    @traced("guard: read prices")
    async def _quote(self, operation: Operation[Any], recipients: Recipients, account: str) -> Quote:
        prices = self._prices.get(account)
        reached = recipient_count(operation, recipients)
        found = await quote(operation, prices, self._rules.prices_at(account), recipients=reached)
        return replace(found, members=recipients.digest)

    async def _before(
        self, operation: Operation[Any], client: ProviderClient
    ) -> tuple[BaseModel | None, dict[str, Any] | None]:
        """Read the state that the call will change: typed, and as stored. None where it could not be read."""
        read = operation.before()
        return (None, None) if read is None else await self._read_state(read, client)

    @traced("guard: read what it changes")
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

    async def _why_impossible(self, operation: Operation[Any], client: ProviderClient, before: BaseModel | None) -> str:
        """Return why the provider would refuse the call, by the state as it was read; what is not read is no reason."""
        for condition in operation.preconditions():
            is_read = condition.read == operation.before()
            found = before if is_read else (await self._read_state(condition.read, client))[0]
            if found is not None and (why := condition.fails(found)):
                return why
        return ""

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

    @traced("guard: check again")
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
            decision = await self._decision_about(action, operation, priced, assessment)
            if not is_enough(action, decision):
                await self._close_too_lenient(action, decision)
            await self._require_approvers(action, priced, intent)
        except GuardRefusal as refusal:
            await self._note_refusal(operation, principal, refusal, account=account, about=intent.about)
            raise

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
            await self._close(action, str(changed))
            raise changed

    async def _close_too_lenient(self, action: Action, decision: Decision) -> NoReturn:
        changed = _no_longer_enough(action, decision)
        if await self._close(action, str(changed)) is None:
            found = await self._journal.find(action.id)
            if found is not None:  # the step of a plan is on the record only once it is sent
                self._approvals.refuse(found)
        raise changed

    async def _close(self, action: Action, reason: str) -> Action | None:
        """Close an action that waits or is approved, to be proposed anew; None if it was in neither state."""
        return await self._journal.move(action.id, {State.PROPOSED, State.APPROVED}, State.EXPIRED, outcome=reason)

    async def _note_refusal(
        self,
        operation: Operation[Any],
        principal: Principal,
        refusal: GuardRefusal,
        *,
        account: str | None,
        about: str | None = None,
    ) -> None:
        """Put a refusal on the audit; `about` is the action or the step of a plan, where there is one."""
        if isinstance(refusal, JournalUnavailable):
            return
        detail = {"operation": operation.spec.tool_name, "arguments": arguments_of(operation), "why": str(refusal)}
        detail["refusal"] = type(refusal).__name__
        detail |= {"account": account} if account and len(self._accounts.at(operation.spec.provider.name)) > 1 else {}
        detail |= {"action": about} if about else {}
        with suppress(JournalUnavailable):
            await self._journal.note("denied", action_id=None, principal=principal.name, detail=detail)

    async def _require_same_reach(self, action: Action, operation: Operation[Any], account: Account) -> Recipients:
        """Refuse a call whose recipients changed after the approval."""
        found = await resolve_recipients(operation, account.client)
        try:
            require_unchanged(action.quote, operation, found)
        except RecipientsChanged as changed:
            await self._close(action, str(changed))
            raise
        return found

    async def _require_same_price(
        self, action: Action, operation: Operation[Any], recipients: Recipients, account: Account
    ) -> Quote:
        """Refuse a call that became more expensive than what was approved."""
        now = await self._quote(operation, recipients, account.name)
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


def _no_longer_enough(action: Action, decision: Decision) -> GuardRefusal:
    """Return the refusal of an action whose approval, or question, is not what is demanded now."""
    if is_allowance(action.decided_by):
        return AllowanceGone(f"The {action.decided_by} no longer covers this call; nothing was sent.")
    who = "the operator" if decision is Decision.PAGE else "a person"
    which = "the approval it has" if action.state is State.APPROVED else "an answer to the earlier question"
    return RulesChanged(f"By the rules of now {who} has to approve this, and {which} is not enough; nothing was sent.")


def _not_possible(operation: Operation[Any], why: str) -> NotPossibleNow:
    return NotPossibleNow(
        f"{operation.spec.title} at {operation.spec.provider.title} is not possible now: {why}; nothing was sent."
    )
