"""How much may be asked for: quotas of a key, and the depth of all queues together.

Checked in the transaction that writes the jobs, after they are written and before it commits, so
that what is counted includes them. Transactions of one key that has a quota wait for each other
here, and this is the last lock that they take: nobody who waits here is waited for. The depth of
the queues is checked without a lock, and may be passed by as many jobs as are submitted at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import BindParameter, ColumnElement, func, select, union_all
from sqlalchemy.orm import Session

from shared.db.tables import ClassifierRow, DatasetRow, GanRow, JobRow
from shared.errors import QueueFull, QuotaExceeded
from shared.jobs import ledger
from shared.jobs.states import State

#: Device-seconds count so long after their job was submitted.
DEVICE_WINDOW = timedelta(days=30)
#: Seconds after which another try may succeed, at the earliest that is worth it.
_RETRY_QUEUE, _RETRY_STORAGE, _RETRY_DEVICE = 15, 3600, 3600


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What the jobs of one key may use; None is no limit."""

    stored_bytes: int | None = None
    queued_jobs: int | None = None
    device_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What applies to one request. ``queued_jobs`` is of all keys; 0 is no limit."""

    quota: Quota = field(default_factory=Quota)
    queued_jobs: int = 0


def enforce(session: Session, key_id: str | None, limits: Limits) -> None:
    """Raises :class:`QueueFull` or :class:`QuotaExceeded` if the jobs just written are too many."""
    if limits.queued_jobs and session.scalar(select(more_queued(limits.queued_jobs))):
        raise QueueFull(
            f"{limits.queued_jobs} jobs are queued, and this server queues no more: try later",
            limit=limits.queued_jobs,
            retry_after=_RETRY_QUEUE,
        )
    if key_id is not None and limits.quota != Quota():
        ledger.lock_target(session, f"quota {key_id}")
        _enforce_quota(session, key_id, limits.quota)


def more_queued(limit: int | BindParameter[int]) -> ColumnElement[bool]:
    """Whether that many wait, and one more; counts no further, in the index of active jobs."""
    queued = select(JobRow.status).where(JobRow.status == State.QUEUED)
    return queued.where(JobRow.finished_at.is_(None)).offset(limit).limit(1).exists()


def _enforce_quota(session: Session, key_id: str, quota: Quota) -> None:
    if quota.queued_jobs is not None:
        used = queued_jobs(session, key_id)
        if used > quota.queued_jobs:
            raise _exceeded("queued_jobs", quota.queued_jobs, used, _RETRY_QUEUE)
    if quota.device_seconds is not None:
        seconds = device_seconds(session, key_id)
        if seconds >= quota.device_seconds:
            raise _exceeded("device_seconds", quota.device_seconds, seconds, _RETRY_DEVICE)
    if quota.stored_bytes is not None:
        stored = stored_bytes(session, [key_id]).get(key_id, 0)
        if stored >= quota.stored_bytes:
            raise _exceeded("stored_bytes", quota.stored_bytes, stored, _RETRY_STORAGE)


def _exceeded(quota: str, limit: float, used: float, retry_after: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"this key may have {limit:g} {quota.replace('_', ' ')}, and would have or has {used:g}",
        quota=quota,
        limit=limit,
        used=used,
        retry_after=retry_after,
    )


def queued_jobs(session: Session, key_id: str) -> int:
    """Jobs of a key that have not begun, those that wait for others included."""
    query = select(func.count()).where(JobRow.key_id == key_id, JobRow.finished_at.is_(None))
    return session.scalars(query.where(JobRow.status == State.QUEUED)).one()


def device_seconds(session: Session, key_id: str) -> float:
    """What the jobs that a key submitted in the last 30 days have used of devices."""
    since = func.clock_timestamp() - DEVICE_WINDOW
    query = select(func.coalesce(func.sum(JobRow.device_seconds), 0.0))
    return session.scalars(query.where(JobRow.key_id == key_id, JobRow.created_at >= since)).one()


def stored_bytes(session: Session, key_ids: Iterable[str]) -> dict[str, int]:
    """Bytes of the data sets and published models that each key's jobs made, and that are there."""
    parts = [
        select(JobRow.key_id, size.label("bytes"))
        .join(table, table.job_id == JobRow.id)
        .where(JobRow.key_id.in_(list(key_ids)))
        for table, size in (
            (DatasetRow, DatasetRow.bytes),
            (GanRow, GanRow.weights_bytes),
            (ClassifierRow, ClassifierRow.weights_bytes),
        )
    ]
    made = union_all(*parts).subquery()
    total = func.coalesce(func.sum(made.c.bytes), 0)
    query = select(made.c.key_id, total).group_by(made.c.key_id)
    return {key_id: int(total) for key_id, total in session.execute(query)}
