"""One request through an API and a worker of their own: its trace, its log lines, its metrics."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import Engine

from deploy.local.servers import Servers
from shared.db.engine import Sessions, make_sessions
from shared.storage.s3 import S3Store
from tests.conftest import empty_tables
from tests.integration.shared.builders import grey_png, meta, row, running, silence, stored_dataset
from tests.integration.watched.processes import Collector, Samples, free_port, scrape, value, worker
from tests.live import live_api

REQUEST_ID = "req-of-the-test-17"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"
IMAGES = 12


@dataclass(frozen=True)
class Watched:
    """What was seen of one job, when both processes had ended."""

    job: dict[str, Any]
    request_header: str
    spans: list[tuple[str, Span]]
    api_log: list[dict[str, Any]]
    worker_log: list[dict[str, Any]]
    api: Samples
    worker: Samples
    stored: tuple[str | None, str | None]


@pytest.fixture(scope="module")
def watched(
    servers: Servers, engine: Engine, store: S3Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    sessions, folder, collector = make_sessions(engine), tmp_path_factory.mktemp("w"), Collector()
    port = free_port()
    told = {"LESIONGAN_OTLP_ENDPOINT": collector.url, "LESIONGAN_LOG_FORMAT": "json"}
    try:
        with (
            live_api(servers, sessions, folder / "api.log", **told) as api,
            worker(
                servers,
                folder / "worker.log",
                "augmentation",
                **told,
                LESIONGAN_METRICS_PORT=str(port),
            ) as process,
        ):
            images = [(grey_png(n, size=16), meta(width=16, height=16)) for n in range(IMAGES)]
            dataset = stored_dataset(sessions, store, images)
            headers = {
                "X-Request-Id": REQUEST_ID,
                "traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01",
                "Prefer": "wait=60",
            }
            with api.client() as client:
                answer = client.post(
                    "/augment", json={"dataset": dataset, "copies": 2}, headers=headers
                )
                missing = client.get("/jobs/job_none", headers={"X-Request-Id": "short"})
                assert missing.status_code == 404
            assert answer.status_code == 200, (folder / "worker.log").read_text()
            seen = scrape(api.url), scrape(f"http://127.0.0.1:{port}")
            process.terminate()
            process.wait(30)
        ended = row(sessions, answer.json()["id"])
        yield Watched(
            job=answer.json(),
            request_header=answer.headers["x-request-id"],
            spans=collector.spans,
            api_log=_lines(folder / "api.log"),
            worker_log=_lines(folder / "worker.log"),
            api=seen[0],
            worker=seen[1],
            stored=(ended.request_id, ended.trace),
        )
    finally:
        collector.close()
        empty_tables(engine)


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def named(watched: Watched, name: str) -> tuple[str, Span]:
    (found,) = [(process, span) for process, span in watched.spans if span.name == name]
    return found


def test_one_trace_goes_from_the_client_through_the_api_into_the_worker(watched: Watched) -> None:
    ours = [each for each in watched.spans if each[1].trace_id.hex() == TRACE_ID]
    assert {process for process, _ in ours} == {"LesionGAN: all services", "watched"}
    (api, request), (_, submit) = named(watched, "POST /augment"), named(watched, "submit")
    (worker_name, job), (_, work) = named(watched, "job augment"), named(watched, "work")
    assert (api, worker_name) == ("LesionGAN: all services", "watched")
    assert request.parent_span_id.hex() == PARENT_ID
    assert submit.parent_span_id == request.span_id
    assert job.parent_span_id == submit.span_id, "the context came with the job's row"
    assert work.parent_span_id == job.span_id
    assert named(watched, "commit the result")[1].parent_span_id == job.span_id
    assert named(watched, "ring")[1].parent_span_id == submit.span_id


def test_phases_statements_and_s3_are_in_the_trace(watched: Watched) -> None:
    by_id = {span.span_id: span for _, span in watched.spans}
    stored = [span.span_id for _, span in watched.spans if span.name == "store a shard"]
    puts = [span.parent_span_id for _, span in watched.spans if span.name == "s3 put"]
    assert [puts.count(shard) for shard in stored] == [1, 1], "a full one by a thread, and the last"
    for name in ("db insert", "db select", "s3 get"):
        found = [span for _, span in watched.spans if span.name == name]
        assert found
        assert all(by_id[span.parent_span_id] for span in found), "none stands alone"


def test_spans_hold_nothing_that_was_sent(watched: Watched) -> None:
    text = " ".join(str(span) for _, span in watched.spans)
    for secret in ("lg_", "SELECT", "INSERT", 'dataset": ', "http://", "password"):
        assert secret not in text
    keys = {each.key for _, span in watched.spans for each in span.attributes}
    assert keys == {
        "http.route",
        "http.response.status_code",
        "request.id",
        "job.id",
        "job.attempt",
        "worker",
    }


def test_the_requests_id_goes_with_the_job(watched: Watched) -> None:
    assert watched.request_header == REQUEST_ID
    request_id, trace = watched.stored
    assert request_id == REQUEST_ID
    assert trace is not None
    assert trace.split("-")[1] == TRACE_ID
    lines = [line for line in watched.worker_log if line.get("job_id") == watched.job["id"]]
    assert lines
    assert {line["request_id"] for line in lines} == {REQUEST_ID}
    assert {line["trace_id"] for line in lines} == {TRACE_ID}


def test_every_line_of_a_worker_is_json(watched: Watched) -> None:
    assert any(line["message"] == "ready" for line in watched.worker_log)
    assert all({"time", "level", "logger", "message"} <= set(line) for line in watched.worker_log)


def test_the_worker_counted_its_job(watched: Watched) -> None:
    seen = watched.worker
    about = {"kind": "augment", "state": "succeeded"}
    assert value(seen, "lesiongan_jobs_ended_total", **about) == 1
    assert value(seen, "lesiongan_job_duration_seconds_count", **about) == 1
    assert 0 < value(seen, "lesiongan_job_duration_seconds_sum", **about) < 60
    assert value(seen, "lesiongan_images_written_total", kind="augment") == 3 * IMAGES, (
        "the originals too"
    )
    assert value(seen, "lesiongan_s3_request_duration_seconds_count", operation="put") == 3
    assert value(seen, "lesiongan_db_statement_duration_seconds_count", operation="update") > 1


def test_the_api_counted_its_requests(watched: Watched) -> None:
    seen = watched.api
    about = {"method": "POST", "route": "/augment"}
    assert value(seen, "lesiongan_http_requests_total", **about, status="200") == 1
    assert value(seen, "lesiongan_http_request_duration_seconds_count", **about) == 0, "it waited"
    about = {"method": "GET", "route": "/jobs/{job_id}"}
    assert value(seen, "lesiongan_http_requests_total", **about, status="404") == 1
    assert value(seen, "lesiongan_http_request_duration_seconds_count", **about) == 1
    assert value(seen, "lesiongan_jobs_submitted_total", kind="augment") == 1
    assert value(seen, "lesiongan_workers", queue="augmentation") == 1
    assert value(seen, "lesiongan_workers", queue="gan-train") == 0
    assert value(seen, "lesiongan_ledger_up") == 1


def test_an_endpoint_without_the_extra_stops_the_start(
    servers: Servers, sessions: Sessions, tmp_path: Path
) -> None:
    program = (
        "import sys; sys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None;"
        "from shared.observability.tracing import configure_tracing;"
        "from shared.settings import get_settings; configure_tracing(get_settings(), 'x')"
    )
    environment = {**os.environ, **servers.environment, "LESIONGAN_OTLP_ENDPOINT": "http://x:1"}
    run = subprocess.run(
        (sys.executable, "-c", program),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "pip install 'lesiongan[otel]'" in run.stderr


def test_a_sweeper_counts_what_it_finds(
    servers: Servers, sessions: Sessions, tmp_path: Path
) -> None:
    claim = running(sessions)
    silence(sessions, claim.job_id)
    port = free_port()
    environment = {**os.environ, **servers.environment, "LESIONGAN_METRICS_PORT": str(port)}
    with subprocess.Popen((sys.executable, "-m", "shared.worker.sweep"), env=environment) as swept:
        try:
            deadline = time.monotonic() + 30
            while True:
                seen = scrape(f"http://127.0.0.1:{port}")
                if value(seen, "lesiongan_lease_expiries_total", kind="probe") == 1:
                    break
                assert time.monotonic() < deadline
                time.sleep(0.2)
            stalls = value(seen, "lesiongan_job_stalls_total", kind="probe", reason="Given up")
            assert stalls == 1
        finally:
            swept.terminate()
