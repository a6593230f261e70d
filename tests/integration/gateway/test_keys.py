"""Keys: rotated, changed, revoked; what they may use, and what they used."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from services.app import app
from shared.db.engine import Sessions
from shared.db.tables import DatasetRow, JobRow, KeyRow
from shared.errors import QuotaExceeded
from shared.jobs.limits import Limits, Quota
from shared.jobs.submit import submit
from shared.storage.s3 import S3Store
from tests.integration.shared.builders import (
    committed,
    grey_png,
    meta,
    new_job,
    queued,
    stored_dataset,
)

Body = dict[str, Any]


def made(client: httpx.Client, **members: Any) -> Body:
    """A key just made, with its secret."""
    response = client.post("/keys", json={"name": "a test's", **members})
    assert response.status_code == 201, response.text
    body: Body = response.json()
    assert response.headers["location"] == f"/keys/{body['id']}"
    return body


def opens(client: httpx.Client, secret: str) -> bool:
    response = client.get("/jobs", headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code in (200, 401)
    return response.status_code == 200


def test_a_rotated_key_has_another_secret(client: httpx.Client) -> None:
    first = made(client)
    second = client.post(f"/keys/{first['id']}/rotate").json()
    assert second["id"] == first["id"]
    assert not opens(client, first["key"])
    assert opens(client, second["key"])
    third = client.post(f"/keys/{first['id']}/rotate", json={"grace_seconds": 60}).json()
    assert third["old_secret_valid_until"] is not None
    assert opens(client, second["key"])
    assert opens(client, third["key"])
    client.post(f"/keys/{first['id']}/rotate", json={"grace_seconds": 60})
    assert not opens(client, second["key"]), "only the last secret has a grace"
    assert opens(client, third["key"])
    assert client.delete(f"/keys/{first['id']}").status_code == 204
    assert not opens(client, third["key"])
    assert client.post(f"/keys/{first['id']}/rotate").status_code == 409


def test_a_grace_ends(client: httpx.Client, sessions: Sessions) -> None:
    first = made(client)
    client.post(f"/keys/{first['id']}/rotate", json={"grace_seconds": 60})
    past = datetime.now(UTC) - timedelta(seconds=1)
    change = update(KeyRow).where(KeyRow.id == first["id"]).values(previous_valid_until=past)
    committed(sessions, lambda session: session.execute(change))
    assert not opens(client, first["key"])
    assert client.get(f"/keys/{first['id']}").json()["old_secret_valid_until"] is None


def test_the_last_admin_key_stays(client: httpx.Client, sessions: Sessions) -> None:
    with sessions() as session:
        own = session.scalars(select(KeyRow.id)).one()
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made(client, scopes=["admin"], expires_at=soon)
    assert client.delete(f"/keys/{own}").status_code == 409
    assert client.patch(f"/keys/{own}", json={"expires_at": soon}).status_code == 409
    other = made(client, scopes=["admin"])
    assert client.patch(f"/keys/{own}", json={"expires_at": soon}).status_code == 200
    assert client.delete(f"/keys/{other['id']}").status_code == 409
    assert client.patch(f"/keys/{own}", json={"expires_at": None}).status_code == 200
    assert client.delete(f"/keys/{other['id']}").status_code == 204
    assert client.delete(f"/keys/{other['id']}").status_code == 204


def test_two_admins_do_not_revoke_each_other(client: httpx.Client, sessions: Sessions) -> None:
    with sessions() as session:
        own = session.scalars(select(KeyRow.id)).one()
    for _ in range(3):
        other = made(client, scopes=["admin"])
        answers: list[int] = []

        def revoke(key_id: str, by: httpx.Client = client, into: list[int] = answers) -> None:
            into.append(by.delete(f"/keys/{key_id}").status_code)

        threads = [threading.Thread(target=revoke, args=(each,)) for each in (own, other["id"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with sessions() as session:
            left = session.scalars(select(KeyRow).where(KeyRow.revoked_at.is_(None))).all()
        assert len(left) == 1, answers
        restored = update(KeyRow).where(KeyRow.id == own).values(revoked_at=None)
        gone = update(KeyRow).where(KeyRow.id == other["id"]).values(revoked_at=datetime.now(UTC))
        with sessions() as session:
            session.execute(restored)
            session.execute(gone)
            session.commit()


def test_last_used_is_written_once_a_minute(client: httpx.Client, sessions: Sessions) -> None:
    key = made(client, scopes=["read"])
    assert key["last_used_at"] is None
    opens(client, key["key"])
    first = client.get(f"/keys/{key['id']}").json()["last_used_at"]
    assert first is not None
    opens(client, key["key"])
    assert client.get(f"/keys/{key['id']}").json()["last_used_at"] == first
    past = datetime.now(UTC) - timedelta(minutes=2)
    change = update(KeyRow).where(KeyRow.id == key["id"]).values(last_used_at=past)
    committed(sessions, lambda session: session.execute(change))
    opens(client, key["key"])
    assert client.get(f"/keys/{key['id']}").json()["last_used_at"] > first


def test_what_is_not_named_stays(client: httpx.Client) -> None:
    key = made(client, quota={"queued_jobs": 1, "stored_bytes": 2})
    path = f"/keys/{key['id']}"
    changed = client.patch(path, json={"quota": {"queued_jobs": None, "device_seconds": 3}}).json()
    assert changed["quota"] == {"queued_jobs": None, "stored_bytes": 2, "device_seconds": 3.0}
    assert client.patch(path, json={"name": "other"}).json()["quota"] == changed["quota"]
    assert client.get(path).json()["name"] == "other"
    assert client.patch(path, json={"name": None}).status_code == 422
    assert client.patch(path, json={"quota": {"queued_jobs": -1}}).status_code == 422


# Quotas.
@pytest.fixture
def raw(sessions: Sessions, store: S3Store) -> str:
    """A raw data set of one image."""
    dataset_id = stored_dataset(sessions, store, [(grey_png(0), meta())])
    committed(sessions, lambda session: session.execute(update(DatasetRow).values(kind="raw")))
    return dataset_id


def preprocess(client: httpx.Client, key: Body, dataset: str, size: int) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key['key']}"}
    return client.post("/preprocess", json={"dataset": dataset, "size": size}, headers=headers)


def exceeded(response: httpx.Response, quota: str) -> Body:
    assert response.status_code == 429, response.text
    body: Body = response.json()
    assert body["type"] == "/errors/quota-exceeded"
    assert body["quota"] == quota
    assert int(response.headers["retry-after"]) > 0
    return body


def test_a_key_queues_so_many_jobs(client: httpx.Client, raw: str, sessions: Sessions) -> None:
    key = made(client, quota={"queued_jobs": 1})
    first = preprocess(client, key, raw, 32)
    assert first.status_code == 202
    body = exceeded(preprocess(client, key, raw, 64), "queued_jobs")
    assert (body["limit"], body["used"]) == (1, 2)
    assert preprocess(client, key, raw, 32).json()["id"] == first.json()["id"], "no new job"
    with sessions() as session:
        jobs = session.scalars(select(JobRow).where(JobRow.kind == "preprocess")).all()
    assert len(jobs) == 1, "what is refused leaves nothing"
    client.post(f"/jobs/{first.json()['id']}/cancel")
    assert preprocess(client, key, raw, 64).status_code == 202
    headers = {"Authorization": f"Bearer {key['key']}"}
    retried = client.post(f"/jobs/{first.json()['id']}/retry", headers=headers)
    exceeded(retried, "queued_jobs")
    assert client.get(f"/jobs/{first.json()['id']}").json()["status"] == "cancelled"


def test_a_graph_counts_each_of_its_jobs(sessions: Sessions) -> None:
    graph = new_job(target="whole", requires=[new_job(target=f"part_{n}") for n in range(3)])
    with sessions() as session:
        with pytest.raises(QuotaExceeded) as caught:
            submit(session, lambda _: graph, key_id="k", limits=Limits(quota=Quota(queued_jobs=3)))
        session.rollback()
        submit(session, lambda _: graph, key_id="k", limits=Limits(quota=Quota(queued_jobs=4)))
    assert caught.value.extra["used"] == 4


def test_device_seconds_are_those_of_a_month(
    client: httpx.Client, raw: str, sessions: Sessions
) -> None:
    key = made(client, quota={"device_seconds": 10})
    job_id = queued(sessions, key_id=key["id"])
    use = update(JobRow).where(JobRow.id == job_id)
    committed(sessions, lambda session: session.execute(use.values(device_seconds=10.0)))
    assert exceeded(preprocess(client, key, raw, 32), "device_seconds")["used"] == 10.0
    before = datetime.now(UTC) - timedelta(days=31)
    committed(sessions, lambda session: session.execute(use.values(created_at=before)))
    assert preprocess(client, key, raw, 32).status_code == 202


def test_stored_bytes_are_those_of_the_keys_jobs(
    client: httpx.Client, raw: str, sessions: Sessions
) -> None:
    key = made(client, quota={"stored_bytes": 1})
    assert preprocess(client, key, raw, 32).status_code == 202
    own = update(JobRow).where(JobRow.output["dataset"].astext == raw).values(key_id=key["id"])
    committed(sessions, lambda session: session.execute(own))
    exceeded(preprocess(client, key, raw, 64), "stored_bytes")


def test_two_submissions_at_once_do_not_pass_a_quota(sessions: Sessions) -> None:
    quota = Limits(quota=Quota(queued_jobs=1))
    ready, ends = threading.Barrier(8), []

    def attempt() -> None:
        ready.wait()
        with sessions() as session:
            try:
                submit(session, lambda _: new_job(), key_id="key_x", limits=quota)
                session.commit()
                ends.append(True)
            except QuotaExceeded:
                ends.append(False)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == [False] * 7 + [True]


def test_all_keys_together_queue_so_many_jobs(
    client: httpx.Client, raw: str, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.web.settings, "max_queued_jobs", 2)
    key = made(client)
    queued(sessions)
    assert preprocess(client, key, raw, 32).status_code == 202
    full = preprocess(client, key, raw, 64)
    assert full.status_code == 429
    assert full.json()["type"] == "/errors/queue-full"
    assert int(full.headers["retry-after"]) > 0


# Usage.
def test_usage_is_by_key_kind_and_end(client: httpx.Client, raw: str, sessions: Sessions) -> None:
    key = made(client)
    own = update(JobRow).where(JobRow.output["dataset"].astext == raw)
    values = own.values(key_id=key["id"], device_seconds=2.5)
    committed(sessions, lambda session: session.execute(values))
    queued(sessions, key_id=key["id"])
    used = client.get("/usage", params={"key": key["id"]}).json()["items"]
    assert len(used) == 1
    assert [(j["kind"], j["status"], j["jobs"]) for j in used[0]["jobs"]] == [
        ("probe", "queued", 1),
        ("probe", "succeeded", 1),
    ]
    assert (used[0]["device_seconds"], used[0]["images"], used[0]["queued_jobs"]) == (2.5, 1, 1)
    assert used[0]["stored_bytes"] > 0
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = client.get("/usage", params={"key": key["id"], "from": tomorrow}).json()["items"][0]
    assert later["jobs"] == []
    assert later["images"] == 0
    assert later["stored_bytes"] == used[0]["stored_bytes"]
    assert len(client.get("/usage", params={"limit": 1}).json()["items"]) == 1
