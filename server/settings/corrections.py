"""What the operator corrected of endpoints, by endpoint, and which calls each correction reaches."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from clients.operation import Operation, OperationType
from clients.wire.corrections import Correction, Corrections, Endpoint, endpoint_of
from server.settings.model import Settings
from server.settings.rules import CorrectionSettings
from tools.discovery.examples import example_call
from tools.registry import operation_named, operations_of

_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


def corrections_of(settings: Settings) -> Corrections:
    """Return the corrections by the endpoint that the named operations are declared for."""
    found: dict[Endpoint, Correction] = {}
    for tool, correction in _by_tool(settings):
        operation = operation_named(tool)
        if operation is not None:
            found[endpoint_of(operation.spec)] = correction.correction()
    return found


def conflicts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each tool whose correction contradicts that of another tool of the same endpoint, and that other tool."""
    first: dict[Endpoint, tuple[str, CorrectionSettings]] = {}
    for tool, correction in _by_tool(settings):
        operation = operation_named(tool)
        if operation is None:
            continue
        other, known = first.setdefault(endpoint_of(operation.spec), (tool, correction))
        if known != correction:
            yield tool, other


def reach_of(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each correction that names every call it reaches."""
    for tool, _ in _by_tool(settings):
        operation = operation_named(tool)
        if operation is None:
            continue
        endpoint = endpoint_of(operation.spec)
        others = list(operations_of(endpoint.provider).values())
        direct = [each.spec.tool_name for each in others if endpoint_of(each.spec) == endpoint]
        within = [
            each.spec.tool_name for each in others if endpoint in _read_by(each) and endpoint_of(each.spec) != endpoint
        ]
        also = f", and the reads before and after {', '.join(within)}" if within else ""
        yield f"corrections.{tool} reaches {', '.join(direct)}{also}."


def _by_tool(settings: Settings) -> Iterator[tuple[str, CorrectionSettings]]:
    tools = dict.fromkeys([*settings.paths, *settings.corrections])
    for tool in tools:
        correction = settings.corrections.get(tool, CorrectionSettings())
        path = correction.path or settings.paths.get(tool)
        yield tool, correction.model_copy(update={"path": path})


def _read_by(operation: OperationType) -> set[Endpoint]:
    """Return the endpoints that the guard reads for the example call of an operation."""
    call: Operation[Any] = example_call(operation)
    verification = call.verification(_ANY_TIME)
    reads = [call.before(), verification.read if verification else None]
    return {endpoint_of(read.spec) for read in reads if read is not None}
