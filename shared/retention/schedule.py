"""When to collect: the ledger says when that was last asked for, whoever asks."""

from datetime import timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from shared.db.tables import JobRow
from shared.jobs import ledger, queries
from shared.jobs.submit import NewJob, submit

KIND = "collect"
#: Two collections never run side by side.
TARGET = "collection"


def submit_due(session: Session, *, every: timedelta) -> JobRow | None:
    """Submit a collection if the last one was submitted ``every`` ago, whatever became of it.

    The first is due ``every`` after the installation's first job: before, there is nothing to
    collect. Returns its row, to be rung for once that is committed. Any number may ask at once.
    """
    if not session.scalar(select(_is_due(every))):
        return None
    ledger.lock_target(session, TARGET)
    due = session.scalar(select(_is_due(every)))
    if not due or queries.active(session, TARGET) is not None:
        return None
    new = NewJob(kind=KIND, queue="default", input={}, target=TARGET, unit="object")
    return submit(session, lambda _: new, key_id=None).job


def _is_due(every: timedelta) -> ColumnElement[bool]:
    lately = JobRow.created_at > func.clock_timestamp() - every
    collected = exists(select(JobRow.id).where(lately, JobRow.kind == KIND))
    worked_before = exists(select(JobRow.id).where(~lately))
    return worked_before & ~collected
