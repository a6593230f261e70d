"""Finding what was lost: leases of dead workers, and doorbells that nobody heard."""

import logging
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy.orm import Session

from shared.db.tables import JobRow
from shared.jobs import counting, devices, ledger, queries
from shared.queue.port import QUEUES, Doorbell

log = logging.getLogger(__name__)


def requeue_expired(session: Session, *, max_stalls: int = ledger.MAX_STALLS) -> int:
    """Queue the jobs of silent workers again, or give them up. Returns how many were found."""
    rows = queries.expired(session)
    for row in rows:
        log.warning("worker %s went silent on %s (attempt %d)", row.worker, row.id, row.attempts)
        counting.expired(session, row)
        died = ledger.WorkerDied("the worker went silent")
        ledger.stall(session, row, died, max_stalls=max_stalls)
    return len(rows)


def ring_lost(session: Session, bell: Doorbell, *, rung_before: timedelta) -> int:
    """Ring for jobs that nobody was told of. Returns how many were rung.

    A job that was queued again is rung at once. One that was rung before is rung again only while
    its queue is empty: as long as messages lie there, its own may be among them, and messages must
    not pile up behind a day of training.
    """
    empty: list[str] = []
    for queue in QUEUES:
        depth = bell.depth(queue)
        if depth is None:
            return 0  # Redis is away: nobody would hear, and each question costs its timeout
        if depth == 0:
            empty.append(queue)
    rung = 0
    for row in queries.waiting(session, rung_before=rung_before, empty_queues=empty):
        if not bell.ring(row.queue, row.id):
            break  # each further try would hold the rows' locks for its timeout
        row.rung_at = func.clock_timestamp()
        rung += 1
    return rung


def ring_next_for(session: Session, bell: Doorbell, device: str) -> None:
    """Ring for the training that waits for ``device``, which is free now."""
    row = devices.next_for(session, device)
    if row is not None:
        bell.ring(row.queue, row.id)


def ring_dependents(session: Session, bell: Doorbell, job_id: str) -> list[JobRow]:
    """Ring for the jobs that waited for ``job_id``; those with other parents find no claim yet."""
    rows = list(queries.dependents(session, job_id))
    for row in rows:
        bell.ring(row.queue, row.id)
    return rows
