"""What the guard works with for one job of many calls, in which each read that several of them need is made once."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from guard.dependencies import GuardDependencies
from guard.rules.quote import PriceSource


class ReadSharing(Protocol):
    """Opens what remembers its reads, for as long as one job takes."""

    def open(self) -> AbstractAsyncContextManager[GuardDependencies]:
        """Return dependencies whose clients and prices remember what they read, and whose store stands still."""
        ...

    def prices(self) -> Mapping[str, PriceSource]:
        """Return sources of prices that remember what they read: a provider may allow few reads an hour."""
        ...
