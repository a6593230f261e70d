"""What is counted, and when: after the commit, and never before."""

import psycopg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from shared.db.engine import Sessions
from shared.errors import BadInput
from shared.jobs import ledger, sweep
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.port import ObjectMissing
from shared.storage.s3 import S3Store
from tests.integration.shared.builders import committed, queued, row, running, silence


class Counted:
    """How much a sample has grown since it was first asked for."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = self._now()

    def grown(self) -> float:
        return self._now() - self._before

    def _now(self) -> float:
        return REGISTRY.get_sample_value(self._name, self._labels) or 0.0


def test_an_end_counts_when_it_is_committed(sessions: Sessions) -> None:
    ended = Counted("lesiongan_jobs_ended_total", kind="probe", state="succeeded")
    timed = Counted("lesiongan_job_duration_seconds_count", kind="probe", state="succeeded")
    claim = running(sessions)
    with sessions() as session:
        ledger.succeed(session, claim, {})
        session.rollback()
        session.commit()
    assert (ended.grown(), timed.grown()) == (0, 0)
    committed(sessions, lambda session: ledger.succeed(session, claim, {}))
    assert (ended.grown(), timed.grown()) == (1, 1)


def test_a_job_that_was_cancelled_while_it_waited_took_no_time(sessions: Sessions) -> None:
    ended = Counted("lesiongan_jobs_ended_total", kind="probe", state="cancelled")
    timed = Counted("lesiongan_job_duration_seconds_count", kind="probe", state="cancelled")
    job_id = queued(sessions)
    committed(sessions, lambda session: ledger.cancel(session, job_id))
    assert (ended.grown(), timed.grown()) == (1, 0)


def test_what_fails_with_a_job_is_counted_too(sessions: Sessions) -> None:
    failed = Counted("lesiongan_jobs_ended_total", kind="probe", state="failed")
    claim = running(sessions)
    queued(sessions, parents=[claim.job_id])
    committed(sessions, lambda session: ledger.fail(session, claim, BadInput("no")))
    assert failed.grown() == 2


def test_a_silent_worker_is_counted_once(sessions: Sessions) -> None:
    expired = Counted("lesiongan_lease_expiries_total", kind="probe")
    stalled = Counted("lesiongan_job_stalls_total", kind="probe", reason="Given up")
    claim = running(sessions)
    silence(sessions, claim.job_id)
    for _ in range(2):
        committed(sessions, sweep.requeue_expired)
    assert (expired.grown(), stalled.grown()) == (1, 1)
    assert row(sessions, claim.job_id).status == "queued"


def test_statements_are_timed_and_their_failures_counted(engine: Engine) -> None:
    selects = Counted("lesiongan_db_statement_duration_seconds_count", operation="select")
    failures = Counted("lesiongan_db_errors_total", error=psycopg.errors.UndefinedTable.__name__)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(ProgrammingError):
            connection.execute(text("SELECT * FROM nowhere"))
    assert (selects.grown(), failures.grown()) == (1, 1)


def test_connections_are_counted_while_they_are_lent(engine: Engine) -> None:
    lent = Counted("lesiongan_db_connections_in_use")
    with engine.connect(), engine.connect():
        assert lent.grown() == 2
    assert lent.grown() == 0


def test_the_store_is_timed_and_its_refusals_counted(store: S3Store) -> None:
    puts = Counted("lesiongan_s3_request_duration_seconds_count", operation="put")
    gets = Counted("lesiongan_s3_request_duration_seconds_count", operation="get")
    missing = Counted("lesiongan_s3_errors_total", operation="get", reason="Object missing")
    store.ensure_bucket()
    store.put("watched/one", b"1")
    store.get("watched/one")
    with pytest.raises(ObjectMissing):
        store.get("watched/none")
    assert (puts.grown(), gets.grown(), missing.grown()) == (1, 2, 1)


def test_a_doorbell_that_is_not_heard_is_counted(settings: Settings) -> None:
    failures = Counted("lesiongan_doorbell_failures_total")
    url = type(settings.redis_url)("redis://127.0.0.1:1/0")
    bell = CeleryDoorbell(settings.model_copy(update={"redis_url": url}))
    assert not bell.ring("default", "job_none")
    assert failures.grown() == 1
