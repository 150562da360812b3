"""The operator's passcode: what tells a person from the agent that asks."""

import hashlib

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from server.store.key_values import KeyValueStore, get_value, put_value
from server.store.store import Store

SHORTEST = 8
_FACT = "passcode"
_hasher = PasswordHasher()


class BadPasscode(Exception):
    """The passcode is missing, wrong, or too short."""


async def is_set(facts: KeyValueStore) -> bool:
    """True when an operator has set one."""
    return await facts.get(_FACT) is not None


async def set_passcode(store: Store, new: str, *, old: str | None, by: str = "the operator") -> None:
    """Set the passcode; changing it needs the old one.

    Hashing takes long on purpose, so it is done before the store is locked.

    Raises:
        BadPasscode: The old one is wrong, the new one too short, or another was set in between.
    """
    kept = await store.key_values.get(_FACT)
    if kept is not None:
        _require_match(kept, old or "")
    if len(new) < SHORTEST:
        raise BadPasscode(f"A passcode has at least {SHORTEST} characters.")
    hashed = _hasher.hash(new)
    async with store.audit.entry() as entry:
        if await get_value(entry.connection, _FACT) != kept:
            raise BadPasscode("Another passcode was set just now; this one was not.")
        await put_value(entry.connection, _FACT, hashed)
        await store.audit.append(entry, "passcode changed" if kept else "passcode set", principal=by)


async def check(facts: KeyValueStore, given: str) -> None:
    """Check a passcode.

    Raises:
        BadPasscode: It is wrong, or none was ever set.
    """
    kept = await facts.get(_FACT)
    if kept is None:
        raise BadPasscode("No passcode is set. Set one first: ringfence approvals passcode")
    _require_match(kept, given)


async def fingerprint(facts: KeyValueStore) -> str:
    """What changes whenever the passcode does, and tells nothing of it."""
    kept = await facts.get(_FACT)
    return hashlib.sha256((kept or "").encode("utf-8")).hexdigest()


def _require_match(kept: str, given: str) -> None:
    try:
        _hasher.verify(kept, given)
    except (Argon2Error, InvalidHashError) as wrong:
        raise BadPasscode("That is not the passcode.") from wrong
