"""An assistant that makes each guarded call as the one step of a plan: what holds for a call holds for a step."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from mcp.types import InputRequiredResult

from server.probes.assistant import Assistant, Continuation, Reply
from tools.registry import operation_named

Way = Literal["calls", "plans"]
"""How the assistants of a bench make guarded calls: each by itself, or as the step of a plan."""

PROPOSE: Final = "propose_plan"
RUN: Final = "run_plan"


@dataclass(frozen=True, slots=True)
class PlanningAssistant(Assistant):
    """Proposes a plan of one step for each guarded call, runs it once it is approved, and hears of its step.

    The id of what waits is the plan's, and of what was sent the action's.
    """

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Reply:
        """Make a call, by way of a plan if it is guarded."""
        if not _is_guarded(tool):
            return await Assistant.call(self, tool, arguments)
        return await self._run_if_approved(await Assistant.call(self, PROPOSE, _plan(tool, arguments)))

    async def question(self, tool: str, arguments: Mapping[str, Any]) -> InputRequiredResult:
        """Propose a plan of the call, and leave its question unanswered."""
        return await Assistant.question(self, PROPOSE, _plan(tool, arguments))

    async def call_with_answer(
        self, tool: str, arguments: Mapping[str, Any], continuation: Continuation
    ) -> Reply | InputRequiredResult:
        """Propose a plan of the call with answers and a state, and run it if they count."""
        reply = await Assistant.call_with_answer(self, PROPOSE, _plan(tool, arguments), continuation)
        return await self._run_if_approved(reply) if isinstance(reply, Reply) else reply

    async def _run_if_approved(self, proposed: Reply) -> Reply:
        plan = str(proposed.content.get("plan", ""))
        if proposed.is_error:
            kinds: list[str] = proposed.content.get("faults") or [proposed.error]
            named = {"action": plan} if plan else {"error": kinds[-1]}
            return replace(proposed, content={**proposed.content, **named})
        ran = await Assistant.call(self, RUN, {"plan_id": plan})
        return _of_step(ran) if "steps" in ran.content else ran


def _of_step(ran: Reply) -> Reply:
    """Return what a run says of its only step, as the answer to a call of its own would say it."""
    [step] = ran.content["steps"]
    was_sent_before = step["state"] == "unknown" and "unknown outcome" in ran.text and "Done" not in ran.text
    kind = {"error": "OutcomePending"} if was_sent_before else {}
    content = {**ran.content, "state": step["state"], "action": step.get("action", ""), **kind}
    return replace(ran, content=content, is_error=step["state"] != "done")


def _is_guarded(tool: str) -> bool:
    operation = operation_named(tool)
    return operation is not None and not operation.spec.effect.is_plain_read


def _plan(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": "A job of one call", "steps": [{"operation": tool, "arguments": dict(arguments)}]}
