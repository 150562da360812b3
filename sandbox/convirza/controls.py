"""What the outside world does to the account: callers ring, people text, tokens die, numbers go."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.convirza.fields import BareNumber, e164
from sandbox.convirza.records import CallRecord, PhoneNumber, ProvisionedRoute, SmsConversation
from sandbox.convirza.state import TRACKING_MINUTE, VOICE_AGENT_MINUTE, State


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CallOrder(_Order):
    """Body of `POST calls`: somebody rings a tracking number."""

    phone_number: BareNumber
    caller: BareNumber
    caller_name: str = "UNKNOWN"
    seconds: int = Field(default=60, ge=0)
    disposition: Literal["ANSWERED", "NO ANSWER", "BUSY", "VOICEMAIL", "ABANDONED", "TRANSFERRED"] = "ANSWERED"
    transcription: str | None = None


class TextOrder(_Order):
    """Body of `POST texts`: somebody texts a tracking number; STOP opts the sender out of broadcasts."""

    phone_number: BareNumber
    source: BareNumber
    source_name: str = ""
    text: str


class GoneOrder(_Order):
    """Body of `POST gone`: somebody else orders these carrier numbers."""

    numbers: list[BareNumber]


class Controls:
    """Routes under `/_control/convirza`."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route("/calls", self.receive_call, methods=["POST"]),
            Route("/texts", self.receive_text, methods=["POST"]),
            Route("/gone", self.take_numbers, methods=["POST"]),
            Route("/expire-access-tokens", self.expire_access_tokens, methods=["POST"]),
        ]

    async def receive_call(self, request: Request) -> JSONResponse:
        """Let a call come in; it goes where the route says now, and fails where no active route answers."""
        try:
            order = CallOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        state = self._state()
        number = state.number_named(order.phone_number)
        route = None if number is None else state.routes.get(number.route_id or 0)
        if number is None or route is None:
            return JSONResponse({"error": "no route has this number"}, status_code=404)
        record = _ring(state, number, route, order)
        return JSONResponse(
            {"call_id": record.id, "disposition": record.disposition, "ring_to": record.ring_to}, status_code=201
        )

    async def receive_text(self, request: Request) -> JSONResponse:
        """Let a text come in as a conversation of its own."""
        try:
            order = TextOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        state = self._state()
        number = state.number_named(order.phone_number)
        if number is None:
            return JSONResponse({"error": "the number is not on the account"}, status_code=404)
        now = state.clock.now()
        thread = SmsConversation(
            id=state.next("sms", 987661),
            org_unit_id=number.org_unit_id,
            phone_number=f"1{order.phone_number}",
            source=f"1{order.source}",
            source_name=order.source_name,
            message=order.text,
            started=now,
            updated=now,
            unread=1,
        )
        state.sms[thread.id] = thread
        if order.text.strip().upper() == "STOP":
            state.opted_out.add(e164(order.source))
        return JSONResponse({"conversation_id": thread.id}, status_code=201)

    async def take_numbers(self, request: Request) -> JSONResponse:
        """Take numbers out of the carriers' inventory."""
        try:
            order = GoneOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        return JSONResponse({"gone": [number for number in order.numbers if self._state().carrier.take(number)]})

    async def expire_access_tokens(self, request: Request) -> JSONResponse:
        """End every access token at once; refresh tokens stay usable."""
        return JSONResponse({"expired": self._state().sessions.expire_access()})


def _ring(state: State, number: PhoneNumber, route: ProvisionedRoute, order: CallOrder) -> CallRecord:
    """The record of a call through a route, charged by the started minute."""
    config = route.body.config
    agent = state.voice_agents.get(config.voice_agent_id or 0) if route.body.uses_voice_agent else None
    dead = route.body.provisioned_route_status == "inactive" or (
        agent is None and (route.body.uses_voice_agent or not config.ringto)
    )
    seconds = 0 if dead else order.seconds
    record = CallRecord(
        id=state.next("call", 7700101),
        org_unit_id=route.org_unit_id,
        route_id=route.id,
        route_name=route.body.provisioned_route_name,
        caller=e164(order.caller),
        caller_name=order.caller_name,
        phone_number=e164(number.number),
        ring_to=e164(config.ringto) if config.ringto else "",
        started=state.clock.now(),
        seconds=seconds,
        disposition="FAILED" if dead else order.disposition,
        recorded=config.record_call and not dead,
        transcription=None if dead else order.transcription,
    )
    state.calls[record.id] = record
    if minutes := -(-seconds // 60):
        what, price = ("voice_agent", VOICE_AGENT_MINUTE) if agent else ("tracking", TRACKING_MINUTE)
        state.charge(f"{what}_minutes", minutes, price * minutes, f"call-{record.id}")
    return record


def _refused(error: ValidationError) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)
