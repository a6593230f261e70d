"""Engines and sessions on psycopg 3."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

from shared.db import after_commit
from shared.db.timing import TimedCursor, count_connections

Sessions = sessionmaker[Session]

#: Seconds for which a returned connection is lent again unasked: where one was just used, asking
#: costs a busy process a tenth of its time, and tells little.
TRUSTED_SECONDS = 1.0
_RETURNED = "returned"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a connection waits, in seconds, before the server or the kernel ends the wait.

    Services and workers have it; migrations and dumps take as long as they need.
    """

    connect: int = 5
    statement: float = 60.0
    #: Less than a lease: a worker that waits for a row still renews its own in time.
    lock: float = 10.0
    #: A frozen process must not hold the rows that it has locked: their owners renew leases.
    idle_in_transaction: float = 15.0
    #: Without an answer of the other machine, not only of its server.
    network: float = 30.0

    def arguments(self) -> dict[str, str | int]:
        """What psycopg is told."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }
        given = {name: str(int(1000 * seconds)) for name, seconds in limits.items()}
        # Times leave as they are read.
        given["timezone"] = "UTC"
        return {
            "connect_timeout": self.connect,
            "options": " ".join(f"-c {name}={value}" for name, value in given.items()),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": int(1000 * self.network),
        }


def make_engine(
    database_url: str, *, pool_size: int = 10, patience: Patience | None = None
) -> Engine:
    """An engine that notices dead connections before it lends them, if they lay idle.

    Args:
        database_url: ``postgresql+psycopg://…``.
        pool_size: the most connections that stay open; twice as many may be lent at once.
        patience: how long its connections wait.
    """
    engine = create_engine(
        database_url,
        pool_size=pool_size,
        max_overflow=pool_size,
        # Errors are logged, and what is stored names patients, if only by their pseudonyms.
        hide_parameters=True,
        connect_args={**(patience or Patience()).arguments(), "cursor_factory": TimedCursor},
    )
    count_connections(engine)
    _ping_the_idle(engine)
    return engine


def _ping_the_idle(engine: Engine) -> None:
    """Ask a connection that lay idle whether it lives; all that lie beside a dead one go too."""

    def returned(_: object, record: Any) -> None:
        record.info[_RETURNED] = time.monotonic()

    def lent(connection: Any, record: Any, _: object) -> None:
        since = record.info.get(_RETURNED)
        if since is None or time.monotonic() - since < TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", lent)


def make_sessions(engine: Engine) -> Sessions:
    """A factory of sessions whose objects stay readable after the commit."""
    made = sessionmaker(engine, expire_on_commit=False)
    after_commit.listen(made)
    return made
