"""What may leave: the one place that spans and measurements pass on their way to the collector.

Libraries record spans, too. The MCP library names the method and the tool as a client wrote them: a client could put
anything there, a number, a text, a million different names. So of a library's span only known names and facts are kept,
of ours every text is redacted as in logs, and events and descriptions, which quote exceptions, are dropped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, Protocol

from mcp_types.methods import CLIENT_NOTIFICATIONS, CLIENT_REQUESTS, SERVER_NOTIFICATIONS, SERVER_REQUESTS
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status

from clients.redaction import redact, redact_for_logs
from clients.telemetry.spans import ERROR, PREFIX, SCOPE, TOOL
from server.telemetry.outage import Outage

NOT_SHOWN: Final = "[not shown]"

_LONGEST: Final = 200
"""Characters of a text."""

_METHODS: Final = frozenset(
    method
    for known in (CLIENT_REQUESTS, CLIENT_NOTIFICATIONS, SERVER_REQUESTS, SERVER_NOTIFICATIONS)
    for method, _ in known
)
"""Methods of the protocol; any other is one that a client made up."""

_METHOD: Final = "mcp.method.name"
_SENT: Final = "MCP send "
"""Begins the name of the MCP library's span of a question to a client."""

_TOLD: Final[Mapping[str, re.Pattern[str]]] = {
    "mcp.protocol.version": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "rpc.response.status_code": re.compile(r"-?[0-9]{1,6}"),
    "gen_ai.operation.name": re.compile("execute_tool"),
    ERROR: re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}|-?[0-9]{1,6}"),
}
"""What is told of a library's span besides the method and the tool: names of its code, codes and versions."""


class RedactingExporter(SpanExporter):
    """Hands spans on without what nobody outside may read."""

    def __init__(self, exporter: SpanExporter, outage: Outage) -> None:
        self._exporter = exporter
        self._outage = outage

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Redact spans, and export them."""
        result = self._exporter.export([_redacted(span) for span in spans])
        self._outage.note(is_taken=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._exporter.force_flush(timeout_millis)


class SendsMeasurements(Protocol):
    """What is used of the exporter of measurements, whose own types leave some open."""

    def export(self, metrics_data: MetricsData, timeout_millis: float = ...) -> MetricExportResult:
        """Export measurements."""
        ...

    def shutdown(self, timeout_millis: float = ...) -> None:
        """Close the connection."""
        ...


class OwnMeasurements(MetricExporter):
    """Hands on what this project measures, and nothing that a library does."""

    def __init__(self, exporter: SendsMeasurements, outage: Outage) -> None:
        super().__init__()
        self._exporter = exporter
        self._outage = outage

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Export measurements."""
        ours = [
            replace(one, scope_metrics=[scope for scope in one.scope_metrics if _is_ours(scope.scope)])
            for one in metrics_data.resource_metrics
        ]
        result = self._exporter.export(replace(metrics_data, resource_metrics=ours), timeout_millis)
        self._outage.note(is_taken=result is MetricExportResult.SUCCESS)
        return result

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Close the connection."""
        self._exporter.shutdown(timeout_millis)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Return True: nothing waits here."""
        return True


def _is_ours(scope: InstrumentationScope | None) -> bool:
    return scope is not None and scope.name == SCOPE


def _redacted(span: ReadableSpan) -> ReadableSpan:
    ours, given = _is_ours(span.instrumentation_scope), span.attributes or {}
    return ReadableSpan(
        name=_text(span.name) if ours else _name_of_message(span.name, given),
        context=_context(span.context),
        parent=_context(span.parent),
        resource=span.resource,
        attributes=_attributes(given) if ours else dict(_told(given)),
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _context(context: SpanContext | None) -> SpanContext | None:
    """Return the place of a span in its trace, without the trace state, which a caller writes."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text(value) if isinstance(value, str) else value for name, value in attributes.items()}


def _text(value: str) -> str:
    """Return a text that we made. Most are the same few in every call."""
    return _redacted_text(value, redact.learned)


@lru_cache(maxsize=2048)
def _redacted_text(value: str, _learned: int) -> str:
    return redact_for_logs(value)[:_LONGEST]


def _name_of_message(name: str, given: Mapping[str, Any]) -> str:
    """Name the span of a message: its method, and the tool if there is one of that name here."""
    method = given.get(_METHOD)
    if method not in _METHODS:
        return NOT_SHOWN
    prefix, rest = (_SENT, name.removeprefix(_SENT)) if name.startswith(_SENT) else ("", name)
    target = given.get(TOOL, NOT_SHOWN) if rest != method else None
    return f"{prefix}{method}{f' {target}' if target else ''}"


def _told(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what may be told of the span of a library. Attributes of ours that are on it were put there by us."""
    for name, value in given.items():
        if name.startswith(PREFIX):
            yield name, _text(value) if isinstance(value, str) else value
        elif (pattern := _TOLD.get(name)) is not None and pattern.fullmatch(str(value)):
            yield name, value
    if given.get(_METHOD) in _METHODS:
        yield _METHOD, given[_METHOD]
    if (tool := given.get(TOOL)) is not None:
        yield "gen_ai.tool.name", tool
