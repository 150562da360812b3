"""A provider of two calls, for tests of the guard's own states: it remembers what it was sent, and can be killed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar, cast

from clients.effects import Charge, Effect
from clients.errors import OutcomeUnknown, ProviderFailed
from clients.evidence import Evidence
from clients.operation import Answer, Done, Exchange, Operation, Undo, Verification
from clients.spec import ProviderApi

R = TypeVar("R")

Fate = Literal["answered", "refused", "lost before", "lost after", "killed before", "killed after"]
"""What becomes of a call at the provider; `lost` and `killed` say whether it took effect."""

PRICE = Decimal("1.00")

depot = ProviderApi("depot", title="Depot", base_url="https://depot.test", docs_url="https://depot.test/docs")


class Stock(Answer):
    """What the account has."""

    items: list[str] = []


@depot.operation("GET", "/stock", effect=Effect.READ, toolset="stock", docs="#stock")
class ListStock(Operation[Stock]):
    """List what the account has."""


@depot.operation("POST", "/stock/{item}", effect=Effect.PAID, toolset="stock", docs="#buy")
class Buy(Operation[Done]):
    """Buy one item."""

    item: str
    """Which."""

    def charge(self) -> Charge:
        return Charge(item="item", each=PRICE, source="the list")

    def verification(self, sent_at: datetime) -> Verification[Stock]:
        return Verification(read=ListStock(), check=lambda stock: Evidence.of(self.item in stock.items))

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="partial", operation=GiveBack(item=self.item), lost="The money is not paid back.")


@depot.operation("DELETE", "/stock/{item}", effect=Effect.DESTRUCTIVE, toolset="stock", docs="#give-back")
class GiveBack(Operation[Done]):
    """Give one item back."""

    item: str
    """Which."""

    def verification(self, sent_at: datetime) -> Verification[Stock]:
        return Verification(read=ListStock(), check=lambda stock: Evidence.of(self.item not in stock.items))


OPERATIONS: dict[str, type[Operation[Any]]] = {
    operation.spec.tool_name: operation for operation in (ListStock, Buy, GiveBack)
}


class DepotCatalog:
    """The depot's operations, as a `guard.catalog.OperationCatalog`."""

    def operation_named(self, tool: str) -> type[Operation[Any]] | None:
        return OPERATIONS.get(tool)

    def tool_for(self, read: Operation[Any]) -> str:
        return read.spec.tool_name

    def related_reads(self, tool: str) -> list[str]:
        return [ListStock.spec.tool_name]


class Killed(BaseException):
    """The process ends here; nothing after it runs."""


@dataclass
class Depot:
    """The provider, as a `guard.dependencies.ProviderClient`."""

    on_write: Callable[[str], Awaitable[None]]
    """Called with the action's id when a write arrives, before it takes effect."""

    fate: Fate = "answered"
    account: str = "depot-1"
    items: set[str] = field(default_factory=set[str])
    writes: list[str] = field(default_factory=list[str])
    """Ids of the actions whose write took effect, in order."""

    charged: list[str] = field(default_factory=list[str])
    """Ids of the actions that were charged."""

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Carry a call out, or not, as its fate is."""
        if isinstance(operation, ListStock):
            return _answer(cast("R", Stock(items=sorted(self.items))))
        assert idempotency_key is not None
        await self.on_write(idempotency_key)
        if self.fate == "killed before":
            raise Killed
        if self.fate == "lost before":
            raise OutcomeUnknown("No answer came.")
        if self.fate == "refused":
            raise ProviderFailed("The depot is closed.", status=503)
        self._take_effect(operation, idempotency_key)
        if self.fate == "killed after":
            raise Killed
        if self.fate == "lost after":
            raise OutcomeUnknown("No answer came.")
        return _answer(cast("R", Done()))

    def read_again(self, operation: Operation[R], raw: str) -> R:
        """No answer here says anything."""
        return cast("R", Done())

    def _take_effect(self, operation: Operation[Any], action_id: str) -> None:
        self.writes.append(action_id)
        if isinstance(operation, Buy):
            self.charged.append(action_id)
            self.items.add(operation.item)
        if isinstance(operation, GiveBack):
            self.items.discard(operation.item)


def _answer(answer: R) -> Exchange[R]:
    return Exchange(answer, 200, "{}", datetime.now(UTC))
