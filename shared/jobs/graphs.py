"""Graphs of jobs: a job, all that it waits for, and all that waits for it.

Rows are locked parents first, everywhere: so two transactions never wait for each other in turn.
"""

from sqlalchemy import CTE, func, select
from sqlalchemy.orm import Session

from shared.db.tables import JobParentRow, JobRow
from shared.errors import NotFound
from shared.jobs import ledger
from shared.jobs.states import State


def ancestors(job_id: str) -> CTE:
    """Ids of all jobs that ``job_id`` waits for, as a query."""
    direct = select(JobParentRow.parent_id.label("id")).where(JobParentRow.job_id == job_id)
    found = direct.cte("ancestors", recursive=True)
    further = select(JobParentRow.parent_id).join(found, JobParentRow.job_id == found.c.id)
    return found.union(further)


def cancel(session: Session, job_id: str) -> JobRow:
    """Cancel a job, and with it the jobs that were made for it and that nobody else wants.

    Raises :class:`NotFound`.
    """
    row = session.get(JobRow, job_id)
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    if row.status not in (State.RUNNING, State.SUCCEEDED):
        query = (
            select(JobRow)
            .where(JobRow.id.in_(select(ancestors(job_id).c.id)))
            .where(JobRow.finished_at.is_(None), JobRow.adopted.is_(False))
            .order_by(JobRow.created_at, JobRow.id)
        )
        for parent in session.scalars(query).all():
            ledger.cancel(session, parent.id)
    return ledger.cancel(session, job_id)


def retry(session: Session, job_id: str) -> list[JobRow]:
    """Queue a failed or cancelled job again, and before it those of its parents that ended so.

    Returns the rows to ring for. Raises what :func:`shared.jobs.ledger.retry` raises.
    """
    query = (
        select(JobRow)
        .join(JobParentRow, JobParentRow.parent_id == JobRow.id)
        .where(JobParentRow.job_id == job_id)
        .where(JobRow.status.in_((State.FAILED, State.CANCELLED)))
        .order_by(JobRow.created_at, JobRow.id)
    )
    ringing: list[JobRow] = []
    for parent in session.scalars(query).all():
        if not _replaced(session, job_id, parent):
            ringing += retry(session, parent.id)
    return [*ringing, ledger.retry(session, job_id)]


def _replaced(session: Session, job_id: str, parent: JobRow) -> bool:
    """Whether another job makes what ``parent`` did not; ``job_id`` waits for that one then."""
    if parent.target is None:
        return False
    ledger.lock_target(session, parent.target)
    rival = ledger.active(session, parent.target)
    if rival is None:
        return False
    rival.adopted = True
    link = session.get(JobParentRow, (job_id, parent.id))
    assert link is not None, "the parent was found by it"
    session.delete(link)
    session.merge(JobParentRow(job_id=job_id, parent_id=rival.id))
    session.flush()
    return True


def progress(session: Session, row: JobRow) -> tuple[int, int]:
    """How many jobs of the graph that ends with ``row`` have succeeded, and how many there are."""
    done = func.count().filter(JobRow.status == State.SUCCEEDED)
    query = select(done, func.count()).where(JobRow.id.in_(select(ancestors(row.id).c.id)))
    succeeded, jobs = session.execute(query).one()
    return succeeded + (row.status == State.SUCCEEDED), jobs + 1
