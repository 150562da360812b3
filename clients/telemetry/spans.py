"""Spans by the OpenTelemetry API, which records nothing unless the server was told where to send them.

A span holds names, counts and times of our own. What a caller, a provider or a person wrote is in none: no arguments,
no addresses, no numbers, no texts, no messages of exceptions.
"""

from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, ProxyTracerProvider, Span, SpanKind, StatusCode

P = ParamSpec("P")
R = TypeVar("R")

Facts: TypeAlias = Mapping[str, str | int | float | bool]
"""Attributes of a span or of a measurement, by their names."""

SCOPE: Final = "ringfence"
"""Name under which everything of ours is recorded."""

# Names of our own attributes. Others are those of OpenTelemetry's semantic conventions.
TOOL: Final = "ringfence.tool"
OPERATION: Final = "ringfence.operation"
PROVIDER: Final = "ringfence.provider"
ACCOUNT: Final = "ringfence.account"
ACTION: Final = "ringfence.action.id"
OUTCOME: Final = "ringfence.outcome"
ATTEMPTS: Final = "ringfence.attempts"
ERROR: Final = "error.type"

_tracer: Final = trace.get_tracer(SCOPE)


@contextmanager
def span(name: str, facts: Facts | None = None, *, kind: SpanKind = SpanKind.INTERNAL) -> Generator[Span]:
    """Record what the block does as a span. Of an exception, it holds the name of its class only."""
    if isinstance(trace.get_tracer_provider(), ProxyTracerProvider):  # nobody said where to send spans
        yield INVALID_SPAN
        return
    with _tracer.start_as_current_span(
        name, kind=kind, attributes=facts, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            mark_failed(current, error)
            raise


def mark_failed(current: Span, error: BaseException) -> None:
    """Mark a span as that of something that failed."""
    if current.is_recording():
        current.set_attribute(ERROR, type(error).__name__)
        current.set_status(StatusCode.ERROR)


def traced(name: str) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Record every call of an async function as a span."""

    def decorate(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        @wraps(function)
        async def run(*args: P.args, **named: P.kwargs) -> R:
            with span(name):
                return await function(*args, **named)

        return run

    return decorate
