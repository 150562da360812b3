"""Sends spans and measurements to a collector, by OTLP over HTTP. Imported only where the settings name a collector.

Libraries record spans, too, and write into them what callers sent. So everything passes one place before it leaves:
texts are redacted as in logs, those of libraries are left out unless they are one word, and events and descriptions,
which quote exceptions, are dropped.
"""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, Status

from clients.redaction import redact_for_logs
from clients.telemetry.spans import SCOPE
from server.settings.sections.telemetry import TelemetrySettings
from server.telemetry.sampling import OwnSampler

TIMEOUT: Final = 5
"""Seconds that a collector has to take what is sent; nothing waits for it but the end of the process."""

NOT_SHOWN: Final = "[not shown]"

_LONGEST: Final = 200
"""Characters of a text."""

_WORD: Final = re.compile(r"[A-Za-z0-9_./-]{1,64}")


@contextmanager
def export_telemetry(settings: TelemetrySettings, version: str) -> Generator[None]:
    """Send what is recorded in the block to the collector of the settings; what is left is sent at its end."""
    resource = Resource.create({"service.name": settings.service_name, "service.version": version})
    base = (settings.endpoint or "").rstrip("/")
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    tracing = TracerProvider(resource=resource, sampler=OwnSampler(settings.ratio), shutdown_on_exit=False)
    spans = OTLPSpanExporter(f"{base}/v1/traces", headers=headers, timeout=TIMEOUT)
    tracing.add_span_processor(BatchSpanProcessor(RedactingExporter(spans)))
    values = OTLPMetricExporter(f"{base}/v1/metrics", headers=headers, timeout=TIMEOUT)
    measuring = MeterProvider([PeriodicExportingMetricReader(values)], resource, shutdown_on_exit=False)
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(measuring)
    try:
        yield
    finally:
        tracing.shutdown()
        measuring.shutdown()


class RedactingExporter(SpanExporter):
    """Hands spans on without what nobody outside may read."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Redact spans, and export them."""
        return self._exporter.export([_redacted(span) for span in spans])

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._exporter.force_flush(timeout_millis)


def _redacted(span: ReadableSpan) -> ReadableSpan:
    scope = span.instrumentation_scope
    is_ours = scope is not None and scope.name == SCOPE
    return ReadableSpan(
        name=_text(span.name) if is_ours else " ".join(map(_word, span.name.split(" ", 1))),
        context=_context(span.context),
        parent=_context(span.parent),
        resource=span.resource,
        attributes=_attributes(span.attributes or {}, _text if is_ours else _word),
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=scope,
    )


def _context(context: SpanContext | None) -> SpanContext | None:
    """Return the place of a span in its trace, without the trace state, which a caller writes."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def _attributes(attributes: Mapping[str, Any], shown: Callable[[str], str]) -> dict[str, Any]:
    return {name: shown(value) if isinstance(value, str) else value for name, value in attributes.items()}


def _text(value: str) -> str:
    """Return a text that we made."""
    return redact_for_logs(value)[:_LONGEST]


def _word(value: str) -> str:
    """Return a text of a library if it is one word, such as the name of a tool; a caller may have written any other."""
    return value if _WORD.fullmatch(value) and redact_for_logs(value) == value else NOT_SHOWN
