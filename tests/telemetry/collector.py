"""A collector of OpenTelemetry in this process: takes OTLP over HTTP on a real socket, and keeps what it was sent."""

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Labels = frozenset[tuple[str, str]]

LONGEST_WAIT = 30.0
"""Seconds."""


@dataclass
class Received:
    """What was sent, as it came and as it reads."""

    url: str = ""
    status: int = 200
    """How it answers."""

    raw: list[bytes] = field(default_factory=list[bytes])
    keys: set[str] = field(default_factory=set[str])
    spans: list[Span] = field(default_factory=list[Span])
    services: set[str] = field(default_factory=set[str])
    scopes: set[str] = field(default_factory=set[str])
    """What measured something."""

    values: dict[str, dict[Labels, float]] = field(default_factory=dict[str, dict[Labels, float]])
    """The last value of everything that is measured; of a histogram, how many there were."""

    came: threading.Condition = field(default_factory=threading.Condition)

    def named(self, name: str) -> list[Span]:
        """Return the spans of a name."""
        return [one for one in self.spans if one.name == name]

    def span(self, name: str) -> Span:
        """Return the only span of this name."""
        [found] = self.named(name)
        return found

    def parents_of(self, span: Span) -> list[str]:
        """Return the names of the spans that a span is part of, from the inside out."""
        by_id = {one.span_id: one for one in self.spans}
        names: list[str] = []
        while (parent := by_id.get(span.parent_span_id)) is not None:
            names.append(parent.name)
            span = parent
        return names

    def paths(self) -> set[str]:
        """Return the way to every span, from the outside in."""
        return {" > ".join([*reversed(self.parents_of(one)), one.name]) for one in self.spans}

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of what was measured under these attributes of ours, whatever the others are."""
        wanted = {(f"ringfence.{label}", value) for label, value in labels.items()}
        return sum(value for found, value in self.values.get(f"ringfence.{name}", {}).items() if wanted <= found)

    def wait_for(self, holds: Callable[["Received"], bool]) -> None:
        """Wait until something holds of what was sent."""
        with self.came:
            assert self.came.wait_for(lambda: holds(self), LONGEST_WAIT), self.values


def facts_of(span: Span) -> dict[str, str]:
    """Return the attributes of a span, as text."""
    return dict(_labels(span.attributes))


def _labels(attributes: Iterable[KeyValue]) -> Labels:
    return frozenset(
        (one.key, one.value.string_value or str(one.value.int_value or one.value.double_value)) for one in attributes
    )


def _points(metric: Metric) -> dict[Labels, float]:
    if metric.WhichOneof("data") == "histogram":
        return {_labels(one.attributes): one.count for one in metric.histogram.data_points}
    points = metric.gauge.data_points if metric.WhichOneof("data") == "gauge" else metric.sum.data_points
    return {_labels(one.attributes): one.as_double or one.as_int for one in points}


@contextmanager
def collecting() -> Generator[Received]:
    """Take what is sent as long as the block runs."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with received.came:
                received.raw.append(body)
                received.keys.add(self.headers.get("x-api-key", ""))
                if self.path == "/v1/traces":
                    _take_spans(received, body)
                elif self.path == "/v1/metrics":
                    _take_values(received, body)
                received.came.notify_all()
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()


def _take_spans(received: Received, body: bytes) -> None:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        received.services |= {
            one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
        }
        received.spans += [span for scope in resource.scope_spans for span in scope.spans]


def _take_values(received: Received, body: bytes) -> None:
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            received.scopes.add(scope.scope.name)
            received.values |= {one.name: _points(one) for one in scope.metrics}
