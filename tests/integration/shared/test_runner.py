"""Running one job: whatever happens, the ledger says how it ended."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir

import psycopg
import pytest
from sqlalchemy import create_engine, func, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from deploy.local.servers import Servers
from shared.db.engine import Sessions
from shared.db.tables import JobRow, KeyRow
from shared.errors import AlreadyMade, BadInput
from shared.jobs import ledger, sweep
from shared.jobs.context import JobContext, Outcome
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.port import StoreUnavailable
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports, Task
from shared.worker.runner import JobRunner
from tests.integration.shared.builders import claimed, committed, queued, row

Work = Callable[[JobContext], Outcome]
SECRET = "postgres://user:hunter2@10.0.0.1"


@pytest.fixture
def ports(settings: Settings, sessions: Sessions, store: S3Store, bell: CeleryDoorbell) -> Ports:
    return Ports(settings=settings, sessions=sessions, store=store, bell=bell)


def runner(ports: Ports, work: Work) -> JobRunner:
    def task(job: JobContext, ports: Ports) -> Outcome:
        return work(job)

    return JobRunner(ports, lambda _: task, worker="w")


def run(ports: Ports, work: Work, **members: object) -> JobRow:
    """A new job as its run leaves it."""
    job_id = queued(ports.sessions, **members)
    runner(ports, work).run(job_id)
    return row(ports.sessions, job_id)


def keys(sessions: Sessions) -> int:
    with sessions() as session:
        return int(session.scalars(select(func.count()).select_from(KeyRow)).one())


def add_key(session: Session) -> None:
    session.add(KeyRow(id="k", name="k", sha256="k", scopes=[]))


def take_over(sessions: Sessions) -> None:
    committed(sessions, lambda s: s.execute(update(JobRow).values(attempts=JobRow.attempts + 1)))


def test_success_is_committed_with_its_rows(ports: Ports) -> None:
    seen: list[str] = []

    def work(job: JobContext) -> Outcome:
        return Outcome(
            {"n": job.claim.input["n"]},
            write=add_key,
            afterwards=lambda: seen.append(row(ports.sessions, job.job_id).status),
        )

    found = run(ports, work)
    assert (found.status, found.output, found.worker) == ("succeeded", {"n": 1}, "w")
    assert keys(ports.sessions) == 1
    assert seen == ["succeeded"], "clearing away comes after the commit"


def test_rows_that_cannot_be_written_fail_the_job(ports: Ports) -> None:
    def write(session: Session) -> None:
        add_key(session)
        session.flush()
        session.execute(insert(KeyRow).values(id="k", name="", sha256="k", scopes=[]))

    found = run(ports, lambda _: Outcome({}, write=write))
    assert found.status == "failed"
    assert found.output is None
    assert keys(ports.sessions) == 0


def test_an_error_of_ours_is_the_reason(ports: Ports) -> None:
    def work(_: JobContext) -> Outcome:
        raise BadInput("row 7: the box lies outside its image")

    found = run(ports, work)
    assert found.status == "failed"
    assert found.error == {
        "type": "/errors/invalid-input",
        "title": "Invalid input",
        "detail": "row 7: the box lies outside its image",
    }


def test_an_unexpected_error_leaks_nothing(ports: Ports, caplog: pytest.LogCaptureFixture) -> None:
    def work(_: JobContext) -> Outcome:
        raise ZeroDivisionError(SECRET)

    found = run(ports, work)
    assert found.status == "failed"
    assert found.error is not None
    assert SECRET not in str(found.error)
    assert found.id in found.error["detail"]
    assert SECRET in caplog.text, "the log has the reason"


def test_an_unknown_kind_fails(ports: Ports) -> None:
    def find_task(kind: str) -> Task:
        raise KeyError(kind)

    job_id = queued(ports.sessions, kind="unheard-of")
    JobRunner(ports, find_task, worker="w").run(job_id)
    assert row(ports.sessions, job_id).status == "failed"


def full_disk() -> None:
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")


def away() -> None:
    raise StoreUnavailable("the object store does not answer")


def lost() -> None:
    raise OperationalError("SELECT secret", {}, Exception(SECRET))


@pytest.mark.parametrize(
    ("fails", "title", "said"),
    [
        (away, "Object store unavailable", "the object store does not answer"),
        (lost, "Database unavailable", "the database did not answer"),
        (full_disk, "Disk full", f"the disk of the worker is full ({gettempdir()})"),
    ],
)
def test_what_may_pass_is_tried_again_then_given_up(
    ports: Ports, fails: Callable[[], None], title: str, said: str
) -> None:
    attempts: list[int] = []

    def work(job: JobContext) -> Outcome:
        attempts.append(job.attempt)
        fails()
        raise AssertionError("unreachable")

    job_id = queued(ports.sessions)
    for attempt in range(1, ledger.MAX_STALLS + 1):
        runner(ports, work).run(job_id)
        found = row(ports.sessions, job_id)
        assert found.stalls == attempt
        if found.status == "queued":
            assert found.not_before is not None
            assert found.claimed_at is not None
            assert found.not_before - found.claimed_at > timedelta(seconds=1.5 * attempt)
            runner(ports, work).run(job_id)
            assert len(attempts) == attempt, "not before its pause is over"
            committed(ports.sessions, lambda s: s.execute(update(JobRow).values(not_before=None)))
    assert attempts == [1, 2, 3]
    assert found.status == "failed"
    assert found.error == {
        "type": "/errors/" + title.lower().replace(" ", "-"),
        "title": title,
        "detail": f"{said}; given up after 3 attempts without progress",
    }


def test_a_gpu_that_failed_ends_the_attempt_and_the_worker(ports: Ports) -> None:
    def work(_: JobContext) -> Outcome:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    failed, waits = (queued(ports.sessions) for _ in range(2))
    worker = runner(ports, work)
    worker.run(failed)
    assert worker.broken
    found = row(ports.sessions, failed)
    assert (found.status, found.stalls, found.error) == ("queued", 1, None)
    worker.run(waits)
    assert row(ports.sessions, waits).attempts == 0, "another process may do better"


def test_how_often_is_a_setting(ports: Ports) -> None:
    settings = ports.settings.model_copy(update={"max_stalls": 1})

    def work(_: JobContext) -> Outcome:
        raise StoreUnavailable("away")

    assert run(replace(ports, settings=settings), work).status == "failed"


@pytest.mark.parametrize("happened", [True, False])
def test_a_commit_without_an_answer_is_found_or_repeated(ports: Ports, *, happened: bool) -> None:
    """The connection dies with the commit: before the server has it, or before it could say so."""
    tries: list[int] = []

    class Unsure(Session):
        def commit(self) -> None:
            dying = self.info.pop("dies", False)
            if dying and not happened:
                self.rollback()
            else:
                super().commit()
            if dying:
                raise OperationalError("COMMIT", {}, Exception("the connection is lost"))

    def write(session: Session) -> None:
        add_key(session)
        session.info["dies"] = not tries
        tries.append(1)

    unsure: Sessions = sessionmaker(
        ports.sessions.kw["bind"], class_=Unsure, expire_on_commit=False
    )
    cleared: list[str] = []
    parent = queued(ports.sessions)
    queued(ports.sessions, parents=[parent])
    done = Outcome({"n": 1}, write=write, afterwards=lambda: cleared.append("once"))
    runner(replace(ports, sessions=unsure), lambda _: done).run(parent)
    found = row(ports.sessions, parent)
    assert (found.status, found.output, found.stalls) == ("succeeded", {"n": 1}, 0)
    assert keys(ports.sessions) == 1
    assert len(tries) == (1 if happened else 2)
    assert cleared == ["once"]
    assert ports.bell.depth("default") == 1, "what waited for it is rung"


def test_a_database_that_is_away_at_the_end_is_waited_for(ports: Ports, servers: Servers) -> None:
    """Postgres ends every connection while the job works, and again as its end is written."""

    def cut() -> None:
        with psycopg.connect(servers.postgres_dsn, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def write(session: Session) -> None:
        if not tries:
            tries.append(1)
            cut()
        add_key(session)

    tries: list[int] = []

    def work(_: JobContext) -> Outcome:
        cut()
        return Outcome({}, write=write)

    found = run(ports, work)
    assert (found.status, found.attempts, found.stalls) == ("succeeded", 1, 0)
    assert keys(ports.sessions) == 1


def test_an_end_that_cannot_be_written_leaves_the_job_to_the_sweeper(ports: Ports) -> None:
    """The lease is over when the worker gives up, so the job is nobody's for no time at all."""
    short = replace(ports, settings=ports.settings.model_copy(update={"lease_seconds": 1.0}))
    dead = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")

    def write(_: Session) -> None:
        with Session(dead) as session:
            session.execute(select(1))

    job_id = queued(ports.sessions)
    runner(short, lambda _: Outcome({}, write=write)).run(job_id)
    assert row(ports.sessions, job_id).status == "running"
    deadline = time.monotonic() + 10
    while committed(ports.sessions, sweep.requeue_expired) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert row(ports.sessions, job_id).status == "queued"


