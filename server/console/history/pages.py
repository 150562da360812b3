"""The pages of the history: a list by day, and the same as CSV and as JSON lines."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from clients.shared.clock import Clock
from guard.approvals import Approvals
from guard.plans.approvals import PlanApprovals
from guard.plans.journal import StepPlace
from guard.plans.plan import PlanState
from server.console.access import require_session
from server.console.history.form import build_fields, day_in_words, given_values, in_words, query_string
from server.console.login import SignIn
from server.console.plan_views import PLAN_STATES
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from server.console.views import ActionView, build_view
from server.reports.history_files import csv_head, csv_line, json_line, lines
from server.store.reports.filter import BadFilter, read_filter
from server.store.reports.history import Entry, HistoryPage
from server.store.reports.plan_entries import PlanEntry

HISTORY_LISTED: Final = 50
"""How many actions one page of the history shows."""

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, a common spreadsheet reads a file of UTF-8 in the code page of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One call, ready for the template."""

    shown: ActionView
    at: datetime
    place: StepPlace | None
    """The step of a plan that it carried out."""

    is_plan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One plan, ready for the template."""

    plan: PlanEntry
    at: datetime
    state: str
    charged: str
    is_plan: bool = True


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """What was requested on one day, newest first."""

    day: date
    title: str
    lines: Sequence[CallLine | PlanLine]


class HistoryPages:
    """The handlers of the history."""

    def __init__(
        self, frame: Frame, login: SignIn, clock: Clock, approvals: Approvals, plan_approvals: PlanApprovals
    ) -> None:
        self._frame = frame
        self._store = frame.store
        self.login = login
        self._clock = clock
        self._approvals = approvals
        self._plan_approvals = plan_approvals

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route(f"{ROOT}/history", self.list),
            Route(f"{ROOT}/history.csv", self.as_csv),
            Route(f"{ROOT}/history.jsonl", self.as_json_lines),
        ]

    @require_session
    async def list(self, request: Request, session: Session) -> Response:
        """Show what fits the filter, newest first, by day."""
        given, before = given_values(request.query_params), request.query_params.get("before")
        try:
            wanted = read_filter(given, self._clock.now())
            page = await self._store.history.page(wanted, limit=HISTORY_LISTED, before=before, with_plans=True)
        except BadFilter as bad:
            return await self._render(session, given, refusal=str(bad), status=400)
        return await self._render(
            session,
            given,
            days=await self._days(page),
            filtered_by=in_words(wanted, given),
            is_first=before is None,
            older=query_string(given, before=page.next_key) if page.next_key else "",
            looked_back_to=page.looked_back_to,
        )

    @require_session
    async def as_csv(self, request: Request, session: Session) -> Response:
        """Send every call that fits as CSV, while it is read."""
        return self._file(request, session, "csv", "text/csv; charset=utf-8")

    @require_session
    async def as_json_lines(self, request: Request, session: Session) -> Response:
        """Send every call that fits as JSON lines, while it is read."""
        return self._file(request, session, "jsonl", "application/x-ndjson")

    def _file(self, request: Request, session: Session, kind: str, media_type: str) -> Response:
        now = self._clock.now()
        try:
            wanted = read_filter(given_values(request.query_params), now)
        except BadFilter as bad:
            return Response(str(bad), 400, media_type="text/plain")
        entries = self._store.history.every(wanted)
        name = f"ringfence-history-{now:%Y-%m-%d}.{kind}"
        sent = _csv(entries) if kind == "csv" else lines(entries, json_line)
        return StreamingResponse(
            sent, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    async def _days(self, page: HistoryPage) -> Sequence[HistoryDay]:
        """Put calls and plans of a page together by day, newest first."""
        found: list[CallLine | PlanLine] = [await self._call_line(entry) for entry in page.entries]
        found += [await self._plan_line(plan) for plan in page.plans]
        by_day: dict[date, list[CallLine | PlanLine]] = {}
        for line in sorted(found, key=lambda one: one.at, reverse=True):
            by_day.setdefault(line.at.astimezone(self._frame.zone).date(), []).append(line)
        return [HistoryDay(day, day_in_words(day), some) for day, some in by_day.items()]

    async def _call_line(self, entry: Entry) -> CallLine:
        current = await self._approvals.expire_if_due(entry.action)
        shown = build_view(current, self._clock.now(), entry.charged)
        return CallLine(shown=shown, at=entry.action.created_at, place=entry.place)

    async def _plan_line(self, plan: PlanEntry) -> PlanLine:
        if plan.state is PlanState.PROPOSED and plan.expires_at <= self._clock.now():
            found = await self._store.plans.find(plan.id)
            current = await self._plan_approvals.expire_if_due(found) if found else None
            plan = replace(plan, state=current.state) if current else plan
        charged = " and ".join(str(money) for money in plan.charged)
        return PlanLine(plan=plan, at=plan.created_at, state=PLAN_STATES[plan.state], charged=charged)

    async def _render(
        self, session: Session, given: Mapping[str, str], *, status: int = 200, **values: Any
    ) -> Response:
        shown: dict[str, Any] = {
            "days": [],
            "filtered_by": "",
            "is_first": True,
            "older": "",
            "looked_back_to": None,
            "refusal": "",
            "fields": build_fields(given, await self._store.history.choices()),
            "query": query_string(given),
        }
        return await self._frame.show("history/list.html", session, status=status, **(shown | values))


async def _csv(entries: AsyncIterator[Entry]) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK + csv_head()
    async for line in lines(entries, csv_line):
        yield line
