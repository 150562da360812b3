"""What a page costs: the account's own rate."""

from typing import Any

from clients.client import ApiClient
from clients.operation import Operation
from guard.money import Money
from guard.rules.quote import Balance, Rate, Unpriced
from ringfence_pager.operations.pagers import GetRates


class PagerPrices:
    """Implements `guard.rules.quote.PriceSource`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | Unpriced | None:
        """Return the account's price of one page, in US dollars; None if it has none."""
        each = (await self._client.send(GetRates())).page
        return Rate(Money(each), "rates of the account") if each else None

    async def balance(self) -> Balance | None:
        """Return None: the service is billed afterwards."""
        return None