def test_a_store_that_is_away_while_clearing_up_does_not_undo_success(ports: Ports) -> None:
    def afterwards() -> None:
        raise StoreUnavailable("away")

    assert run(ports, lambda _: Outcome({}, afterwards=afterwards)).status == "succeeded"


def test_what_another_job_has_made_meanwhile_is_a_success(ports: Ports) -> None:
    made = {"dataset": "ds_1", "images": 3}

    def work(_: JobContext) -> Outcome:
        raise AlreadyMade("ds_1 is there", made)

    parent = queued(ports.sessions)
    child = queued(ports.sessions, parents=[parent])
    runner(ports, work).run(parent)
    found = row(ports.sessions, parent)
    assert (found.status, found.output, found.error) == ("succeeded", made, None)
    assert ports.bell.depth("default") == 1
    assert claimed(ports.sessions, child) is not None


def test_what_another_job_has_made_does_not_undo_a_cancel(ports: Ports) -> None:
    def work(job: JobContext) -> Outcome:
        committed(ports.sessions, lambda session: ledger.cancel(session, job.job_id))
        raise AlreadyMade("ds_1 is there", {"dataset": "ds_1"})

    found = run(ports, work)
    assert (found.status, found.output) == ("cancelled", None)


def test_draining_hands_the_job_back_and_rings(ports: Ports) -> None:
    job_id = queued(ports.sessions)
    runners: list[JobRunner] = []

    def work(job: JobContext) -> Outcome:
        runners[0].drain()
        job.check()
        raise AssertionError("unreachable")

    runners.append(runner(ports, work))
    runners[0].run(job_id)
    found = row(ports.sessions, job_id)
    assert (found.status, found.stalls) == ("queued", 0)
    assert ports.bell.depth("default") == 1
    runners[0].run(job_id)
    assert row(ports.sessions, job_id).attempts == 1, "a draining worker takes no other job"


