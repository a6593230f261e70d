"""The ledger's writes. Each function is part of its caller's transaction and commits nothing."""

from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    false,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from shared.db.rows import require
from shared.db.tables import JobEventRow, JobRow
from shared.db.tombstones import refuse_withdrawn
from shared.errors import Conflict, LesionGanError, NotFound
from shared.jobs import counting, queries
from shared.jobs.claims import Claim, LeaseLost, hold, owned
from shared.jobs.notices import notify, notify_of_end
from shared.jobs.outbox import announce
from shared.jobs.states import Event, State, after, before

#: Attempts without a new checkpoint or shard between them, after which a job fails; the default of
#: ``LESIONGAN_MAX_STALLS``.
MAX_STALLS = 3
_PARENT_FAILED = "/errors/parent-failed"


class WorkerDied(LesionGanError):
    """Workers went silent on a job, one after the other."""

    title = "Given up"


def get(session: Session, job_id: str) -> JobRow:
    """The job's row; raises :class:`NotFound`."""
    return require(session, JobRow, job_id, "job")


def report(
    session: Session, claim: Claim, *, done: int, total: int, unit: str, eta_seconds: float | None
) -> None:
    """Write progress; raises :class:`LeaseLost`."""
    marked = JobRow.mark_at.is_not(None) if 2 * done > total else false()
    query = (
        update(JobRow)
        .where(owned(claim))
        .values(
            done=done,
            total=total,
            unit=unit,
            eta_seconds=eta_seconds,
            reported_at=func.statement_timestamp(),
            mark_at=case((marked, JobRow.mark_at), else_=func.statement_timestamp()),
            mark_done=case((marked, JobRow.mark_done), else_=done),
        )
    )
    if session.execute(query).rowcount == 0:  # type: ignore[attr-defined]
        raise LeaseLost(claim.job_id)
    notify(session, claim.job_id)


def add_event(session: Session, job_id: str, event: str, data: dict[str, Any]) -> None:
    """Append to what event streams show."""
    session.add(JobEventRow(job_id=job_id, event=event, data=data))
    session.flush()
    notify(session, job_id)


def succeed(session: Session, claim: Claim, output: dict[str, Any]) -> None:
    """End the job well; raises :class:`LeaseLost`."""
    succeed_held(session, hold(session, claim), output)


def succeed_held(session: Session, row: JobRow, output: dict[str, Any]) -> None:
    """End a job well that this transaction holds."""
    whole = max(row.total, row.done)
    _end(session, row, Event.SUCCEED, output=output, done=whole, total=whole)


def fail(session: Session, claim: Claim, error: LesionGanError) -> None:
    """End the job with its reason, and with it all that waited for it."""
    _end(session, hold(session, claim), Event.FAIL, error=error.problem())


def cancelled(session: Session, claim: Claim) -> None:
    """The worker has stopped because somebody asked for it."""
    _end(session, hold(session, claim), Event.CANCEL)


def hand_back(session: Session, claim: Claim) -> None:
    """The worker must go: the job is queued again, unless somebody asked to cancel it."""
    row = hold(session, claim)
    if row.cancel_requested:
        _end(session, row, Event.CANCEL)
    else:
        _requeue(session, row, Event.HAND_BACK)


def stall(
    session: Session,
    row: JobRow,
    why: LesionGanError,
    *,
    max_stalls: int = MAX_STALLS,
    backoff: timedelta | None = None,
) -> None:
    """An attempt ended without a result: queue the job again, or give up after ``max_stalls``.

    A job that is given up has failed as ``why`` says.
    """
    row.stalls += 1
    counting.stalled(session, row, why)
    if row.cancel_requested:
        _end(session, row, Event.CANCEL)
    elif row.stalls >= max_stalls:
        detail = f"{why.detail}; given up after {row.stalls} attempts without progress"
        _end(session, row, Event.GIVE_UP, error={**why.problem(), "detail": detail})
    else:
        _requeue(session, row, Event.EXPIRE)
        row.not_before = None if backoff is None else func.clock_timestamp() + backoff
        message = f"{why.detail}; tried again"
        add_event(session, row.id, "log", {"level": "warning", "message": message})


def cancel(session: Session, job_id: str) -> JobRow:
    """Cancel a queued job at once; ask a running one to stop. An ended job stays as it is.

    Raises :class:`NotFound`.
    """
    row = _locked(session, job_id)
    if row.status == State.QUEUED:
        _end(session, row, Event.CANCEL)
    elif row.status == State.RUNNING:
        row.cancel_requested = True
        notify(session, job_id)
    return row


def revoke(session: Session, job_id: str) -> None:
    """End an unfinished job at once, because what it reads or makes is removed.

    A worker that runs it is fenced out: none of its writes matches the row any more.
    """
    row = _locked(session, job_id)
    if row.status in before(Event.CANCEL):
        _end(session, row, Event.CANCEL)


