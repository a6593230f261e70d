"""One row, written once, whatever is sent twice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import IdempotencyRow, JobRow, KeyRow
from shared.errors import BadInput, NotFound
from shared.jobs import ledger
from shared.jobs.submit import Idempotency, NewJob, Output, Submitted, submit
from tests.integration.shared.builders import (
    committed,
    done_before,
    new_job,
    queued,
    row,
    running,
    submitted,
)

ONCE = Idempotency("once", "f" * 64)


def jobs(sessions: Sessions) -> int:
    with sessions() as session:
        return int(session.scalars(select(func.count()).select_from(JobRow)).one())


def at_once(count: int, call: Callable[[int], Submitted]) -> list[Submitted]:
    gate = threading.Barrier(count)

    def run(number: int) -> Submitted:
        gate.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_submission_is_a_queued_row(sessions: Sessions) -> None:
    done = submitted(sessions, input={"n": 7}, total=5, unit="image")
    assert done.made
    assert not done.replayed
    found = row(sessions, done.job.id)
    assert (found.status, found.input, found.total, found.unit) == ("queued", {"n": 7}, 5, "image")
    assert found.key_id == "key"


def test_the_same_key_and_request_answers_with_the_same_job(sessions: Sessions) -> None:
    first = submitted(sessions, idempotency=ONCE)
    again = submitted(sessions, idempotency=ONCE)
    assert again.job.id == first.job.id
    assert (again.made, again.replayed) == (False, True)
    assert jobs(sessions) == 1


def test_the_key_outlives_its_job(sessions: Sessions) -> None:
    first = submitted(sessions, idempotency=ONCE)
    committed(sessions, lambda session: ledger.cancel(session, first.job.id))
    again = submitted(sessions, idempotency=ONCE)
    assert (again.job.id, again.job.status) == (first.job.id, "cancelled")


def test_the_same_key_for_another_request_is_refused(sessions: Sessions) -> None:
    submitted(sessions, idempotency=ONCE)
    with pytest.raises(BadInput, match="Idempotency-Key"):
        submitted(sessions, idempotency=Idempotency(ONCE.key, "e" * 64))
    assert jobs(sessions) == 1


def test_two_callers_may_choose_the_same_key(sessions: Sessions) -> None:
    ids = {submitted(sessions, key_id=key, idempotency=ONCE).job.id for key in ("a", "b")}
    assert len(ids) == 2


def test_a_submission_that_fails_does_not_use_up_its_key(sessions: Sessions) -> None:
    def refuse(_session: Session, _job: JobRow) -> None:
        raise NotFound("no")

    with pytest.raises(NotFound):
        submitted(sessions, idempotency=ONCE, also=refuse)
    assert submitted(sessions, idempotency=ONCE).made
    assert jobs(sessions) == 1


def test_one_key_sent_by_many_at_once_makes_one_job(sessions: Sessions) -> None:
    done = at_once(6, lambda _: submitted(sessions, idempotency=ONCE, target="ds_1"))
    assert len({one.job.id for one in done}) == 1
    assert sorted(one.made for one in done) == [False] * 5 + [True]
    assert jobs(sessions) == 1


def test_one_target_asked_for_by_many_at_once_makes_one_job(sessions: Sessions) -> None:
    keys = [Idempotency(f"key {number % 3}", "f" * 64) for number in range(6)]
    done = at_once(6, lambda n: submitted(sessions, idempotency=keys[n], target="ds_1"))
    assert len({one.job.id for one in done}) == 1
    assert sum(one.made for one in done) == 1
    with sessions() as session:
        pointed = set(session.scalars(select(IdempotencyRow.job_id)))
    assert pointed == {done[0].job.id}


def test_a_target_that_is_being_made_is_adopted(sessions: Sessions) -> None:
    claim = running(sessions, target="ds_1")
    done = submitted(sessions, target="ds_1", idempotency=ONCE)
    assert (done.job.id, done.made) == (claim.job_id, False)
    assert row(sessions, claim.job_id).adopted
    assert submitted(sessions, target="ds_1", idempotency=ONCE).replayed
    assert submitted(sessions, target="ds_2").made


def test_a_job_that_is_to_stop_is_not_adopted(sessions: Sessions) -> None:
    claim = running(sessions, target="ds_1")
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    assert submitted(sessions, target="ds_1").made


def test_work_that_was_done_before_succeeds_at_once(sessions: Sessions) -> None:
    done = submitted(sessions, target="ds_1", finished=done_before({"dataset": "ds_1"}), total=3)
    found = row(sessions, done.job.id)
    assert (found.status, found.output) == ("succeeded", {"dataset": "ds_1"})
    assert (found.done, found.total, found.attempts) == (3, 3, 0)
    assert found.started_at is not None
    assert found.finished_at is not None


def test_rows_beside_the_job_are_committed_with_it(sessions: Sessions) -> None:
    def also(session: Session, job: JobRow) -> None:
        session.add(KeyRow(id=job.id, name="beside", sha256="0", scopes=[]))

    def beside() -> int:
        with sessions() as session:
            return int(session.scalars(select(func.count()).select_from(KeyRow)).one())

    made = done_before({"dataset": "ds_1"})
    submitted(sessions, also=also, target="ds_1", finished=made)
    assert beside() == 0, "nothing is to be done, so nothing is needed"
    submitted(sessions, also=also, target="ds_1")
    submitted(sessions, also=also, target="ds_1")
    assert beside() == 1, "the second request was adopted"


def test_what_ends_between_plan_and_lock_is_not_done_again(sessions: Sessions) -> None:
    claim = running(sessions, target="ds_1")

    def finished(session: Session, targets: Sequence[str]) -> dict[str, Output]:
        made = ledger.get(session, claim.job_id).status == "succeeded"
        return {each: {"dataset": "ds_1"} for each in targets} if made else {}

    def plan(session: Session) -> NewJob:
        assert ledger.get(session, claim.job_id).status == "running"
        committed(sessions, lambda other: ledger.succeed(other, claim, {"dataset": "ds_1"}))
        session.expire_all()
        return new_job(target="ds_1", finished=finished)

    with sessions() as session:
        done = submit(session, plan, key_id="key")
        session.commit()
    assert row(sessions, done.job.id).status == "succeeded"


def test_equal_requests_make_jobs_of_their_own_without_target_and_key(sessions: Sessions) -> None:
    assert queued(sessions) != queued(sessions)
