"""The pages of allowances: those in force, what assistants ask for, one in full, and adding and revoking one."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from clients.operation import OperationType
from clients.shared.clock import Clock
from guard.action import rebuild_call
from guard.allowances.allowance import ALLOWANCE_ID, Terms, new_allowance_id
from guard.allowances.draft import Draft
from guard.allowances.fitness import BadTerms, Fitness, left_out, why_never
from guard.allowances.suggestion import terms_like
from guard.allowances.wording import STILL_STANDS, brief, condition_line, status_line, terms_lines, usage_line
from guard.messages import requester
from guard.operators.approval import Approval, Statement
from guard.operators.roles import Role
from guard.replay.preview import look_back
from guard.rules.rules import Rules
from server.console.access import require_role, require_session
from server.console.forms import read_form
from server.console.login import SignIn
from server.console.passkeys.signing import NotSigned, Signing
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from server.store.recorded.calls import RecordedCalls
from tools.operation_catalog import RegisteredOperations
from tools.registry import operation_named

LISTED: Final = 100
"""How many allowances the page shows at most, newest first."""

_FIELDS: Final = ("principal", "account", "conditions", "count", "money", "until", "note")


class AllowancePages:
    """The handlers of the pages of allowances and their forms."""

    def __init__(
        self, frame: Frame, clock: Clock, fitness: Fitness, rules: Rules, signing: Signing, login: SignIn
    ) -> None:
        self._frame = frame
        self._approvers = rules.approvers
        self._rules = rules
        self._signing = signing
        self._store = frame.store
        self._clock = clock
        self._fitness = fitness
        self.login = login

    @require_session
    async def list(self, request: Request, session: Session) -> Response:
        """Show the allowances and what assistants ask for."""
        now, book = self._clock.now(), self._store.allowances
        found, requests = await book.latest(LISTED), await book.requests()
        usage = await book.usage(found, now)
        rows = [
            {
                "allowance": one,
                "title": _title(one.terms.operation),
                "conditions": [condition_line(condition) for condition in one.terms.conditions],
                "state": one.status(now),
                "used": usage_line(one, usage.get(one.id)),
                "who": requester(one.terms.principal),
            }
            for one in found
        ]
        wanted = [
            {"request": one, "who": requester(one.terms.principal), "asks_for": brief(one.terms)} for one in requests
        ]
        return await self._frame.show("allowances.html", session, rows=rows, requests=wanted)

    @require_session
    async def show(self, request: Request, session: Session) -> Response:
        """Show one allowance in full."""
        now, book = self._clock.now(), self._store.allowances
        found = await book.find(request.path_params["allowance_id"])
        if found is None:
            raise HTTPException(404, "There is no such allowance.")
        usage = await book.usage([found], now)
        return await self._frame.show(
            "allowance.html",
            session,
            allowance=found,
            title=_title(found.terms.operation),
            lines=terms_lines(operation_named(found.terms.operation), found.terms),
            used=usage_line(found, usage.get(found.id)),
            standing=status_line(found, now),
            stands=found.stands(now),
        )

    @require_session
    async def new(self, request: Request, session: Session) -> Response:
        """Show the form for a new allowance: empty, like a call that was requested, or as an assistant asks for it."""
        parameters = request.query_params
        if "like" in parameters:
            terms = await self._terms_like(parameters["like"])
            return await self._show_form(session, terms.operation, Draft.of(terms), checked=terms)
        if "request" in parameters:
            wanted = await self._store.allowances.find_request(parameters["request"])
            if wanted is None:
                raise HTTPException(404, "There is no such request.")
            draft = Draft.of(wanted.terms)
            checked = wanted.terms if self._fault(wanted.terms.operation, draft) is None else None
            return await self._show_form(session, wanted.terms.operation, draft, checked=checked, wanted=wanted.id)
        return await self._show_form(session, parameters.get("operation", ""), Draft(principal=""))

    @require_role(Role.ADMIN)
    async def save(self, request: Request, session: Session) -> Response:
        """Check what the form says; save it where its button is the one that saves."""
        form = await read_form(request)
        operation, wanted = form.get("operation", "").strip(), form.get("request", "")
        draft = _draft(form)
        if fault := self._fault(operation, draft):
            return await self._show_form(session, operation, draft, refusal=fault, wanted=wanted)
        terms = draft.read(_operation(operation), self._clock.now(), self._fitness)
        if form.get("do") != "save":
            return await self._show_form(session, operation, draft, checked=terms, wanted=wanted)
        if self._approvers.owns(session.operator, terms.principal):
            refusal = (
                f"You own the token of {requester(terms.principal)}, and nobody allows what they ask for themselves."
            )
            return await self._show_form(session, operation, draft, refusal=refusal, wanted=wanted)
        statement = _statement(form, terms, session)
        try:
            approver = await self._signing.approver(request, session, statement, form.get("credential", ""))
        except NotSigned as unsigned:
            return await self._show_form(session, operation, draft, refusal=str(unsigned), wanted=wanted)
        book, now = self._store.allowances, self._clock.now()
        if wanted and await book.find_request(wanted) is None:
            return await self._show_form(session, operation, draft, refusal="That request is closed already.")
        if await book.find(statement.about) is not None:
            refusal = f"This form was saved already, as {statement.about}. Nothing more was saved."
            return await self._show_form(session, operation, draft, refusal=refusal)
        approval = Approval(
            operator=session.operator, by=session.by, statement=statement, at=now, assertion=approver.assertion
        )
        saved = await book.add(terms, by=session.by, at=now, request_id=wanted or None, approval=approval)
        return RedirectResponse(f"{ROOT}/allowances/{saved.id}", 303)

    @require_role(Role.ADMIN)
    async def sign(self, request: Request, session: Session) -> Response:
        """Answer with what the operator's passkey signs to allow what the form says."""
        form = await read_form(request)
        operation, draft = form.get("operation", "").strip(), _draft(form)
        if fault := self._fault(operation, draft):
            return JSONResponse({"problem": fault}, 409)
        terms = draft.read(_operation(operation), self._clock.now(), self._fitness)
        return await self._signing.options(request, session, _statement(form, terms, session))

    @require_role(Role.APPROVER)
    async def revoke(self, request: Request, session: Session) -> Response:
        """Revoke an allowance at once."""
        allowance_id = request.path_params["allowance_id"]
        if await self._store.allowances.revoke(allowance_id, by=session.by, at=self._clock.now()) is None:
            raise HTTPException(404, "There is no such allowance.")
        return RedirectResponse(f"{ROOT}/allowances/{allowance_id}", 303)

    @require_role(Role.APPROVER)
    async def dismiss(self, request: Request, session: Session) -> Response:
        """Close a request without an allowance."""
        if not await self._store.allowances.dismiss(
            request.path_params["request_id"], by=session.by, at=self._clock.now()
        ):
            raise HTTPException(404, "There is no such request.")
        return RedirectResponse(f"{ROOT}/allowances", 303)

    async def _terms_like(self, action_id: str) -> Terms:
        """Return terms for calls like one that was requested.

        Raises:
            HTTPException: There is no such action, or no allowance may be for it.
        """
        action = await self._store.journal.find(action_id)
        operation = operation_named(action.operation) if action else None
        if action is None or operation is None:
            raise HTTPException(404, "There is no such action.")
        if why := why_never(operation):
            raise HTTPException(409, why)
        try:
            call = rebuild_call(operation, action.arguments)
        except ValidationError:
            raise HTTPException(409, "Its call cannot be built again from the record.") from None
        return terms_like(action, call, self._clock.now())

    def _fault(self, operation: str, draft: Draft) -> str | None:
        """Return what is wrong with a draft, one fault a line; None if it fits."""
        found = operation_named(operation)
        if found is None:
            return f"There is no operation {operation!r}."
        try:
            draft.read(found, self._clock.now(), self._fitness)
        except BadTerms as bad:
            return str(bad)
        return None

    async def _show_form(
        self,
        session: Session,
        operation: str,
        draft: Draft,
        *,
        checked: Terms | None = None,
        refusal: str = "",
        wanted: str = "",
    ) -> Response:
        found = operation_named(operation)
        request = await self._store.allowances.find_request(wanted) if wanted else None
        back = await self._look_back(checked) if checked is not None else ""
        return await self._frame.show(
            "allowance_form.html",
            session,
            status=409 if refusal else 200,
            operation=operation,
            title=_title(operation) if found else "",
            draft=draft,
            left_out=left_out(found, checked) if found is not None and checked is not None else [],
            refusal=refusal.split("\n") if refusal else (),
            back=back,
            stands=STILL_STANDS,
            wanted=request,
            who=requester(draft.principal) if draft.principal else "",
            new_id=new_allowance_id(),
            is_signed=await self._signing.is_needed(session),
        )

    async def _look_back(self, terms: Terms) -> str:
        calls, catalog = RecordedCalls(self._store), RegisteredOperations()
        return str(await look_back(calls, terms, self._rules, catalog, self._clock.now()))


def _statement(form: Mapping[str, str], terms: Terms, session: Session) -> Statement:
    """Return what an operator says yes to by allowing what a form says, under the id that the form was made with.

    Raises:
        HTTPException: That is no id of an allowance.
    """
    if not re.fullmatch(ALLOWANCE_ID, form.get("id", "")):
        raise HTTPException(400, "The form cannot be read.")
    return Statement(about=form["id"], digest=terms.digest, operator=session.operator.name)


def _draft(form: Mapping[str, str]) -> Draft:
    fields: dict[str, Any] = {name: form.get(name, "") for name in _FIELDS}
    fields["conditions"] = tuple(line.strip() for line in fields["conditions"].split("\n") if line.strip())
    return Draft(**fields)


def _operation(name: str) -> OperationType:
    found = operation_named(name)
    if found is None:
        raise HTTPException(404, "There is no such operation.")
    return found


def _title(operation: str) -> str:
    found = operation_named(operation)
    return f"{found.spec.title} at {found.spec.provider.title}" if found else operation
