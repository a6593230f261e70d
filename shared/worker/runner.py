"""Running one job: claim, work, commit. The only place where a worker commits a job's end."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from minio.error import MinioException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from shared.errors import AlreadyMade, LesionGanError
from shared.jobs import ledger, sweep
from shared.jobs.context import Cancelled, HandedBack, JobContext, Outcome, StopFlags
from shared.jobs.heartbeat import Heartbeat
from shared.jobs.ledger import Claim, LeaseLost
from shared.storage.port import StoreUnavailable
from shared.worker.ports import Ports, Task

log = logging.getLogger(__name__)

#: Failures of servers that may pass: the job is tried again after a pause.
PASSING = (OperationalError, InterfaceError, StoreUnavailable, MinioException)
BACKOFF = timedelta(seconds=2)


class JobRunner:
    """Runs jobs one after the other in this process."""

    def __init__(
        self,
        ports: Ports,
        find_task: Callable[[str], Task],
        *,
        worker: str,
        find_device: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._ports = ports
        self._find_task = find_task
        self._worker = worker
        self._find_device = find_device
        self._lease = timedelta(seconds=ports.settings.lease_seconds)
        self._drain = threading.Event()

    def drain(self) -> None:
        """Hand the running job back at its next step, and take no other. For signal handlers."""
        self._drain.set()

    def run(self, job_id: str) -> None:
        """Work on a job if it is still there to be taken: a doorbell may ring twice."""
        if self._drain.is_set():
            return
        claim = self._claim(job_id)
        if claim is None:
            log.info("%s is not there to be taken", job_id)
            return
        flags = StopFlags(drain=self._drain)
        log.info("%s (%s) attempt %d", claim.job_id, claim.kind, claim.attempt)
        with Heartbeat(claim, self._ports.sessions, flags, lease=self._lease):
            self._attempt(claim, JobContext(claim, self._ports.sessions, flags))
        if claim.device is not None:
            with self._ports.sessions() as session:
                sweep.ring_next_for(session, self._ports.bell, claim.device)

    def _claim(self, job_id: str) -> Claim | None:
        with self._ports.sessions() as session:
            claim = ledger.claim(
                session,
                job_id,
                worker=self._worker,
                lease=self._lease,
                device=self._find_device(),
            )
            session.commit()
            return claim

    def _attempt(self, claim: Claim, context: JobContext) -> None:
        try:
            self._succeed(claim, self._outcome(claim, context))
        except LeaseLost:
            log.warning("%s attempt %d is not ours any more", claim.job_id, claim.attempt)
        except Cancelled:
            self._end(claim, ledger.cancelled)
        except HandedBack:
            self._hand_back(claim)
        except PASSING as error:
            log.warning("%s attempt %d: %s", claim.job_id, claim.attempt, error)
            self._end(claim, partial(_stall, error=error))
        except LesionGanError as error:
            log.info("%s failed: %s", claim.job_id, error.detail)
            self._fail(claim, error)
        except Exception:
            log.exception("%s failed", claim.job_id)
            detail = f"the worker failed unexpectedly; its log names job {claim.job_id}"
            self._fail(claim, LesionGanError(detail))

    def _outcome(self, claim: Claim, context: JobContext) -> Outcome:
        try:
            return self._find_task(claim.kind)(context, self._ports)
        except AlreadyMade as made:
            log.info("%s has nothing to do: %s", claim.job_id, made.detail)
            return Outcome(made.output)

    def _succeed(self, claim: Claim, outcome: Outcome) -> None:
        with self._ports.sessions() as session:
            if ledger.hold(session, claim).cancel_requested:
                raise Cancelled(claim.job_id)
            outcome.write(session)
            ledger.succeed(session, claim, outcome.output)
            session.commit()
        self._clear_away(claim, outcome)
        with self._ports.sessions() as session:
            sweep.ring_dependents(session, self._ports.bell, claim.job_id)

    def _clear_away(self, claim: Claim, outcome: Outcome) -> None:
        try:
            outcome.afterwards()
        except PASSING as error:
            log.warning("%s succeeded, but left something behind: %s", claim.job_id, error)

    def _fail(self, claim: Claim, error: LesionGanError) -> None:
        self._end(claim, lambda session, mine: ledger.fail(session, mine, error))

    def _hand_back(self, claim: Claim) -> None:
        self._end(claim, ledger.hand_back)
        with self._ports.sessions() as session:
            row = ledger.get(session, claim.job_id)
            self._ports.bell.ring(row.queue, row.id)

    def _end(self, claim: Claim, write: Callable[[Session, Claim], None]) -> None:
        """Write how the attempt ended. If even that fails, the lease expires."""
        try:
            with self._ports.sessions() as session:
                write(session, claim)
                session.commit()
        except LeaseLost:
            log.warning("%s attempt %d is not ours any more", claim.job_id, claim.attempt)
        except PASSING:
            log.exception("%s: its end could not be written", claim.job_id)


def _stall(session: Session, claim: Claim, *, error: Exception) -> None:
    row = ledger.hold(session, claim)
    why = error.detail if isinstance(error, LesionGanError) else "the database did not answer"
    ledger.stall(session, row, why, backoff=BACKOFF * 2**row.stalls)
