"""The page of deliveries, and the form that settles what somebody wrote about further messages."""

from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clients.phone_numbers import canonical
from clients.shared.clock import Clock
from guard.operators.roles import Role
from server.console.access import require_role, require_session
from server.console.deliveries.views import KINDS, build_days, build_failures, build_text, days_until
from server.console.forms import read_form
from server.console.login import SignIn
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from server.console.views import build_request

SPANS: Final = (7, 30)
"""How many days the page shows: the first unless its address says otherwise."""

TEXTS_LISTED: Final = 20
"""How many texts that came in, and how many failures, the page shows."""

OPTOUTS_LISTED: Final = 50

_PLACE: Final = f"{ROOT}/deliveries"


@dataclass(frozen=True, slots=True)
class DeliveryPages:
    """The handlers of deliveries."""

    frame: Frame
    login: SignIn
    clock: Clock

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route(_PLACE, self.deliveries),
            Route(f"{_PLACE}/opt-outs", self.optouts),
            Route(f"{_PLACE}/wishes", self.settle, methods=["POST"]),
        ]

    @require_session
    async def deliveries(self, request: Request, session: Session) -> Response:
        """Show what became of messages, what came in, and what needs a person."""
        span = SPANS[1] if request.query_params.get("days") == str(SPANS[1]) else SPANS[0]
        store, days = self.frame.store, days_until(self.clock.now(), self.frame.zone, span)
        counts = await store.deliveries.count(days)
        shown = build_days(days, counts, await store.deliveries.count_incoming(days))
        requests = await store.optouts.requests()
        return await self.frame.show(
            "deliveries/overview.html",
            session,
            may_answer=session.operator.role.includes(Role.APPROVER),
            span=span,
            spans=SPANS,
            days=shown,
            most=max(1, *(one.total for one in shown)),
            kinds=KINDS,
            totals={kind: sum(one.counts[kind] for one in shown) for kind in KINDS},
            came_in=sum(one.came_in for one in shown),
            failures=build_failures(counts),
            failed=[build_text(one) for one in await store.deliveries.failed(days[0], TEXTS_LISTED)],
            incoming=[build_text(one) for one in await store.deliveries.incoming(days[0], TEXTS_LISTED)],
            requests=[build_request(one, self.frame.commands) for one in requests[:TEXTS_LISTED]],
            more_requests=max(0, len(requests) - TEXTS_LISTED),
            sources=await store.optouts.count_by_source(),
        )

    @require_session
    async def optouts(self, request: Request, session: Session) -> Response:
        """Show who opted out and where that came from, page by page, or look one number up."""
        optouts, parameters = self.frame.store.optouts, request.query_params
        number, after = parameters.get("number", "").strip(), parameters.get("after", "")
        source = parameters.get("source") or None
        found = None
        if number:
            found = await optouts.find(number)
            listed = [found] if found else []
        else:
            listed = await optouts.page(OPTOUTS_LISTED + 1, after=after, source=source)
        return await self.frame.show(
            "deliveries/optouts.html",
            session,
            listed=listed[:OPTOUTS_LISTED],
            next=listed[OPTOUTS_LISTED - 1].number if len(listed) > OPTOUTS_LISTED else "",
            number=number,
            is_number=canonical(number) is not None,
            after=after,
            source=source or "",
            sources=await optouts.count_by_source(),
        )

    @require_role(Role.APPROVER)
    async def settle(self, request: Request, session: Session) -> Response:
        """Settle what a sender wrote: no more messages, messages again, or nothing changes."""
        form = await read_form(request)
        sender, optouts = form.get("sender", ""), self.frame.store.optouts
        match form.get("do", ""):
            case "add" if canonical(sender) is not None:
                await optouts.add([sender], source=session.by, by=session.by)
            case "remove" if canonical(sender) is not None:
                await optouts.remove(sender, by=session.by)
            case "dismiss":
                await optouts.dismiss(sender, by=session.by)
            case _:
                raise HTTPException(400, "This form does not say what to do with that sender. Nothing was changed.")
        return RedirectResponse(f"{_PLACE}#wishes", 303)
