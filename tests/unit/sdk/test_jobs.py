"""Following jobs."""

import json

import httpx
import pytest

from lesiongan.client import JobEvent
from lesiongan.contracts.jobs import Progress
from lesiongan.errors import ConnectionFailed, JobFailed, ServerFault, WaitTimeout
from tests.unit.sdk.fake_server import Pieces, Script, client_of, job, problem


def sse(event: str, data: object, event_id: int | None = None) -> bytes:
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def events(*pieces: bytes, error: Exception | None = None) -> httpx.Response:
    return httpx.Response(200, stream=Pieces(list(pieces), error))


DONE = sse("completed", {"status": "succeeded"})


def test_events_resume_after_the_last_one_with_an_id() -> None:
    script = Script(
        events(
            sse("metric", {"step": 1}, 41),
            sse("progress", {"done": 1}),
            error=httpx.ReadError("cut"),
        ),
        events(sse("metric", {"step": 2}, 42)),
        events(DONE),
    )
    seen = list(client_of(script).jobs.events("job_1"))
    assert [event.event for event in seen] == ["metric", "progress", "metric", "completed"]
    resumed = [request.headers.get("last-event-id") for request in script.requests]
    assert resumed == [None, "41", "42"]
    assert script.requests[0].headers["accept"] == "text/event-stream"


def test_events_that_always_break_are_given_up() -> None:
    script = Script(*(events() for _ in range(6)))
    with pytest.raises(ConnectionFailed):
        list(client_of(script).jobs.events("job_1"))
    assert len(script.requests) == 6


def test_wait_tells_progress_and_events() -> None:
    ended = job("succeeded", progress={"done": 5, "total": 5, "unit": "image"})
    script = Script(
        httpx.Response(200, json=job("running")),
        events(sse("progress", {"done": 2, "total": 5}), sse("metric", {"w": 1}, 1), DONE),
        httpx.Response(200, json=ended),
    )
    progress: list[Progress] = []
    heard: list[JobEvent] = []
    made = client_of(script).jobs.wait("job_1", on_progress=progress.append, on_event=heard.append)
    assert made.status == "succeeded"
    assert [p.done for p in progress] == [2, 5]
    assert [event.event for event in heard] == ["progress", "metric", "completed"]


def test_wait_polls_where_no_events_come(pauses: list[float]) -> None:
    script = Script(
        httpx.Response(200, json=job("queued")),
        httpx.Response(404),
        httpx.Response(200, json=job("running", progress={"done": 1, "total": 2})),
        httpx.Response(200, json=job("succeeded")),
    )
    progress: list[Progress] = []
    assert client_of(script).jobs.wait("job_1", on_progress=progress.append).status == "succeeded"
    assert progress[0].done == 1
    assert pauses == [1.0]


def test_wait_outlasts_a_server_that_restarts() -> None:
    away = [httpx.ConnectError("refused") for _ in range(8)]
    script = Script(
        httpx.Response(200, json=job("running")), *away, httpx.Response(200, json=job("succeeded"))
    )
    assert client_of(script, max_retries=0).jobs.wait("job_1").status == "succeeded"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_wait_outlasts_what_is_away_behind_a_proxy(status: int) -> None:
    away = [problem(status, "Unavailable", "the database is away") for _ in range(8)]
    script = Script(
        httpx.Response(200, json=job("running")), *away, httpx.Response(200, json=job("succeeded"))
    )
    assert client_of(script, max_retries=0).jobs.wait("job_1").status == "succeeded"


def test_wait_ends_with_a_fault_that_will_not_pass() -> None:
    fault = [problem(500, "Internal error", "a bug") for _ in range(2)]
    script = Script(httpx.Response(200, json=job("running")), *fault)
    with pytest.raises(ServerFault, match="a bug"):
        client_of(script, max_retries=0).jobs.wait("job_1")


def test_a_job_that_has_ended_is_not_followed() -> None:
    script = Script(httpx.Response(200, json=job("succeeded")))
    client_of(script).jobs.wait("job_1")
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("status", "words"), [("failed", "failed: row 7 has no box"), ("cancelled", "was cancelled")]
)
def test_a_job_that_went_wrong(status: str, words: str) -> None:
    error = {"type": "/x", "title": "x", "detail": "row 7 has no box"}
    answer = job(status, error=error if status == "failed" else None)
    with pytest.raises(JobFailed, match=words) as caught:
        client_of(Script(httpx.Response(200, json=answer))).jobs.wait("job_1")
    assert caught.value.job.status == status


def test_wait_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    script = Script(
        httpx.Response(200, json=job("running")),
        events(*(b": still here\n\n" for _ in range(10))),
    )
    with pytest.raises(WaitTimeout, match="10 s"):
        client_of(script).jobs.wait("job_1", timeout_seconds=10)


def test_retrying_a_job_is_not_repeated() -> None:
    script = Script(httpx.ReadError("cut"))
    with pytest.raises(ConnectionFailed):
        client_of(script).jobs.retry("job_1")
