"""Dispatches tool calls: parse the arguments, run the guard if needed, send, build the protocol's result.

Every call of an operation, by its own tool, by `call_write_operation` or as the undo of another, goes through
`Dispatcher.call` or `Dispatcher.propose`. So no call gets around the guard.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from mcp.types import CallToolResult, InputRequiredResult
from pydantic import ValidationError

from clients.errors import TelephonyError
from clients.operation import Operation, OperationType
from guard.action import Action, Principal, State, client_of, form_approver
from guard.errors import AlreadySettled, Expired, GuardRefusal, OutcomePending
from guard.plans.proposal import PlanPreview, PlanRequest
from guard.rules.recipients import later_members_note
from server.mcp.approval_page import ApprovalPage
from server.mcp.call_parser import NotCallable, choose_account, parse_call, require_reach
from server.mcp.elicitation import (
    NEITHER,
    FormAnswer,
    Question,
    answered_action_id,
    ask,
    can_ask,
    question_of,
    read_answer,
)
from server.mcp.out_of_band import OutOfBandApproval, PendingApproval, Place, where_to_approve
from server.mcp.plans.dispatcher import PlanDispatcher
from server.mcp.results import (
    action_result,
    answer_result,
    error_result,
    pending_result,
    problem,
    receipt_result,
    refused_result,
    reply_result,
    with_heading,
)
from server.mcp.session import Session
from server.mcp.untrusted import Untrusted
from server.services import Services
from tools.arguments import Paging, added_by_client_hint, normalize
from tools.builtin import ActionReply, BuiltinCall, BuiltinTool, Outcome, Reply
from tools.registry import provider_of_tool

ToolResult = CallToolResult | InputRequiredResult

CARRIED_OUT_BY_SERVER: Final = (
    "The server took care of this call by itself after it was approved. Nothing was sent now; call once more only if "
    "the user wants it a second time."
)


@dataclass(frozen=True, slots=True)
class _GuardedCall:
    """A call on its way through the guard."""

    operation: Operation[Any]
    account: str
    """Name of the account that it is made on."""

    paging: Paging
    notes: Sequence[str] = ()
    """What else a person should know."""

    from_record: bool = False
    """True where the record wrote its arguments, not a model."""

    reason: str = ""
    """Why the assistant asks, in its own words."""


class Dispatcher:
    """Runs the calls of all tools. Foreseen failures become results, not exceptions."""

    def __init__(self, services: Services, page: ApprovalPage) -> None:
        self._services = services
        self._commands = services.settings.commands
        self._added_by_clients = frozenset(services.settings.ignored_arguments)
        self._uses_form = services.settings.approvals.form == "auto"
        self._out_of_band = OutOfBandApproval(page, services.settings.approvals.wait_seconds)
        self._plans = PlanDispatcher(services, self._out_of_band)
        self._guarded: dict[tuple[str, str], bool] = {}

    async def call(
        self, operation: OperationType, arguments: Mapping[str, Any], session: Session, *, reason: str = ""
    ) -> ToolResult:
        """Call an operation and return its result, or an error that says what is wrong.

        `reason` is why the assistant asks, for whoever approves it.
        """
        try:
            call = parse_call(operation, arguments, session, self._services, added_by_clients=self._added_by_clients)
        except NotCallable as bad:
            return problem(str(bad), kind=bad.kind)
        client = self._services.clients[call.account]
        untrusted = Untrusted()
        try:
            if self._is_guarded(operation, call.account):
                # What cannot be sent is refused before anybody has to approve it.
                client.build_request(call.operation)
                return await self._run_guarded(
                    _GuardedCall(call.operation, call.account, call.paging, reason=reason), session
                )
            exchange = await client.exchange(call.operation)
            result = answer_result(operation.spec, exchange, call.paging, untrusted)
        except TelephonyError as error:
            result = error_result(error, untrusted, self._commands)
        except GuardRefusal as refusal:
            return refused_result(refusal, self._commands)
        await self.remember(untrusted, operation.spec.tool_name, session.principal)
        return result

    async def propose(
        self, call: Operation[Any], session: Session, *, account: str, note: str, heading: str
    ) -> ToolResult:
        """Run a call through the guard whose arguments no model wrote, such as the undo of another, on its account.

        The person who approves it sees `note`; the result begins with `heading`.
        """
        guarded = _GuardedCall(call, account, Paging(), notes=(note,), from_record=True)
        try:
            require_reach(type(call), session)
            spec = call.spec
            choose_account(spec.tool_name, spec.provider.name, {}, session, self._services, account=account)
        except NotCallable as bad:
            return problem(str(bad), kind=bad.kind)
        result = await self._run_guarded(guarded, session)
        if isinstance(result, CallToolResult):
            return with_heading(result, heading)
        return result

    async def propose_plan(self, request: PlanRequest, session: Session) -> ToolResult:
        """Propose several calls for one approval."""
        untrusted = Untrusted()
        result = await self._plans.propose(request, session, untrusted)
        await self.remember(untrusted, "propose_plan", session.principal)
        return result

    async def preview_plan(self, request: PlanRequest, session: Session) -> PlanPreview:
        """Check and price several calls, and record nothing."""
        return await self._plans.preview(request, session)

    async def run_plan(self, plan_id: str, session: Session) -> ToolResult:
        """Carry out an approved plan."""
        untrusted = Untrusted()
        result = await self._plans.run(plan_id, session, untrusted)
        await self.remember(untrusted, "run_plan", session.principal)
        return result

    async def show_plan(self, plan_id: str, session: Session) -> ToolResult:
        """Show a plan and what became of its steps."""
        return await self._plans.show(plan_id, session)

    async def call_builtin(self, tool: BuiltinTool, arguments: Mapping[str, Any], session: Session) -> ToolResult:
        """Call a built-in tool."""
        provider, account = provider_of_tool(tool.name), None
        try:
            if provider is not None:
                account, arguments = choose_account(tool.name, provider, arguments, session, self._services)
            left_out = self._added_by_clients if tool.only_reads else ()
            query = tool.arguments.model_validate(normalize(tool.argument_schema, arguments, left_out))
        except NotCallable as bad:
            return problem(str(bad), kind=bad.kind)
        except ValidationError as misfit:
            return problem(_bad_arguments(tool, misfit, self._added_by_clients), kind="BadArguments")
        untrusted = Untrusted()
        try:
            outcome = await tool.handler(query, BuiltinCall(session, self._services, self, account))
            result = self._build_result(outcome, untrusted)
        except TelephonyError as error:
            result = error_result(error, untrusted, self._commands)
        except GuardRefusal as refusal:
            return refused_result(refusal, self._commands)
        await self.remember(untrusted, tool.name, session.principal)
        return result

    async def remember(self, untrusted: Untrusted, source: str, principal: Principal) -> None:
        """Remember the text from outside that was shown, so that a call made from it needs approval."""
        if untrusted.texts:
            await self._services.store.taint.remember(principal, untrusted.texts, source=source)

    def _is_guarded(self, operation: OperationType, account: str) -> bool:
        """Return True if calls of an operation on an account pass the guard; in one process that does not change."""
        key = operation.spec.tool_name, account
        if key not in self._guarded:
            self._guarded[key] = self._services.policy.at(account).guards(operation.spec)
        return self._guarded[key]

    def _build_result(self, outcome: Outcome, untrusted: Untrusted) -> ToolResult:
        match outcome:
            case Reply():
                return reply_result(outcome, untrusted)
            case ActionReply():
                return action_result(outcome.action, untrusted, outcome.receipts)
            case _:
                return cast("ToolResult", outcome)  # the handler passes on what `call` or `propose` returned

    async def _run_guarded(self, call: _GuardedCall, session: Session) -> ToolResult:
        """Run a guarded call; where the server carried out the approved one by itself, show what became of that."""
        guard, principal = self._services.guard, session.principal
        take_news = partial(guard.take_news, call.operation, principal, account=call.account)
        if answered_action_id(session) is None and (news := await take_news()):
            return await self._show_news(news, principal)
        try:
            return await self._ask_and_execute(call, session)
        except (AlreadySettled, OutcomePending, Expired):
            if (news := await take_news()) is None:
                raise
            return await self._show_news(news, principal)

    async def _show_news(self, action: Action, principal: Principal) -> CallToolResult:
        untrusted = Untrusted()
        result = with_heading(action_result(action, untrusted), CARRIED_OUT_BY_SERVER)
        await self.remember(untrusted, action.operation, principal)
        return result

    async def _ask_and_execute(self, call: _GuardedCall, session: Session) -> ToolResult:
        guard, principal = self._services.guard, session.principal
        action_id = answered_action_id(session)
        if action_id is None:
            action = await guard.propose(
                call.operation,
                principal,
                call.notes,
                account=call.account,
                from_record=call.from_record,
                reason=call.reason,
            )
            answer: FormAnswer | InputRequiredResult | None = None
        else:
            action = await guard.resume(action_id, call.operation, principal, account=call.account)
            answer = read_answer(session, self._question(action, principal))
            if answer is not FormAnswer.NO:
                await guard.check_answered(action, call.operation, from_record=call.from_record)
        if action.state is State.PROPOSED and answer is None:
            if action_id is not None or not self._may_ask(action, session):
                return await self._ask_operator(action, call, session)
            answer = await ask(session, self._question(action, principal))
        if isinstance(answer, InputRequiredResult):
            return answer
        if answer is FormAnswer.FAILED and action.state is State.PROPOSED:
            await guard.note_no_answer(action, "The client declares that it can ask, and answered with an error.")
            return await self._ask_operator(action, call, session)
        if answer in NEITHER:
            await guard.note_no_answer(action, NEITHER[answer])
            pending = await self._out_of_band.describe(action.id, note=NEITHER[answer])
            return await self._show_pending(action, pending, principal)
        if answer in {FormAnswer.YES, FormAnswer.NO}:
            action = await self._record(answer, action, principal)
        return await self._execute(action, call, principal)

    async def _ask_operator(self, action: Action, call: _GuardedCall, session: Session) -> ToolResult:
        """Leave the approval to the operator; execute the call if it is approved while the call still waits."""
        guard, principal = self._services.guard, session.principal

        async def is_answered() -> bool:
            current = await guard.resume(action.id, call.operation, principal, account=call.account)
            return current.state is not State.PROPOSED

        pending = await self._out_of_band.request(session, self._question(action, principal), is_answered)
        if isinstance(pending, InputRequiredResult):
            return pending
        current = await guard.resume(action.id, call.operation, principal, account=call.account)
        if current.state is State.PROPOSED:
            return await self._show_pending(current, pending, principal)
        return await self._execute(current, call, principal)

    async def _execute(self, action: Action, call: _GuardedCall, principal: Principal) -> CallToolResult:
        operation = call.operation
        receipt = await self._services.guard.execute(action, operation, from_record=call.from_record)
        untrusted = Untrusted()
        note = later_members_note(operation)
        result = receipt_result(operation.spec, receipt, call.paging, untrusted, self._commands, note=note)
        await self.remember(untrusted, operation.spec.tool_name, principal)
        return result

    async def _show_pending(self, action: Action, pending: PendingApproval, principal: Principal) -> CallToolResult:
        untrusted = Untrusted()
        earlier = await self._services.guard.earlier_no(action)
        result = pending_result(
            action,
            where=self._where(action, pending),
            untrusted=untrusted,
            earlier=earlier,
            with_budgets=self._services.shows_budgets(principal),
        )
        await self.remember(untrusted, action.operation, principal)
        return result

    def _question(self, action: Action, principal: Principal) -> Question:
        return question_of(action, with_budgets=self._services.shows_budgets(principal))

    def _where(self, action: Action, pending: PendingApproval) -> Place:
        names_bound = action.quote.is_unknown and self._services.guard.needs_bound(action)
        bound = ("--up-to", "2.50") if names_bound else ()
        amount = ", naming the most that it may cost," if names_bound else ""
        command = self._commands.line("approvals", "approve", action.id, *bound)
        return where_to_approve(pending, action, command, amount)

    def _may_ask(self, action: Action, session: Session) -> bool:
        return action.channel == "ask" and self._uses_form and can_ask(session)

    async def _record(self, answer: FormAnswer, action: Action, principal: Principal) -> Action:
        if action.channel != "ask" or not self._uses_form:
            raise GuardRefusal("This call is approved by the operator only; nothing was sent.")
        if answer is FormAnswer.YES:
            return await self._services.guard.approve(action.id, by=form_approver(principal))
        return await self._services.guard.decline(action.id, by=client_of(principal))


def _bad_arguments(tool: BuiltinTool, misfit: ValidationError, added_by_clients: Collection[str]) -> str:
    wrong = [(".".join(map(str, error["loc"])), error["msg"]) for error in misfit.errors()]
    lines = [f"- {added_by_client_hint(at) if at in added_by_clients else f'{at}: {rule}'}" for at, rule in wrong]
    return "\n".join([f"The arguments of {tool.name} do not fit; nothing was done.", *lines])
