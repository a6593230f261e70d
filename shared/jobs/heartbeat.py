"""The thread that keeps a lease while its worker works, and hears of cancellation."""

import logging
import threading
import time
from datetime import timedelta
from types import TracebackType

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import Sessions
from shared.jobs import claims
from shared.jobs.claims import Claim, LeaseLost
from shared.jobs.context import StopFlags

log = logging.getLogger(__name__)

#: How often cancellation is looked for; a lease is renewed at the same moment.
BEAT_SECONDS = 0.5


class Heartbeat:
    """A context manager around the work of one attempt."""

    def __init__(
        self, claim: Claim, sessions: Sessions, flags: StopFlags, *, lease: timedelta
    ) -> None:
        self._claim = claim
        self._sessions = sessions
        self._flags = flags
        self._lease = lease
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        renewed_at = time.monotonic()
        interval = min(BEAT_SECONDS, self._lease.total_seconds() / 4)
        while not self._done.wait(interval):
            try:
                self._renew()
                renewed_at = time.monotonic()
            except LeaseLost:
                self._flags.lost.set()
                return
            except (SQLAlchemyError, psycopg.Error, OSError) as error:
                why = type(error).__name__
                log.warning("lease of %s not renewed: %s", self._claim.job_id, why)
                if time.monotonic() - renewed_at > self._lease.total_seconds():
                    self._flags.lost.set()
                    return

    def _renew(self) -> None:
        with self._sessions() as session:
            if claims.renew(session, self._claim, lease=self._lease):
                self._flags.cancel.set()
            session.commit()
