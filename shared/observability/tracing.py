"""One trace from a request through the queue into the worker (OpenTelemetry); off by default.

The queue is a doorbell, so the context travels with the job's row, as W3C's ``traceparent``.
No span holds an address, a query, a statement or a key: names, ids of ours and durations only.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.errors import LesionGanError
from shared.observed_settings import ObservedSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

#: Notes of one request or attempt: a job that reads 4,096 images is no trace of 4,096 spans.
MOST_NOTES = 200

P = ParamSpec("P")
T = TypeVar("T")
_PROPAGATOR = TraceContextTextMapPropagator()
_HEADER = "traceparent"


class NoTracing(LesionGanError):
    title = "No tracing"


class _Tracing:
    """This process's tracer; None while tracing is off."""

    tracer: Tracer | None = None


class _Notes:
    """How many notes are left."""

    def __init__(self) -> None:
        self.left = MOST_NOTES


_notes: ContextVar[_Notes | None] = ContextVar("notes", default=None)


def configure_tracing(settings: ObservedSettings, process: str) -> Callable[[], None]:
    """Send traces to the settings' endpoint, if there is one.

    Returns what sends the last of them, for processes that end by a signal; at any other exit
    that happens by itself. Raises :class:`NoTracing` where the extra ``otel`` is not installed.
    """
    if settings.otlp_endpoint is None:
        return _nothing
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
    except ImportError as error:
        raise NoTracing(
            "LESIONGAN_OTLP_ENDPOINT is set, but the extra is not installed: "
            "pip install 'lesiongan[otel]'"
        ) from error
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    return trace_to(exporter, process, ratio=settings.trace_ratio).shutdown


def _nothing() -> None:
    """There is nothing to send."""


def trace_to(exporter: "SpanExporter", process: str, *, ratio: float = 1.0) -> "TracerProvider":
    """Trace this process to an exporter; ``ratio`` is that of requests that begin a trace here.

    The provider is this module's own: no library finds it and writes what we would not.
    """
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource({"service.namespace": "lesiongan", "service.name": process}),
        shutdown_on_exit=True,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _Tracing.tracer = provider.get_tracer("lesiongan")
    return provider


def enabled() -> bool:
    """Whether this process traces at all."""
    return _Tracing.tracer is not None


def trace_id() -> str | None:
    """The id of the current trace, as traces are looked up by."""
    if _Tracing.tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def carried() -> str | None:
    """The current place in a trace, to be stored with a job; None where there is none."""
    if _Tracing.tracer is None:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(_HEADER)


def span(name: str, **attributes: str | int) -> AbstractContextManager[Span | None]:
    """A part of the current request or job. Costs nothing to speak of while tracing is off."""
    if _Tracing.tracer is None or not trace.get_current_span().is_recording():
        return nullcontext()
    return _begun(_Tracing.tracer, name, SpanKind.INTERNAL, None, attributes)


def traced(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a function a span of its own."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name):
                return function(*args, **kwargs)

        return inner

    return decorate


@contextmanager
def root(
    name: str,
    parent: str | None,
    kind: SpanKind,
    *,
    began_ns: int | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span | None]:
    """A process's part in the trace of ``parent``, a ``traceparent``; a new trace without one.

    ``began_ns``: by the clock, if it began before this call.
    """
    if _Tracing.tracer is None:
        yield None
        return
    context = _PROPAGATOR.extract({_HEADER: parent} if parent else {}, Context())
    token, noted = attach(context), _notes.set(_Notes())
    try:
        with _begun(_Tracing.tracer, name, kind, began_ns, attributes or {}) as made:
            yield made
    finally:
        _notes.reset(noted)
        detach(token)


@contextmanager
def _begun(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    began_ns: int | None,
    attributes: Mapping[str, str | int],
) -> Iterator[Span]:
    """A span that is current; an error marks it by its name, for its text may quote anything."""
    with tracer.start_as_current_span(
        name,
        kind=kind,
        start_time=began_ns,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except Exception as error:
            failed(made, type(error).__name__)
            raise


def note(name: str, took_ns: int) -> None:
    """A span that has just ended, as of a statement; only the first of them within a request."""
    if _Tracing.tracer is None or not trace.get_current_span().is_recording():
        return
    notes = _notes.get()
    if notes is None or notes.left == 0:
        return
    notes.left -= 1
    now_ns = time.time_ns()
    made = _Tracing.tracer.start_span(name, kind=SpanKind.CLIENT, start_time=now_ns - took_ns)
    made.end(now_ns)


def failed(span: Span | None, reason: str) -> None:
    """Mark a span as failed; ``reason`` is the name of an error, never its text."""
    if span is not None:
        span.set_status(StatusCode.ERROR, reason)
