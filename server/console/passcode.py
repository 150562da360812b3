"""The operator's passcode: assistants do not know it, so an approval that needs it comes from a person."""

import hashlib

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from server.store.key_values import KeyValueStore, get_value, put_value
from server.store.sealed.audit import Entry
from server.store.store import Store

SHORTEST = 8
_KEY = "passcode"
_hasher = PasswordHasher()


class BadPasscode(Exception):
    """The passcode is missing, wrong, or too short."""


async def is_set(key_values: KeyValueStore) -> bool:
    """Return True if a passcode is set."""
    return await key_values.get(_KEY) is not None


async def set_passcode(store: Store, new: str, *, old: str | None, by: str = "the operator") -> None:
    """Set the passcode; a change needs the old one.

    Hashing is slow on purpose, so it is done before the store is locked.

    Raises:
        BadPasscode: The old one is wrong, the new one too short, or another was set in between.
    """
    kept = await store.key_values.get(_KEY)
    if kept is not None:
        _require_match(kept, old or "")
    hashed = _hash(new)

    def replace(entry: Entry) -> None:
        if get_value(entry.connection, _KEY) != kept:
            raise BadPasscode("Somebody else set a passcode at this moment; yours was not set.")
        put_value(entry.connection, _KEY, hashed)
        store.audit.append(entry, "passcode changed" if kept else "passcode set", principal=by)

    await store.audit.write(replace)


async def reset_passcode(store: Store, new: str, *, by: str) -> None:
    """Set the passcode without the old one. Whoever calls this has made sure that the machine's owner asks for it.

    Every session and every known browser of the old one ends.

    Raises:
        BadPasscode: It is too short.
    """
    hashed = _hash(new)

    def replace(entry: Entry) -> None:
        put_value(entry.connection, _KEY, hashed)
        store.audit.append(entry, "passcode reset", principal=by)

    await store.audit.write(replace)


async def check(key_values: KeyValueStore, given: str) -> None:
    """Check a passcode.

    Raises:
        BadPasscode: It is wrong, or none was ever set.
    """
    kept = await key_values.get(_KEY)
    if kept is None:
        raise BadPasscode("No passcode is set. Set one first: `ringfence approvals passcode`")
    _require_match(kept, given)


async def fingerprint(key_values: KeyValueStore) -> str:
    """Return a text that changes with the passcode and does not reveal it."""
    kept = await key_values.get(_KEY)
    return hashlib.sha256((kept or "").encode("utf-8")).hexdigest()


def _hash(new: str) -> str:
    if len(new) < SHORTEST:
        raise BadPasscode(f"A passcode has at least {SHORTEST} characters; nothing was changed.")
    return _hasher.hash(new)


def _require_match(kept: str, given: str) -> None:
    try:
        _hasher.verify(kept, given)
    except (Argon2Error, InvalidHashError) as wrong:
        raise BadPasscode("That is not the passcode.") from wrong
