"""What earlier steps of a plan may change for a later one: a plan may first make possible what is not possible yet."""

from collections.abc import Sequence
from typing import NamedTuple

from clients.operation import OperationType


class PlacedCall(NamedTuple):
    """Which operation a step calls, and where."""

    operation: OperationType
    account: str


def may_be_prepared(call: PlacedCall, earlier: Sequence[PlacedCall]) -> bool:
    """Return True if an earlier step may change what a call finds: another operation that writes at its account.

    The same operation for another row prepares nothing: forty texts do not turn messaging on for each other.
    """
    return any(
        one.account == call.account
        and one.operation.spec.tool_name != call.operation.spec.tool_name
        and not one.operation.spec.effect.is_plain_read
        for one in earlier
    )