def interrupt(session: Session, job_id: str) -> None:
    """Queue a running job again at once, because what it should make has changed.

    A worker that runs it is fenced out; the next attempt begins with what is known by then.
    """
    row = _locked(session, job_id)
    if row.status == State.RUNNING:
        if row.cancel_requested:
            _end(session, row, Event.CANCEL)
        else:
            _requeue(session, row, Event.HAND_BACK)


def retry(session: Session, job_id: str) -> JobRow:
    """Queue a failed or cancelled job again.

    Raises :class:`NotFound`, and :class:`shared.errors.Conflict` for a job in another state or
    while another job makes the same thing, and :class:`Gone` if what it makes was withdrawn.
    """
    target = get(session, job_id).target
    if target is not None:
        refuse_withdrawn(session, [target])
        lock_target(session, target)
        rival = queries.active(session, target)
        if rival is not None and rival.id != job_id:
            raise Conflict(f"job {rival.id} makes the same thing and is {rival.status}")
    row = _locked(session, job_id)
    row.status = after(State(row.status), Event.RETRY)
    row.error, row.output, row.finished_at, row.not_before = None, None, None, None
    row.cancel_requested, row.stalls = False, 0
    notify(session, job_id)
    return row


#: Plain SQL: every submit sends it.
_LOCK_TARGET = text("SELECT pg_advisory_xact_lock(hashtextextended(:target, 0))")


def lock_target(session: Session, target: str) -> None:
    """Serialise submissions for one target until the transaction ends."""
    session.execute(_LOCK_TARGET, {"target": target})


def _locked(session: Session, job_id: str) -> JobRow:
    """The job's row as it is now; raises :class:`NotFound`."""
    query = select(JobRow).where(JobRow.id == job_id).with_for_update()
    row = session.scalar(query, execution_options={"populate_existing": True})
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return row


def _requeue(session: Session, row: JobRow, event: Event) -> None:
    row.device_seconds = _device_seconds()
    row.status = after(State(row.status), event)
    row.lease_expires_at, row.worker, row.rung_at = None, None, None
    notify(session, row.id)


def _end(session: Session, row: JobRow, event: Event, **said: Any) -> None:
    """``said``: the output or the error of the job, and how much of it was done."""
    known = {"ended": row.id, "output": None, "error": None, "done": row.done, "total": row.total}
    known["status"] = after(State(row.status), event)
    # Fetched, so that ``row`` is what the database has.
    session.scalars(_ending(), known | said, execution_options={"populate_existing": True}).one()
    counting.ended(session, row)
    announce(session, row.id)
    notify_of_end(session, row.id)
    if row.status != State.SUCCEEDED:
        end_dependents(session, row)


def end_dependents(session: Session, parent: JobRow) -> None:
    """End what waits for a job that failed or was cancelled."""
    for row in queries.dependents(session, parent.id):
        if row.status != State.QUEUED:
            continue  # it waited for another dependent as well, and has ended with that one
        if parent.status == State.CANCELLED:
            _end(session, row, Event.CANCEL)
            continue
        _end(session, row, Event.FAIL, error=_parent_failed(parent))


def _parent_failed(parent: JobRow) -> dict[str, Any]:
    """The reason of what waited for ``parent``: the job that failed first is named, once."""
    error = parent.error or {}
    if error.get("type") == _PARENT_FAILED:
        return error
    reason = error.get("detail", "")
    return {
        "type": _PARENT_FAILED,
        "title": "Parent failed",
        "detail": f"job {parent.id} ({parent.kind}), which this one needs, failed: {reason}",
    }


@cache
def _ending() -> ReturningUpdate[JobRow]:
    """Built once: every job ends, and somebody may wait for one image."""
    return (
        update(JobRow)
        .where(JobRow.id == bindparam("ended"))
        .values(
            status=bindparam("status"),
            output=bindparam("output", type_=JSONB(none_as_null=True)),
            error=bindparam("error", type_=JSONB(none_as_null=True)),
            done=bindparam("done"),
            total=bindparam("total"),
            finished_at=func.clock_timestamp(),
            lease_expires_at=None,
            eta_seconds=None,
            device_seconds=_device_seconds(),
        )
        .returning(JobRow)
    )


def _device_seconds() -> ColumnElement[float]:
    """With those since the attempt was claimed, if one runs."""
    took = func.extract("epoch", func.clock_timestamp() - JobRow.claimed_at)
    so_far = JobRow.device_seconds + func.greatest(took, 0)
    runs = and_(JobRow.status == State.RUNNING, JobRow.claimed_at.is_not(None))
    return case((runs, so_far), else_=JobRow.device_seconds)
