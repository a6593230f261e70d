"""Large data sets are made in parts, by any number of workers, and are what one would have made."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.worker import find_task
from shared.datasets import catalog, reading
from shared.db.tables import JobParentRow, JobRow
from shared.jobs import sweep
from shared.worker.attended import AttendedStore
from shared.worker.ports import Ports
from shared.worker.runner import JobRunner
from tests.integration.services.bench import Bench, archive, pictures, slices
from tests.integration.services.test_resume import preprocess, queued, target_of
from tests.integration.shared.builders import committed, row, silence

PART = 8
IMAGES = 30


class Killed(BaseException):
    """As sudden as SIGKILL: no handler hears of it."""


@pytest.fixture
def raw(bench: Bench) -> str:
    """A raw data set of thirty images."""
    return bench.made(bench.upload(archive(pictures(IMAGES)), "folders"))


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are small from here on."""
    monkeypatch.setattr("shared.datasets.parts.PART_IMAGES", PART)


def augment(ports: Ports, dataset: str) -> str:
    """The id of a job that augments a data set."""
    return queued(
        ports.sessions, kind="augment", input={"dataset": dataset, "copies": 2, "seed": 7}
    )


def parts_of(ports: Ports, whole: str) -> list[JobRow]:
    """The jobs that a job waits for, in order."""
    query = select(JobRow).join(JobParentRow, JobParentRow.parent_id == JobRow.id)
    with ports.sessions() as session:
        mine = query.where(JobParentRow.job_id == whole).order_by(JobRow.target)
        return list(session.scalars(mine))


def run_for(ports: Ports, job_id: str, calls: int) -> None:
    """Work on a job until so many calls of the store were made; then the worker dies."""
    left = calls

    def live() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    mine = replace(ports, store=AttendedStore(ports.store, live))
    try:
        JobRunner(mine, find_task, worker="w").run(job_id)
    except Killed:
        silence(ports.sessions, job_id)
        committed(ports.sessions, partial(sweep.requeue_expired, max_stalls=1000))


def finish(ports: Ports, whole: str) -> JobRow:
    """The job, once its parts and it were run."""
    JobRunner(ports, find_task, worker="w").run(whole)
    for part in reversed(parts_of(ports, whole)):
        JobRunner(ports, find_task, worker="w").run(part.id)
    if row(ports.sessions, whole).status == "queued":
        JobRunner(ports, find_task, worker="w").run(whole)
    return row(ports.sessions, whole)


def content(ports: Ports, job_id: str) -> dict[str, Any]:
    """All there is to say of what a job made, but where its bytes lie."""
    with ports.sessions() as session:
        dataset = reading.open_dataset(session, ports.store, target_of(ports, job_id))
    return {
        "sha256": dataset.row.sha256,
        "counts": dataset.row.counts,
        "notes": dataset.row.notes,
        "records": [replace(r, shard=0, offset=0, size=0) for r in dataset.records],
        "images": [png for _, png in reading.iterate(ports.store, dataset, dataset.records)],
    }


