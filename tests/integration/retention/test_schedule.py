"""However many sweepers ask, a collection is submitted once a period."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from shared.db.engine import Sessions
from shared.db.tables import JobRow
from shared.jobs import ledger
from shared.queue.celery import CeleryDoorbell
from shared.retention import schedule
from shared.worker.ports import Ports
from shared.worker.sweep import sweep_once
from tests.integration.retention.builders import End, age, ago, ended
from tests.integration.shared.builders import claimed, committed, queued, running

HOUR = timedelta(hours=1)


@pytest.fixture
def due(sessions: Sessions) -> Callable[[], bool]:
    """Submit a collection if it is due; whether it was."""

    def ask() -> bool:
        return committed(sessions, lambda s: schedule.submit_due(s, every=HOUR)) is not None

    return ask


def test_the_first_is_due_a_period_after_the_first_job(
    sessions: Sessions, due: Callable[[], bool]
) -> None:
    assert not due()
    job_id = ended(sessions, "succeeded", ago(minutes=59))
    assert not due()
    age(sessions, job_id, ago(minutes=61))
    assert due()
    assert not due()


@pytest.mark.parametrize("how", ["succeeded", "failed", "cancelled"])
def test_the_next_is_due_a_period_after_the_last(
    sessions: Sessions, due: Callable[[], bool], how: End
) -> None:
    ended(sessions, "succeeded", ago(hours=9))
    last = ended(sessions, how, ago(minutes=59), kind="collect", target="collection")
    assert not due()
    age(sessions, last, ago(minutes=61))
    assert due()


def test_none_is_due_while_one_has_not_ended(sessions: Sessions, due: Callable[[], bool]) -> None:
    claim = running(sessions, kind="collect", target="collection")
    long_ago = update(JobRow).values(created_at=func.clock_timestamp() - 2 * HOUR)
    committed(sessions, lambda session: session.execute(long_ago))
    assert not due()
    age(sessions, claim.job_id, ago(hours=2))
    assert due()


def test_many_sweepers_submit_one(sessions: Sessions, due: Callable[[], bool]) -> None:
    ended(sessions, "succeeded", ago(hours=2))
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(due) for _ in range(16)]
    assert sum(each.result() for each in asked) == 1


def test_one_that_ended_while_another_sweeper_asked_counts(
    sessions: Sessions, due: Callable[[], bool]
) -> None:
    ended(sessions, "succeeded", ago(hours=2))
    waiting = select(func.count()).select_from(text("pg_locks")).where(text("NOT granted"))
    with sessions() as session, ThreadPoolExecutor(1) as pool:
        ledger.lock_target(session, schedule.TARGET)
        asked = pool.submit(due)
        while not session.scalar(waiting):
            time.sleep(0.01)
        ended(sessions, "succeeded", ago(minutes=1), kind="collect")
        session.commit()
        assert not asked.result()


def test_the_sweeper_submits_and_rings(ports: Ports, bell: CeleryDoorbell) -> None:
    ended(ports.sessions, "succeeded", ago(hours=2))
    for _ in range(2):
        sweep_once(ports)
    with ports.sessions() as session:
        job = session.scalars(select(JobRow).where(JobRow.kind == "collect")).one()
    assert (job.queue, job.key_id) == ("default", None)
    assert bell.depth("default") == 1
    assert claimed(ports.sessions, job.id) is not None


def test_two_collections_never_run_side_by_side(sessions: Sessions) -> None:
    one, other = (queued(sessions, kind="collect") for _ in range(2))
    same = update(JobRow).values(target=schedule.TARGET)
    committed(sessions, lambda session: session.execute(same))
    assert claimed(sessions, one) is not None
    assert claimed(sessions, other) is None
