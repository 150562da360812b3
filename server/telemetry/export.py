"""Sends spans and measurements to a collector, by OTLP over HTTP. Imported only where the settings name a collector."""

import logging
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from opentelemetry import metrics, propagate, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from clients.redaction import redact
from server.settings.sections.telemetry import TelemetrySettings
from server.telemetry.collector import address_of, headers_of
from server.telemetry.outage import Outage
from server.telemetry.redaction import OwnMeasurements, RedactingExporter
from server.telemetry.sampling import OwnSampler

logger = logging.getLogger(__name__)

TIMEOUT: Final = 5
"""Seconds that a collector has to take what is sent; nothing waits for it but the end of the process."""

SENT_EVERY: Final = 1.0
"""Seconds after which spans are sent: as much is lost where a process is killed."""

PATIENCE: Final = 3.0
"""Seconds that the end of a process waits for what is left to be sent, whether the collector is there or not."""


@contextmanager
def export_telemetry(settings: TelemetrySettings, version: str, doctor: str) -> Generator[None]:
    """Send what is recorded in the block to the collector of the settings; what is left is sent at its end.

    `doctor` is the command that says why a collector takes nothing.
    """
    headers = headers_of(settings)
    for header in headers.values():
        redact.learn(header)
    resource = Resource.create(
        {
            "service.name": settings.service_name,
            "service.version": version,
            "service.instance.id": str(uuid.uuid4()),  # several processes may serve one store
        }
    )
    outage = Outage(settings.endpoint or "", doctor)
    tracing = TracerProvider(resource=resource, sampler=OwnSampler(settings.ratio), shutdown_on_exit=False)
    spans = OTLPSpanExporter(address_of(settings, "traces"), headers=headers, timeout=TIMEOUT)
    exporter = RedactingExporter(spans, outage)
    tracing.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SENT_EVERY * 1000))
    values = OTLPMetricExporter(address_of(settings, "metrics"), headers=headers, timeout=TIMEOUT)
    reader = PeriodicExportingMetricReader(OwnMeasurements(values, outage), settings.interval * 1000, TIMEOUT * 1000)
    measuring = MeterProvider([reader], resource, shutdown_on_exit=False)
    # Baggage is what callers say of themselves: it is neither taken in nor passed on.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(measuring)
    logger.info("Spans and measurements are sent to %s, as %s.", settings.endpoint, settings.service_name)
    try:
        yield
    finally:
        send_what_is_left()


def send_what_is_left() -> None:
    """Send what was recorded and record no more, for a few seconds at most; a second time, do nothing.

    Spans and measurements are sent at the same time: a collector that is away takes the patience once.
    """
    providers = (trace.get_tracer_provider(), metrics.get_meter_provider())
    ending = [
        threading.Thread(target=provider.shutdown, name="telemetry", daemon=True)
        for provider in providers
        if isinstance(provider, TracerProvider | MeterProvider)
    ]
    for thread in ending:
        thread.start()
    for thread in ending:
        thread.join(PATIENCE)
