"""The kill switch: stops every guarded action at once, in every process that shares the store."""

from server.store.audit import Audit
from server.store.key_values import FROZEN, KeyValueStore, drop_value, put_value


class Freeze:
    """Reads and sets the switch. The journal reads it again in the transaction that takes an approval."""

    def __init__(self, facts: KeyValueStore, audit: Audit) -> None:
        self._facts = facts
        self._audit = audit

    async def is_on(self) -> bool:
        """True when everything is stopped."""
        return await self._facts.get(FROZEN) is not None

    async def freeze(self, by: str) -> None:
        """Stop everything."""
        async with self._audit.entry() as entry:
            await put_value(entry.connection, FROZEN, by)
            await self._audit.append(entry, "frozen", principal=by)

    async def unfreeze(self, by: str) -> None:
        """Let things go on."""
        async with self._audit.entry() as entry:
            await drop_value(entry.connection, FROZEN)
            await self._audit.append(entry, "unfrozen", principal=by)
