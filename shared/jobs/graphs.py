"""Graphs of jobs: a job, all that it waits for, and all that waits for it.

Rows are locked parents first, everywhere: so two transactions never wait for each other in turn.
"""

from collections.abc import Sequence

from sqlalchemy import CTE, Float, cast, func, or_, select
from sqlalchemy.orm import Session

from shared.db.tables import JobParentRow, JobRow
from shared.jobs import ledger, queries
from shared.jobs.states import State
from shared.jobs.submit import GRAPHS


def ancestors(job_id: str) -> CTE:
    """Ids of all jobs that ``job_id`` waits for, as a query."""
    direct = select(JobParentRow.parent_id.label("id")).where(JobParentRow.job_id == job_id)
    found = direct.cte("ancestors", recursive=True)
    further = select(JobParentRow.parent_id).join(found, JobParentRow.job_id == found.c.id)
    return found.union(further)


def cancel(session: Session, job_id: str) -> JobRow:
    """Cancel a job, and with it the jobs that were made for it and that nobody else wants.

    Raises :class:`shared.errors.NotFound`.
    """
    held = _hold(session, job_id)
    if ledger.get(session, job_id).status not in (State.RUNNING, State.SUCCEEDED):
        kept = _kept(session, job_id)
        doomed = [row.id for row in held if row.finished_at is None and row.id not in kept]
        for each in doomed:
            ledger.cancel(session, each)
    return ledger.cancel(session, job_id)


def retry(session: Session, job_id: str) -> list[JobRow]:
    """Queue a failed or cancelled job again, and before it those of its parents that ended so.

    Returns the rows to ring for. Raises what :func:`shared.jobs.ledger.retry` raises.
    """
    _hold(session, job_id)
    return _retry(session, job_id)


def _hold(session: Session, job_id: str) -> Sequence[JobRow]:
    """A job and all that it waits for, locked: none of them ends, and no graph adopts one."""
    ledger.lock_target(session, GRAPHS)
    waited_for = select(ancestors(job_id).c.id)
    query = (
        select(JobRow)
        .where(or_(JobRow.id == job_id, JobRow.id.in_(waited_for)))
        .order_by(JobRow.created_at, JobRow.id)
        .with_for_update()
    )
    return session.scalars(query, execution_options={"populate_existing": True}).all()


def _kept(session: Session, job_id: str) -> set[str]:
    """What ``job_id`` waits for and others too: the adopted jobs, and all that those wait for."""
    adopted = (
        select(JobRow.id)
        .where(JobRow.id.in_(select(ancestors(job_id).c.id)))
        .where(JobRow.adopted, JobRow.finished_at.is_(None))
    )
    found = adopted.cte("kept", recursive=True)
    further = select(JobParentRow.parent_id).join(found, JobParentRow.job_id == found.c.id)
    return set(session.scalars(select(found.union(further).c.id)))


def _retry(session: Session, job_id: str) -> list[JobRow]:
    query = (
        select(JobRow)
        .join(JobParentRow, JobParentRow.parent_id == JobRow.id)
        .where(JobParentRow.job_id == job_id)
        .where(JobRow.status.in_((State.FAILED, State.CANCELLED)))
        .order_by(JobRow.created_at, JobRow.id)
    )
    ringing: list[JobRow] = []
    for parent in session.scalars(query).all():
        again = parent.status == State.QUEUED  # for another parent, which waits for it too
        if not again and not _replaced(session, job_id, parent):
            ringing += _retry(session, parent.id)
    return [*ringing, ledger.retry(session, job_id)]


def _replaced(session: Session, job_id: str, parent: JobRow) -> bool:
    """Whether another job makes what ``parent`` did not; ``job_id`` waits for that one then."""
    if parent.target is None:
        return False
    ledger.lock_target(session, parent.target)
    rival = queries.active(session, parent.target)
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


def eta_seconds(session: Session, row: JobRow) -> float | None:
    """When the graph that ends with ``row`` will have ended, going by what it has done so far.

    Each job that is left takes as long as the mean of its kind in this graph, and as many of them
    run side by side as did so far. None until the graph has ended a job of every kind that is left,
    but for ``row`` itself.
    """
    if row.finished_at is not None:
        return None
    ended = JobRow.status == State.SUCCEEDED
    left = JobRow.finished_at.is_(None)
    share = func.least(1.0, cast(JobRow.done, Float) / func.greatest(1, JobRow.total))
    query = (
        select(
            func.coalesce(func.sum(1.0 - share).filter(left), 0.0),
            func.count().filter(ended),
            func.coalesce(func.sum(JobRow.device_seconds).filter(ended), 0.0),
            func.min(JobRow.started_at),
            func.max(JobRow.finished_at),
        )
        .where(JobRow.id.in_(select(ancestors(row.id).c.id)))
        .group_by(JobRow.kind)
    )
    kinds = session.execute(query).all()
    starts = [start for *_, start, _ in kinds if start is not None]
    ends = [end for *_, end in kinds if end is not None]
    if not starts or not ends or any(jobs > 0 and not done for jobs, done, *_ in kinds):
        return None
    work = sum(seconds for _, _, seconds, *_ in kinds)
    passed = (max(ends) - min(starts)).total_seconds()
    remaining = sum(float(jobs) * seconds / done for jobs, done, seconds, *_ in kinds if done)
    side_by_side = max(1.0, work / passed) if passed > 0 else 1.0
    return round(float(remaining / side_by_side), 1)
