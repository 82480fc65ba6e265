"""Spans: none while telemetry is off; on, of requests, units of work and jobs, without personal data."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from farebox.core import telemetry
from farebox.core.settings import load_settings

PROGRAM = """
import asyncio, sys
from litestar import Litestar, get
from litestar.testing import TestClient
from farebox.core.db import Database
from farebox.core.settings import load_settings
from farebox.core.telemetry import configure_telemetry, span
from farebox.core.traffic import Traffic
from farebox.edge.observe import observe

configure_telemetry(load_settings())
database = Database(sys.argv[1])

@get("/bookings/{reference:str}")
async def show(reference: str) -> str:
    async with database.begin() as work:
        await work.execute("SELECT 1")
    with span("job mail"):
        pass
    return reference

app = Litestar([show], logging_config=None)
app.asgi_handler = observe(app.asgi_handler, Traffic())
with TestClient(app) as client:
    client.get("/bookings/BUS1?email=lan@example.com", headers={"traceparent": sys.argv[2]})
from opentelemetry import trace
trace.get_tracer_provider().shutdown()
"""

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def collector():
    """An OTLP collector on this machine, and the bodies that it received."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format, *arguments):  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def spans_in(bodies):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return [
        span
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_requests_and_units_of_work_are_told_to_the_collector_without_personal_data(collector, database_url):
    address, bodies = collector
    settings = {
        "FAREBOX_TELEMETRY": "on",
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    }
    traceparent = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, database_url, traceparent],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    spans = {span.name: span for span in spans_in(bodies)}
    assert set(spans) == {"GET /bookings/{reference}", "unit of work", "job mail"}
    request = spans["GET /bookings/{reference}"]
    assert spans["unit of work"].parent_span_id == spans["job mail"].parent_span_id == request.span_id
    assert request.trace_id.hex() == TRACE_ID
    told = "".join(map(str, spans.values()))
    assert "example.com" not in told
    assert "BUS1" not in told


def test_while_it_is_off_nothing_of_it_is_loaded():
    program = (
        "import sys; from farebox.core.telemetry import configure_telemetry, span, request_span;"
        "from farebox.core.settings import load_settings; configure_telemetry(load_settings({}));"
        "span('work').__enter__(); request_span([]).__enter__();"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_asking_for_it_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(telemetry.TelemetryMissing, match=r"farebox\[telemetry\]"):
        telemetry.configure_telemetry(load_settings({}, telemetry="on"))
