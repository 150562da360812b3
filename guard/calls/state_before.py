"""The state at the provider that a call changes: read before the call, and compared with what makes it impossible."""

from typing import Any, cast

from pydantic import BaseModel

from clients.errors import NotFound, TelephonyError
from clients.operation import Operation
from clients.telemetry.spans import traced
from guard.accounts import ProviderClient
from guard.errors import NotPossibleNow


async def read_before(
    operation: Operation[Any], client: ProviderClient
) -> tuple[BaseModel | None, dict[str, Any] | None]:
    """Read the state that a call will change: typed, and as stored. None where it could not be read."""
    read = operation.before()
    return (None, None) if read is None else await _read_state(read, client)


async def why_impossible(operation: Operation[Any], client: ProviderClient, before: BaseModel | None) -> str:
    """Return why the provider would refuse the call, by the state as it was read; what is not read is no reason."""
    for condition in operation.preconditions():
        is_read = condition.read == operation.before()
        found = before if is_read else (await _read_state(condition.read, client))[0]
        if found is not None and (why := condition.fails(found)):
            return why
    return ""


def not_possible(operation: Operation[Any], why: str) -> NotPossibleNow:
    """Return the refusal of a call that the provider would refuse."""
    return NotPossibleNow(
        f"{operation.spec.title} at {operation.spec.provider.title} is not possible now: {why}; nothing was sent."
    )


@traced("guard: read what it changes")
async def _read_state(read: Operation[Any], client: ProviderClient) -> tuple[BaseModel | None, dict[str, Any] | None]:
    try:
        found = cast("BaseModel", (await client.exchange(read)).answer)
    except NotFound:
        return None, {}
    except TelephonyError:
        return None, None
    return found, found.model_dump(mode="json", exclude_none=True)
