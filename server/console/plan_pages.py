"""The page of a plan: every step, what they cost together, and leaving steps out before it is approved."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clients.shared.clock import Clock
from guard.errors import GuardRefusal, JournalUnavailable
from guard.operators.approval import Statement, approvals_line
from guard.operators.roles import Role
from guard.plans.approvals import PlanApprovals, statement_of_plan
from guard.plans.plan import Plan
from guard.rules.rules import Rules
from server.console.access import require_role, require_session
from server.console.forms import read_form
from server.console.login import SignIn
from server.console.passkeys.signing import NotSigned, Signing
from server.console.plan_views import build_plan_view, is_final
from server.console.receipts.pages import receipt_links
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from tools.operation_catalog import RegisteredOperations

_POSITIONS: Final = re.compile(r"[0-9]{1,3}(,[0-9]{1,3})*")


class PlanPages:
    """The handlers of the page of a plan and its forms."""

    def __init__(
        self,
        frame: Frame,
        clock: Clock,
        rules: Rules,
        login: SignIn,
        signing: Signing,
        *,
        runs_on_approval: bool,
    ) -> None:
        self._frame = frame
        self._store = store = frame.store
        self._clock = clock
        self._approvals = PlanApprovals(store.plans, clock, rules, RegisteredOperations())
        self._signing = signing
        self.login = login
        self._runs_on_approval = runs_on_approval

    @require_session
    async def plan(self, request: Request, session: Session) -> Response:
        """Show a plan; `without` in the address names steps to leave out, and the page says what the rest costs."""
        return await self._show(request, session, struck=_positions(request.query_params.get("without", "")))

    @require_role(Role.APPROVER)
    async def sign(self, request: Request, session: Session) -> Response:
        """Answer with what the operator's passkey signs to approve the plan as the form says."""
        statement = self._statement(await self._find(request), session, await read_form(request))
        return await self._signing.options(request, session, statement)

    @require_role(Role.APPROVER)
    async def approve(self, request: Request, session: Session) -> Response:
        """Approve the steps that are left in, once."""
        found, form = await self._find(request), await read_form(request)
        struck = _positions(form.get("without", ""))
        if await self._store.freeze.is_on():
            refusal = "Everything is stopped. Resume before you approve; nothing was sent."
            return await self._show(request, session, struck=struck, refusal=refusal)
        if is_final(found, struck) and form.get("sure") != found.digest:
            return await self._show(request, session, struck=struck, sure=found.digest)
        statement = self._statement(found, session, form)
        try:
            approver = await self._signing.approver(request, session, statement, form.get("credential", ""))
            await self._approvals.approve(found.id, by=approver, struck=struck, run_by_server=statement.run_by_server)
        except JournalUnavailable:
            raise
        except (GuardRefusal, NotSigned) as refused:
            return await self._show(request, session, struck=struck, refusal=str(refused))
        return RedirectResponse(f"{ROOT}/{found.id}", 303)

    @require_role(Role.APPROVER)
    async def decline(self, request: Request, session: Session) -> Response:
        """Decline the plan, or cancel it before it runs."""
        found, form = await self._find(request), await read_form(request)
        try:
            await self._approvals.cancel(found.id, by=session.by, reason=form.get("reason", ""))
        except JournalUnavailable:
            raise
        except GuardRefusal as refused:
            return await self._show(request, session, refusal=str(refused))
        return RedirectResponse(f"{ROOT}/{found.id}", 303)

    def _statement(self, plan: Plan, session: Session, form: Mapping[str, str]) -> Statement:
        """Return what the operator says yes to by sending a form."""
        struck = _positions(form.get("without", ""))
        by_server = self._runs_on_approval or form.get("run") == "server"
        return statement_of_plan(plan, session.operator.name, struck=struck, run_by_server=by_server)

    async def _show(
        self, request: Request, session: Session, *, struck: Sequence[int] = (), refusal: str = "", sure: str = ""
    ) -> Response:
        plan = await self._approvals.expire_if_due(await self._find(request))
        actions = await self._store.plans.actions_of(plan.id)
        role, needed = session.operator.role, self._approvals.demand_of(plan, struck).people
        asked = replace(plan, approvers_needed=max(needed, plan.approvers_needed))
        values: dict[str, Any] = {
            "is_final": is_final(plan, struck),
            "given": await self._store.plans.approvals_of(plan.id) if plan.approvers else (),
            "approvals_line": approvals_line(asked),
            "is_signed": await self._signing.is_needed(session),
            "statement": statement_of_plan(plan, session.operator.name, struck=struck),
            "may_answer": role.includes(Role.APPROVER),
            "may_approve": role.includes(Role.APPROVER) and session.operator.name not in plan.approvers,
            "shown": build_plan_view(plan, actions, self._clock.now(), struck=struck),
            "refusal": refusal,
            "sure": sure,
            "runs_on_approval": self._runs_on_approval,
            "receipts": await receipt_links(self._store, plan.id),
        }
        return await self._frame.show("plan.html", session, status=409 if refusal else 200, **values)

    async def _find(self, request: Request) -> Plan:
        plan_id = f"plan_{request.path_params['key']}"
        plan = await self._store.plans.find(plan_id)
        if plan is None:
            archived = await self._store.journal.find_archived(plan_id)
            raise HTTPException(404, archived.place if archived else "There is no such plan.")
        return plan


def _positions(text: str) -> list[int]:
    """Return the steps that an address or a form names.

    Raises:
        HTTPException: It is no list of numbers.
    """
    if not text:
        return []
    if not _POSITIONS.fullmatch(text):
        raise HTTPException(400, "The steps to leave out are numbers with commas between them.")
    return sorted({int(position) for position in text.split(",")})
