"""A data set is asked for, and what such a request leaves behind."""

import io

import httpx
import pytest
from minio import Minio
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared.db.tables import UploadRow
from shared.storage.s3 import S3Store
from tests.integration.services.bench import archive, pictures

FIELDS = {"layout": "folders", "name": "a test's"}


def upload(client: httpx.Client, **headers: str) -> httpx.Response:
    files = {"file": ("a.zip", archive(pictures(4)))}
    return client.post("/datasets", data=FIELDS, files=files, headers=headers)


def uploads(store: S3Store) -> list[str]:
    return [entry.key for entry in store.list("uploads/")]


def test_an_upload_over_quota_leaves_nothing(client: httpx.Client, store: S3Store) -> None:
    key = client.post("/keys", json={"name": "full", "quota": {"queued_jobs": 0}}).json()["key"]
    before = uploads(store)
    assert upload(client, Authorization=f"Bearer {key}").status_code == 429
    assert uploads(store) == before


def test_an_upload_whose_commit_is_not_answered_may_be_needed(
    client: httpx.Client, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Session.commit

    def lost(session: Session) -> None:
        of_upload = any(isinstance(each, UploadRow) for each in session)
        commit(session)
        if of_upload:
            raise OperationalError("COMMIT", {}, Exception())

    before = uploads(store)
    once = {"Idempotency-Key": "once"}
    with monkeypatch.context() as patch:
        patch.setattr(Session, "commit", lost)
        assert upload(client, **once).status_code == 503
    again = upload(client, **once)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert len(uploads(store)) == len(before) + 1, "its job finds them"


def test_a_prefix_that_is_asked_for_again_is_not_looked_at(client: httpx.Client, s3: Minio) -> None:
    s3.make_bucket("emptied")
    s3.put_object("emptied", "study/a.png", io.BytesIO(b"a"), 1)
    command = {"name": "lab", "layout": "folders", "source": {"s3": "emptied/study"}}
    once = {"Idempotency-Key": "once"}
    first = client.post("/datasets", json=command, headers=once)
    assert first.status_code == 202, first.text
    s3.remove_object("emptied", "study/a.png")
    assert client.post("/datasets", json=command).status_code == 404
    again = client.post("/datasets", json=command, headers=once)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    other = client.post("/datasets", json=command | {"name": "another"}, headers=once)
    assert other.status_code == 422
