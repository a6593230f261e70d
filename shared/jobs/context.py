"""What a handler sees of its job: its input, its progress, and when to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.jobs import claims, ledger
from shared.jobs.claims import Claim
from shared.jobs.notices import notify

#: Progress is written at most so often: people read it, and each write is a commit.
REPORT_SECONDS = 0.25
#: On a slow database or a busy machine more rarely, so that it takes a small share of the time …
REPORT_SHARE = 50
#: … and yet so often.
REPORT_AT_LEAST_SECONDS = 2.0


class Cancelled(Exception):
    """Somebody asked the job to stop."""


class HandedBack(Exception):
    """The worker must go; what was done so far is safe, another worker goes on."""


def _nothing() -> None:
    """There is nothing to clear away."""


def _write_nothing(session: Session) -> None:
    """For jobs whose only result is their output."""


@dataclass(frozen=True)
class Outcome:
    """A job's result. ``write`` adds the rows that are committed together with ``succeeded``."""

    output: dict[str, Any]
    write: Callable[[Session], None] = _write_nothing
    #: Runs after the commit, for clearing away: what it misses is collected later.
    afterwards: Callable[[], None] = _nothing


@dataclass
class StopFlags:
    """Set by other threads, read by the work between its steps."""

    cancel: threading.Event = field(default_factory=threading.Event)
    drain: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)

    def any(self) -> bool:
        return self.lost.is_set() or self.cancel.is_set() or self.drain.is_set()


class JobContext:
    """One attempt at one job."""

    def __init__(self, claim: Claim, sessions: Sessions, flags: StopFlags) -> None:
        self.claim = claim
        self._sessions = sessions
        self._flags = flags
        self._report_from = 0.0
        self._began_at: float | None = None
        self._began_done = 0

    @property
    def job_id(self) -> str:
        return self.claim.job_id

    @property
    def attempt(self) -> int:
        return self.claim.attempt

    @property
    def target(self) -> str:
        """Id of what the job makes; only for kinds whose routes name it."""
        assert self.claim.target is not None, "the route names what the job makes"
        return self.claim.target

    def should_stop(self) -> bool:
        """Whether :meth:`check` would raise."""
        return self._flags.any()

    def check(self) -> None:
        """Call between steps.

        Raises :class:`LeaseLost`, :class:`Cancelled` or :class:`HandedBack`.
        """
        self.check_wanted()
        if self._flags.drain.is_set():
            raise HandedBack(self.job_id)

    def check_wanted(self) -> None:
        """Call within steps, also where what is done so far could not be handed back.

        Raises :class:`LeaseLost` or :class:`Cancelled`.
        """
        if self._flags.lost.is_set():
            raise claims.LeaseLost(self.job_id)
        if self._flags.cancel.is_set():
            raise Cancelled(self.job_id)

    def progress(self, done: int, total: int, unit: str) -> None:
        """Report how far the work is, and stop here if it should stop. Cheap: call it often.

        Raises as :meth:`check` does.
        """
        self.check()
        self._report(done, total, unit)

    def report(self, done: int, total: int, unit: str) -> None:
        """As :meth:`progress`, where what is done so far could not be handed back.

        Raises as :meth:`check_wanted` does.
        """
        self.check_wanted()
        self._report(done, total, unit)

    def _report(self, done: int, total: int, unit: str) -> None:
        now = time.monotonic()
        if self._began_at is None:
            if done == total:
                return  # the first report would be the last, and the job's end says the same
            self._began_at, self._began_done = now, done
        if now < self._report_from and done != total:
            return
        eta = self._eta(done, total, now)
        with self._sessions() as session:
            ledger.report(session, self.claim, done=done, total=total, unit=unit, eta_seconds=eta)
            session.commit()
        written = time.monotonic()
        rest = min(REPORT_SHARE * (written - now), REPORT_AT_LEAST_SECONDS)
        self._report_from = written + max(REPORT_SECONDS, rest)

    def event(self, event: str, data: dict[str, Any]) -> None:
        """Append to the job's event stream: ``metric`` or ``log``."""
        with self._sessions() as session:
            claims.hold(session, self.claim)
            ledger.add_event(session, self.job_id, event, data)
            session.commit()

    @contextmanager
    def fenced(self, *, milestone: bool = False) -> Iterator[Session]:
        """A transaction that commits only while this attempt owns the job.

        ``milestone`` marks work that a later attempt need not repeat, such as a checkpoint or a
        shard: deaths of workers are counted between milestones.

        Raises :class:`LeaseLost`.
        """
        with self._sessions() as session:
            row = claims.hold(session, self.claim)
            if milestone:
                row.stalls = 0
            yield session
            if milestone:
                notify(session, self.job_id)
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads; nothing is committed."""
        with self._sessions() as session:
            yield session

    def _eta(self, done: int, total: int, now: float) -> float | None:
        if self._began_at is None or done <= self._began_done or total <= 0:
            return None
        rate = (done - self._began_done) / max(now - self._began_at, 1e-6)
        return round(max(0, total - done) / rate, 1)