@pytest.mark.parametrize("kind", [preprocess, augment])
def test_parts_make_what_one_worker_makes(
    ports: Ports,
    bench: Bench,
    raw: str,
    kind: Callable[[Ports, str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = raw if kind is preprocess else target_of(ports, _finished(ports, raw))
    whole = kind(ports, source)
    assert bench.run(whole).status == "succeeded"
    monkeypatch.setattr("shared.datasets.parts.PART_IMAGES", PART)
    divided = kind(ports, source)
    done = finish(ports, divided)
    assert done.status == "succeeded", done.error
    assert len(parts_of(ports, divided)) >= IMAGES / PART
    assert content(ports, divided) == content(ports, whole)
    with ports.sessions() as session:
        shards = catalog.shards(session, target_of(ports, divided))
    assert all(shard.images <= PART for shard in shards)


def _finished(ports: Ports, raw: str) -> str:
    job_id = preprocess(ports, raw)
    JobRunner(ports, find_task, worker="w").run(job_id)
    return job_id


@pytest.mark.usefixtures("parts")
def test_a_part_that_is_killed_repeats_itself_alone(ports: Ports, raw: str) -> None:
    expected = preprocess(ports, raw)
    assert finish(ports, expected).status == "succeeded"
    whole = content(ports, expected)

    @hypothesis_settings(max_examples=6)
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=5))
    def same(deaths: list[tuple[int, int]]) -> None:
        job_id = preprocess(ports, raw)
        JobRunner(ports, find_task, worker="w").run(job_id)
        made = parts_of(ports, job_id)
        for part, calls in deaths:
            run_for(ports, made[part].id, calls)
        assert finish(ports, job_id).status == "succeeded"
        assert content(ports, job_id) == whole

    same()


@pytest.mark.usefixtures("parts")
def test_a_job_shows_how_far_its_parts_are(bench: Bench, raw: str) -> None:
    job_id = bench.post("/preprocess", {"dataset": raw, "size": 32})
    assert bench.run(job_id).status == "queued"
    first, *_ = parts_of(bench.ports, job_id)
    assert bench.run(first.id).status == "succeeded"
    shown = bench.client.get(f"/jobs/{job_id}").json()
    assert shown["progress"]["done"] == PART
    assert shown["progress"]["total"] == IMAGES
    assert len(shown["parents"]) == 4
    assert first.created_at < row(bench.ports.sessions, job_id).created_at, "parents are older"


@pytest.mark.usefixtures("parts")
def test_cancelling_ends_the_parts_and_retrying_goes_on_with_what_is_left(
    bench: Bench, raw: str
) -> None:
    job_id = bench.post("/preprocess", {"dataset": raw, "size": 32})
    bench.run(job_id)
    first, *others = parts_of(bench.ports, job_id)
    bench.run(first.id)
    assert bench.client.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert {row(bench.ports.sessions, part.id).status for part in others} == {"cancelled"}
    assert bench.client.post(f"/jobs/{job_id}/retry").json()["status"] == "queued"
    for part in others:
        assert bench.run(part.id).status == "succeeded"
    assert bench.run(job_id).status == "succeeded"
    assert row(bench.ports.sessions, first.id).attempts == 1


@pytest.mark.usefixtures("parts")
def test_a_cancelled_job_that_is_asked_for_again_keeps_what_was_made(
    bench: Bench, raw: str
) -> None:
    job_id = bench.post("/preprocess", {"dataset": raw, "size": 32})
    bench.run(job_id)
    bench.run(parts_of(bench.ports, job_id)[0].id)
    bench.client.post(f"/jobs/{job_id}/cancel")
    again = bench.post("/preprocess", {"dataset": raw, "size": 32})
    assert again != job_id
    bench.run(again)
    assert len(parts_of(bench.ports, again)) == 3
    assert finish(bench.ports, again).status == "succeeded"


@pytest.mark.usefixtures("parts")
def test_a_part_that_fails_fails_the_job_with_its_reason(
    bench: Bench, raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = bench.post("/preprocess", {"dataset": raw, "size": 32})
    bench.run(job_id)
    monkeypatch.setattr("services.preprocessing.planning.encode_image", lambda _: 1 / 0)
    part = parts_of(bench.ports, job_id)[1]
    assert bench.run(part.id).status == "failed"
    ended = row(bench.ports.sessions, job_id)
    assert ended.status == "failed"
    assert ended.error is not None
    assert part.id in ended.error["detail"]


@pytest.mark.usefixtures("parts")
def test_what_parts_still_need_is_not_deleted(bench: Bench, raw: str) -> None:
    job_id = bench.post("/preprocess", {"dataset": raw, "size": 32})
    bench.run(job_id)
    made, *others = parts_of(bench.ports, job_id)
    bench.run(made.id)
    answer = bench.client.delete(f"/datasets/{raw}")
    assert answer.status_code == 409
    assert all(part.id in answer.json()["detail"] for part in others)
    assert made.id not in answer.json()["detail"], "what has ended needs nothing"


@pytest.mark.usefixtures("parts")
def test_a_withdrawal_ends_the_parts_and_removes_what_they_made(bench: Bench) -> None:
    raw = bench.made(bench.upload(archive(slices(patients=24)), "deeplesion"))
    job_id = bench.post("/preprocess", {"dataset": raw, "size": 32})
    bench.run(job_id)
    made, *others = parts_of(bench.ports, job_id)
    bench.run(made.id)
    answer = bench.client.post("/withdrawals", json={"patient": "0", "dry_run": False})
    assert answer.status_code in (200, 201), answer.text
    ends = {row(bench.ports.sessions, each).status for each in (job_id, *(p.id for p in others))}
    assert ends == {"cancelled"}
    target = target_of(bench.ports, job_id)
    with bench.ports.sessions() as session:
        assert not catalog.shards(session, target)
    assert not list(bench.ports.store.list(f"datasets/{target}/"))
