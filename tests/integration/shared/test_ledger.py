"""Claims, leases, fencing and ends, on the real database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import JobEventRow, JobRow
from shared.errors import BadInput, Conflict, NotFound
from shared.jobs import claims, ledger, sweep
from shared.jobs.claims import Claim, LeaseLost
from shared.jobs.ledger import MAX_STALLS
from shared.jobs.states import TRANSITIONS, Event, State
from tests.integration.shared.builders import (
    LEASE,
    claimed,
    committed,
    queued,
    row,
    running,
    silence,
)

Write = Callable[[Session, Claim], Any]

OWNERS_WRITES: dict[str, Write] = {
    "hold": claims.hold,
    "renew": lambda session, claim: claims.renew(session, claim, lease=LEASE),
    "report": lambda session, claim: ledger.report(
        session, claim, done=1, total=2, unit="image", eta_seconds=None
    ),
    "succeed": lambda session, claim: ledger.succeed(session, claim, {"stale": True}),
    "fail": lambda session, claim: ledger.fail(session, claim, BadInput("stale")),
    "cancelled": ledger.cancelled,
    "hand_back": ledger.hand_back,
}


def test_of_two_threads_that_claim_at_once_exactly_one_wins(sessions: Sessions) -> None:
    for _ in range(10):
        job_id = queued(sessions)
        gate = threading.Barrier(2)

        def claim(worker: str, job_id: str = job_id, gate: threading.Barrier = gate) -> bool:
            gate.wait()
            return claimed(sessions, job_id, worker=worker) is not None

        with ThreadPoolExecutor(2) as pool:
            won = list(pool.map(claim, ["a", "b"]))
        assert sorted(won) == [False, True]
        assert row(sessions, job_id).attempts == 1
        assert row(sessions, job_id).worker == "ab"[won.index(True)]


def test_a_running_job_is_not_there_to_be_taken(sessions: Sessions) -> None:
    claim = running(sessions)
    assert claimed(sessions, claim.job_id) is None
    assert row(sessions, claim.job_id).attempts == 1


def test_a_job_that_is_not_there_is_not_found(sessions: Sessions) -> None:
    assert claimed(sessions, "job_none") is None
    for ask in (ledger.get, ledger.cancel, ledger.retry):
        with sessions() as session, pytest.raises(NotFound):
            ask(session, "job_none")


def test_a_lease_lasts_as_long_as_it_is_renewed(sessions: Sessions) -> None:
    claim = running(sessions)
    assert committed(sessions, sweep.requeue_expired) == 0
    silence(sessions, claim.job_id)
    assert committed(sessions, lambda s: claims.renew(s, claim, lease=LEASE)) is False
    assert committed(sessions, sweep.requeue_expired) == 0
    silence(sessions, claim.job_id)
    assert committed(sessions, sweep.requeue_expired) == 1
    found = row(sessions, claim.job_id)
    assert (found.status, found.worker, found.lease_expires_at) == ("queued", None, None)


@pytest.mark.parametrize("name", list(OWNERS_WRITES))
@pytest.mark.parametrize("taken_over", [False, True])
def test_a_worker_that_wakes_after_its_lease_writes_nothing(
    sessions: Sessions, name: str, *, taken_over: bool
) -> None:
    stale = running(sessions)
    silence(sessions, stale.job_id)
    committed(sessions, sweep.requeue_expired)
    owner = claimed(sessions, stale.job_id, worker="other") if taken_over else None
    before = row(sessions, stale.job_id)
    with sessions() as session, pytest.raises(LeaseLost):
        OWNERS_WRITES[name](session, stale)
    after = row(sessions, stale.job_id)
    assert (after.status, after.attempts, after.worker) == (
        ("running", 2, "other") if taken_over else ("queued", 1, None)
    )
    assert (after.output, after.error, after.done) == (before.output, before.error, before.done)
    if owner is not None:
        committed(sessions, lambda session: claims.hold(session, owner))


def test_a_job_is_given_up_after_three_silent_workers(sessions: Sessions) -> None:
    job_id = queued(sessions)
    for death in range(1, MAX_STALLS + 1):
        assert claimed(sessions, job_id) is not None, death
        silence(sessions, job_id)
        committed(sessions, sweep.requeue_expired)
        assert row(sessions, job_id).stalls == death
    found = row(sessions, job_id)
    assert found.status == "failed"
    assert found.error is not None
    assert "3 attempts without progress" in found.error["detail"]


def test_a_stalled_attempt_waits_out_its_backoff(sessions: Sessions) -> None:
    claim = running(sessions)

    def stall(session: Session) -> None:
        ledger.stall(
            session, claims.hold(session, claim), BadInput("no"), backoff=timedelta(minutes=1)
        )

    committed(sessions, stall)
    assert row(sessions, claim.job_id).status == "queued"
    assert claimed(sessions, claim.job_id) is None
    query = update(JobRow).values(not_before=JobRow.created_at)
    committed(sessions, lambda session: session.execute(query))
    assert claimed(sessions, claim.job_id) is not None


def test_a_stall_of_a_job_that_is_to_be_cancelled_ends_it(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    silence(sessions, claim.job_id)
    committed(sessions, sweep.requeue_expired)
    assert row(sessions, claim.job_id).status == "cancelled"


def test_a_queued_job_is_cancelled_at_once(sessions: Sessions) -> None:
    job_id = queued(sessions)
    committed(sessions, lambda session: ledger.cancel(session, job_id))
    found = row(sessions, job_id)
    assert found.status == "cancelled"
    assert found.finished_at is not None
    assert claimed(sessions, job_id) is None


def test_a_running_job_is_asked_to_stop(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    assert row(sessions, claim.job_id).status == "running"
    assert committed(sessions, lambda s: claims.renew(s, claim, lease=LEASE)) is True
    committed(sessions, lambda session: ledger.cancelled(session, claim))
    assert row(sessions, claim.job_id).status == "cancelled"


def test_a_job_that_is_to_be_cancelled_is_not_handed_back(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    committed(sessions, lambda session: ledger.hand_back(session, claim))
    assert row(sessions, claim.job_id).status == "cancelled"


def test_cancelling_an_ended_job_changes_nothing(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.succeed(session, claim, {"n": 1}))
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    found = row(sessions, claim.job_id)
    assert (found.status, found.output, found.cancel_requested) == ("succeeded", {"n": 1}, False)


def test_handing_back_is_no_failure(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.hand_back(session, claim))
    found = row(sessions, claim.job_id)
    assert (found.status, found.stalls, found.worker) == ("queued", 0, None)
    again = claimed(sessions, claim.job_id)
    assert again is not None
    assert again.attempt == 2


def test_retry_starts_a_failed_job_anew(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.fail(session, claim, BadInput("no")))
    committed(sessions, lambda session: ledger.retry(session, claim.job_id))
    found = row(sessions, claim.job_id)
    assert (found.status, found.error, found.finished_at, found.stalls) == ("queued", None, None, 0)
    again = claimed(sessions, claim.job_id)
    assert again is not None
    assert again.attempt == 2
    with sessions() as session, pytest.raises(LeaseLost):
        ledger.succeed(session, claim, {})


def test_retry_of_a_cancelled_job_forgets_the_cancel(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    committed(sessions, lambda session: ledger.cancelled(session, claim))
    committed(sessions, lambda session: ledger.retry(session, claim.job_id))
    again = claimed(sessions, claim.job_id)
    assert again is not None
    assert committed(sessions, lambda s: claims.renew(s, again, lease=LEASE)) is False


def test_retry_waits_for_whoever_makes_the_same_now(sessions: Sessions) -> None:
    first = running(sessions, target="ds_1")
    committed(sessions, lambda session: ledger.fail(session, first, BadInput("no")))
    second = queued(sessions, target="ds_1")
    with sessions() as session, pytest.raises(Conflict, match=second):
        ledger.retry(session, first.job_id)


def test_two_jobs_for_one_target_never_run_at_once(sessions: Sessions) -> None:
    first = running(sessions, target="ds_1")
    committed(sessions, lambda session: ledger.cancel(session, first.job_id))
    second = queued(sessions, target="ds_1")
    assert second != first.job_id
    assert claimed(sessions, second) is None
    committed(sessions, lambda session: ledger.cancelled(session, first))
    assert claimed(sessions, second) is not None


def test_the_reason_of_a_failure_may_quote_what_postgres_cannot_hold(sessions: Sessions) -> None:
    claim = running(sessions)
    error = BadInput("row 3: category 'li\x00ver\ud800' is not known")
    committed(sessions, lambda session: ledger.fail(session, claim, error))
    found = row(sessions, claim.job_id).error
    assert found is not None
    assert found["detail"] == "row 3: category 'li\ufffdver?' is not known"


def test_device_seconds_add_up_over_attempts(sessions: Sessions) -> None:
    claim = running(sessions)
    hour_ago = text("UPDATE jobs SET claimed_at = claimed_at - interval '1 hour'")
    committed(sessions, lambda session: session.execute(hour_ago))
    committed(sessions, lambda session: ledger.hand_back(session, claim))
    assert row(sessions, claim.job_id).device_seconds == pytest.approx(3600, abs=5)
    again = claimed(sessions, claim.job_id)
    assert again is not None
    committed(sessions, lambda session: ledger.succeed(session, again, {}))
    assert row(sessions, claim.job_id).device_seconds == pytest.approx(3600, abs=5)


def test_success_completes_the_progress(sessions: Sessions) -> None:
    claim = running(sessions, total=10)
    committed(sessions, lambda session: ledger.succeed(session, claim, {"n": 1}))
    found = row(sessions, claim.job_id)
    assert (found.done, found.total, found.output) == (10, 10, {"n": 1})
    assert found.finished_at is not None


def test_a_stall_is_told_to_those_who_listen(sessions: Sessions) -> None:
    claim = running(sessions)
    silence(sessions, claim.job_id)
    committed(sessions, sweep.requeue_expired)
    with sessions() as session:
        event = session.query(JobEventRow).one()
    assert (event.job_id, event.event) == (claim.job_id, "log")
    assert "silent" in event.data["message"]


# Every state and every event of the table, through the functions that make them happen.
def put_into(sessions: Sessions, state: State) -> tuple[str, Claim]:
    """A job in a state, and the last claim on it."""
    claim = running(sessions)
    ends: dict[State, Write] = {
        State.SUCCEEDED: lambda session, claim: ledger.succeed(session, claim, {}),
        State.FAILED: lambda session, claim: ledger.fail(session, claim, BadInput("no")),
        State.CANCELLED: ledger.cancelled,
        State.QUEUED: ledger.hand_back,
        State.RUNNING: claims.hold,
    }
    committed(sessions, lambda session: ends[state](session, claim))
    return claim.job_id, claim


def happen(sessions: Sessions, event: Event, claim: Claim) -> bool:
    """Let ``event`` happen to a job by its own door; False where that door is shut."""
    doors: dict[Event, Write] = {
        Event.SUCCEED: OWNERS_WRITES["succeed"],
        Event.FAIL: OWNERS_WRITES["fail"],
        Event.HAND_BACK: ledger.hand_back,
        Event.RETRY: lambda session, claim: ledger.retry(session, claim.job_id),
    }
    if event is Event.CLAIM:
        return claimed(sessions, claim.job_id) is not None
    try:
        committed(sessions, lambda session: doors[event](session, claim))
    except (LeaseLost, Conflict):
        return False
    return True


@pytest.mark.parametrize(
    ("state", "event"),
    list(product(State, [Event.CLAIM, Event.SUCCEED, Event.FAIL, Event.HAND_BACK, Event.RETRY])),
)
def test_the_ledger_does_what_the_table_says(
    sessions: Sessions, state: State, event: Event
) -> None:
    job_id, claim = put_into(sessions, state)
    allowed = (state, event) in TRANSITIONS and (state, event) != (State.QUEUED, Event.FAIL)
    assert happen(sessions, event, claim) is allowed
    expected = TRANSITIONS[state, event] if allowed else state
    assert row(sessions, job_id).status == expected
