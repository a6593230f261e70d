"""What every API promises, over HTTP: keys, problems, pages, submissions."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from redis.exceptions import RedisError
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from services.app import app
from shared.db.engine import Sessions
from shared.db.tables import DatasetRow, IdempotencyRow, JobRow, KeyRow
from shared.errors import BadInput
from shared.jobs import ledger
from shared.queue.celery import CeleryDoorbell
from shared.storage.s3 import S3Store
from shared.web.auth import make_key
from tests.integration.conftest import KeyMaker
from tests.integration.shared.builders import (
    claimed,
    committed,
    grey_png,
    meta,
    queued,
    row,
    running,
    stored_dataset,
)

Response = httpx.Response


def is_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The body of a response, which must be an RFC 9457 problem."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == status
    if status == 422:
        assert body["errors"]
        assert all({"loc", "msg"} == set(error) for error in body["errors"])
    return body


# Keys.
@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": datetime.now(UTC)},
        {"expires_at": datetime.now(UTC) - timedelta(seconds=1)},
        {"sha256": "0"},
    ],
)
def test_a_key_that_is_not_valid_any_more_opens_nothing(
    anonymous: httpx.Client, make_headers: KeyMaker, sessions: Sessions, change: dict[str, Any]
) -> None:
    headers = make_headers("admin")
    assert anonymous.get("/jobs", headers=headers).status_code == 200
    committed(sessions, lambda session: session.execute(update(KeyRow).values(**change)))
    is_problem(anonymous.get("/jobs", headers=headers), 401)


def test_an_unknown_key_opens_nothing(anonymous: httpx.Client, sessions: Sessions) -> None:
    headers = {"Authorization": f"Bearer {make_key()}"}
    is_problem(anonymous.get("/jobs", headers=headers), 401)


def test_only_hashes_of_keys_are_stored(client: httpx.Client, sessions: Sessions) -> None:
    made = client.post("/keys", json={"name": "lab", "scopes": ["read"]}).json()
    with sessions() as session:
        stored = [str(vars(key)) for key in session.scalars(select(KeyRow))]
    assert not any(made["key"] in text for text in stored)
    assert "key" not in client.get("/keys").json()["items"][0]


# Problems.
def test_errors_are_problems(client: httpx.Client) -> None:
    assert is_problem(client.get("/nowhere"), 404)["type"] == "/errors/not-found"
    is_problem(client.get("/jobs/job_none"), 404)
    refused = client.put("/jobs")
    is_problem(refused, 405)
    assert refused.headers["allow"]
    body = is_problem(client.get("/jobs?limit=0&status=odd"), 422)
    assert [error["loc"] for error in body["errors"]] == [["query", "limit"], ["query", "status"]]
    is_problem(client.post("/gans", content=b"{", headers=JSON), 422)


JSON = {"Content-Type": "application/json"}
NESTED = b"[" * 100_000
HUGE = b'{"seed": %s}' % (b"9" * 5000)
HALF_A_PAIR = b'{"name": "\\ud800"}'

ODD_REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "NUL in an id": ("GET", "/jobs/job%00", {}),
    "NUL in a data set's id": ("GET", "/datasets/%00/images/0", {}),
    "NUL in a filter": ("GET", "/jobs?kind=%00", {}),
    "half a pair in an id": ("GET", "/jobs/%ED%A0%80", {}),
    "an id that is not UTF-8": ("GET", "/jobs/%ff%fe", {}),
    "NUL in a name": ("POST", "/keys", {"json": {"name": "a\0b"}}),
    "half a pair in a name": (
        "POST",
        "/keys",
        {"content": b'{"name": "\\ud800"}', "headers": JSON},
    ),
    "half a pair in a member": ("POST", "/keys", {"content": b'{"\\ud800": 1}', "headers": JSON}),
    "NaN": ("POST", "/gans", {"content": b'{"learning_rate": NaN}', "headers": JSON}),
    "a huge integer": (
        "POST",
        "/gans",
        {"content": b'{"seed": %s}' % (b"9" * 5000), "headers": JSON},
    ),
    "deep nesting": ("POST", "/gans", {"content": NESTED, "headers": JSON}),
    "deep nesting, read by the route": ("POST", "/datasets", {"content": NESTED, "headers": JSON}),
    "a list for an object": ("POST", "/datasets", {"content": b"[]", "headers": JSON}),
    "a string for an object": ("POST", "/datasets", {"content": b'"\\ud800"', "headers": JSON}),
    "not UTF-8": ("POST", "/datasets", {"content": b"\xff\xfe\x00", "headers": JSON}),
    "no content type": ("POST", "/datasets", {"content": b"x"}),
    "a bucket that cannot be": (
        "POST",
        "/datasets",
        {"json": {"name": "n", "layout": "folders", "source": {"s3": "a..b/c"}}},
    ),
    "NUL in a prefix": (
        "POST",
        "/datasets",
        {"json": {"name": "n", "layout": "folders", "source": {"s3": "abc/\0"}}},
    ),
    "a huge index": ("GET", f"/datasets/ds_x/images/{10**30}", {}),
    "a huge step": ("GET", f"/gans/gan_x/preview.png?step={10**30}", {}),
    "a huge count": ("POST", f"/generate?category=liver&n={10**30}", {}),
    "a huge seed": ("POST", f"/generate?category=liver&n=1&seed={10**30}", {}),
    "a negative limit": ("GET", "/jobs?limit=-1", {}),
    "a forged cursor": ("GET", "/jobs?cursor=AAAA", {}),
    "an event id that is none": ("GET", "/jobs/x/events", {"headers": {"Last-Event-ID": "x"}}),
}


@pytest.mark.parametrize("name", list(ODD_REQUESTS))
def test_no_request_is_a_server_error(client: httpx.Client, name: str) -> None:
    method, path, content = ODD_REQUESTS[name]
    response = client.request(method, path, **content)
    assert 400 <= response.status_code < 500, response.text
    is_problem(response, response.status_code)


def test_a_server_that_is_away_is_a_503(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, sessions: Sessions
) -> None:
    for error in (OperationalError("SELECT secret", {}, Exception()), PoolTimeout("secret")):

        def away(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("services.gateway.api.ledger.get", away)
        response = client.get("/jobs/job_1")
        assert "secret" not in is_problem(response, 503)["detail"]
        assert response.headers["retry-after"]


def test_what_nobody_expected_leaks_nothing(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr("services.gateway.api.ledger.get", broken)
    assert "hunter2" not in str(is_problem(client.get("/jobs/job_1"), 500))


def test_health_needs_no_key(anonymous: httpx.Client) -> None:
    assert anonymous.get("/health/live").json() == {"status": "alive"}
    assert anonymous.get("/health/ready").json() == {"status": "ready"}
    assert anonymous.get("/metrics").status_code == 200


# Pages.
def test_a_list_is_read_page_by_page(client: httpx.Client, sessions: Sessions) -> None:
    ids = [queued(sessions, kind="probe") for _ in range(5)]
    queued(sessions, kind="other")
    seen: list[str] = []
    cursor = None
    while True:
        params = {"kind": "probe", "limit": "2", **({"cursor": cursor} if cursor else {})}
        body = client.get("/jobs", params=params).json()
        seen += [job["id"] for job in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


# Submissions.
@pytest.fixture
def raw(sessions: Sessions, store: S3Store) -> str:
    """A raw data set of one image."""
    dataset_id = stored_dataset(sessions, store, [(grey_png(0), meta())])
    committed(sessions, lambda session: session.execute(update(DatasetRow).values(kind="raw")))
    return dataset_id


def preprocess(
    client: httpx.Client, dataset: str, path: str = "", **headers: str
) -> httpx.Response:
    body = {"dataset": dataset, "size": 32}
    return client.post("/preprocess" + path, json=body, headers=headers)


def job_count(sessions: Sessions) -> int:
    with sessions() as session:
        query = select(func.count()).select_from(JobRow).where(JobRow.kind == "preprocess")
        return int(session.scalars(query).one())


def test_a_submission_answers_202_and_rings(
    client: httpx.Client, raw: str, sessions: Sessions, bell: CeleryDoorbell
) -> None:
    response = preprocess(client, raw)
    assert response.status_code == 202
    job = response.json()
    assert response.headers["location"] == f"/jobs/{job['id']}" == job["links"]["self"]
    assert job["status"] == "queued"
    assert client.get(job["links"]["self"]).json() == job
    assert bell.depth("preprocessing") == 1
    with sessions() as session:
        key_id = session.scalars(select(KeyRow.id)).one()
    assert row(sessions, job["id"]).key_id == key_id


def test_a_submission_is_accepted_while_redis_is_away(
    client: httpx.Client, raw: str, monkeypatch: pytest.MonkeyPatch, sessions: Sessions
) -> None:
    def away(*_: object, **__: object) -> None:
        raise RedisError

    bell = app.state.web.bell
    monkeypatch.setattr(bell._redis, "lpush", away)
    assert preprocess(client, raw).status_code == 202
    assert job_count(sessions) == 1


def test_an_idempotency_key_makes_one_job(
    client: httpx.Client, raw: str, sessions: Sessions
) -> None:
    once = {"Idempotency-Key": "once"}
    first = preprocess(client, raw, **once)
    assert "idempotency-replayed" not in first.headers
    again = preprocess(client, raw, **once)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["location"] == first.headers["location"]
    is_problem(preprocess(client, raw, "?dry_run=false", **once), 422)
    other = client.post("/preprocess", json={"dataset": raw, "size": 64}, headers=once)
    is_problem(other, 422)
    assert job_count(sessions) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/preprocess?dryrun=true"),
        ("POST", "/preprocess?dry_run=true&dryrun=true"),
        ("POST", "/preprocess?prefer=wait=5&dryrun=true"),
        ("POST", "/preprocess/preview?size=32&dryrun=true"),
        ("POST", "/augment/preview?copies=2&dryrun=true"),
        ("POST", "/datasets?dryrun=true"),
        ("POST", "/gans?dryrun=true"),
        ("POST", "/regenerate?dryrun=true"),
        ("POST", "/experiments?dryrun=true"),
        ("POST", "/classifiers?dryrun=true"),
        ("POST", f"/classify?classifier=clf_{'0' * 24}&dryrun=true"),
        ("POST", "/generate?category=liver&n=5&dryrun=true"),
        ("GET", "/generate?category=liver&n=5&dryrun=true"),
    ],
)
def test_a_query_that_no_route_knows_makes_no_job(
    client: httpx.Client, sessions: Sessions, method: str, path: str
) -> None:
    refused = is_problem(client.request(method, path), 422)
    assert ["query", "dryrun"] in [error["loc"] for error in refused["errors"]]
    assert "dry_run" in refused["errors"][-1]["msg"]
    assert "idempotency-key" not in refused["detail"]
    assert client.get("/jobs").json()["items"] == []


def test_a_key_is_not_used_up_by_what_was_refused(client: httpx.Client, raw: str) -> None:
    once = {"Idempotency-Key": "once"}
    is_problem(preprocess(client, "ds_" + "0" * 24, **once), 404)
    assert preprocess(client, raw, **once).status_code == 202


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_a_length(client: httpx.Client, raw: str, key: str) -> None:
    is_problem(preprocess(client, raw, **{"Idempotency-Key": key}), 422)


def test_the_same_work_is_done_once(client: httpx.Client, raw: str, sessions: Sessions) -> None:
    first, second = preprocess(client, raw).json(), preprocess(client, raw).json()
    assert first["id"] == second["id"]
    assert job_count(sessions) == 1


def test_a_dry_run_makes_nothing(
    client: httpx.Client, raw: str, sessions: Sessions, bell: CeleryDoorbell
) -> None:
    response = preprocess(client, raw, "?dry_run=true", **{"Idempotency-Key": "once"})
    assert response.status_code == 200
    assert response.json()["images"] == 1
    assert response.json()["device_seconds"] == 0.0
    assert "unknown" in response.json()["based_on"]
    is_problem(preprocess(client, "ds_" + "0" * 24, "?dry_run=true"), 404)
    assert job_count(sessions) == 0
    assert bell.depth("preprocessing") == 0
    with sessions() as session:
        assert session.scalars(select(IdempotencyRow)).all() == []


def test_a_dry_run_is_measured_on_earlier_jobs(
    client: httpx.Client, raw: str, sessions: Sessions
) -> None:
    for seconds in (10.0, 30.0, 1000.0):
        claim = running(sessions, kind="preprocess", total=1)
        committed(sessions, partial(ledger.succeed, claim=claim, output={}))
        took = update(JobRow).where(JobRow.id == claim.job_id).values(device_seconds=seconds)
        committed(sessions, partial(Session.execute, statement=took))
    estimate = preprocess(client, raw, "?dry_run=true").json()
    assert estimate["device_seconds"] == 30.0, "the median, for as many images"
    assert "3 earlier" in estimate["based_on"]


def later(seconds: float, act: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        time.sleep(seconds)
        act()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def finish_next(sessions: Sessions) -> None:
    """Claim the queued job and let it succeed."""
    with sessions() as session:
        job_id = session.scalars(select(JobRow.id).where(JobRow.status == "queued")).one()
    claim = claimed(sessions, job_id)
    assert claim is not None
    committed(sessions, lambda session: ledger.succeed(session, claim, {"dataset": "ds_1"}))


def test_a_client_may_wait_for_the_end(client: httpx.Client, raw: str, sessions: Sessions) -> None:
    thread = later(0.7, lambda: finish_next(sessions))
    began = time.monotonic()
    response = preprocess(client, raw, Prefer="respond-async, wait=20")
    took = time.monotonic() - began
    thread.join()
    assert response.status_code == 200
    assert response.json()["status"] == "succeeded"
    assert response.json()["links"]["result"] == "/datasets/ds_1"
    assert took < 1.9, "woken by the notice, not by looking again"


def test_a_wait_ends_in_time(client: httpx.Client, raw: str) -> None:
    began = time.monotonic()
    lines = [("Prefer", "respond-async"), ("Prefer", 'Wait="1"')]
    body = {"dataset": raw, "size": 32}
    response = client.post("/preprocess", json=body, headers=lines)
    assert 0.9 < time.monotonic() - began < 3
    assert response.status_code == 202
    assert response.json()["status"] == "queued"


@pytest.mark.parametrize("prefer", ["wait=", "wait=-1", "wait=x", "await=5", "wait=0", ""])
def test_a_preference_that_is_none_is_ignored(client: httpx.Client, raw: str, prefer: str) -> None:
    began = time.monotonic()
    assert preprocess(client, raw, Prefer=prefer).status_code == 202
    assert time.monotonic() - began < 2


def test_who_waits_for_nothing_is_answered_at_once(
    client: httpx.Client, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONGAN_PREPROCESSING_PREVIEW_WAIT_SECONDS", "10")
    headers = {"Prefer": "wait=0", "Content-Type": "image/png"}
    began = time.monotonic()
    answer = client.post("/preprocess/preview", content=grey_png(1), headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert time.monotonic() - began < 5


def test_events_end_with_the_job(client: httpx.Client, sessions: Sessions) -> None:
    claim = running(sessions)
    thread = later(0.5, lambda: committed(sessions, lambda s: ledger.succeed(s, claim, {})))
    text = client.get(f"/jobs/{claim.job_id}/events").text
    thread.join()
    assert text.rstrip().rpartition("\n\n")[2].startswith("event: completed")
    assert '"status": "running"' in text


def test_cancel_and_retry_over_http(client: httpx.Client, sessions: Sessions) -> None:
    job_id = queued(sessions)
    assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert client.post(f"/jobs/{job_id}/retry").json()["status"] == "queued"
    is_problem(client.post(f"/jobs/{job_id}/retry"), 409)
    is_problem(client.post("/jobs/job_none/cancel"), 404)


def test_what_cannot_be_read_again_is_not_retried(
    client: httpx.Client, sessions: Sessions, store: S3Store
) -> None:
    headers = {"Prefer": "wait=1", "Content-Type": "image/png"}
    job = client.post("/preprocess/preview", content=grey_png(1), headers=headers).json()

    def fail() -> None:
        claim = claimed(sessions, job["id"])
        assert claim is not None
        committed(sessions, lambda session: ledger.fail(session, claim, BadInput("not grey")))

    fail()
    assert client.post(f"/jobs/{job['id']}/retry").json()["status"] == "queued"
    fail()
    store.delete(job["input"]["image"])
    body = is_problem(client.post(f"/jobs/{job['id']}/retry"), 410)
    assert "send it again" in body["detail"]
    assert client.get(f"/jobs/{job['id']}").json()["status"] == "failed"
