"""Failover: one message that tries SMS, Viber and voice one after another."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from pydantic import Discriminator, Field

from sandbox.routee import networks
from sandbox.routee.callbacks import Target
from sandbox.routee.calling import UNANSWERED, require_callable
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import (
    Filters,
    Label,
    Moment,
    PageQuery,
    Phone,
    Text,
    Url,
    UrlShortenerBody,
    matching,
    refuse_unknown_fields,
    require_sender,
)
from sandbox.routee.networks import voice_price
from sandbox.routee.operations.conversations import DestinationBody, DialPlanBody, MachineDetectionBody
from sandbox.routee.operations.sms import LONGEST_TEXT, Restrictions
from sandbox.routee.operations.viber import ActionBody, HttpsUrl, viber_fate
from sandbox.routee.records import Status
from sandbox.routee.sending import FATES, Dispatch, require_mobile
from sandbox.routee.state import State
from sandbox.routee.voice_records import Failover, FailoverStep
from sandbox.routee.wire import Answer, Refusal, Wire, invalid, ok, page_of, refused, timestamp

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


class SmsMessage(Body):
    """The message of an SMS step."""

    body: str = Field(min_length=1, max_length=LONGEST_TEXT)
    flash: bool = False
    label: Label = ""
    transcode: bool = False


class ViberContent(Body):
    """The message of a Viber step; files and videos are left out here."""

    text: str | None = Field(default=None, min_length=1, max_length=1000)
    imageUrl: HttpsUrl | None = None
    action: ActionBody | None = None


class StepBody(Body):
    """What every step has; minutes of life are 0.5 to 1440."""

    order: int = Field(ge=0)
    failoverOnStatuses: str | None = None


class SmsStep(StepBody):
    """Try an SMS."""

    type: Literal["Sms"]
    sender: str = Field(alias="from")
    to: Phone
    message: SmsMessage
    ttl: Decimal = Field(default=Decimal(1200), ge=Decimal("0.5"), le=1440)
    urlShortener: UrlShortenerBody | None = None


class ViberStep(StepBody):
    """Try Viber."""

    type: Literal["Viber"]
    senderInfoTrackingId: str
    to: Phone
    message: ViberContent
    ttl: Decimal = Field(default=Decimal(10), ge=Decimal("0.5"), le=1440)
    inboundUrl: Url | None = None
    expireOnDelivery: bool = False


class VoiceStep(StepBody):
    """Try a call; the documents show `to` both as text and as an object."""

    type: Literal["Voice"]
    sender: Text = Field(alias="from")
    to: Phone | DestinationBody
    dialplan: DialPlanBody
    machineDetection: MachineDetectionBody | None = None


Step = Annotated[SmsStep | ViberStep | VoiceStep, Discriminator("type")]


class FailoverCallback(Body):
    """The callback; its strategies are not those of messages."""

    url: Url
    strategy: Literal["OnStep", "OnCompletion"]


class FailoverBody(Body):
    """Body of `POST /failover`."""

    flow: list[Step] = Field(min_length=1)
    callback: FailoverCallback | None = None
    restrictions: Restrictions | None = None


class FailoversQuery(PageQuery):
    """Which failovers; ten to a page here."""

    size: int = Field(default=10, ge=1)
    dateStart: Moment | None = None
    dateEnd: Moment | None = None


def start_failover(call: Call, body: FailoverBody) -> Answer:
    """Start with the step of the lowest order; each step is charged when it is tried."""
    state = call.state
    if len({step.order for step in body.flow}) != len(body.flow):
        raise invalid("Two steps have the same order.", {"order": "taken"})
    steps = [_plan(state, step) for step in sorted(body.flow, key=lambda one: one.order)]
    state.require(steps[0].price)
    failover = Failover(
        id=state.new_id("failover"),
        created=state.now(),
        updated=state.now(),
        application_id=call.application.id,
        application=call.application.name,
        steps=steps,
        target=Target(body.callback.url, body.callback.strategy) if body.callback else None,
    )
    prices = [step.price for step in steps]
    for step in steps:
        step.price = Decimal(0)
    state.failovers[failover.id] = failover
    _try(state, failover, prices, 0)
    return ok(_wire(failover))


def show_failover(call: Call) -> Answer:
    """A failover with the price of everything it tried."""
    failover = call.state.failovers.get(call.path["trackingId"])
    if failover is None:
        raise refused("404018001", "The failover does not exist.")
    return ok(_wire(failover))


def search_failovers(call: Call, query: FailoversQuery, filters: Filters) -> Answer:
    """Failovers that meet the filters; type and recipient are those of any step (inferred)."""
    refuse_unknown_fields(filters, FILTER_FIELDS)
    found = [
        failover
        for failover in call.state.failovers.values()
        if (query.dateStart is None or failover.created >= query.dateStart)
        and (query.dateEnd is None or failover.created <= query.dateEnd)
        and any(matching([_searchable(failover, step)], filters) for step in failover.steps)
    ]
    return page_of([_wire(failover) for failover in found], query.page, query.size)


def _plan(state: State, step: SmsStep | ViberStep | VoiceStep) -> FailoverStep:
    """Check a step and keep it with the price it will have."""
    next_on = _next_on(step)
    if isinstance(step, SmsStep):
        require_sender(step.sender)
        require_mobile(step.to)
        price = Dispatch(step.sender, step.to, step.message.body, "", transcode=step.message.transcode).price()
        request: Wire = {"from": step.sender, "to": step.to, "body": {"text": step.message.body}}
        return FailoverStep("Sms", step.order, request, next_on, step.ttl, price=price)
    if isinstance(step, ViberStep):
        require_mobile(step.to)
        if step.senderInfoTrackingId not in state.viber_senders:
            raise refused("404020001", "The Viber sender does not exist.")
        text_only = step.message.model_fields_set == {"text"}
        price = networks.VIBER_TRANSACTIONAL if text_only else networks.VIBER_PROMOTIONAL
        sender = state.viber_senders[step.senderInfoTrackingId]
        request = {"from": sender, "to": step.to, "body": step.message.model_dump(exclude_none=True)}
        return FailoverStep("Viber", step.order, request, next_on, step.ttl, price=price)
    number = step.to if isinstance(step.to, str) else step.to.number()
    require_callable(number)
    price = (voice_price(number) * CALL_SECONDS / 60).quantize(Decimal("0.00001"))
    return FailoverStep("Voice", step.order, {"from": step.sender, "to": number}, next_on, Decimal(0), price=price)


def _next_on(step: SmsStep | ViberStep | VoiceStep) -> tuple[str, ...]:
    """The statuses of a step in the documented spelling; they come divided by commas, in any letter case."""
    if step.failoverOnStatuses is None:
        return DEFAULTS[step.type]
    known = {status.casefold(): status for status in ALLOWED[step.type]}
    given = [status.strip().casefold() for status in step.failoverOnStatuses.split(",")]
    if unknown := [status for status in given if status not in known]:
        raise invalid(f"{unknown[0]} is not a status of {step.type}.", {"failoverOnStatuses": "unknown status"})
    return tuple(known[status] for status in given)


def _try(state: State, failover: Failover, prices: list[Decimal], index: int) -> None:
    step = failover.steps[index]
    step.tracking_id, step.created = state.new_id("failover step"), state.now()
    try:
        state.pay(f"failover_{step.kind.lower()}", 1, prices[index], failover.id)
    except Refusal:
        step.status = Status("Unsent", state.now())
        _end(state, failover, "Failed", step)
        return
    step.price = prices[index]
    step.status = Status("Queued", state.now())
    failover.status, failover.updated = "InProgress", state.now()
    state.agenda.at(state.now() + SETTLES_AFTER, partial(_settle, state, failover, prices, index))


def _settle(state: State, failover: Failover, prices: list[Decimal], index: int) -> None:
    """See what became of a step: go on to the next, or end here."""
    step = failover.steps[index]
    status = _fate(step)
    step.status = Status(status, state.now(), status, f"Message status: {status}")
    if status not in step.next_on:
        _end(state, failover, "Succeeded" if status in {"Delivered", "Completed"} else "Failed", step)
    elif index + 1 == len(failover.steps):
        _end(state, failover, "Failed", step)
    else:
        failover.updated = state.now()
        _report(state, failover, final=False)
        _try(state, failover, prices, index + 1)


def _fate(step: FailoverStep) -> str:
    to = str(step.request["to"])
    if step.kind == "Voice":
        return UNANSWERED.get(to[-4:], "Completed")
    if step.kind == "Viber":
        return viber_fate(to)
    return FATES.get(to[-4:], ("Delivered", ""))[0]


def _end(state: State, failover: Failover, status: str, step: FailoverStep) -> None:
    failover.status, failover.channel, failover.updated = status, step.kind, state.now()
    _report(state, failover, final=True)


def _report(state: State, failover: Failover, *, final: bool) -> None:
    """Post the failover; that the callback looks like its tracking is inferred."""
    if failover.target is not None and failover.target.wants(final):
        state.outbox.post("failover report", failover.target.url, _wire(failover))


def _searchable(failover: Failover, step: FailoverStep) -> Wire:
    return {
        "type": step.kind,
        "to": step.request["to"],
        "status": failover.status,
        "terminationChannel": failover.channel,
    }


def _wire(failover: Failover) -> Wire:
    wire: Wire = {
        "trackingId": failover.id,
        "applicationId": failover.application_id,
        "createdAt": timestamp(failover.created),
        "updatedAt": timestamp(failover.updated),
        "originatingService": "Failover",
        "status": failover.status,
        "totalPrice": failover.price,
        "messages": [_step_wire(step) for step in failover.steps],
    }
    return wire | ({"terminationChannel": failover.channel} if failover.channel else {})


def _step_wire(step: FailoverStep) -> Wire:
    wire: Wire = {
        "type": step.kind,
        "order": step.order,
        "failoverOnStatuses": list(step.next_on),
        "ttl": step.ttl,
        "price": step.price,
        "country": networks.require_country(str(step.request["to"])).iso,
        **step.request,
    }
    if step.status is not None and step.created is not None:
        wire |= {
            "trackingId": step.tracking_id,
            "createdAt": timestamp(step.created),
            "status": step.status.called_back(),
        }
    return wire
