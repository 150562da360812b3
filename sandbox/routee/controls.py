"""What the outside world does to the account: strangers write, tokens die, callbacks go astray, money runs out."""

from collections.abc import Callable
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.routee.callbacks import Courier, Mischief
from sandbox.routee.fields import Phone
from sandbox.routee.sending import receive
from sandbox.routee.state import State
from sandbox.routee.wire import encode


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MischiefOrder(_Order):
    """Body of `POST callbacks`; what is left out goes back to normal."""

    delay: float = Field(default=0, ge=0)
    duplicates: int = Field(default=0, ge=0, le=20)
    reorder: bool = False


class InboundOrder(_Order):
    """Body of `POST inbound`: an SMS from a stranger to a rented number."""

    sender: Phone = Field(alias="from")
    to: str
    message: str = Field(min_length=1)


class BalanceOrder(_Order):
    """Body of `PUT balance`."""

    balance: Decimal = Field(ge=0)


class Controls:
    """Routes under `/_control/routee`."""

    def __init__(self, state: Callable[[], State], courier: Courier) -> None:
        self._state = state
        self._courier = courier

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route("/expire-tokens", self.expire_tokens, methods=["POST"]),
            Route("/inbound", self.receive_message, methods=["POST"]),
            Route("/balance", self.set_balance, methods=["PUT"]),
            Route("/callbacks", self.list_callbacks, methods=["GET"]),
            Route("/callbacks", self.disturb_callbacks, methods=["POST"]),
            Route("/callbacks/deliver", self.deliver_callbacks, methods=["POST"]),
        ]

    async def expire_tokens(self, request: Request) -> JSONResponse:
        """Make every access token invalid at once."""
        return JSONResponse({"expired": self._state().desk.expire_all()})

    async def receive_message(self, request: Request) -> JSONResponse:
        """Let an SMS come in; `to` is one of the rented numbers, with or without '+'."""
        try:
            order = InboundOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        state = self._present()
        to = f"+{order.to.removeprefix('+')}"
        if to not in state.numbers:
            return JSONResponse({"error": f"{to} is not rented"}, status_code=404)
        sms = receive(state, order.sender, to, order.message)
        return JSONResponse({"messageId": sms.id}, status_code=201)

    async def set_balance(self, request: Request) -> JSONResponse:
        """Set what is left to spend, in EUR."""
        try:
            order = BalanceOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        self._present().balance = order.balance
        return JSONResponse({"balance": str(order.balance)})

    async def list_callbacks(self, request: Request) -> Response:
        """Every callback with the answers it got, and how callbacks are disturbed."""
        outbox = self._present().outbox
        listing = {
            "settings": outbox.mischief.to_wire(),
            "deliveries": [delivery.to_wire() for delivery in outbox.deliveries],
        }
        return Response(encode(listing), media_type="application/json")

    async def disturb_callbacks(self, request: Request) -> JSONResponse:
        """Delay, repeat or reorder the callbacks that are written from now on."""
        try:
            order = MischiefOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        mischief = Mischief(order.delay, order.duplicates, order.reorder)
        self._present().outbox.mischief = mischief
        return JSONResponse(mischief.to_wire())

    async def deliver_callbacks(self, request: Request) -> JSONResponse:
        """Post what is due before answering, for sandboxes that nobody runs the courier of."""
        return JSONResponse({"delivered": await self._courier.deliver()})

    def _present(self) -> State:
        """The state after everything that was due has happened."""
        state = self._state()
        state.agenda.catch_up()
        return state


def _refused(error: ValidationError) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)
