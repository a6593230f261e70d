"""Writing how an attempt ended, while the database may be away."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.jobs import ledger
from shared.jobs.claims import Claim
from shared.jobs.states import State
from shared.worker import faults

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5

#: Writes an end in its caller's transaction, and raises :class:`LeaseLost` if it is not ours.
Ending = Callable[[Session, Claim], None]


class NotWritten(Exception):
    """The database was away for too long: the lease will expire, and the job be tried again."""


def write_end(sessions: Sessions, claim: Claim, ending: Ending, *, within: timedelta) -> None:
    """Commit ``ending``; a database that is away is asked again for as long as ``within``.

    A commit whose answer was lost may have happened: it is found so, not repeated or undone.

    Raises :class:`NotWritten`, :class:`LeaseLost`, and what ``ending`` raises.
    """
    give_up_at = time.monotonic() + within.total_seconds()
    tries = 0
    while True:
        tries += 1
        try:
            with sessions() as session:
                if tries > 1 and _has_succeeded(session, claim):
                    return
                ending(session, claim)
                session.commit()
                return
        except Exception as error:
            fault = faults.passing(error)
            if fault is None:
                raise
            log.warning("the end of %s is not written yet: %s", claim.job_id, fault.detail)
            if time.monotonic() > give_up_at:
                raise NotWritten(claim.job_id) from error
        time.sleep(RETRY_SECONDS)


def _has_succeeded(session: Session, claim: Claim) -> bool:
    """Whether this attempt, and no other, made the job succeed."""
    row = ledger.get(session, claim.job_id)
    return row.status == State.SUCCEEDED and row.attempts == claim.attempt
