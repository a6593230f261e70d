"""Withdrawals that meet those who are about to write."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.datasets import catalog, reading
from shared.datasets.writing import DatasetWriter
from shared.db import content_lock
from shared.db.engine import Sessions
from shared.db.tables import DatasetRow, JobRow
from shared.errors import Gone
from shared.jobs import claims, ledger
from shared.jobs.claims import LeaseLost
from shared.jobs.submit import NewJob, submit
from shared.storage.s3 import S3Store
from shared.withdrawals.withdraw import withdraw
from tests.integration.shared.builders import (
    committed,
    destination,
    grey_png,
    meta,
    new_dataset,
    new_job,
    running,
)
from tests.integration.shared.test_graph_races import blocked
from tests.integration.withdrawals.builders import ALICE, BOB, dataset, objects_of, status


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A thread for whoever comes at the same moment."""
    with ThreadPoolExecutor(4) as made:
        yield made


def test_a_withdrawal_waits_for_a_set_that_is_being_published(
    sessions: Sessions, store: S3Store, pool: ThreadPoolExecutor
) -> None:
    """Published before the withdrawal looked: it goes."""
    claim = running(sessions, kind="ingest", target="ds_published")
    with DatasetWriter(destination(sessions, store, claim)) as writer:
        writer.add(grey_png(1), meta(patient=ALICE))
        write = writer.finish(new_dataset(claim))
    with sessions() as session:
        claims.hold(session, claim)
        write(session)
        withdrawn = blocked(pool, sessions, lambda: withdraw(sessions, store, [ALICE]))
        ledger.succeed(session, claim, {"dataset": "ds_published"})
        session.commit()
    assert [each.id for each in withdrawn.result(10).datasets] == ["ds_published"]
    assert objects_of(store, "ds_published") == []
    with sessions() as session, pytest.raises(Gone):
        catalog.get(session, "ds_published")


def test_a_set_that_comes_to_be_published_is_fenced_out(
    sessions: Sessions, store: S3Store, pool: ThreadPoolExecutor
) -> None:
    """The worker waits for the withdrawal, and finds that its attempt is over."""
    claim = running(sessions, kind="ingest", target="ds_too_late")
    with DatasetWriter(destination(sessions, store, claim)) as writer:
        writer.add(grey_png(1), meta(patient=ALICE))
        write = writer.finish(new_dataset(claim))

    def publish() -> None:
        with sessions() as session:
            claims.hold(session, claim)
            write(session)
            session.commit()

    with sessions() as session:
        content_lock.exclude(session)
        published = blocked(pool, sessions, publish)
        ledger.interrupt(session, claim.job_id)
        session.commit()
    with pytest.raises(LeaseLost):
        published.result(10)
    with sessions() as session:
        assert session.get(DatasetRow, "ds_too_late") is None


def test_a_job_that_is_sent_while_its_data_set_goes_is_refused(
    sessions: Sessions, store: S3Store, pool: ThreadPoolExecutor
) -> None:
    held = dataset(sessions, store, [ALICE])

    def plan(session: Session) -> NewJob:
        reading.open_dataset(session, store, held)
        return new_job(input={"dataset": held}, target="ds_of_it")

    def send() -> None:
        with sessions() as session:
            submit(session, plan, key_id="key")
            session.commit()

    with sessions() as session:
        content_lock.share(session)
        withdrawn = blocked(pool, sessions, lambda: withdraw(sessions, store, [ALICE]))
        sent = pool.submit(send)
        session.commit()
    withdrawn.result(10)
    with sessions() as session:
        jobs = session.scalars(select(JobRow.status).where(JobRow.target == "ds_of_it")).all()
    if jobs:
        assert jobs == ["cancelled"], "it came first"
    else:
        with pytest.raises(Gone):
            sent.result(10)


def test_checkpoints_and_withdrawals_do_not_wait_for_each_other_in_turn(
    sessions: Sessions, store: S3Store, pool: ThreadPoolExecutor
) -> None:
    """A worker that writes holds its job's row, which a withdrawal locks too."""
    held = dataset(sessions, store, [ALICE])
    claim = running(sessions, input={"dataset": held})
    with sessions() as session:
        claims.hold(session, claim)
        withdrawn = blocked(pool, sessions, lambda: withdraw(sessions, store, [ALICE]))
        catalog.get(session, held)
        content_lock.share(session)
        ledger.add_event(session, claim.job_id, "metric", {"loss": 1})
        session.commit()
    assert withdrawn.result(10).jobs_cancelled == [claim.job_id]
    assert status(sessions, claim.job_id) == "cancelled"


def test_two_withdrawals_at_once_are_one_after_the_other(
    sessions: Sessions, store: S3Store, pool: ThreadPoolExecutor
) -> None:
    dataset(sessions, store, [ALICE, BOB])
    asked = [pool.submit(withdraw, sessions, store, [each]) for each in (ALICE, BOB, ALICE)]
    removed = sorted(len(each.result(10).datasets) for each in asked)
    assert removed == [0, 0, 1]


def test_what_is_removed_is_waited_for_by_all_who_add(
    sessions: Sessions, store: S3Store, pool: ThreadPoolExecutor
) -> None:
    claim = running(sessions)
    with sessions() as session:
        content_lock.exclude(session)
        write = blocked(
            pool, sessions, lambda: committed(sessions, lambda s: claims.hold(s, claim).id)
        )
        session.commit()
    assert write.result(10) == claim.job_id
