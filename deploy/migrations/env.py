"""Alembic's entry: connects, and takes a lock so that two migrations never run at once."""

from alembic import context
from sqlalchemy import create_engine, text

from shared.db import tables
from shared.db.base import Base

#: Any number, the same in every process.
LOCK = 7_346_512

assert tables.__all__, "the import fills the metadata"


def migrate() -> None:
    engine = create_engine(context.config.attributes["database_url"])
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


migrate()
