"""Drafts a call: looks up whom it reaches, what it costs and what it changes, and checks it by the rules."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from clients.operation import NumberForward, Operation, is_dry_run
from clients.questions.subjects import Reach
from clients.telemetry.spans import traced
from guard.accounts import Account
from guard.action import Action, Channel, Principal, State, arguments_of, digest_of, digests_of_same_call, new_action_id
from guard.allowances.allowance import NO_COVER, Cover, allowance_of, is_allowance
from guard.allowances.coverage import Circumstances, Coverage
from guard.calls.state_before import not_possible, read_before, why_impossible
from guard.dependencies import GuardDependencies
from guard.injection.sanitize import escape_invisible
from guard.messages import FINAL
from guard.rules.checks import Assessment, Checks
from guard.rules.forwarding import Forwarding
from guard.rules.policy import Decision
from guard.rules.quote import PriceSource, Quote, quote
from guard.rules.recipients import Recipients, recipient_count, resolve_recipients


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


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A call as somebody asks for it: what, on which account, and who asks."""

    operation: Operation[Any]
    account: Account
    principal: Principal

    @property
    def digest(self) -> str:
        """The digest that an approval of it is bound to."""
        return digest_of(self.operation, account=self.account.identity, principal=self.principal)

    @property
    def digests_of_same(self) -> tuple[str, ...]:
        """Digests of the same call, with its telephones in every form."""
        return digests_of_same_call(self.operation, account=self.account.identity, principal=self.principal)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was looked up about a call that may be made, and what is demanded of whoever approves it."""

    recipients: Recipients
    priced: Quote
    assessment: Assessment


class Drafting:
    """Looks calls up and checks them; records nothing."""

    def __init__(self, dependencies: GuardDependencies) -> None:
        self._accounts = dependencies.configured
        self._prices = dependencies.prices
        self._rules = dependencies.rules
        self._clock = dependencies.clock
        self._approval_lifetime = dependencies.approval_lifetime
        self._checks = Checks(dependencies)
        self._forwarding = Forwarding(dependencies.own_numbers)
        self._coverage = Coverage(dependencies.allowances, dependencies.groups)

    def with_prices(self, prices: Mapping[str, PriceSource]) -> "Drafting":
        """Return the same with other sources of prices."""
        drafting = copy(self)
        drafting._prices = prices
        return drafting

    @traced("guard: read recipients")
    async def resolve(self, call: AskedCall) -> Recipients:
        """Refuse what no answer could allow, and return whom the call reaches.

        Raises:
            Frozen, Denied, DestinationRefused: The call may not be made.
        """
        await self._checks.refuse_early(call.operation, call.account.name)
        recipients = await resolve_recipients(call.operation, call.account.client)
        await self._checks.refuse_members(call.operation, recipients)
        return recipients

    async def assess(self, call: AskedCall, recipients: Recipients, *, from_record: bool) -> Findings:
        """Price a call that may be made, and decide about it.

        Raises:
            OverBudget, Denied: It is too expensive, or its price cannot be known and policy refuses that.
        """
        operation, account = call.operation, call.account.name
        priced = await self.quote(operation, recipients, account)
        assessment = await self._checks.assess(
            operation, account, recipients, priced, call.digests_of_same, call.principal, from_record=from_record
        )
        return Findings(recipients, priced, assessment)

    async def draft(
        self, call: AskedCall, found: Findings, notes: Sequence[str] = (), *, may_be_prepared: bool = False
    ) -> Draft:
        """Read the state that the call changes, which may tighten the decision, and build the action to record.

        With `may_be_prepared` what that state makes impossible is noted in place of being refused.

        Raises:
            NotPossibleNow: That state makes the call impossible.
            DestinationRefused: It forwards a number to itself.
        """
        operation, account, recipients = call.operation, call.account, found.recipients
        before, kept = await read_before(operation, account.client)
        impossible = await why_impossible(operation, account.client, before)
        if impossible and not may_be_prepared:
            raise not_possible(operation, impossible)
        assessment = replace(found.assessment, notes=_all_notes(operation, notes, found.assessment.notes, impossible))
        assessment = self._checks.ask_without_undo(operation, before, assessment)
        forwards = operation.forwards(before)
        forwarding, warnings = await self._forwarding.check(forwards)
        assessment = replace(assessment.finding(forwarding), notes=(*warnings, *assessment.notes))
        action = self._action(call, replace(found, assessment=assessment), before, kept)
        numbers = tuple(dict.fromkeys((*operation.destinations(), *recipients.numbers)))
        cover = await self.cover(call, action.quote, assessment)
        return Draft(action, assessment.decision, call.digests_of_same, numbers, forwards, cover)

    @traced("guard: read prices")
    async def quote(self, operation: Operation[Any], recipients: Recipients, account: str) -> Quote:
        """Read what a call costs on an account, by the account's name."""
        prices = self._prices.get(account)
        reached = recipient_count(operation, recipients)
        found = await quote(operation, prices, self._rules.prices_at(account), recipients=reached)
        return replace(found, members=recipients.digest)

    async def cover(self, call: AskedCall, priced: Quote, assessment: Assessment) -> Cover:
        """Return the allowances that cover a call, where policy alone stands against it."""
        policy = self._rules.policy_at(call.account.name)
        about = Circumstances(policy, assessment.demanded, call.account, priced)
        return await self._coverage.find(call.operation, call.principal, about, self._clock.now())

    async def decision_about(
        self, action: Action, operation: Operation[Any], priced: Quote, assessment: Assessment
    ) -> Decision:
        """Return what is demanded of whoever approved an action: nothing where its allowance still covers it."""
        if not is_allowance(action.decided_by) or assessment.decision is Decision.DENY:
            return assessment.decision
        account = self._accounts.require(action.provider, action.account)
        cover = await self.cover(AskedCall(operation, account, Principal(action.principal)), priced, assessment)
        return Decision.ALLOW if allowance_of(action.decided_by) in cover.allowances else assessment.decision

    def _action(
        self, call: AskedCall, found: Findings, before: BaseModel | None, kept: dict[str, Any] | None
    ) -> Action:
        """Build the action of a call as it would be recorded; `kept` is the state before it, as it is stored."""
        operation, account, assessment = call.operation, call.account, found.assessment
        reach = Reach(found.recipients.with_destinations(operation), found.priced.recipients)
        channel: Channel = "page" if assessment.decision is Decision.PAGE else "ask"
        created = self._clock.now()
        changes = [escape_invisible(change) for change in operation.changes(before)]
        return Action(
            id=new_action_id(),
            provider=operation.spec.provider.name,
            account=account.identity,
            account_name=account.name,
            operation=operation.spec.tool_name,
            title=self._accounts.with_account(escape_invisible(operation.describe(before, reach)), account),
            arguments=arguments_of(operation),
            digest=call.digest,
            principal=call.principal.name,
            channel=channel,
            quote=replace(
                found.priced.with_notes(*assessment.notes, *changes),
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


def _all_notes(
    operation: Operation[Any], ours: Sequence[str], of_checks: Sequence[str], impossible: str
) -> tuple[str, ...]:
    """Return what a person should know: what this server says, what the checks found, and what has to happen first."""
    is_final = operation.spec.irreversible and not is_dry_run(operation)
    later = f"As things are now this is not possible: {impossible}. It is looked at again in its turn."
    return (*ours, *([FINAL] if is_final else []), *of_checks, *([later] if impossible else []))
