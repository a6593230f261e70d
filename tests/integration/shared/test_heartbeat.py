"""The thread that keeps a lease."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, update

from shared.db.engine import Sessions, make_sessions
from shared.db.tables import JobRow
from shared.jobs import ledger, sweep
from shared.jobs.context import StopFlags
from shared.jobs.heartbeat import Heartbeat
from tests.integration.shared.builders import committed, row, running, silence

SHORT = timedelta(seconds=0.4)


def soon(what: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_it_renews_the_lease_while_work_lasts(sessions: Sessions) -> None:
    claim = running(sessions)
    silence(sessions, claim.job_id)
    before = row(sessions, claim.job_id).lease_expires_at
    flags = StopFlags()
    with Heartbeat(claim, sessions, flags, lease=timedelta(seconds=4)):
        assert soon(lambda: row(sessions, claim.job_id).lease_expires_at != before)
        assert committed(sessions, sweep.requeue_expired) == 0
    assert not flags.any()
    assert row(sessions, claim.job_id).status == "running"


def test_it_hears_of_cancellation(sessions: Sessions) -> None:
    claim = running(sessions)
    flags = StopFlags()
    with Heartbeat(claim, sessions, flags, lease=SHORT):
        committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
        assert flags.cancel.wait(2), "within two seconds"
    assert not flags.lost.is_set()


def test_it_notices_that_the_job_is_somebody_elses(sessions: Sessions) -> None:
    claim = running(sessions)
    flags = StopFlags()
    committed(
        sessions,
        lambda s: s.execute(update(JobRow).values(attempts=JobRow.attempts + 1)),
    )
    with Heartbeat(claim, sessions, flags, lease=SHORT):
        assert flags.lost.wait(2)


def test_a_database_that_is_away_for_a_lease_costs_the_job(sessions: Sessions) -> None:
    claim = running(sessions)
    away = make_sessions(create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    flags = StopFlags()
    with Heartbeat(claim, away, flags, lease=SHORT):
        assert not flags.lost.wait(SHORT.total_seconds() / 2), "one missed beat is no loss"
        assert flags.lost.wait(3)


def test_it_ends_with_the_work_also_when_that_raises(sessions: Sessions) -> None:
    claim = running(sessions)
    beat = Heartbeat(claim, sessions, StopFlags(), lease=SHORT)
    with pytest.raises(RuntimeError, match="work"), beat:
        raise RuntimeError("work")
    assert not beat._thread.is_alive()
