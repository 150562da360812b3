"""The operator's passcode: what tells a person from the agent that asks."""

import hashlib

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from server.store.facts import Facts

SHORTEST = 8
_FACT = "passcode"
_hasher = PasswordHasher()


class BadPasscode(Exception):
    """The passcode is missing, wrong, or too short."""


async def is_set(facts: Facts) -> bool:
    """True when an operator has set one."""
    return await facts.get(_FACT) is not None


async def set_passcode(facts: Facts, new: str, *, old: str | None) -> None:
    """Set the passcode; changing it needs the old one.

    Raises:
        BadPasscode: The old one is wrong, or the new one too short.
    """
    if await is_set(facts):
        await check(facts, old or "")
    if len(new) < SHORTEST:
        raise BadPasscode(f"A passcode has at least {SHORTEST} characters.")
    await facts.put(_FACT, _hasher.hash(new))


async def check(facts: Facts, given: str) -> None:
    """Check a passcode.

    Raises:
        BadPasscode: It is wrong, or none was ever set.
    """
    kept = await facts.get(_FACT)
    if kept is None:
        raise BadPasscode("No passcode is set. Set one first: ringfence approvals passcode")
    try:
        _hasher.verify(kept, given)
    except (Argon2Error, InvalidHashError) as wrong:
        raise BadPasscode("That is not the passcode.") from wrong


async def fingerprint(facts: Facts) -> str:
    """What changes whenever the passcode does, and tells nothing of it."""
    kept = await facts.get(_FACT)
    return hashlib.sha256((kept or "").encode("utf-8")).hexdigest()
