"""Whether anybody may still name what is about to be removed."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from shared.db.tables import JobRow
from shared.jobs import ledger


def hold(session: Session, owner: str) -> None:
    """Until this transaction ends no job for ``owner`` is submitted or retried.

    ``owner`` is what a job makes, or a job itself: these are the two locks that retrying takes.
    """
    ledger.lock_target(session, owner)
    session.execute(select(JobRow.id).where(JobRow.id == owner).with_for_update())


def busy(session: Session, owner: str) -> bool:
    """Whether a job that has not ended makes ``owner``, or is it."""
    query = select(JobRow.id).where(
        JobRow.finished_at.is_(None), or_(JobRow.id == owner, JobRow.target == owner)
    )
    return session.scalar(query.limit(1)) is not None
