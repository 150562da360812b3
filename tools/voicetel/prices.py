"""VoiceTel prices: the account's own rates and balance, from the one read that shows them (6 an hour, so cached)."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from clients.client import ApiClient
from clients.operation import Operation
from guard.money import Money, price
from guard.rules.quote import Balance, Rate, Unpriced
from tools.voicetel.operations.account import GetAccount

TOO_OLD: Final = timedelta(days=1)
"""Rates that were read longer ago, because VoiceTel allows no newer read, are no price any more."""


class VoiceTelPrices:
    """Implements `guard.quote.PriceSource`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | Unpriced | None:
        """`rates.<name>` of the account, in US dollars. No document says what a rate of nothing means."""
        exchange = await self._client.exchange(GetAccount())
        rates, read_at = exchange.answer.rates, exchange.received_at
        each = getattr(rates, name, None) if rates else None
        if each is None:
            return None
        if not each:
            return Unpriced(f"The account shows a rate of 0 for {name}, which may mean that none is set.")
        if datetime.now(UTC) - read_at > TOO_OLD:
            return Unpriced(f"The account's rates are as of {read_at:%Y-%m-%d}, and VoiceTel allows no newer read now.")
        return Rate(price(each), f"rates.{name} of the account", as_of=read_at)

    async def balance(self) -> Balance | None:
        """`cash` of the account."""
        exchange = await self._client.exchange(GetAccount())
        if exchange.answer.cash is None:
            return None
        return Balance(Money(exchange.answer.cash), exchange.received_at)
