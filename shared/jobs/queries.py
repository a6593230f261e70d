"""What the ledger is asked: which jobs could run, which lost their worker, which wait for which."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from shared.db.tables import JobParentRow, JobRow
from shared.errors import Conflict
from shared.jobs.states import Event, State, before


def statuses(session: Session, job_ids: Collection[str]) -> dict[str, str]:
    """The status of each job that there is."""
    query = select(JobRow.id, JobRow.status).where(JobRow.id.in_(job_ids))
    return {row.id: row.status for row in session.execute(query)}


def refuse_while_made(session: Session, made: str, job_id: str) -> None:
    """Raises :class:`Conflict` while ``job_id``, which makes ``made``, has not ended."""
    job = session.get(JobRow, job_id)
    if job is not None and job.status in (State.QUEUED, State.RUNNING):
        raise Conflict(f"{made} is {job.status}: cancel {job_id} first")


def expired(session: Session) -> Sequence[JobRow]:
    """Running jobs whose worker went silent, locked; those of another sweeper are left out."""
    query = (
        select(JobRow)
        .where(JobRow.status == State.RUNNING, JobRow.lease_expires_at < func.clock_timestamp())
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def waiting(
    session: Session, *, rung_before: timedelta, empty_queues: Sequence[str]
) -> Sequence[JobRow]:
    """Jobs that could run now and that no doorbell tells of, locked.

    Those queued again and not rung since, and in ``empty_queues`` those that were rung longer ago
    than ``rung_before``.
    """
    lost = and_(
        JobRow.queue.in_(empty_queues), JobRow.rung_at < func.clock_timestamp() - rung_before
    )
    query = (
        select(JobRow)
        .where(runnable(), or_(JobRow.rung_at.is_(None), lost))
        .order_by(JobRow.created_at)
        .limit(1000)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def dependents(session: Session, job_id: str) -> Sequence[JobRow]:
    """Queued jobs that wait for ``job_id``."""
    query = (
        select(JobRow)
        .join(JobParentRow, JobParentRow.job_id == JobRow.id)
        .where(JobParentRow.parent_id == job_id, JobRow.status == State.QUEUED)
        .order_by(JobRow.id)
        .with_for_update(of=JobRow)
    )
    return session.scalars(query).all()


def active(session: Session, target: str) -> JobRow | None:
    """The job that makes ``target`` now; one that is asked to stop does not count."""
    query = select(JobRow).where(JobRow.target == target, is_active())
    return session.scalars(query.order_by(JobRow.created_at).limit(1)).one_or_none()


def is_active() -> ColumnElement[bool]:
    """Whether a job is queued or runs, and is not asked to stop."""
    return and_(JobRow.finished_at.is_(None), JobRow.cancel_requested.is_(False))


def runnable() -> ColumnElement[bool]:
    """Whether a job could be claimed now."""
    parent = aliased(JobRow)
    rival = aliased(JobRow)
    unfinished = exists(
        select(JobParentRow.job_id)
        .join(parent, parent.id == JobParentRow.parent_id)
        .where(JobParentRow.job_id == JobRow.id, parent.status != State.SUCCEEDED)
    )
    # One that is asked to stop may still write what this one would make.
    contested = exists(
        select(rival.id).where(
            rival.target == JobRow.target,
            rival.status == State.RUNNING,
            rival.finished_at.is_(None),
        )
    )
    due = func.coalesce(JobRow.not_before, JobRow.created_at) <= func.clock_timestamp()
    return and_(JobRow.status.in_(before(Event.CLAIM)), due, ~unfinished, ~contested)
