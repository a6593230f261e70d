"""Whoever removes content is alone: nothing is added beside what is being removed.

Writers share the lock and never wait for each other. It is taken before any row is locked, so that
a remover that waits for a writer is never waited for by it.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

_NAME = "content"


def share(session: Session) -> None:
    """Until this transaction ends, nobody removes what it read or adds."""
    key = func.hashtextextended(_NAME, 0)
    session.execute(select(func.pg_advisory_xact_lock_shared(key)))


def exclude(session: Session) -> None:
    """Until this transaction ends, nobody adds content; it waits for those who are about to."""
    key = func.hashtextextended(_NAME, 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))