def test_cancel_stops_the_work_within_two_seconds(ports: Ports) -> None:
    def work(job: JobContext) -> Outcome:
        committed(ports.sessions, lambda session: ledger.cancel(session, job.job_id))
        assert job._flags.cancel.wait(2)
        job.progress(1, 2, "step")
        raise AssertionError("unreachable")

    found = run(ports, work)
    assert found.status == "cancelled"
    assert found.error is None


def test_a_job_that_was_asked_to_stop_never_succeeds(ports: Ports) -> None:
    def work(job: JobContext) -> Outcome:
        committed(ports.sessions, lambda session: ledger.cancel(session, job.job_id))
        return Outcome({}, write=add_key)

    assert run(ports, work).status == "cancelled"
    assert keys(ports.sessions) == 0


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_worker_that_lost_its_lease_writes_nothing(ports: Ports, *, ends_well: bool) -> None:
    def work(_: JobContext) -> Outcome:
        take_over(ports.sessions)
        if not ends_well:
            raise BadInput("stale")
        return Outcome({"stale": True}, write=add_key)

    found = run(ports, work)
    assert (found.status, found.output, found.error, found.attempts) == ("running", None, None, 2)
    assert keys(ports.sessions) == 0


def test_a_second_doorbell_finds_nothing_to_do(ports: Ports) -> None:
    calls: list[int] = []

    def work(job: JobContext) -> Outcome:
        calls.append(job.attempt)
        again.run(job.job_id)
        return Outcome({})

    again = runner(ports, work)
    found = run(ports, work)
    again.run(found.id)
    assert calls == [1]


def test_success_rings_for_what_waited(ports: Ports) -> None:
    parent = queued(ports.sessions)
    child = queued(ports.sessions, parents=[parent])
    runner(ports, lambda _: Outcome({})).run(parent)
    assert ports.bell.depth("default") == 1
    assert claimed(ports.sessions, child) is not None


def test_a_long_job_outlives_its_lease(ports: Ports) -> None:
    short = ports.settings.model_copy(update={"lease_seconds": 0.5})
    hurried = Ports(settings=short, sessions=ports.sessions, store=ports.store, bell=ports.bell)

    def work(job: JobContext) -> Outcome:
        for _ in range(8):
            assert not job._flags.lost.wait(0.15)
            assert committed(ports.sessions, sweep.requeue_expired) == 0
            job.check()
        return Outcome({})

    assert run(hurried, work).attempts == 1
