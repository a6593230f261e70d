"""Retries, idempotency and errors."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from lesiongan.contracts.datasets import IngestCommand, S3Source
from lesiongan.contracts.gans import GanCommand
from lesiongan.contracts.keys import KeyCommand
from lesiongan.errors import ApiError, ConnectionFailed, UnexpectedAnswer
from tests.unit.sdk.fake_server import KEY, URL, Script, async_client_of, client_of, job, problem

DATASET = "ds_" + "0" * 24


def test_a_request_carries_key_and_only_what_was_set() -> None:
    script = Script(httpx.Response(202, json=job()))
    client_of(script).gans.train(GanCommand(dataset=DATASET, steps=7))
    request = script.requests[0]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert str(request.url) == f"{URL}/gans"
    assert json.loads(request.read()) == {"dataset": DATASET, "steps": 7}


def test_attempts_of_one_call_share_an_idempotency_key(pauses: list[float]) -> None:
    away = httpx.ReadError("reset")
    script = Script(away, httpx.Response(503), httpx.Response(202, json=job()))
    made = client_of(script).generate("liver", 5)
    assert made.id == "job_1"
    keys = [request.headers["idempotency-key"] for request in script.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len(pauses) == 2


def test_two_calls_are_two_jobs() -> None:
    script = Script(httpx.Response(202, json=job()), httpx.Response(202, json=job()))
    client = client_of(script)
    command = IngestCommand(name="x", layout="folders", source=S3Source(s3="lab/ct"))
    client.datasets.ingest(command)
    client.datasets.ingest(command)
    first, second = (request.headers["idempotency-key"] for request in script.requests)
    assert first != second


def test_retry_after_is_kept_to(pauses: list[float]) -> None:
    busy = httpx.Response(429, headers={"retry-after": "7"})
    client_of(Script(busy, httpx.Response(200, json=job()))).jobs.get("job_1")
    assert pauses == [7.0]


def test_retry_after_as_a_date(pauses: list[float]) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    away = httpx.Response(503, headers={"retry-after": when})
    client_of(Script(away, httpx.Response(200, json=job()))).jobs.get("job_1")
    assert 15 < pauses[0] <= 20


def test_a_pause_too_long_is_an_error_at_once(pauses: list[float]) -> None:
    busy = problem(429, "Too many requests", "the quota is used up")
    busy.headers["retry-after"] = "3600"
    with pytest.raises(ApiError, match="quota") as caught:
        client_of(Script(busy)).jobs.get("job_1")
    assert pauses == []
    assert caught.value.retry_after_seconds == 3600
    assert caught.value.hint == "try again in 3600 s"


def test_retries_are_bounded() -> None:
    script = Script(*(httpx.Response(503) for _ in range(4)))
    with pytest.raises(ApiError) as caught:
        client_of(script, max_retries=3).jobs.get("job_1")
    assert caught.value.status == 503
    assert len(script.requests) == 4


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.Response(503)])
def test_what_must_not_happen_twice_is_not_sent_twice(
    answer: httpx.Response | Exception,
) -> None:
    script = Script(answer, httpx.Response(201))
    with pytest.raises((ConnectionFailed, ApiError)):
        client_of(script).keys.create(KeyCommand.model_validate({"name": "x"}))
    assert len(script.requests) == 1


def test_what_was_never_sent_is_sent_again() -> None:
    made = {
        "id": "key_1",
        "name": "x",
        "scopes": ["read"],
        "created_at": "2026-01-01T00:00:00Z",
        "expires_at": None,
        "revoked_at": None,
        "key": "lg_new",
    }
    script = Script(httpx.ConnectError("refused"), httpx.Response(201, json=made))
    assert client_of(script).keys.create(KeyCommand.model_validate({"name": "x"})).key == "lg_new"


def test_a_problem_keeps_its_members() -> None:
    errors = [{"loc": ["query", "n"], "msg": "too small"}]
    answer = problem(422, "Invalid input", "n: too small", errors=errors, hint_call="POST /gans")
    with pytest.raises(ApiError) as caught:
        client_of(Script(answer)).generate("liver", 1)
    error = caught.value
    assert (error.status, error.title, error.detail) == (422, "Invalid input", "n: too small")
    assert error.errors == errors
    assert error.problem()["hint_call"] == "POST /gans"


def test_a_proxys_page_is_an_error_too() -> None:
    page = httpx.Response(413, html="<h1>Too\nlarge</h1>")
    with pytest.raises(ApiError) as caught:
        client_of(Script(page)).jobs.get("job_1")
    assert (caught.value.status, caught.value.detail) == (413, "<h1>Too large</h1>")


def test_another_server_is_recognised() -> None:
    with pytest.raises(UnexpectedAnswer):
        client_of(Script(httpx.Response(200, html="<p>hello"))).jobs.get("job_1")


def test_nothing_answers() -> None:
    with pytest.raises(ConnectionFailed, match=f"nothing answers at {URL}"):
        client_of(Script(httpx.ConnectError("refused")), max_retries=0).jobs.get("job_1")


def test_lists_are_fetched_page_by_page_and_no_further() -> None:
    pages = [
        httpx.Response(200, json={"items": [job(), job()], "next_cursor": "c1"}),
        httpx.Response(200, json={"items": [job()], "next_cursor": "c2"}),
    ]
    script = Script(*pages)
    found = list(client_of(script).jobs.list(kind="generate", limit=3))
    assert len(found) == 3
    first, second = (dict(request.url.params) for request in script.requests)
    assert first == {"kind": "generate", "limit": "3"}
    assert second == {"kind": "generate", "limit": "1", "cursor": "c1"}


def test_a_list_ends_with_its_last_page() -> None:
    script = Script(httpx.Response(200, json={"items": [job()], "next_cursor": None}))
    assert len(list(client_of(script).jobs.list())) == 1


def test_dry_run_makes_nothing() -> None:
    estimate = {"images": 5, "bytes": 9, "device_seconds": 0.5, "based_on": "x"}
    script = Script(httpx.Response(200, json=estimate))
    assert client_of(script).estimate_generate("liver", 5).device_seconds == 0.5
    assert script.requests[0].url.params["dry_run"] == "true"


LOST = [httpx.ReadError("reset"), httpx.Response(502)]
SURELY_UNDONE = [
    None,
    httpx.ConnectError("refused"),
    httpx.Response(429, headers={"retry-after": "0"}),
]


@pytest.mark.parametrize("first", LOST)
def test_what_an_earlier_attempt_deleted_is_deleted(first: httpx.Response | Exception) -> None:
    script = Script(first, problem(404, "Not found", "there is no data set"))
    client_of(script).datasets.delete(DATASET)
    assert [request.method for request in script.requests] == ["DELETE", "DELETE"]


@pytest.mark.parametrize("first", SURELY_UNDONE)
def test_what_was_never_there_is_told(first: httpx.Response | Exception | None) -> None:
    before = [] if first is None else [first]
    script = Script(*before, problem(404, "Not found", "there is no data set"))
    with pytest.raises(ApiError, match="no data set"):
        client_of(script).datasets.delete(DATASET)


def test_only_a_deletion_is_done_by_what_is_not_there() -> None:
    script = Script(httpx.ReadError("reset"), problem(404, "Not found", "there is no data set"))
    with pytest.raises(ApiError, match="no data set"):
        client_of(script).datasets.get(DATASET)


async def _deleted(script: Script) -> None:
    async with async_client_of(script) as client:
        await client.datasets.delete(DATASET)


def test_an_async_client_deletes_so_too() -> None:
    script = Script(httpx.ReadError("reset"), problem(404, "Not found", "there is no data set"))
    asyncio.run(_deleted(script))
    assert len(script.requests) == 2
