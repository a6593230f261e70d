"""What a handler sees of its job."""

from typing import Any

import pytest
from sqlalchemy import select, update

from shared.db.engine import Sessions
from shared.db.tables import JobEventRow, JobRow, KeyRow
from shared.jobs import ledger
from shared.jobs.claims import LeaseLost
from shared.jobs.context import Cancelled, HandedBack, JobContext, StopFlags
from tests.integration.shared.builders import committed, row, running


@pytest.fixture
def flags() -> StopFlags:
    return StopFlags()


@pytest.fixture
def job(sessions: Sessions, flags: StopFlags) -> JobContext:
    return JobContext(running(sessions), sessions, flags)


def take_over(sessions: Sessions) -> None:
    committed(
        sessions, lambda s: s.execute(update(JobRow).values(attempts=JobRow.attempts + 1, stalls=2))
    )


def test_progress_is_written_at_first_at_last_and_not_too_often(
    job: JobContext, sessions: Sessions
) -> None:
    written: list[int] = []
    for done in range(101):
        job.progress(done, 100, "image")
        found = row(sessions, job.job_id).done
        if not written or written[-1] != found:
            written.append(found)
    assert written[0] == 0
    assert written[-1] == 100
    assert len(written) < 50
    assert row(sessions, job.job_id).unit == "image"


def test_what_is_done_at_once_is_reported_by_its_end(job: JobContext, sessions: Sessions) -> None:
    job.progress(1, 1, "image")
    assert row(sessions, job.job_id).reported_at is None


@pytest.mark.parametrize(("took", "pause"), [(0.001, 0.25), (0.02, 1.0), (3.0, 2.0)])
def test_slow_reports_are_rarer_but_not_too_rare(
    job: JobContext,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    took: float,
    pause: float,
) -> None:
    now = 1000.0
    monkeypatch.setattr("shared.jobs.context.time.monotonic", lambda: now)
    write = ledger.report

    def slow(*args: Any, **kwargs: Any) -> None:
        nonlocal now
        now += took
        write(*args, **kwargs)

    monkeypatch.setattr("shared.jobs.context.ledger.report", slow)
    job.progress(1, 100, "image")
    now = 1000.0 + took + pause - 0.01
    job.progress(2, 100, "image")
    assert row(sessions, job.job_id).done == 1
    now = 1000.0 + took + pause + 0.01
    job.progress(3, 100, "image")
    assert row(sessions, job.job_id).done == 3


def test_the_estimate_of_the_rest_follows_the_rate(
    job: JobContext, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("shared.jobs.context.time.monotonic", lambda: now)
    job.progress(10, 110, "step")
    assert row(sessions, job.job_id).eta_seconds is None
    now += 5.0
    job.progress(60, 110, "step")
    assert row(sessions, job.job_id).eta_seconds == 5.0
    now += 5.0
    job.progress(110, 110, "step")
    assert row(sessions, job.job_id).eta_seconds == 0.0


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        ({"drain"}, HandedBack),
        ({"drain", "cancel"}, Cancelled),
        ({"drain", "cancel", "lost"}, LeaseLost),
    ],
)
def test_work_stops_between_steps_for_the_gravest_reason(
    job: JobContext, flags: StopFlags, raised: set[str], expected: type[Exception]
) -> None:
    job.check()
    assert not job.should_stop()
    for name in raised:
        getattr(flags, name).set()
    assert job.should_stop()
    with pytest.raises(expected):
        job.progress(1, 2, "step")


def test_a_fenced_transaction_commits_with_its_owner_only(
    job: JobContext, sessions: Sessions
) -> None:
    def mark(name: str) -> None:
        with job.fenced() as session:
            session.add(KeyRow(id=name, name=name, sha256=name, scopes=[]))

    mark("mine")
    take_over(sessions)
    with pytest.raises(LeaseLost):
        mark("stale")
    with sessions() as session:
        assert list(session.scalars(select(KeyRow.id))) == ["mine"]


def test_a_fenced_transaction_that_raises_writes_nothing(
    job: JobContext, sessions: Sessions
) -> None:
    def broken() -> None:
        with job.fenced(milestone=True) as session:
            session.add(KeyRow(id="k", name="k", sha256="k", scopes=[]))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    with sessions() as session:
        assert session.scalars(select(KeyRow)).all() == []


@pytest.mark.parametrize(("milestone", "stalls"), [(True, 0), (False, 2)])
def test_only_a_milestone_forgives_earlier_deaths(
    job: JobContext, sessions: Sessions, *, milestone: bool, stalls: int
) -> None:
    committed(sessions, lambda session: session.execute(update(JobRow).values(stalls=2)))
    with job.fenced(milestone=milestone):
        pass
    assert row(sessions, job.job_id).stalls == stalls


def test_a_stale_milestone_forgives_nothing(job: JobContext, sessions: Sessions) -> None:
    take_over(sessions)
    with pytest.raises(LeaseLost), job.fenced(milestone=True):
        pass
    assert row(sessions, job.job_id).stalls == 2


def test_events_are_kept_in_order_and_fenced(job: JobContext, sessions: Sessions) -> None:
    for step in range(3):
        job.event("metric", {"step": step})
    take_over(sessions)
    with pytest.raises(LeaseLost):
        job.event("metric", {"step": 3})
    with sessions() as session:
        events = session.scalars(select(JobEventRow).order_by(JobEventRow.id)).all()
    assert [event.data["step"] for event in events] == [0, 1, 2]


def test_reading_commits_nothing(job: JobContext, sessions: Sessions) -> None:
    with job.reading() as session:
        session.add(KeyRow(id="k", name="k", sha256="k", scopes=[]))
        session.flush()
    with sessions() as session:
        assert session.scalars(select(KeyRow)).all() == []
