"""Engines and sessions on psycopg 3."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

Sessions = sessionmaker[Session]


def make_engine(database_url: str, *, pool_size: int = 10) -> Engine:
    """An engine that notices dead connections before it lends them.

    Args:
        database_url: ``postgresql+psycopg://…``.
        pool_size: the most connections that stay open; twice as many may be lent at once.
    """
    return create_engine(
        database_url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5},
    )


def make_sessions(engine: Engine) -> Sessions:
    """A factory of sessions whose objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)
