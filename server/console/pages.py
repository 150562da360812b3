"""The console: one action in full, the history, the freeze switch, and the routes of all other pages.

A GET changes nothing. Every other request needs the operator's session and the token of its forms; the bearer token of
an assistant opens nothing here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Self

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from clients.shared.clock import Clock, SystemClock
from guard.action import Action, State
from guard.allowances.fitness import Fitness, why_never
from guard.approvals import Approvals, statement_of
from guard.errors import GuardRefusal, JournalUnavailable
from guard.money import Money, NotAPrice, parse_price
from guard.operator_commands import OperatorCommands
from guard.operators.approval import Statement, approvals_line
from guard.operators.roles import Role
from guard.plans.approvals import PlanApprovals
from guard.rules.rules import Rules
from guard.rules.time_zones import load_zone
from server.console.access import require_role, require_session
from server.console.allowance_pages import AllowancePages
from server.console.deliveries.pages import DeliveryPages
from server.console.forms import read_form
from server.console.health.pages import HealthPages
from server.console.history.pages import HistoryPages
from server.console.login import SignIn
from server.console.middleware import SecurityMiddleware
from server.console.money.pages import MoneyPages
from server.console.oidc.pages import CompanySignInSetup
from server.console.oidc.pages import routes as company_routes
from server.console.operators.pages import OperatorPages
from server.console.page_identity import PageIdentity
from server.console.passkeys.pages import PasskeyPages
from server.console.passkeys.signing import NotSigned, Signing
from server.console.plan_pages import PlanPages
from server.console.receipts.pages import ReceiptPages, receipt_links
from server.console.rendering import Frame, passkey_script, render, script, stylesheet
from server.console.rules.pages import RulePages
from server.console.sessions import Session, Sessions
from server.console.urls import ROOT
from server.console.views import build_view, is_final
from server.console.waiting.pages import WaitingPages
from server.services import Services
from server.settings.allowances import fitness_of
from server.settings.model import Settings, settings_class
from server.settings.sections.sign_in import OidcSettings
from server.store.store import Store
from tools.operation_catalog import RegisteredOperations
from tools.registry import operation_named


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What the page takes from the settings of whoever serves it."""

    rules: Rules = field(default_factory=Rules)
    """The operator's rules, which an amount that the operator names must fit."""

    commands: OperatorCommands = field(default_factory=OperatorCommands)
    """How the page prints commands."""

    runs_on_approval: bool = False
    """True where the server carries out whatever is approved."""

    oidc: OidcSettings | None = None
    """Sign-in with the company's accounts, if it is set."""

    fitness: Fitness = field(default_factory=Fitness)
    """What conditions of allowances may ask for."""

    settings: Settings = field(default_factory=lambda: settings_class()())
    """The settings in force, which the console shows."""

    services: Services | None = None
    """The clients of the process, which check unknown outcomes; None where the page is served without any."""

    @property
    def zone(self) -> tzinfo:
        """The operator's time zone."""
        name = self.settings.time_zone
        return (load_zone(name) if name else None) or UTC

    @classmethod
    def of(cls, settings: Settings, services: Services | None = None) -> Self:
        """Take them from the settings."""
        rules = settings.rules.rules(settings.session_policy())
        return cls(
            settings=settings,
            services=services,
            rules=rules,
            commands=settings.commands,
            fitness=fitness_of(settings),
            oidc=settings.sign_in.oidc,
            runs_on_approval=settings.approvals.run == "server",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSetup:
    """The dependencies of the page."""

    store: Store
    hosts: Collection[str]
    """Host headers that it accepts."""

    identity: PageIdentity
    address: str | None = None
    """The public address of the page, if it is not one of the hosts."""

    clock: Clock = field(default_factory=SystemClock)
    options: PageOptions = field(default_factory=PageOptions)


def approval_app(setup: PageSetup) -> ASGIApp:
    """Build the page as an ASGI application, for paths under `/approvals`."""
    app = Starlette(
        routes=console_routes(setup),
        exception_handlers={HTTPException: _show_problem, JournalUnavailable: _show_unavailable},
    )
    app.state.page_options = setup.options
    return SecurityMiddleware(app, setup.hosts, setup.address)


def console_routes(setup: PageSetup) -> list[Route]:
    """Return the routes of every page and form."""
    pages, options = Pages(setup), setup.options
    frame, login, clock, rules = pages.frame, pages.login, setup.clock, options.rules
    plans = PlanPages(frame, clock, rules, login, pages.signing, runs_on_approval=options.runs_on_approval)
    allowances = AllowancePages(frame, clock, options.fitness, rules, pages.signing, login)
    passkeys = PasskeyPages(setup.store, clock, login, options.commands, setup.address)
    people = OperatorPages(frame, clock, login)
    return [
        *passkeys.routes(),
        *people.routes(),
        *pages.waiting.routes(),
        *DeliveryPages(frame, login, clock).routes(),
        *HealthPages(frame, login, clock, options.settings, options.services).routes(),
        *RulePages(frame, login, clock, options.settings).routes(),
        *ReceiptPages(frame, login).routes(),
        *pages.history.routes(),
        *pages.money.routes(),
        Route(f"{ROOT}/sign-in", pages.sign_in, methods=["POST"]),
        Route(f"{ROOT}/sign-out", pages.sign_out, methods=["POST"]),
        Route(f"{ROOT}/freeze", pages.freeze, methods=["POST"]),
        Route(f"{ROOT}/unfreeze", pages.unfreeze, methods=["POST"]),
        Route(f"{ROOT}/page.css", _show_css),
        Route(f"{ROOT}/page.js", _show_script),
        Route(f"{ROOT}/passkeys.js", _show_passkey_script),
        Route(f"{ROOT}/healthz", setup.identity.prove),
        Route(f"{ROOT}/allowances", allowances.list),
        Route(f"{ROOT}/allowances/new", allowances.new),
        Route(f"{ROOT}/allowances/new", allowances.save, methods=["POST"]),
        Route(f"{ROOT}/allowances/new/sign", allowances.sign, methods=["POST"]),
        Route(f"{ROOT}/allowances/{{allowance_id}}", allowances.show),
        Route(f"{ROOT}/allowances/{{allowance_id}}/revoke", allowances.revoke, methods=["POST"]),
        Route(f"{ROOT}/allowances/{{request_id}}/dismiss", allowances.dismiss, methods=["POST"]),
        Route(f"{ROOT}/plan_{{key}}", plans.plan),
        Route(f"{ROOT}/plan_{{key}}/sign", plans.sign, methods=["POST"]),
        Route(f"{ROOT}/plan_{{key}}/approve", plans.approve, methods=["POST"]),
        Route(f"{ROOT}/plan_{{key}}/decline", plans.decline, methods=["POST"]),
        *_company_routes(setup, pages.login),
        Route(f"{ROOT}/{{action_id}}", pages.action),
        Route(f"{ROOT}/{{action_id}}/sign", pages.sign, methods=["POST"]),
        Route(f"{ROOT}/{{action_id}}/approve", pages.approve, methods=["POST"]),
        Route(f"{ROOT}/{{action_id}}/decline", pages.decline, methods=["POST"]),
    ]


def _company_routes(setup: PageSetup, login: SignIn) -> Sequence[Route]:
    """Return the routes of single sign-on; none where it is not set."""
    options = setup.options
    if options.oidc is None:
        return ()
    return company_routes(
        CompanySignInSetup(
            settings=options.oidc,
            store=setup.store,
            clock=setup.clock,
            login=login,
            commands=options.commands,
            address=setup.address,
        )
    )


class Pages:
    """The handlers of the pages and their forms."""

    def __init__(self, setup: PageSetup) -> None:
        self._store = setup.store
        self._clock = setup.clock
        self._rules = setup.options.rules
        self._commands = setup.options.commands
        self._runs_on_approval = setup.options.runs_on_approval
        self._approvals = Approvals(setup.store.journal, setup.clock, RegisteredOperations(), self._rules)
        self._plan_approvals = PlanApprovals(setup.store.plans, setup.clock, self._rules, RegisteredOperations())
        self.signing = Signing(setup.store, setup.clock, setup.address)
        sessions = Sessions(setup.store, setup.clock)
        oidc = setup.options.oidc
        self.login = SignIn(
            setup.store,
            sessions,
            self._commands,
            is_https=(setup.address or "").startswith("https:"),
            company=oidc.name if oidc else "",
        )
        self.frame = Frame(setup.store, self._commands, setup.options.zone)
        self.waiting = WaitingPages(
            self.frame,
            self.login,
            self._clock,
            self._approvals,
            self._plan_approvals,
            self.signing,
            self._runs_on_approval,
        )
        self.history = HistoryPages(self.frame, self.login, self._clock, self._approvals, self._plan_approvals)
        self.money = MoneyPages(self.frame, self.login, self._clock, self._rules.caps)

    async def sign_in(self, request: Request) -> Response:
        """Check the passcode."""
        return await self.login.sign_in(request)

    @require_session
    async def sign_out(self, request: Request, session: Session) -> Response:
        """End the session."""
        return await self.login.sign_out(session)

    @require_session
    async def action(self, request: Request, session: Session) -> Response:
        """Show one action in full."""
        return await self._show_action(request, session)

    @require_role(Role.APPROVER)
    async def sign(self, request: Request, session: Session) -> Response:
        """Answer with what the operator's passkey signs to approve this call as the form says."""
        found, form = await self._find(request), await read_form(request)
        try:
            statement = self._statement(found, session, form)
        except NotAPrice as wrong:
            return JSONResponse({"problem": f"{wrong} Nothing was recorded."}, 409)
        return await self.signing.options(request, session, statement)

    @require_role(Role.APPROVER)
    async def approve(self, request: Request, session: Session) -> Response:
        """Approve exactly this call, once; what cannot be undone only after a second question."""
        if await self._store.freeze.is_on():
            refusal = "Everything is stopped. Resume before you approve; nothing was sent."
            return await self._show_action(request, session, refusal=refusal, status=409)
        found, form = await self._find(request), await read_form(request)
        try:
            up_to = _bound_in(form, found)
        except NotAPrice as wrong:
            return await self._show_action(request, session, refusal=f"{wrong} Nothing was recorded.", status=409)
        must_confirm = found.state is State.PROPOSED and is_final(found, operation_named(found.operation))
        if must_confirm and form.get("sure") != found.digest:
            shown = build_view(found, self._clock.now())
            given = {"up_to": str(up_to or ""), "bound": form.get("up_to", "").strip(), "run": form.get("run", "")}
            is_signed = await self.signing.is_needed(session)
            return await self.frame.show("confirm.html", session, shown=shown, given=given, is_signed=is_signed)
        return await self._approve(request, session, found, form)

    @require_role(Role.APPROVER)
    async def decline(self, request: Request, session: Session) -> Response:
        """Decline the call."""
        found, form = await self._find(request), await read_form(request)
        try:
            await self._approvals.record(found.id, State.DECLINED, by=session.by, reason=form.get("reason", ""))
        except JournalUnavailable:
            raise
        except GuardRefusal as refused:
            refusal = self._commands.complete(str(refused))
            return await self._show_action(request, session, refusal=refusal, status=409)
        return RedirectResponse(f"{ROOT}/{found.id}", 303)

    @require_session
    async def freeze(self, request: Request, session: Session) -> Response:
        """Stop every guarded action in every process."""
        await self._store.freeze.freeze(session.by)
        return RedirectResponse(ROOT, 303)

    @require_role(Role.APPROVER)
    async def unfreeze(self, request: Request, session: Session) -> Response:
        """Resume guarded actions."""
        await self._store.freeze.unfreeze(session.by)
        return RedirectResponse(ROOT, 303)

    async def _approve(self, request: Request, session: Session, found: Action, form: Mapping[str, str]) -> Response:
        """Record the operator's yes, with the signature under it where the operator has a passkey."""
        statement = self._statement(found, session, form)
        try:
            approver = await self.signing.approver(request, session, statement, form.get("credential", ""))
            await self._approvals.approve(
                found.id, approver, up_to=_bound_in(form, found), run_by_server=statement.run_by_server
            )
        except JournalUnavailable:
            raise
        except (GuardRefusal, NotSigned) as refused:
            refusal = self._commands.complete(str(refused))
            return await self._show_action(request, session, refusal=refusal, status=409)
        return RedirectResponse(f"{ROOT}/{found.id}", 303)

    def _statement(self, action: Action, session: Session, form: Mapping[str, str]) -> Statement:
        """Return what the operator says yes to by sending a form.

        Raises:
            NotAPrice: The amount in it is none.
        """
        by_server = self._runs_on_approval or form.get("run") == "server"
        return statement_of(action, session.operator.name, up_to=_bound_in(form, action), run_by_server=by_server)

    async def _show_action(
        self, request: Request, session: Session, *, refusal: str = "", status: int = 200
    ) -> Response:
        current = await self._approvals.expire_if_due(await self._find(request))
        charges = await self._store.spending.charges_of([current.id])
        shown = build_view(current, self._clock.now(), charges.get(current.id))
        operation = operation_named(current.operation)
        role, needed = session.operator.role, self._approvals.demand_of(current).people
        asked = replace(current, approvers_needed=max(needed, current.approvers_needed))
        return await self.frame.show(
            "action.html",
            session,
            status=status,
            shown=shown,
            refusal=refusal,
            needs_bound=current.quote.is_unknown and self._rules.needs_bound(current.provider, current.made_on),
            may_be_allowed=operation is not None and why_never(operation) is None and not current.quote.is_unknown,
            runs_on_approval=self._runs_on_approval,
            receipts=await receipt_links(self._store, current.id),
            given=await self._store.journal.approvals_of(current.id) if current.approvers else (),
            approvals_line=approvals_line(asked),
            is_signed=await self.signing.is_needed(session),
            statement=statement_of(current, session.operator.name),
            may_answer=role.includes(Role.APPROVER),
            may_approve=role.includes(Role.APPROVER) and session.operator.name not in current.approvers,
        )

    async def _find(self, request: Request) -> Action:
        action_id = request.path_params["action_id"]
        action = await self._store.journal.find(action_id)
        if action is None:
            archived = await self._store.journal.find_archived(action_id)
            raise HTTPException(404, archived.place if archived else "There is no such action.")
        return action


def _bound_in(form: Mapping[str, str], action: Action) -> Money | None:
    """Return the most that a call may cost, as a form names it; None where it names nothing.

    Raises:
        NotAPrice: That is no amount.
    """
    bound = form.get("up_to", "").strip()
    return parse_price(bound, action.quote.currency) if bound else None


async def _show_css(request: Request) -> Response:
    return Response(stylesheet(), media_type="text/css")


async def _show_script(request: Request) -> Response:
    return Response(script(), media_type="text/javascript")


async def _show_passkey_script(request: Request) -> Response:
    return Response(passkey_script(), media_type="text/javascript")


async def _show_problem(request: Request, problem: Exception) -> Response:
    if not isinstance(problem, HTTPException):
        raise problem
    options: PageOptions = request.app.state.page_options
    return render("problem.html", options.commands, status=problem.status_code, root=ROOT, message=problem.detail)


async def _show_unavailable(request: Request, problem: Exception) -> Response:
    return PlainTextResponse(f"{problem} Nothing was done.", 503)
