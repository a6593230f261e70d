"""Jobs that wait for jobs."""

import threading
from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError

from shared.db.engine import Sessions
from shared.errors import BadInput
from shared.jobs import ledger, sweep
from shared.jobs.submit import submit
from shared.queue.celery import CeleryDoorbell
from tests.integration.shared.builders import (
    claimed,
    committed,
    new_job,
    queued,
    row,
    running,
    silence,
    submitted,
)


def test_a_dependent_runs_after_its_last_parent(sessions: Sessions, bell: CeleryDoorbell) -> None:
    first, second = running(sessions), running(sessions)
    child = queued(sessions, parents=[first.job_id, second.job_id])
    for parent in (first, second):
        assert claimed(sessions, child) is None
        committed(sessions, partial(ledger.succeed, claim=parent, output={}))
        with sessions() as session:
            rung = sweep.ring_dependents(session, bell, parent.job_id)
        assert [dependent.id for dependent in rung] == [child]
    assert bell.depth("default") == 2
    assert claimed(sessions, child) is not None


def test_a_parent_that_fails_fails_all_that_waits_for_it(sessions: Sessions) -> None:
    parent = running(sessions)
    child = queued(sessions, parents=[parent.job_id])
    grandchild = queued(sessions, parents=[child])
    committed(sessions, lambda session: ledger.fail(session, parent, BadInput("row 3 is odd")))
    for job_id in (child, grandchild):
        found = row(sessions, job_id)
        assert found.status == "failed"
        assert found.error is not None
        assert "row 3 is odd" in found.error["detail"]
        assert found.finished_at is not None


def test_cancelling_a_parent_cancels_all_that_waits_for_it(sessions: Sessions) -> None:
    parent = queued(sessions)
    child = queued(sessions, parents=[parent])
    grandchild = queued(sessions, parents=[child])
    committed(sessions, lambda session: ledger.cancel(session, parent))
    assert row(sessions, child).status == row(sessions, grandchild).status == "cancelled"


def test_a_job_may_wait_for_a_parent_and_for_what_waits_for_it(sessions: Sessions) -> None:
    parent = running(sessions)
    child = queued(sessions, parents=[parent.job_id])
    both = [queued(sessions, parents=[parent.job_id, child]) for _ in range(4)]
    committed(sessions, lambda session: ledger.fail(session, parent, BadInput("no")))
    assert row(sessions, child).status == "failed"
    assert {row(sessions, job_id).status for job_id in both} == {"failed"}


def test_giving_up_on_a_parent_fails_its_dependents(sessions: Sessions) -> None:
    parent = queued(sessions)
    child = queued(sessions, parents=[parent])
    for _ in range(ledger.MAX_STALLS):
        assert claimed(sessions, parent) is not None
        silence(sessions, parent)
        committed(sessions, sweep.requeue_expired)
    assert row(sessions, child).status == "failed"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_job_submitted_after_its_parent_ended_ends_with_it(sessions: Sessions, end: str) -> None:
    parent = running(sessions)
    if end == "failed":
        committed(sessions, lambda session: ledger.fail(session, parent, BadInput("no")))
    else:
        committed(sessions, lambda session: ledger.cancelled(session, parent))
    done = submitted(sessions, parents=[parent.job_id])
    assert done.job.status == end
    assert row(sessions, done.job.id).status == end


def test_a_parent_cannot_fail_unseen_while_a_dependent_is_submitted(sessions: Sessions) -> None:
    parent = running(sessions)

    def fail() -> None:
        committed(sessions, lambda session: ledger.fail(session, parent, BadInput("no")))

    failing = threading.Thread(target=fail)
    with sessions() as session:
        child = submit(session, lambda _: new_job(parents=[parent.job_id]), key_id="k").job.id
        failing.start()
        failing.join(timeout=0.3)
        assert failing.is_alive(), "the parent's end waits for the submission"
        session.commit()
    failing.join()
    assert row(sessions, child).status == "failed"


def test_a_parent_that_is_not_there_is_refused(sessions: Sessions) -> None:
    with pytest.raises(IntegrityError):
        queued(sessions, parents=["job_none"])
