"""Whoever removes content is alone: nothing is added beside what is being removed.

Writers share the lock and never wait for each other. It is taken before any row is locked, so that
a remover that waits for a writer is never waited for by it.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Plain SQL: every submit sends it.
_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('content', 0))")
#: In a session's info: the transaction that has the shared lock already.
_SHARED_IN = "content_shared_in"
_EXCLUDE = text("SELECT pg_advisory_xact_lock(hashtextextended('content', 0))")


def share(session: Session) -> None:
    """Until this transaction ends, nobody removes what it read or adds."""
    connection = session.connection()
    now = connection.get_transaction()
    if session.info.get(_SHARED_IN) is not now:
        connection.execute(_SHARE)
        session.info[_SHARED_IN] = now


def exclude(session: Session) -> None:
    """Until this transaction ends, nobody adds content; it waits for those who are about to."""
    session.execute(_EXCLUDE)
