"""Telling waiters that a job changed: Postgres' NOTIFY, sent with the commit that changed it."""

from functools import cache
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, func, or_, select, text
from sqlalchemy.orm import Session

from shared.db.tables import JobParentRow, JobRow
from shared.jobs.states import State

CHANNEL = "lesiongan_jobs"
#: The unit of jobs whose progress is that of all jobs which they wait for.
JOBS = "job"


def notify(session: Session, job_id: str) -> None:
    """Wake whoever waits for ``job_id`` when this transaction commits."""
    session.execute(text("SELECT pg_notify(:channel, :job)"), {"channel": CHANNEL, "job": job_id})


def notify_of_end(session: Session, job_id: str) -> None:
    """Wake whoever waits for a job that has ended, or watches a graph, or a job in parts, that it
    belongs to.
    """
    session.execute(_of_end(), {"ended": job_id, "channel": CHANNEL})


@cache
def _of_end() -> Select[Any]:
    """Built once: every job that ends sends it, and waits for one answer."""
    itself = select(bindparam("ended", type_=String).label("id"))
    told = itself.union(_who_watches()).subquery()
    return select(func.pg_notify(bindparam("channel", type_=String), told.c.id))


def _who_watches() -> Select[Any]:
    child = JobParentRow.job_id.label("id")
    children = select(child).where(JobParentRow.parent_id == bindparam("ended"))
    found = children.cte("descendants", recursive=True)
    further = select(JobParentRow.job_id).join(found, JobParentRow.parent_id == found.c.id)
    descendants = found.union(further)
    waits_for_parts = and_(JobRow.status == State.QUEUED, JobRow.attempts > 0)
    query = select(JobRow.id).where(JobRow.id.in_(select(descendants.c.id)))
    return query.where(or_(JobRow.unit == JOBS, waits_for_parts))
