"""Taking a change back with what was read before it, and telling by the same read whether it happened."""

from typing import Any, Final

from pydantic import SecretStr

from clients.operation import UNREAD, Operation, Undo, Verification, is_dry_run, put_back
from tools.enswitch.comparing import agreement, given

ONLY_CHECKED: Final = Undo(verdict="none", lost="The input was checked only, so that nothing changed.")


def as_before(operation: Operation[Any], before: Any, *names: str) -> Undo:
    """The same call with the values that were read before. `names` are the fields that say what it works on."""
    if is_dry_run(operation):
        return ONLY_CHECKED
    if before is None:
        return UNREAD
    changed = operation.model_fields_set - {*names, "dry_run"}
    old = {name: getattr(before, name, None) for name in sorted(changed)}
    unread = [name for name, value in old.items() if value is None]
    known = {name: value for name, value in old.items() if value is not None}
    if not known:
        return UNREAD
    lost = f"Not read before the change: {', '.join(unread)}." if unread else ""
    return put_back(type(operation), lost=lost, **{name: getattr(operation, name) for name in names}, **known)


def as_wanted(operation: Operation[Any], *names: str) -> Verification[Any] | None:
    """The read of the state before, once more: what it shows is compared with what was to be set.

    `names` are the fields that say what the call works on. None where nothing readable is set. That a new secret was
    set no read shows: with one, the call is never found done.
    """
    read = operation.before()
    wanted = given(operation, *names)
    is_readable = any(not isinstance(value, SecretStr) for value in wanted.values())
    if read is None or not is_readable or is_dry_run(operation):
        return None
    return Verification(read=read, check=lambda found: agreement(wanted, found))
