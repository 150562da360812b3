"""The kill switch: stops every guarded action at once, in every process that shares the store."""

from server.store.key_values import FROZEN, KeyValueStore, drop_value, put_value
from server.store.sealed.audit import Audit, Entry


class Freeze:
    """Reads and sets the switch; the journal reads it again in the transaction that uses an approval."""

    def __init__(self, key_values: KeyValueStore, audit: Audit) -> None:
        self._key_values = key_values
        self._audit = audit

    async def is_on(self) -> bool:
        """Return True if everything is stopped."""
        return await self._key_values.get(FROZEN) is not None

    async def stopped_by(self) -> str | None:
        """Return who stopped everything; None while nothing is stopped."""
        return await self._key_values.get(FROZEN)

    async def freeze(self, by: str) -> None:
        """Stop everything."""

        def stop(entry: Entry) -> None:
            put_value(entry.connection, FROZEN, by)
            self._audit.append(entry, "frozen", principal=by)

        await self._audit.write(stop)

    async def unfreeze(self, by: str) -> None:
        """Resume."""

        def resume(entry: Entry) -> None:
            drop_value(entry.connection, FROZEN)
            self._audit.append(entry, "unfrozen", principal=by)

        await self._audit.write(resume)
