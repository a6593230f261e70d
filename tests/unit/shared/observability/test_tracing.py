"""Spans: how they hang together, what they hold, and that nothing happens while tracing is off."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from shared.observability import tracing
from shared.observed_settings import ObservedSettings
from tests.unit.shared.observability.conftest import Ended

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_off_by_default() -> None:
    tracing.configure_tracing(ObservedSettings(otlp_endpoint=None), "test")
    assert not tracing.enabled()
    with tracing.root("r", PARENT, SpanKind.SERVER) as root, tracing.span("s") as span:
        assert root is None
        assert span is None
        assert tracing.carried() is None
        assert tracing.trace_id() is None


def test_a_job_goes_on_where_its_request_was(ended: Ended) -> None:
    with tracing.root("request", PARENT, SpanKind.SERVER), tracing.span("submit"):
        carried = tracing.carried()
    with tracing.root("job", carried, SpanKind.CONSUMER, attributes={"job.attempt": 1}):
        assert tracing.trace_id() == "0af7651916cd43dd8448eb211c80319c"
    submit, request, job = ended()
    assert request.parent is not None
    assert request.parent.span_id == 0xB7AD6B7169203331
    assert job.parent is not None
    assert job.parent.span_id == submit.context.span_id
    assert len({each.context.trace_id for each in (submit, request, job)}) == 1
    assert dict(job.attributes or {}) == {"job.attempt": 1}


@pytest.mark.parametrize("parent", [None, "", "nonsense", "00-0-0-01"])
def test_without_a_parent_a_trace_begins(ended: Ended, parent: str | None) -> None:
    with tracing.root("request", parent, SpanKind.SERVER):
        pass
    (request,) = ended()
    assert request.parent is None


def test_an_error_is_named_and_not_quoted(ended: Ended) -> None:
    with pytest.raises(ValueError, match="patient 17"), tracing.root("r", None, SpanKind.SERVER):
        raise ValueError("patient 17 is odd")
    (span,) = ended()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError"
    assert "patient" not in span.to_json()


def test_notes_are_children_that_took_so_long_and_not_too_many(ended: Ended) -> None:
    with tracing.root("job", None, SpanKind.CONSUMER):
        for _ in range(tracing.MOST_NOTES + 50):
            tracing.note("s3 get", 5_000_000)
    *notes, job = ended()
    assert len(notes) == tracing.MOST_NOTES
    assert {each.parent.span_id for each in notes if each.parent} == {job.context.span_id}
    assert {(each.end_time or 0) - (each.start_time or 0) for each in notes} == {5_000_000}


def test_what_belongs_to_no_request_is_not_traced(ended: Ended) -> None:
    tracing.note("db update", 1000)
    with tracing.span("alone"):
        pass
    assert ended() == []


def test_a_ratio_of_none_traces_nothing_but_what_a_client_traces(ended: Ended) -> None:
    tracing.trace_to(InMemorySpanExporter(), "test", ratio=0.0)
    with tracing.root("request", None, SpanKind.SERVER) as span:
        assert span is not None
        assert not span.is_recording()
    with tracing.root("request", PARENT, SpanKind.SERVER) as span:
        assert span is not None
        assert span.is_recording()
