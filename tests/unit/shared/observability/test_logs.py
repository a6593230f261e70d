"""Lines of the log, for people and for machines."""

import json
import logging
import sys

import pytest
from opentelemetry.trace import SpanKind

from shared.observability import current, tracing
from shared.observability.logs import JsonLines, TextLines, _name_subject
from tests.unit.shared.observability.conftest import Ended


def record(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    info = sys.exc_info() if failed else None
    made = logging.LogRecord("shared.x", logging.WARNING, "x.py", 1, message, arguments, info)
    _name_subject(made)
    return made


def test_json_is_one_line_with_the_ids_that_are_known(ended: Ended) -> None:
    with (
        current.about_job("job_1", "ingest", request_id="req_1"),
        tracing.root("job", None, SpanKind.CONSUMER),
    ):
        line = JsonLines().format(record("two\nlines, %d", 2))
        trace_id = tracing.trace_id()
    assert "\n" not in line
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "warning",
        "logger": "shared.x",
        "message": "two\nlines, 2",
        "request_id": "req_1",
        "job_id": "job_1",
        "trace_id": trace_id,
    }


def test_json_of_no_request_has_no_ids() -> None:
    assert set(json.loads(JsonLines().format(record("up")))) == {
        "time",
        "level",
        "logger",
        "message",
    }


def test_an_exception_stays_in_its_line() -> None:
    known: dict[str, int] = {}
    try:
        known["k"]
    except KeyError:
        line = JsonLines().format(record("failed", failed=True))
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("KeyError: 'k'")


@pytest.mark.parametrize(
    ("request_id", "subject"), [("req_1", "[req_1 job_1] "), (None, "[job_1] ")]
)
def test_text_names_request_and_job(request_id: str | None, subject: str) -> None:
    with current.about_job("job_1", "ingest", request_id=request_id):
        assert TextLines().format(record("m")).endswith(f" WARNING shared.x {subject}m")
    assert TextLines().format(record("m")).endswith(" WARNING shared.x m")
