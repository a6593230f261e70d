"""What stands before every route, over HTTP: limits of bodies, request ids, rates, the audit."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from services.app import app
from shared.db.audit import expire
from shared.db.engine import Sessions
from shared.db.tables import AuditRow, KeyRow
from shared.web.auth import make_key
from shared.web.front.audit import Audit
from shared.web.front.rates import Rates
from tests.integration.shared.builders import committed, queued

JSON = {"Content-Type": "application/json"}
MEBIBYTE = 2**20


# Bodies.
def pieces(size: int) -> Iterator[bytes]:
    """A body without a length: it is sent in chunks."""
    for _ in range(size // 65_536):
        yield b" " * 65_536


@pytest.mark.parametrize("path", ["/keys", "/gans", "/datasets", "/preprocess", "/webhooks"])
def test_a_json_body_has_a_size(client: httpx.Client, path: str) -> None:
    for content in (b" " * (MEBIBYTE + 1), pieces(3 * MEBIBYTE)):
        response = client.post(path, content=content, headers=JSON)
        assert response.status_code == 413, response.text
        assert response.json()["type"] == "/errors/content-too-large"
    most = b'"' + b" " * (MEBIBYTE - 2) + b'"'
    assert client.post(path, content=most, headers=JSON).status_code == 422


def test_a_body_is_limited_before_it_is_hashed(client: httpx.Client) -> None:
    headers = {**JSON, "Idempotency-Key": "once"}
    body = b" " * (MEBIBYTE + 1)
    assert client.post("/preprocess", content=body, headers=headers).status_code == 413


def test_images_have_a_size_of_their_own(client: httpx.Client) -> None:
    path = f"/classify?classifier=clf_{'0' * 24}"
    wrong = client.post(path, content=b" " * 2 * MEBIBYTE)
    assert wrong.status_code in (404, 422)
    huge = client.post(path, content=pieces(11 * MEBIBYTE))
    assert huge.status_code == 413


def test_deep_nesting_is_bad_input(client: httpx.Client) -> None:
    response = client.post("/gans", content=b"[" * 100_000, headers=JSON)
    assert response.status_code == 422


def test_many_faults_are_not_all_told(client: httpx.Client) -> None:
    body = {"name": "n", "scopes": [], "x": 1} | {f"odd{n}": 1 for n in range(1000)}
    response = client.post("/keys", json=body)
    assert response.status_code == 422
    assert len(response.json()["errors"]) == 100


def exchange(base_url: str, request: bytes) -> tuple[bytes, float]:
    """What the server answers until it closes, and after how many seconds it has closed."""
    address = urlsplit(base_url)
    began = time.monotonic()
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return answer, time.monotonic() - began


def test_who_has_no_key_is_told_so_and_left(base_url: str) -> None:
    """A huge body is announced, and never comes: the connection does not stay open for it."""
    head = "POST /keys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    answer, seconds = exchange(base_url, f"{head}Content-Length: {10**12}\r\n\r\n{{".encode())
    assert answer.startswith(b"HTTP/1.1 401")
    assert seconds < 15
    answer, _ = exchange(base_url, f"{head}Content-Length: {'9' * 400}\r\n\r\n{{".encode())
    assert b" 4" in answer.split(b"\r\n")[0]


# Request ids.
def test_every_answer_has_a_request_id(client: httpx.Client, anonymous: httpx.Client) -> None:
    given = {"X-Request-Id": "trace-0123456789"}
    assert client.get("/jobs", headers=given).headers["x-request-id"] == "trace-0123456789"
    for response in (
        anonymous.get("/jobs"),
        anonymous.get("/nowhere"),
        anonymous.put("/health/live"),
        client.get("/jobs/none"),
        client.get("/jobs?limit=0"),
    ):
        made = response.headers["x-request-id"]
        assert made.startswith("req_")
        assert response.json()["request_id"] == made
        assert response.headers["x-content-type-options"] == "nosniff"


def test_failures_are_answered_in_the_same_form(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr("services.gateway.api.ledger.get", broken)
    response = client.get("/jobs/job_1")
    assert response.status_code == 500
    assert response.headers["x-request-id"] == response.json()["request_id"]
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


# Rates.
@pytest.fixture
def limited(base_url: str, monkeypatch: pytest.MonkeyPatch) -> Rates:
    """The rates that a server has unless it is told otherwise, but smaller."""
    front = app.state.front
    settings = front.web.settings.model_copy(
        update={"requests_per_second": 0.5, "request_burst": 3, "failed_keys_per_minute": 3}
    )
    rates = Rates(settings)
    monkeypatch.setitem(front.__dict__, "rates", rates)
    return rates


def test_a_key_asks_so_often(limited: Rates, client: httpx.Client, make_headers: Any) -> None:
    answers = [client.get("/jobs") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    refused = answers[-1]
    assert refused.headers["retry-after"] == "2"
    assert refused.json()["type"] == "/errors/too-many-requests"
    assert refused.headers["x-request-id"]
    assert client.get("/jobs", headers=make_headers("read")).status_code == 200
    assert all(client.get("/health/live").status_code == 200 for _ in range(10))


def test_guessing_keys_is_limited_by_address(
    limited: Rates, client: httpx.Client, anonymous: httpx.Client
) -> None:
    assert client.get("/jobs").status_code == 200
    guesses = [
        anonymous.get("/jobs", headers={"Authorization": f"Bearer {make_key()}"}).status_code
        for _ in range(5)
    ]
    assert guesses == [401, 401, 401, 429, 429]
    assert client.get("/jobs").status_code == 200, "this key was found good before"


# The audit.
Reader = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def entries(client: httpx.Client) -> Reader:
    """Entries of the audit, once there are as many as expected."""

    def read(expected: int, **filters: Any) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 10
        while True:
            found: list[dict[str, Any]] = client.get("/audit", params=filters).json()["items"]
            if len(found) >= expected or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    return read


def test_what_changes_something_is_recorded(
    client: httpx.Client, entries: Reader, sessions: Sessions
) -> None:
    with sessions() as session:
        own = session.scalars(select(KeyRow.id)).one()
    job_id = queued(sessions)
    client.get("/jobs")
    client.post(f"/jobs/{job_id}/cancel", headers={"X-Request-Id": "trace-0123456789"})
    key = client.post("/keys", json={"name": "a name"}).json()
    client.post("/jobs/anna.smith/cancel")
    client.get("/generate?category=liver&n=1")
    found = entries(4, key=own)
    assert [(e["action"], e["target"], e["status"]) for e in reversed(found)] == [
        ("cancel_job", job_id, 200),
        ("create_key", key["id"], 201),
        ("cancel_job", None, 404),
        ("stream_images", None, 409),
    ]
    assert found[-1]["request_id"] == "trace-0123456789"
    assert found[-1]["address"] == "127.0.0.1"
    text = str(found)
    assert not any(word in text for word in ("anna", "a name", "liver", key["key"]))
    assert len(entries(2, key=own, action="cancel_job")) == 2
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert entries(0, key=own, **{"from": tomorrow}) == []


def test_refusals_are_recorded_and_do_not_flood(
    client: httpx.Client, anonymous: httpx.Client, make_headers: Any, sessions: Sessions
) -> None:
    front = app.state.front
    audit = Audit(sessions)
    before = front.audit
    front.__dict__["audit"] = audit
    try:
        client.get("/keys", headers=make_headers("read"))
        for _ in range(150):
            anonymous.get("/jobs")
    finally:
        front.__dict__["audit"] = before
    noted = audit._waiting
    assert (noted[0].operation, noted[0].status) == ("list_keys", 403)
    assert noted[0].key_id is not None
    assert {(each.status, each.key_id) for each in noted[1:]} == {(401, None)}
    assert 100 <= len(noted) < 140


def test_the_audit_survives_a_database_that_is_away(sessions: Sessions) -> None:
    away = [True]

    def connect() -> Any:
        if away[0]:
            raise OperationalError("SELECT", {}, Exception())
        return sessions()

    async def run() -> None:
        audit = Audit(connect)  # type: ignore[arg-type]
        await audit.start()
        scope = {"route": type("R", (), {"operation_id": "get_job"}), "method": "GET"}
        answer = {"status": 401, "headers": []}
        audit.note(scope, answer, request_id="req_survivor", address="192.0.2.1")
        await asyncio.sleep(0.1)
        away[0] = False
        await audit.stop()

    asyncio.run(run())
    with sessions() as session:
        found = session.scalars(select(AuditRow).where(AuditRow.request_id == "req_survivor"))
        assert len(found.all()) == 1


def test_old_entries_expire(sessions: Sessions) -> None:
    def row(name: str, days: float) -> AuditRow:
        return AuditRow(
            id=name,
            operation="o",
            status=200,
            request_id="r",
            address="a",
            created_at=datetime.now(UTC) - timedelta(days=days),
        )

    committed(sessions, lambda session: session.add_all([row("old", 366), row("new", 364)]))
    removed = committed(sessions, lambda session: expire(session, older_than=timedelta(days=365)))
    assert removed == 1
    with sessions() as session:
        assert session.get(AuditRow, "new") is not None
