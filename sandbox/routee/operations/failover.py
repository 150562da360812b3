"""Failover: one message that tries SMS, Viber and voice one after another."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from pydantic import Discriminator, Field

from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer, Refusal, Wire
from sandbox.routee.calling import UNANSWERED, require_callable
from sandbox.routee.endpoint import PAGE, REFERENCE, SOURCES, Call, in_path, operation
from sandbox.routee.fields import (
    Callback,
    Dates,
    Filters,
    Label,
    PageQuery,
    Phone,
    Positive,
    Restrictions,
    SmsText,
    Text,
    Url,
    UrlShortener,
    refuse_unknown_fields,
    require_sender,
    select,
)
from sandbox.routee.networks import require_country, voice_price
from sandbox.routee.operations.conversations import Destination, DialPlan, MachineDetection
from sandbox.routee.operations.viber import Action, HttpsUrl, outcome_of, price_of
from sandbox.routee.records import Draft, Status
from sandbox.routee.sending import OUTCOMES, require_mobile
from sandbox.routee.state import State
from sandbox.routee.voice_records import Failover, FailoverStep
from sandbox.routee.wire import ok, refuse_input, timestamp

SETTLES_AFTER = timedelta(seconds=5)
CALL_SECONDS = 30
DEFAULTS = {
    "Sms": ("Undelivered", "Failed"),
    "Viber": ("Expired", "Failed", "Undelivered"),
    "Voice": ("Busy", "NoAnswer"),
}
"""Documented: the statuses that make the next channel try, if the flow does not say."""

ALLOWED = DEFAULTS | {"Voice": ("Completed", "Busy", "NoAnswer", "Failed", "Unsent", "Terminated")}
FILTER_FIELDS = ("type", "to", "status", "terminationChannel")

PathFailover = Annotated[Failover, in_path("failovers", "404018001", "The failover does not exist.")]
Minutes = Annotated[Decimal, Field(ge=Decimal("0.5"), le=1440)]


class SmsMessage(Body):
    """The message of an SMS step."""

    body: SmsText
    flash: bool = False
    label: Label = ""
    transcode: bool = False


class ViberContent(Body):
    """The message of a Viber step; files and videos are left out here."""

    text: str | None = Field(default=None, min_length=1, max_length=1000)
    imageUrl: HttpsUrl | None = None
    action: Action | None = None


class StepBody(Body):
    """What every step has."""

    order: int = Field(ge=0)
    failoverOnStatuses: str | None = None


class SmsStep(StepBody):
    """Try an SMS."""

    type: Literal["Sms"]
    sender: str = Field(alias="from")
    to: Phone
    message: SmsMessage
    ttl: Minutes = Decimal(1200)
    urlShortener: UrlShortener | None = None

    def plan(self, state: State, next_on: tuple[str, ...]) -> FailoverStep:
        """Check the step and return it as it is kept, with what trying it costs."""
        require_sender(self.sender)
        require_mobile(self.to)
        message = self.message
        cost = Draft(sender=self.sender, to=self.to, text=message.body, transcode=message.transcode).estimate()
        request: Wire = {"from": self.sender, "to": self.to, "body": {"text": message.body}}
        return FailoverStep("Sms", self.order, request, next_on, self.ttl, cost)


class ViberStep(StepBody):
    """Try Viber."""

    type: Literal["Viber"]
    senderInfoTrackingId: str
    to: Phone
    message: ViberContent
    ttl: Minutes = Decimal(10)
    inboundUrl: Url | None = None
    expireOnDelivery: bool = False

    def plan(self, state: State, next_on: tuple[str, ...]) -> FailoverStep:
        """Check the step and return it as it is kept, with what trying it costs."""
        require_mobile(self.to)
        sender = state.require_viber_sender(self.senderInfoTrackingId)
        cost = price_of(text_only=self.message.model_fields_set == {"text"})
        request: Wire = {"from": sender, "to": self.to, "body": self.message.model_dump(exclude_none=True)}
        return FailoverStep("Viber", self.order, request, next_on, self.ttl, cost)


class VoiceStep(StepBody):
    """Try a call; the documents show `to` both as text and as an object."""

    type: Literal["Voice"]
    sender: Text = Field(alias="from")
    to: Phone | Destination
    dialplan: DialPlan
    machineDetection: MachineDetection | None = None

    def plan(self, state: State, next_on: tuple[str, ...]) -> FailoverStep:
        """Check the step and return it as it is kept, with what trying it costs."""
        number = self.to if isinstance(self.to, str) else self.to.number()
        require_callable(number)
        cost = (voice_price(number) * CALL_SECONDS / 60).quantize(Decimal("0.00001"))
        return FailoverStep("Voice", self.order, {"from": self.sender, "to": number}, next_on, Decimal(0), cost)


Step = SmsStep | ViberStep | VoiceStep
FailoverCallback = Callback[Literal["OnStep", "OnCompletion"]]
"""Its strategies are not those of messages."""


class FailoversQuery(PageQuery, Dates):
    """Which failovers; ten to a page here."""

    size: Positive = 10


@operation("POST", "/failover", SOURCES, paid=True, inferred="the answer is that of the tracking")
def start_failover(
    call: Call,
    *,
    flow: Annotated[list[Annotated[Step, Discriminator("type")]], Field(min_length=1)],
    callback: FailoverCallback | None = None,
    restrictions: Restrictions | None = None,
) -> Answer:
    """Start with the step of the lowest order; each step is charged when it is tried."""
    state = call.state
    if len({step.order for step in flow}) != len(flow):
        raise refuse_input("Two steps have the same order.", {"order": "taken"})
    steps = [step.plan(state, _next_on(step)) for step in sorted(flow, key=lambda one: one.order)]
    state.require(steps[0].cost)
    failover = Failover(
        id=state.new_id("failover"),
        created=state.now(),
        updated=state.now(),
        application_id=call.application.id,
        application=call.application.name,
        steps=steps,
        callback=callback,
    )
    state.failovers[failover.id] = failover
    _try(state, failover, 0)
    return ok(_to_wire(failover))


@operation("GET", "/failover/tracking/{trackingId}", REFERENCE)
def show_failover(call: Call, failover: PathFailover) -> Answer:
    """Show a failover with the price of everything it tried."""
    return ok(_to_wire(failover))


@operation("POST", "/failover/tracking", PAGE, inferred="the answer is a page of trackings")
def search_failovers(call: Call, query: FailoversQuery, body: Filters) -> Answer:
    """List failovers that meet the filters; type and recipient are those of any step (inferred)."""
    refuse_unknown_fields(body, FILTER_FIELDS)
    found = [
        failover
        for failover in call.state.failovers.values()
        if query.cover(failover.created) and any(select([_searchable(failover, step)], body) for step in failover.steps)
    ]
    return query.answer([_to_wire(failover) for failover in found])


def _next_on(step: Step) -> tuple[str, ...]:
    """Return the statuses of a step in the documented spelling; they come divided by commas, in any letter case."""
    if step.failoverOnStatuses is None:
        return DEFAULTS[step.type]
    known = {status.casefold(): status for status in ALLOWED[step.type]}
    given = [status.strip().casefold() for status in step.failoverOnStatuses.split(",")]
    if unknown := [status for status in given if status not in known]:
        raise refuse_input(f"{unknown[0]} is not a status of {step.type}.", {"failoverOnStatuses": "unknown status"})
    return tuple(known[status] for status in given)


def _try(state: State, failover: Failover, index: int) -> None:
    step = failover.steps[index]
    step.tracking_id, step.created = state.new_id("failover step"), state.now()
    try:
        state.pay(f"failover_{step.kind.lower()}", 1, step.cost, failover.id)
    except Refusal:
        step.status = Status("Unsent", state.now())
        _end(state, failover, "Failed", step)
        return
    step.price = step.cost
    step.status = Status("Queued", state.now())
    failover.status, failover.updated = "InProgress", state.now()
    state.agenda.at(state.now() + SETTLES_AFTER, partial(_settle, state, failover, index))


def _settle(state: State, failover: Failover, index: int) -> None:
    """See what became of a step: go on to the next, or end here."""
    step = failover.steps[index]
    status = _outcome(step)
    step.status = Status(status, state.now(), status)
    if status not in step.next_on:
        _end(state, failover, "Succeeded" if status in {"Delivered", "Completed"} else "Failed", step)
    elif index + 1 == len(failover.steps):
        _end(state, failover, "Failed", step)
    else:
        failover.updated = state.now()
        _report(state, failover, final=False)
        _try(state, failover, index + 1)


def _outcome(step: FailoverStep) -> str:
    if step.kind == "Voice":
        return UNANSWERED.get(step.to[-4:], "Completed")
    if step.kind == "Viber":
        return outcome_of(step.to)
    return OUTCOMES.get(step.to[-4:], ("Delivered", ""))[0]


def _end(state: State, failover: Failover, status: str, step: FailoverStep) -> None:
    failover.status, failover.channel, failover.updated = status, step.kind, state.now()
    _report(state, failover, final=True)


def _report(state: State, failover: Failover, *, final: bool) -> None:
    """Post the failover; that the callback looks like its tracking is inferred."""
    state.outbox.report("failover report", failover.callback, final, _to_wire(failover))


def _searchable(failover: Failover, step: FailoverStep) -> Wire:
    return {"type": step.kind, "to": step.to, "status": failover.status, "terminationChannel": failover.channel}


def _to_wire(failover: Failover) -> Wire:
    wire: Wire = {
        "trackingId": failover.id,
        "applicationId": failover.application_id,
        "createdAt": timestamp(failover.created),
        "updatedAt": timestamp(failover.updated),
        "originatingService": "Failover",
        "status": failover.status,
        "totalPrice": sum((step.price for step in failover.steps), Decimal(0)),
        "messages": [_step_to_wire(step) for step in failover.steps],
    }
    return wire | ({"terminationChannel": failover.channel} if failover.channel else {})


def _step_to_wire(step: FailoverStep) -> Wire:
    wire: Wire = {
        "type": step.kind,
        "order": step.order,
        "failoverOnStatuses": list(step.next_on),
        "ttl": step.ttl,
        "price": step.price,
        "country": require_country(step.to).iso,
        **step.request,
    }
    if step.status is not None and step.created is not None:
        wire |= {
            "trackingId": step.tracking_id,
            "createdAt": timestamp(step.created),
            "status": step.status.to_callback(),
        }
    return wire
