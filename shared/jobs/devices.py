"""One training at a time on a device: GPUs are shared, and two trainings would slow each other."""

from sqlalchemy import Select, and_, func, select, update
from sqlalchemy.orm import Session

from shared.db.tables import JobRow
from shared.jobs.states import State


def take(session: Session, job_id: str, device: str) -> bool:
    """Whether ``job_id`` may run on ``device`` now; nobody else takes it in this transaction.

    An exclusive job that may not is noted as one that waits for the device.
    """
    exclusive = session.scalar(select(JobRow.exclusive).where(JobRow.id == job_id))
    if not exclusive:
        return True
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(device, 1))))
    if session.scalar(_running_on(device)) is None:
        return True
    waits = update(JobRow).where(JobRow.id == job_id, JobRow.status == State.QUEUED)
    session.execute(waits.values(device=device, rung_at=func.clock_timestamp()))
    return False


def next_for(session: Session, device: str) -> JobRow | None:
    """The job that has waited longest for ``device``."""
    query = select(JobRow).where(JobRow.status == State.QUEUED, JobRow.device == device)
    return session.scalars(query.order_by(JobRow.created_at, JobRow.id).limit(1)).one_or_none()


def _running_on(device: str) -> Select[str]:
    # Also one whose lease has expired: until the sweeper has found it, it may be at work.
    running = and_(JobRow.exclusive, JobRow.status == State.RUNNING, JobRow.device == device)
    return select(JobRow.id).where(running).limit(1)
