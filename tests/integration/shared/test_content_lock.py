"""The lock on content, as the database holds it."""

from sqlalchemy import text

from shared.db import content_lock
from shared.db.engine import Sessions

_HELD = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'")


def test_each_transaction_of_a_session_has_the_lock_of_its_own(sessions: Sessions) -> None:
    with sessions() as session:
        for end in (session.commit, session.rollback, session.commit):
            content_lock.share(session)
            content_lock.share(session)
            assert session.scalar(_HELD) == 1
            end()
            assert session.scalar(_HELD) == 0
            end()
