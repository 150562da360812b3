"""VoiceTel prices: the account's own rates and balance, from the one read that shows them (6 an hour, so cached)."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from clients.client import ApiClient
from clients.errors import TelephonyError
from clients.operation import Exchange, Operation
from guard.money import Money, price
from guard.rules.quote import Balance, Rate, Unpriced
from tools.voicetel.operations.account import Account, GetAccount

TOO_OLD: Final = timedelta(days=1)
"""Rates that were read longer ago, because VoiceTel allows no newer read, are no price any more."""


FAILURE_COUNTS_FOR: Final = 60.0
"""Seconds for which a read that failed counts: price and balance of one call, and what is checked again before it is
sent, come from one read of the six or from one failure."""


class VoiceTelPrices:
    """Implements `guard.quote.PriceSource`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._failed_at = -FAILURE_COUNTS_FOR
        self._failure: TelephonyError | None = None

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | Unpriced | None:
        """`rates.<name>` of the account, in US dollars. No document says what a rate of nothing means."""
        exchange = await self._read_account()
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
        exchange = await self._read_account()
        if exchange.answer.cash is None:
            return None
        return Balance(Money(exchange.answer.cash), exchange.received_at)

    async def _read_account(self) -> Exchange[Account]:
        """Read the account, or raise the failure of a moment ago once more."""
        if self._failure is not None and time.monotonic() - self._failed_at < FAILURE_COUNTS_FOR:
            raise self._failure.with_traceback(None)
        try:
            return await self._client.exchange(GetAccount())
        except TelephonyError as failed:
            self._failed_at, self._failure = time.monotonic(), failed
            raise
