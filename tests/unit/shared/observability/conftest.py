"""A tracer that keeps what it is told, and is gone after the test."""

from collections.abc import Callable, Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.observability import tracing

#: The spans that have ended, in order.
Ended = Callable[[], list[ReadableSpan]]


@pytest.fixture
def ended() -> Iterator[Ended]:
    """See :data:`Ended`."""
    exporter = InMemorySpanExporter()
    provider = tracing.trace_to(exporter, "test")

    def flushed() -> list[ReadableSpan]:
        provider.force_flush()
        return list(exporter.get_finished_spans())

    yield flushed
    tracing._Tracing.tracer = None
    provider.shutdown()
