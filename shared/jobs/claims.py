"""A worker's right to one job. Each function is part of its caller's transaction, commits nothing.

Ownership is a compare-and-set on the row: a worker owns a job while the row says ``running`` with
the worker's attempt number. A worker that was presumed dead and wakes up matches no row any more.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Interval,
    String,
    and_,
    bindparam,
    case,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from shared.db import content_lock
from shared.db.tables import JobRow
from shared.jobs import devices, queries
from shared.jobs.notices import notify
from shared.jobs.states import Event, State, after


@dataclass(frozen=True)
class Claim:
    """The right to work on a job, as one attempt."""

    job_id: str
    attempt: int
    kind: str
    input: dict[str, Any]
    target: str | None
    #: The device that this attempt has to itself.
    device: str | None = None
    #: Of the request that asked for the job.
    request_id: str | None = None
    trace: str | None = None


class LeaseLost(Exception):
    """The job is not this attempt's any more: cancelled, expired, or taken over."""


def take(
    session: Session, job_id: str, *, worker: str, lease: timedelta, device: str | None = None
) -> Claim | None:
    """Take a queued job whose parents have succeeded, or None if there is nothing to take.

    An exclusive job takes ``device`` with it, and waits while another one has it.
    """
    if device is not None and not devices.take(session, job_id, device):
        return None
    given = {"job": job_id, "by": worker, "lease": lease, "on": device}
    found = session.scalars(_claiming(), given, execution_options={"populate_existing": True})
    row = found.one_or_none()
    if row is None:
        return None
    notify(session, job_id)
    return Claim(
        job_id,
        row.attempts,
        row.kind,
        row.input,
        row.target,
        row.device,
        request_id=row.request_id,
        trace=row.trace,
    )


@cache
def _claiming() -> ReturningUpdate[JobRow]:
    """Built once, which takes longer than the database does: somebody may wait for one image."""
    return (
        update(JobRow)
        .where(JobRow.id == bindparam("job"), queries.runnable())
        .values(
            status=after(State.QUEUED, Event.CLAIM),
            attempts=JobRow.attempts + 1,
            worker=bindparam("by", type_=String),
            claimed_at=func.clock_timestamp(),
            reported_at=None,
            mark_at=None,
            mark_done=None,
            started_at=func.coalesce(JobRow.started_at, func.clock_timestamp()),
            lease_expires_at=func.clock_timestamp() + bindparam("lease", type_=Interval),
            device=case((JobRow.exclusive, bindparam("on", type_=String))),
        )
        .returning(JobRow)
    )


def renew(session: Session, claim: Claim, *, lease: timedelta) -> bool:
    """Extend the lease. True if somebody asked to cancel; raises :class:`LeaseLost`."""
    query = (
        update(JobRow)
        .where(owned(claim))
        .values(lease_expires_at=func.clock_timestamp() + lease)
        .returning(JobRow.cancel_requested)
    )
    cancel_requested = session.scalar(query)
    if cancel_requested is None:
        raise LeaseLost(claim.job_id)
    return cancel_requested


def hold(session: Session, claim: Claim) -> JobRow:
    """Lock the job's row for this transaction: writes beside it are fenced by the attempt.

    Raises :class:`LeaseLost` when the attempt is not the current one.
    """
    content_lock.share(session)
    row = session.scalar(select(JobRow).where(owned(claim)).with_for_update())
    if row is None:
        raise LeaseLost(claim.job_id)
    return row


def owned(claim: Claim) -> ColumnElement[bool]:
    """Whether a row is the job of ``claim``, and still its."""
    return and_(
        JobRow.id == claim.job_id,
        JobRow.attempts == claim.attempt,
        JobRow.status == State.RUNNING,
    )
