"""Taking a change back with what was read before it, and telling by the same read whether it happened."""

from typing import Any, Final

from clients.operation import Operation, Proof
from clients.undo import UNREAD, Undo, put_back

ONLY_CHECKED: Final = Undo(verdict="none", lost="The input was checked only, so that nothing changed.")


def as_before(operation: Operation[Any], before: Any, *names: str) -> Undo:
    """The same call with the values that were read before. `names` are the fields that say what it works on."""
    if getattr(operation, "dry_run", False):
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


def as_wanted(operation: Operation[Any], *names: str) -> Proof[Any] | None:
    """The read of the state before, once more: what it shows is compared with what was to be set.

    `names` are the fields that say what the call works on. Enswitch answers numbers and switches in several shapes, so
    only a value of the same type that differs shows that nothing happened. None where nothing readable is set.
    """
    read = operation.before()
    wanted = operation.model_dump(exclude={*names, "dry_run", "password"}, exclude_unset=True, exclude_none=True)
    if read is None or not wanted or getattr(operation, "dry_run", False):
        return None

    def shows(found: Any) -> bool | None:
        shown = {name: getattr(found, name, None) for name in wanted}
        if all(str(shown[name]).casefold() == str(value).casefold() for name, value in wanted.items()):
            return True
        differs = any(type(shown[name]) is type(value) and shown[name] != value for name, value in wanted.items())
        return False if differs else None

    return Proof(read=read, shows=shows)
