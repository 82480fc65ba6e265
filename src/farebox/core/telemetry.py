"""OpenTelemetry: spans of requests, units of work and jobs, sent over OTLP. Off unless `FAREBOX_TELEMETRY=on`.

The exporter is configured by OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin). While it is off
nothing of OpenTelemetry is loaded, and a span costs a function call.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from farebox.core.errors import SetupError
from farebox.core.i18n import N_
from farebox.core.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

TRACE_HEADERS = frozenset({b"traceparent", b"tracestate"})

_tracer: "Tracer | None" = None


class TelemetryMissing(SetupError):
    code = "telemetry-missing"
    message = N_("FAREBOX_TELEMETRY=on needs the extra packages: pip install 'farebox[telemetry]'.")


def configure_telemetry(settings: Settings) -> None:
    """Make spans real when the settings ask for it.

    Raises:
        TelemetryMissing: asked for, and the extra is not installed.
    """
    global _tracer  # noqa: PLW0603  (one tracer for the process, set once at its start)
    if settings.telemetry != "on":
        return
    try:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise TelemetryMissing from error
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "farebox"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _tracer = trace.get_tracer("farebox")


def span(name: str, *, nests: bool = True) -> AbstractContextManager[Any]:
    """A span around a block of work; nothing at all while telemetry is off.

    Args:
        nests: what happens inside becomes its child. Impossible where the block may end in another task.
    """
    if _tracer is None:
        return nullcontext()
    return _tracer.start_as_current_span(name) if nests else _alone(_tracer, name)


@contextmanager
def _alone(tracer: "Tracer", name: str) -> Iterator[None]:
    lonely = tracer.start_span(name)
    try:
        yield
    finally:
        lonely.end()


def request_span(headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Any]:
    """A span around a request that continues the caller's trace (W3C Trace Context); yields `None` while off.

    Ours rather than the ready-made middleware's, which records addresses and whole query strings.
    """
    if _tracer is None:
        return nullcontext()
    from opentelemetry.propagate import extract  # noqa: PLC0415
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name in TRACE_HEADERS}
    return _tracer.start_as_current_span("request", context=extract(carrier), kind=SpanKind.SERVER)
