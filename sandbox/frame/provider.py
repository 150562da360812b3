"""The base of every simulated provider, and of those that are found by method and path."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar, Generic, TypeVar

from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.frame.controls import Control
from sandbox.frame.endpoint import Endpoint, RequestRules, Router
from sandbox.frame.wire import Answer, Refusal, Request
from sandbox.provider import Surroundings


class ProviderState:
    """What every provider's state has: time, the ledger, and series of numbers."""

    provider: ClassVar[str]
    """The name in the ledger."""
    currency: ClassVar[str] = "USD"

    def __init__(self, surroundings: Surroundings) -> None:
        self.clock = surroundings.clock
        self.ledger = surroundings.ledger
        self._counters: dict[str, int] = {}

    def next(self, kind: str, start: int = 1) -> int:
        """Return the next number of a series that starts at `start`."""
        self._counters[kind] = self._counters.get(kind, start - 1) + 1
        return self._counters[kind]

    def write_charge(self, what: str, quantity: int, amount: Decimal, reference: str, currency: str = "") -> None:
        """Write a charge into the ledger of the sandbox; `amount` is the whole sum, in the provider's own currency."""
        self.ledger.charge(self.provider, what, quantity, amount, reference, currency=currency or self.currency)


S = TypeVar("S", bound=ProviderState)
E = TypeVar("E", bound=Endpoint[Any])


class SimulatedProvider(ABC, Generic[S]):
    """A provider whose state is made by `seed` and whose requests are answered by `respond`."""

    name: ClassVar[str]
    """The path segment it is mounted under."""
    control_routes: ClassVar[Sequence[Control]] = ()
    """What the outside world does to the accounts; mounted under `/_control/<name>`."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.state: S = self.seed()

    @abstractmethod
    def seed(self) -> S:
        """Make the state that a fresh sandbox has."""

    @abstractmethod
    def describe(self) -> dict[str, object]:
        """List credentials, seeded identifiers and what is special about them."""

    @abstractmethod
    def failure(self, status: int) -> Response:
        """Return an error in the provider's own shape, for injected faults."""

    @abstractmethod
    def respond(self, request: Request) -> Response:
        """Answer one request."""

    @property
    def app(self) -> ASGIApp:
        """The provider's API."""
        return self._handle

    @property
    def controls(self) -> Sequence[BaseRoute]:
        """The routes under `/_control/<name>`."""
        return [each.route(self.present) for each in self.control_routes]

    def reset(self) -> None:
        """Go back to the seed."""
        self.state = self.seed()

    def present(self) -> S:
        """Return the state; override it where something may be due."""
        return self.state

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.respond(await Request.read(scope, receive))(scope, receive, send)


class RestProvider(SimulatedProvider[S], RequestRules, Generic[S, E]):
    """A provider with one operation for each method and path."""

    endpoints: Sequence[E]

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._router = Router(self.endpoints)

    @abstractmethod
    def answer(self, endpoint: E, path: dict[str, str], request: Request) -> Answer:
        """Authenticate the request and run its operation.

        Raises:
            Refusal: the error to answer.
        """

    def respond(self, request: Request) -> Response:
        """Answer one request, with the refusal if there is one."""
        self.present()
        try:
            answer = self.answer(*self._router.find(request, self), request)
        except Refusal as refusal:
            answer = refusal.answer
        return answer.to_response()


def phrase_of(status: int) -> str:
    """Return the standard phrase of an HTTP status; `Error` if it has none."""
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
