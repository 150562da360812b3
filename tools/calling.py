"""From a tool call to its result. The one place where a model's call meets the clients, and the guard stands in it."""

from collections.abc import Callable, Mapping
from typing import Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, InputRequiredResult

from clients.client import ApiClient
from clients.errors import TelephonyError
from clients.operation import Operation
from guard.action import Action, Principal, State
from guard.errors import GuardRefusal
from guard.pipeline import Guard
from guard.policy import Policy
from tools.arguments import BadArguments, Page, parse
from tools.asking import Answer, answered_action, ask, can_ask, given_answer
from tools.catalog import OperationType
from tools.results import answer_result, error_result, pending_result, problem, receipt_result, refused_result

Principals = Callable[[Context[Any, Any]], Principal]


class CallDesk:
    """Takes calls, validates them, leads the guarded ones through the guard, and words the result.

    `guard` opens the guard with its store; it is called for the first guarded call, not before.
    """

    def __init__(
        self,
        *,
        clients: Mapping[str, ApiClient],
        policy: Policy,
        guard: Callable[[], Guard],
        principal: Principals,
        settings: Callable[[str, str], str | None],
    ) -> None:
        self._clients = clients
        self._policy = policy
        self._open_guard = guard
        self._principal = principal
        self._settings = settings

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
        try:
            call, page = parse(operation, arguments, lambda name: self._settings(provider.name, name))
        except BadArguments as bad:
            return problem(str(bad), kind="BadArguments")
        try:
            if self._policy.guards(operation.spec):
                return await self._guarded(call, page, context)
            exchange = await self._clients[provider.name].exchange(call)
            return answer_result(operation.spec, exchange, page)
        except TelephonyError as error:
            return error_result(error)
        except GuardRefusal as refusal:
            return refused_result(refusal)

    async def _guarded(
        self, call: Operation[Any], page: Page, context: Context[Any, Any]
    ) -> CallToolResult | InputRequiredResult:
        principal = self._principal(context)
        action_id = answered_action(context)
        if action_id is None:
            action = await self._open_guard().review(call, principal)
            answer: Answer | InputRequiredResult | None = None
        else:
            action = await self._open_guard().answered(action_id, call, principal)
            answer = given_answer(context, action)
        if action.state is State.PROPOSED and answer is None:
            if action.channel == "page" or not can_ask(context):
                return pending_result(action, where=_where(action))
            answer = await ask(context, action)
        if isinstance(answer, InputRequiredResult):
            return answer
        if answer is Answer.DISMISSED:
            return pending_result(action, where=f"The question was dismissed. {_where(action)}")
        if answer is not None:
            action = await self._decided(action, answer, principal)
        receipt = await self._open_guard().carry_out(action, call)
        return receipt_result(call.spec, receipt, page)

    async def _decided(self, action: Action, answer: Answer, principal: Principal) -> Action:
        if action.channel != "ask":
            raise GuardRefusal("This call is approved by the operator only; nothing was sent.")
        by = f"{principal.name}, in the client's form"
        if answer is Answer.YES:
            return await self._open_guard().approve(action.id, by=by)
        await self._open_guard().decline(action.id, by=by)
        return action


def _where(action: Action) -> str:
    return f"The operator answers with `ringfence approvals approve {action.id}` (or `decline`)."
