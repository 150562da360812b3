"""From a tool call to its result. The one place where a model's call meets the clients, and the guard stands in it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, InputRequiredResult

from clients.client import ApiClient
from clients.errors import TelephonyError
from clients.operation import Operation
from clients.request import build_request
from clients.spec import Spec
from guard.action import Action, Principal, State
from guard.errors import GuardRefusal
from guard.rules.policy import Policy
from server.mcp.elicitation import FormAnswer, answered_action, ask, can_ask, given_answer
from server.mcp.out_of_band import OutOfBandApproval, PageFor, PendingApproval
from server.mcp.results import answer_result, error_result, pending_result, problem, receipt_result, refused_result
from server.mcp.untrusted import Untrusted
from tools.arguments import BadArguments, Page, parse
from tools.registry import OperationType

if TYPE_CHECKING:
    from guard.pipeline import Guard

Principals = Callable[[Context[Any, Any]], Principal]
AccessCheck = Callable[[Spec, Context[Any, Any]], str | None]
"""Says why a session may not call an operation."""


class TaintStore(Protocol):
    """Remembers what strangers wrote and a principal was shown."""

    async def remember(self, principal: Principal, texts: Iterable[str], *, source: str) -> None:
        """Keep what makes the texts recognisable."""
        ...


class Dispatcher:
    """Takes calls, validates them, leads the guarded ones through the guard, and words the result.

    `guard` opens the guard with its store; it is called for the first guarded call, not before.
    """

    def __init__(
        self,
        *,
        clients: Mapping[str, ApiClient],
        policy: Policy,
        guard: "Callable[[], Guard]",
        taint: Callable[[], TaintStore],
        principal: Principals,
        bar: "AccessCheck",
        settings: Callable[[str, str], str | None],
        page_for: PageFor,
        wait_seconds: float | None,
    ) -> None:
        self._clients = clients
        self._policy = policy
        self._open_guard = guard
        self._taint = taint
        self._principal = principal
        self._bar = bar
        self._settings = settings
        self._usher = OutOfBandApproval(page_for, wait_seconds)

    async def call(
        self, operation: OperationType, arguments: Mapping[str, Any], context: Context[Any, Any]
    ) -> CallToolResult | InputRequiredResult:
        """Make one call, or say why not. Never raises for what can be foreseen."""
        provider = operation.spec.provider
        if provider.name not in self._clients:
            return problem(
                f"{provider.title} is not set up; nothing was sent. Ask the operator for its credentials.",
                kind="NotConfigured",
            )
        if (barred := self._barred(operation.spec, context)) is not None:
            return barred
        try:
            call, page = parse(operation, arguments, lambda name: self._settings(provider.name, name))
        except BadArguments as bad:
            return problem(str(bad), kind="BadArguments")
        fence = Untrusted()
        try:
            client = self._clients[provider.name]
            client.adapted(call, build_request(call))  # what cannot be sent is refused before anybody is asked
            if self._policy.guards(operation.spec):
                return await self.guarded(call, page, context)
            exchange = await client.exchange(call)
            result = answer_result(operation.spec, exchange, page, fence)
        except TelephonyError as error:
            result = error_result(error, fence)
        except GuardRefusal as refusal:
            return refused_result(refusal)
        await self.remember(fence, operation.spec.tool_name, self._principal(context))
        return result

    async def propose(
        self, call: Operation[Any], context: Context[Any, Any], *, note: str
    ) -> CallToolResult | InputRequiredResult:
        """Lead a call through the guard whose arguments no model wrote, such as the one that takes an action back.

        `note` tells whoever is asked why it is made.
        """
        return self._barred(call.spec, context) or await self.guarded(call, Page(), context, notes=(note,))

    async def guarded(
        self, call: Operation[Any], page: Page, context: Context[Any, Any], *, notes: Sequence[str] = ()
    ) -> CallToolResult | InputRequiredResult:
        principal = self._principal(context)
        action_id = answered_action(context)
        if action_id is None:
            action = await self._open_guard().propose(call, principal, notes)
            answer: FormAnswer | InputRequiredResult | None = None
        else:
            action = await self._open_guard().answered(action_id, call, principal)
            answer = given_answer(context, action)
        if action.state is State.PROPOSED and answer is None:
            if action.channel == "page" or not can_ask(context):
                return await self._refer(action, call, principal, page, context)
            answer = await ask(context, action)
        if isinstance(answer, InputRequiredResult):
            return answer
        if answer is FormAnswer.DISMISSED:
            referral = PendingApproval(
                action=action, page=await self._usher.where(action), note="The question was dismissed."
            )
            return await self._pending(referral, principal)
        if answer is not None:
            action = await self._decided(action, answer, principal)
        return await self._carry_out(action, call, principal, page)

    def _barred(self, spec: Spec, context: Context[Any, Any]) -> CallToolResult | None:
        why = self._bar(spec, context)
        if why is None:
            return None
        return problem(f"{spec.tool_name} is not called: {why}; nothing was sent.", kind="OutOfReach")

    async def _refer(
        self, action: Action, call: Operation[Any], principal: Principal, page: Page, context: Context[Any, Any]
    ) -> CallToolResult | InputRequiredResult:
        """Leave it to the operator, and go on where the answer comes while the call waits."""
        guard = self._open_guard()
        referral = await self._usher.refer(context, action, lambda: guard.answered(action.id, call, principal))
        if isinstance(referral, InputRequiredResult):
            return referral
        if referral.action.state is State.PROPOSED:
            return await self._pending(referral, principal)
        return await self._carry_out(referral.action, call, principal, page)

    async def _carry_out(
        self, action: Action, call: Operation[Any], principal: Principal, page: Page
    ) -> CallToolResult:
        receipt = await self._open_guard().execute(action, call)
        fence = Untrusted()
        result = receipt_result(call.spec, receipt, page, fence)
        await self.remember(fence, call.spec.tool_name, principal)
        return result

    async def _pending(self, referral: PendingApproval, principal: Principal) -> CallToolResult:
        fence = Untrusted()
        result = pending_result(referral.action, where=_where(referral), fence=fence)
        await self.remember(fence, referral.action.operation, principal)
        return result

    async def remember(self, fence: Untrusted, source: str, principal: Principal) -> None:
        """A call made from a stranger's words is asked about, so what they wrote is remembered when it is shown."""
        if fence.is_used:
            await self._taint().remember(principal, fence.texts, source=source)

    async def _decided(self, action: Action, answer: FormAnswer, principal: Principal) -> Action:
        if action.channel != "ask":
            raise GuardRefusal("This call is approved by the operator only; nothing was sent.")
        by = f"{principal.name}, in the client's form"
        if answer is FormAnswer.YES:
            return await self._open_guard().approve(action.id, by=by)
        await self._open_guard().decline(action.id, by=by)
        return action


def _where(referral: PendingApproval) -> str:
    by_command = f"`ringfence approvals approve {referral.action.id}` (or `decline`)"
    where = f"at {referral.page} or with {by_command}" if referral.page else f"with {by_command}"
    note = f"{referral.note} " if referral.note else ""
    return f"{note}The operator answers {where}."
