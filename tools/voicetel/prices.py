"""VoiceTel prices: the account's own rates and balance, from the one read that shows them (6 an hour, so cached)."""

from typing import Any

from clients.client import ApiClient
from clients.operation import Operation
from guard.money import Money
from guard.quote import Balance, Rate
from tools.voicetel.account import Account, GetAccount


class VoiceTelPrices:
    """Implements `guard.quote.PriceSource`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | None:
        """`rates.<name>` of the account, in US dollars."""
        account = await self._account()
        each = getattr(account.rates, name, None) if account.rates else None
        return Rate(Money(each), f"rates.{name} of the account") if each is not None else None

    async def balance(self) -> Balance | None:
        """`cash` of the account."""
        exchange = await self._client.exchange(GetAccount())
        if exchange.answer.cash is None:
            return None
        return Balance(Money(exchange.answer.cash), exchange.received_at)

    async def _account(self) -> Account:
        return await self._client.send(GetAccount())
