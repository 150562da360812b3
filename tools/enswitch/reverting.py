"""Taking a change back with what was read before it."""

from typing import Any, Final

from clients.operation import Operation
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
