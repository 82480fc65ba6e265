"""What Prometheus reads. Few series: routes are templates, statuses are exact, buckets are eight.

With several processes behind one port, `FAREBOX`'s server gives them one directory (`PROMETHEUS_MULTIPROC_DIR`) before
this module loads, and `render` adds them up.
"""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, that nobody asks for

registry = CollectorRegistry()

REQUESTS = Counter("farebox_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry)
LATENCY = Histogram(
    "farebox_http_request_seconds",
    "Time from the request's arrival to the last byte handed to the server.",
    ["method", "route"],
    buckets=BUCKETS,
    registry=registry,
)
HOLDS = Counter(
    "farebox_holds",
    "Seat holds by what became of them: taken, lost, extended, swapped, blocked, released, expired, confirmed.",
    ["outcome"],
    registry=registry,
)
BOOKINGS = Gauge(
    "farebox_bookings", "Bookings by status.", ["status"], registry=registry, multiprocess_mode="mostrecent"
)
JOBS = Gauge("farebox_jobs", "Jobs by state.", ["state"], registry=registry, multiprocess_mode="mostrecent")
DATABASE_CONNECTIONS = Gauge(
    "farebox_database_connections",
    "Connections to our database, from everywhere, by state.",
    ["state"],
    registry=registry,
    multiprocess_mode="mostrecent",
)
POOL = Gauge(
    "farebox_database_pool",
    "Connections of this process's pool.",
    ["state"],
    registry=registry,
    multiprocess_mode="livesum",
)
CHANNELS = Gauge(
    "farebox_signal_channels",
    "Processes that hear signals of others, by channel: postgresql, redis.",
    ["channel"],
    registry=registry,
    multiprocess_mode="livesum",
)
WATCHERS = Gauge(
    "farebox_live_watchers",
    "Connections to which seat maps are shown live, by how: websocket, sse.",
    ["kind"],
    registry=registry,
    multiprocess_mode="livesum",
)
WATCHERS_DROPPED = Counter(
    "farebox_live_watchers_dropped",
    "Connections that were ended because their clients did not read what they were sent.",
    ["kind"],
    registry=registry,
)


def render() -> tuple[bytes, str]:
    """All series in the text format, and its content type."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(registry), CONTENT_TYPE_LATEST
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together), CONTENT_TYPE_LATEST
