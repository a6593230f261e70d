"""Waits until the database has this code's schema: ``python -m deploy.migrations.wait``.

For what starts beside ``deploy.prepare`` and has nothing that orders the two.
"""

import logging
import signal
import sys
import time

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from deploy.migrations.run import HERE, DatabaseTooNew
from shared.db.engine import make_engine
from shared.errors import LesionGanError
from shared.observability.logs import configure_logging
from shared.settings import get_settings

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


def missing(engine: Engine) -> str | None:
    """What is still to be waited for, in a sentence; None once the schema is this code's.

    Raises :class:`DatabaseTooNew` for a schema that a later version of this code wrote.
    """
    script = ScriptDirectory(HERE)
    known = {revision.revision for revision in script.walk_revisions()}
    wanted = set(script.get_heads())
    try:
        with engine.connect() as connection:
            there = set(MigrationContext.configure(connection).get_current_heads())
    except OperationalError as error:
        return f"the database does not answer: {str(error.orig).strip().splitlines()[0]}"
    if unknown := there - known:
        raise DatabaseTooNew(
            f"the database is newer than this code, which does not know its revision "
            f"{', '.join(sorted(unknown))}: start the version that made it, or restore a backup"
        )
    if there != wanted:
        return f"the database has revision {', '.join(there) or 'none'}, not {', '.join(wanted)}"
    return None


def wait(engine: Engine, *, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Return once nothing is missing; what is, is logged when it changes."""
    said = None
    while (lacking := missing(engine)) is not None:
        if lacking != said:
            log.info("waiting: %s", lacking)
            said = lacking
        time.sleep(pause_seconds)


def main() -> None:
    """Wait for the database of the environment's settings, or until SIGTERM."""
    settings = get_settings()
    configure_logging(settings)
    # As a container's first process it would not hear the signal without a handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        wait(make_engine(settings.database_url, pool_size=1))
    except LesionGanError as error:
        sys.exit(f"wait: {error.detail}")


if __name__ == "__main__":
    main()
