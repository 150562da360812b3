"""What the outside world does to the account: money runs out, strangers write, numbers go."""

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.voicetel.fields import Tn
from sandbox.voicetel.state import CallRecord, Message, State


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CashOrder(_Order):
    """Body of `PUT cash`."""

    cash: Decimal


class InboundOrder(_Order):
    """Body of `POST inbound`: a text from a stranger to a number on some account."""

    source: Tn
    destination: Tn
    text: str
    kind: str = Field(default="sms", pattern="^(sms|mms)$")


class CallOrder(_Order):
    """Body of `POST calls`: a stranger calls a number on some account, and a caller name comes with the call."""

    source: str
    destination: Tn
    name: str
    seconds: int = Field(default=30, ge=0)


class GoneOrder(_Order):
    """Body of `POST gone`: somebody else buys these numbers."""

    numbers: list[Tn]


class Controls:
    """Routes under `/_control/voicetel`."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route("/cash/{username}", self.set_cash, methods=["PUT"]),
            Route("/inbound", self.receive_message, methods=["POST"]),
            Route("/calls", self.receive_call, methods=["POST"]),
            Route("/gone", self.take_numbers, methods=["POST"]),
        ]

    async def set_cash(self, request: Request) -> JSONResponse:
        """Set the prepaid balance of an account."""
        account = self._state().accounts.get(request.path_params["username"])
        if account is None:
            return JSONResponse({"error": "no such account"}, status_code=404)
        try:
            account.cash = CashOrder.model_validate_json(await request.body()).cash
        except ValidationError as error:
            return _refused(error)
        return JSONResponse({"cash": str(account.cash)})

    async def receive_message(self, request: Request) -> JSONResponse:
        """Let a message come in; STOP opts the sender out."""
        try:
            order = InboundOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        state = self._state()
        account = state.holder_of(order.destination)
        if account is None:
            return JSONResponse({"error": "the destination is on no account"}, status_code=404)
        message = Message(
            id=f"in{state.next('inbound', 5001)}",
            kind=order.kind,
            direction="in",
            source=order.source,
            destination=order.destination,
            text=order.text,
            rate=Decimal(0),
            at=state.clock.now(),
        )
        account.messages.append(message)
        if order.text.strip().upper() == "STOP":
            account.opted_out.add(order.source)
        return JSONResponse({"id": message.id}, status_code=201)

    async def receive_call(self, request: Request) -> JSONResponse:
        """Let a call come in; its record carries the caller's name as records do, URL-encoded."""
        try:
            order = CallOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        state = self._state()
        account = state.holder_of(order.destination)
        if account is None:
            return JSONResponse({"error": "the destination is on no account"}, status_code=404)
        call = CallRecord(
            id=f"{state.next('incoming call', 1):032x}",
            at=state.clock.now(),
            caller=order.source,
            called=order.destination,
            seconds=order.seconds,
            rate=account.rates["nibble"],
            name=quote(order.name),
            ip="203.0.113.10",
        )
        account.calls.append(call)
        return JSONResponse({"id": call.id}, status_code=201)

    async def take_numbers(self, request: Request) -> JSONResponse:
        """Take numbers out of the inventory; cached searches still list them for ten minutes."""
        try:
            order = GoneOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        for number in order.numbers:
            self._state().inventory.take(number)
        return JSONResponse({"gone": order.numbers})


def _refused(error: ValidationError) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)
