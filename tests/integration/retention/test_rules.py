"""What expires by its row goes with its objects; its neighbour, which may be needed, stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from shared.db.engine import Sessions
from shared.db.tables import CheckpointRow, ClassifierRow, JobEventRow, ShardRow, UploadRow
from shared.ids import new_id
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports
from tests.integration.retention import builders
from tests.integration.retention.builders import (
    End,
    add,
    age,
    ago,
    collect,
    collected,
    ended,
    keys,
    retried,
    run,
)
from tests.integration.shared.builders import (
    grey_png,
    meta,
    queued,
    row,
    running,
    stored_dataset,
)


def rows(sessions: Sessions, table: type) -> int:
    with sessions() as session:
        return int(session.scalars(select(func.count()).select_from(table)).one())


def ingest_of(upload_id: str) -> dict[str, object]:
    given = {"name": "n", "layout": "folders", "upload": upload_id}
    return {"kind": "ingest", "input": given, "target": new_id("ds")}


@pytest.mark.parametrize("how", ["failed", "cancelled", None])
def test_an_upload_goes_with_its_parts(ports: Ports, store: S3Store, how: End | None) -> None:
    upload = builders.upload(ports.sessions, store, since=ago(hours=72))
    if how is not None:
        ended(ports.sessions, how, ago(hours=49), **ingest_of(upload))
    assert collected(ports) == {"uploads": 1, "bytes": 6}
    assert keys(store) == set()
    assert rows(ports.sessions, UploadRow) == 0


def test_an_upload_stays_while_its_ingest_may_need_it(ports: Ports, store: S3Store) -> None:
    sessions = ports.sessions
    waits = builders.upload(sessions, store, since=ago(hours=72))
    queued(sessions, **ingest_of(waits))
    ended(sessions, "failed", ago(hours=49), **ingest_of(waits))
    works = builders.upload(sessions, store, since=ago(hours=72))
    running(sessions, **ingest_of(works))
    recent = builders.upload(sessions, store, since=ago(hours=72))
    ended(sessions, "failed", ago(hours=47), **ingest_of(recent))
    builders.upload(sessions, store, since=ago(hours=47))
    before = keys(store)
    assert collected(ports, orphan_grace_hours=0) == {}
    assert keys(store) == before
    assert len(before) == 8
    assert collected(ports, upload_keep_hours=0)["uploads"] == 2


def test_a_retry_after_that_asks_for_the_archive(ports: Ports, store: S3Store) -> None:
    upload = builders.upload(ports.sessions, store, since=ago(hours=72))
    job_id = ended(ports.sessions, "failed", ago(hours=49), **ingest_of(upload))
    collect(ports)
    retried(ports.sessions, job_id)
    job = run(ports, job_id)
    assert job.error is not None
    assert job.error["detail"] == "the upload is gone: send the archive again"


def test_a_damaged_archive_goes_at_once(ports: Ports, store: S3Store) -> None:
    upload = builders.upload(ports.sessions, store, since=ago(hours=0))
    job_id = queued(ports.sessions, **ingest_of(upload))
    assert run(ports, job_id).status == "failed"
    assert keys(store) == set()
    retried(ports.sessions, job_id)
    job = run(ports, job_id)
    assert job.error is not None
    assert job.error["detail"] == "the upload is gone: send the archive again"


def training(kind: str) -> dict[str, object]:
    return {"kind": kind, "target": new_id("gan")}


@pytest.mark.parametrize(
    ("how", "since"),
    [("succeeded", ago(0)), ("failed", ago(days=31)), ("cancelled", ago(days=31))],
)
def test_checkpoints_go(ports: Ports, store: S3Store, how: End, since: timedelta) -> None:
    sessions = ports.sessions
    builders.gan(sessions, store, ended(sessions, how, since, **training("train-gan")))
    builders.classifier(
        sessions, store, ended(sessions, how, since, **training("train-classifier"))
    )
    assert collected(ports) == {"checkpoints": 2, "bytes": 10}
    assert keys(store) == set()
    assert rows(sessions, CheckpointRow) == 0
    with sessions() as session:
        left = session.scalars(select(ClassifierRow)).one()
    assert (left.checkpoint_key, left.checkpoint_sha256) == (None, None)


def test_checkpoints_stay_while_a_retry_may_resume(ports: Ports, store: S3Store) -> None:
    sessions = ports.sessions
    for make in (builders.gan, builders.classifier):
        for how in ("failed", "cancelled"):
            make(sessions, store, ended(sessions, how, ago(days=29), **training("t")))
        make(sessions, store, running(sessions, **training("t")).job_id)
        again = ended(sessions, "failed", ago(days=31), **training("t"))
        make(sessions, store, again)
        retried(sessions, again)
    before = keys(store)
    assert collected(ports, orphan_grace_hours=0) == {}
    assert keys(store) == before
    assert len(before) == 8


def test_shards_of_what_was_never_published_go(ports: Ports, store: S3Store) -> None:
    sessions = ports.sessions
    job_id = ended(sessions, "failed", ago(hours=25), target=new_id("ds"))
    builders.shard(sessions, store, job_id)
    assert collected(ports) == {"shards": 1, "bytes": 5}
    assert keys(store) == set()
    assert rows(sessions, ShardRow) == 0


def test_shards_stay_while_they_may_be_taken_over(ports: Ports, store: S3Store) -> None:
    sessions = ports.sessions
    recent = ended(sessions, "failed", ago(hours=23), target=new_id("ds"))
    again = retried(sessions, ended(sessions, "failed", ago(hours=25), target=new_id("ds")))
    replaced = ended(sessions, "failed", ago(hours=25), target=new_id("ds"))
    queued(sessions, target=row(sessions, replaced).target)
    for job_id in (recent, again, replaced):
        builders.shard(sessions, store, job_id)
    published = stored_dataset(sessions, store, [(grey_png(1), meta())])
    with sessions() as session:
        made_by = session.scalars(
            select(ShardRow.key).where(ShardRow.dataset_id == published)
        ).one()
    age(sessions, made_by.split("/")[2], ago(hours=25))
    before = keys(store)
    assert collected(ports) == {}
    assert keys(store) == before
    assert rows(sessions, ShardRow) == 4


def test_events_of_long_ago_go(ports: Ports) -> None:
    sessions = ports.sessions
    old = ended(sessions, "succeeded", ago(days=91))
    recent = ended(sessions, "succeeded", ago(days=89))
    again = retried(sessions, ended(sessions, "failed", ago(days=91)))
    for job_id in (old, old, recent, again):
        add(sessions, JobEventRow(job_id=job_id, event="log", data={}))
    assert collected(ports) == {"events": 2}
    with sessions() as session:
        left = set(session.scalars(select(JobEventRow.job_id)))
    assert left == {recent, again}
