"""Running one job: claim, work, commit. The only place where a worker commits a job's end."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

from opentelemetry.trace import Span, SpanKind
from sqlalchemy.orm import Session

from shared.db.tables import JobRow
from shared.errors import AlreadyMade, LesionGanError
from shared.jobs import claims, dividing, ledger, sweep
from shared.jobs.claims import Claim, LeaseLost
from shared.jobs.context import Cancelled, HandedBack, JobContext, Outcome, StopFlags
from shared.jobs.dividing import Divided, PartOfJob
from shared.jobs.heartbeat import Heartbeat
from shared.observability import current, tracing
from shared.worker import device_memory, faults
from shared.worker.attended import AttendedStore
from shared.worker.ending import Ending, NotWritten, write_end
from shared.worker.ports import Ports, Task

log = logging.getLogger(__name__)


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
        self._broken = False

    @property
    def broken(self) -> bool:
        """Whether only another process can go on; then no job is taken any more."""
        return self._broken

    def drain(self) -> None:
        """Hand the running job back at its next step, and take no other. For signal handlers."""
        self._drain.set()

    def run(self, job_id: str) -> None:
        """Work on a job if it is still there to be taken: a doorbell may ring twice."""
        if self._drain.is_set():
            return
        began_ns = time.time_ns()
        claim = self._claim(job_id)
        if claim is None:
            log.info("%s is not there to be taken", job_id)
            return
        about = current.about_job(claim.job_id, claim.kind, request_id=claim.request_id)
        with about, _span(claim, self._worker, began_ns):
            self._run(claim)

    def _run(self, claim: Claim) -> None:
        flags = StopFlags(drain=self._drain)
        log.info("%s (%s) attempt %d", claim.job_id, claim.kind, claim.attempt)
        with Heartbeat(claim, self._ports.sessions, flags, lease=self._lease):
            self._attempt(claim, JobContext(claim, self._ports.sessions, flags))
        if claim.device is not None:
            if not self._broken:
                device_memory.give_back()
            with self._ports.sessions() as session:
                sweep.ring_next_for(session, self._ports.bell, claim.device)

    def _claim(self, job_id: str) -> Claim | None:
        with self._ports.sessions() as session:
            claim = claims.take(
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
        except NotWritten:
            log.exception("%s: its end could not be written", claim.job_id)
        except Cancelled:
            self._end(claim, ledger.cancelled)
        except HandedBack:
            self._hand_back(claim)
        except Divided as divided:
            self._divide(claim, divided.parts)
        except Exception as error:  # noqa: BLE001 - whatever happens, the ledger says how it ended
            self._end(claim, self._failure(claim, error))

    def _outcome(self, claim: Claim, context: JobContext) -> Outcome:
        store = AttendedStore(self._ports.store, context.check_wanted)
        try:
            with tracing.span("work"):
                return self._find_task(claim.kind)(context, replace(self._ports, store=store))
        except AlreadyMade as made:
            log.info("%s has nothing to do: %s", claim.job_id, made.detail)
            return Outcome(made.output)

    def _succeed(self, claim: Claim, outcome: Outcome) -> None:
        def ending(session: Session, mine: Claim) -> None:
            row = claims.hold(session, mine)
            if row.cancel_requested:
                raise Cancelled(mine.job_id)
            outcome.write(session)
            ledger.succeed_held(session, row, outcome.output)

        with tracing.span("commit the result"):
            write_end(self._ports.sessions, claim, ending, within=self._lease)
        try:
            outcome.afterwards()
            with self._ports.sessions() as session:
                sweep.ring_dependents(session, self._ports.bell, claim.job_id)
        except Exception as error:
            fault = faults.passing(error)
            if fault is None:
                log.exception("%s succeeded, but left something behind", claim.job_id)
            else:
                log.warning("%s succeeded, but left something: %s", claim.job_id, fault.detail)

    def _failure(self, claim: Claim, error: Exception) -> Ending:
        """What an attempt that raised ``error`` does to its job."""
        fault = faults.passing(error)
        if fault is not None:
            name = type(error).__name__
            log.warning("%s attempt %d: %s: %s", claim.job_id, claim.attempt, name, fault.detail)
            if isinstance(fault, faults.GpuFailure):
                self._broken = True
                self.drain()
            return lambda session, mine: self._stall(session, mine, fault)
        if isinstance(error, LesionGanError):
            reason = error
            log.info("%s failed: %s", claim.job_id, reason.detail)
        else:
            log.error("%s failed", claim.job_id, exc_info=error)
            detail = f"the worker failed unexpectedly; its log names job {claim.job_id}"
            reason = LesionGanError(detail)
        return lambda session, mine: ledger.fail(session, mine, reason)

    def _stall(self, session: Session, claim: Claim, fault: LesionGanError) -> None:
        row = claims.hold(session, claim)
        most = self._ports.settings.max_stalls
        ledger.stall(session, row, fault, max_stalls=most, backoff=faults.pause(row.stalls))

    def _hand_back(self, claim: Claim) -> None:
        self._end(claim, ledger.hand_back)
        with self._ports.sessions() as session:
            row = ledger.get(session, claim.job_id)
            self._ports.bell.ring(row.queue, row.id)

    def _divide(self, claim: Claim, parts: Sequence[PartOfJob]) -> None:
        ready: list[JobRow] = []

        def ending(session: Session, mine: Claim) -> None:
            ready[:] = dividing.divide(session, mine, parts)

        log.info("%s is divided into %d parts", claim.job_id, len(parts))
        self._end(claim, ending)
        for row in ready:
            self._ports.bell.ring(row.queue, row.id)

    def _end(self, claim: Claim, ending: Ending) -> None:
        """Write how the attempt ended. If even that fails, the lease expires."""
        try:
            write_end(self._ports.sessions, claim, ending, within=self._lease)
        except LeaseLost:
            log.warning("%s attempt %d is not ours any more", claim.job_id, claim.attempt)
        except Exception:
            log.exception("%s: its end could not be written", claim.job_id)


def _span(claim: Claim, worker: str, began_ns: int) -> AbstractContextManager[Span | None]:
    """This attempt's part of the trace that began with the request."""
    about: dict[str, str | int] = {
        "job.id": claim.job_id,
        "job.attempt": claim.attempt,
        "worker": worker,
    }
    return tracing.root(
        f"job {claim.kind}", claim.trace, SpanKind.CONSUMER, began_ns=began_ns, attributes=about
    )
