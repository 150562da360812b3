"""Enswitch prices: only amounts that a call itself names. No documented call shows what anything else costs."""

from decimal import Decimal
from typing import Any

from clients.client import ApiClient
from clients.operation import Operation
from guard.money import price
from guard.rules.quote import Balance, Rate
from tools.enswitch.client import Enswitch


class EnswitchPrices:
    """Implements `guard.quote.PriceSource`."""

    def __init__(self, client: ApiClient) -> None:
        self._currency = client.currency if isinstance(client, Enswitch) else "USD"

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | None:
        """Return the amount that the call names, in the currency that the settings say its customers have."""
        amount = getattr(operation, name, None)
        if not isinstance(amount, Decimal):
            return None
        return Rate(price(amount, self._currency), f"the {name} of this call")

    async def balance(self) -> Balance | None:
        """None: what such a call moves is a customer's money, and no documented call shows one customer's balance."""
        return None
