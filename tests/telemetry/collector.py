"""A collector of OpenTelemetry in this process: takes OTLP over HTTP on a real socket, and keeps what it was sent."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Received:
    """What was sent, as it came and as it reads."""

    url: str = ""
    raw: list[bytes] = field(default_factory=list[bytes])
    keys: set[str] = field(default_factory=set[str])
    spans: list[Span] = field(default_factory=list[Span])
    services: set[str] = field(default_factory=set[str])
    metrics: set[str] = field(default_factory=set[str])

    def span(self, name: str) -> Span:
        """Return the only span of this name."""
        [found] = [one for one in self.spans if one.name == name]
        return found

    def parents_of(self, span: Span) -> list[str]:
        """Return the names of the spans that a span is part of, from the inside out."""
        by_id = {one.span_id: one for one in self.spans}
        names: list[str] = []
        while (parent := by_id.get(span.parent_span_id)) is not None:
            names.append(parent.name)
            span = parent
        return names


def facts_of(span: Span) -> dict[str, str]:
    """Return the attributes of a span, as text."""
    return {
        one.key: one.value.string_value or str(one.value.int_value or one.value.double_value) for one in span.attributes
    }


@contextmanager
def collecting() -> Generator[Received]:
    """Take what is sent as long as the block runs."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.raw.append(body)
            received.keys.add(self.headers.get("x-api-key", ""))
            if self.path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    received.services |= {
                        one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
                    }
                    received.spans += [span for scope in resource.scope_spans for span in scope.spans]
            elif self.path == "/v1/metrics":
                for measured in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    received.metrics |= {one.name for scope in measured.scope_metrics for one in scope.metrics}
            self.send_response(200)
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
