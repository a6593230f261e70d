"""What the ledger's writes add to the metrics, once they are committed."""

from functools import partial

from sqlalchemy.orm import Session

from shared.db.after_commit import after_commit
from shared.db.tables import JobRow
from shared.errors import LesionGanError
from shared.observability import metrics


def ended(session: Session, row: JobRow) -> None:
    """A job has ended, as its row says."""
    after_commit(session, partial(_ended, row.kind, row.status, row.device_seconds))


def stalled(session: Session, row: JobRow, why: LesionGanError) -> None:
    """An attempt at a job ended without a result."""
    counter = metrics.bound(metrics.JOB_STALLS, row.kind, why.title)
    after_commit(session, counter.inc)


def expired(session: Session, row: JobRow) -> None:
    """A job's worker went silent."""
    after_commit(session, metrics.bound(metrics.LEASE_EXPIRIES, row.kind).inc)


def _ended(kind: str, state: str, seconds: float) -> None:
    metrics.bound(metrics.JOBS_ENDED, kind, state).inc()
    if seconds > 0:  # one that was cancelled while it waited took no worker's time
        metrics.bound(metrics.JOB_SECONDS, kind, state).observe(seconds)
