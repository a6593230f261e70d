"""What a graph of jobs would cost."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from lesiongan.contracts.jobs import Estimate
from shared.db.engine import Sessions
from shared.db.tables import JobRow
from shared.jobs import estimates, ledger
from shared.jobs.claims import Claim
from shared.jobs.dividing import PartOfJob, divide
from shared.jobs.submit import NewJob
from tests.integration.shared.builders import (
    claimed,
    committed,
    done_before,
    new_job,
    row,
    running,
)
from tests.integration.shared.graph_builders import job_ids, part


def test_the_estimate_adds_up_what_there_is_to_do(sessions: Sessions) -> None:
    for kind, seconds in {"draw": 10.0, "train": 200.0}.items():
        _ended(sessions, seconds, kind=kind, total=10)
    drawn = part("a", kind="draw", total=4, unit="image")
    before = done_before({})
    made = part("made", part("never"), kind="draw", total=1000, unit="image", finished=before)
    trained = [part(name, drawn, made, kind="train", total=5) for name in ("b", "c")]
    found = _estimate(sessions, part("last", *trained, kind="new", unit="job"))
    assert found.images == 4
    assert found.device_seconds == 4 * 1.0 + 2 * 5 * 20.0
    assert "no new job has ended here yet" in found.based_on
    assert found.based_on.count("earlier train job") == 1


def test_what_is_the_same_for_any_work_is_counted_once(sessions: Sessions) -> None:
    # The last 2 of 4 steps took 1 of 12 seconds: 10 are loading, warming up and publishing.
    _ended(sessions, 12.0, kind="train", total=4, mark_done=2, since_mark_seconds=1.0)
    found = _estimate(sessions, new_job(kind="train", total=40_000))
    assert found.device_seconds == 10.0 + 40_000 * 0.5


def test_the_pace_is_measured_from_the_last_report_of_at_most_half(sessions: Sessions) -> None:
    claim = running(sessions, kind="train", total=10)
    marks = []
    for done in (0, 3, 5, 6, 10):
        told = partial(ledger.report, claim=claim, done=done, total=10, unit="step")
        committed(sessions, partial(told, eta_seconds=None))
        marks.append(row(sessions, claim.job_id).mark_done)
    assert marks == [0, 3, 5, 5, 5]
    found = row(sessions, claim.job_id)
    assert found.mark_at is not None
    assert found.reported_at is not None
    assert found.mark_at < found.reported_at


def test_a_job_of_one_report_says_nothing_of_its_pace(sessions: Sessions) -> None:
    claim = running(sessions, kind="train", total=10)
    told = partial(ledger.report, claim=claim, done=10, total=10, unit="step", eta_seconds=None)
    committed(sessions, told)
    _succeed(sessions, claim, 5.0)
    # Between as long as the ten took and twice as long.
    assert _estimate(sessions, new_job(kind="train", total=20)).device_seconds == 7.071


def test_work_that_only_its_size_tells_of(sessions: Sessions) -> None:
    _ended(sessions, 30.0, kind="ingest", work=1000.0, unit="image", done=50)
    found = _estimate(sessions, new_job(kind="ingest", work=4000.0, unit="image"))
    assert (found.images, found.device_seconds) == (200, 120.0)


def test_jobs_of_alike_input_are_asked_first(sessions: Sessions) -> None:
    for network, seconds in {"small": 1.0, "large": 100.0}.items():
        _ended(sessions, seconds, kind="train", total=10, input={"network": network, "seed": 1})
    asked = partial(new_job, kind="train", total=10, input={"seed": 2})
    assert _estimate(sessions, asked(like={"network": "small"})).device_seconds == 1.0
    assert _estimate(sessions, asked(like={"network": "large"})).device_seconds == 100.0
    assert _estimate(sessions, asked(like={"network": "new"})).device_seconds == 1.0


def test_the_nearest_work_counts(sessions: Sessions) -> None:
    for seconds, total in [(1.0, 1), (2.0, 2), *[(500.0, 100 + each) for each in range(5)]]:
        _ended(sessions, seconds, kind="train", total=total)
    assert _estimate(sessions, new_job(kind="train", total=102)).device_seconds == 500.0


def test_the_seconds_of_parts_are_the_job_s(sessions: Sessions) -> None:
    whole = running(sessions, kind="draw", target="whole", total=10)
    parts = [PartOfJob(name, {}, images=5) for name in ("1", "2")]
    committed(sessions, partial(divide, claim=whole, parts=parts))
    for target, seconds in [("whole/1", 3.0), ("whole/2", 4.0), ("whole", 1.0)]:
        claim = claimed(sessions, job_ids(sessions)[target])
        assert claim is not None
        _succeed(sessions, claim, seconds)
    assert _estimate(sessions, new_job(kind="draw", total=20)).device_seconds == 2 * 8.0


@pytest.mark.parametrize("total", [0, 1, 10**12])
def test_any_amount_has_an_estimate(sessions: Sessions, total: int) -> None:
    _ended(sessions, 1.0, kind="train", total=0)
    assert _estimate(sessions, new_job(kind="train", total=total)).device_seconds >= 1.0


def _estimate(sessions: Sessions, new: NewJob) -> Estimate:
    with sessions() as session:
        return estimates.estimate(session, new)


def _ended(
    sessions: Sessions,
    seconds: float,
    *,
    mark_done: int = 0,
    since_mark_seconds: float | None = None,
    done: int = 0,
    **members: Any,
) -> None:
    """A job that took ``seconds``, of them ``since_mark_seconds`` (or all) after ``mark_done``."""
    claim = running(sessions, **members)
    now = func.statement_timestamp()
    since = seconds if since_mark_seconds is None else since_mark_seconds
    marked = {"mark_at": now - timedelta(seconds=since), "mark_done": mark_done}
    _update(sessions, claim, done=done, reported_at=now, **marked)
    _succeed(sessions, claim, seconds)


def _succeed(sessions: Sessions, claim: Claim, seconds: float) -> None:
    committed(sessions, partial(ledger.succeed, claim=claim, output={}))
    _update(sessions, claim, device_seconds=seconds)


def _update(sessions: Sessions, claim: Claim, **columns: Any) -> None:
    query = update(JobRow).where(JobRow.id == claim.job_id).values(**columns)
    committed(sessions, partial(Session.execute, statement=query))
