"""PostgreSQL: whether it answers, knows our schema, and whether the ledger moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from deploy.doctor.finding import Findings, error, ok, warning
from deploy.migrations.run import config
from shared.db.engine import make_engine, make_sessions
from shared.db.tables import JobRow
from shared.jobs import depths
from shared.jobs.states import State
from shared.settings import Settings

CHECK = "postgres"
#: More connections than this share of the most there may be leave none for the next start.
MOST_IN_USE = 0.8
SKEW_SECONDS = 5.0
#: Longer than the sweeper takes for a pass.
UNSWEPT_SECONDS = 30
WAITS_SECONDS = 900.0

#: What the server or the system says, and what it means.
_SAID = (
    ("password authentication failed", "use the password that its volume was made with"),
    ("does not exist", "make the database, or correct LESIONGAN_DATABASE_URL"),
    ("refused", "start it, or correct the host and port of LESIONGAN_DATABASE_URL"),
    ("resolve", "correct the host of LESIONGAN_DATABASE_URL"),
    ("too many clients", "raise max_connections, or run fewer processes"),
    ("starting up", "wait: it recovers"),
)


def check_database(settings: Settings) -> Findings:
    """Everything that is asked of PostgreSQL; one finding only where it does not answer."""
    engine = make_engine(settings.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            yield from _server(connection)
            behind = list(_migrations(connection, settings))
            yield from behind
        if not any(each.level == "error" for each in behind):
            with make_sessions(engine)() as session:
                yield from _ledger(session.connection())
                yield from _queues(lambda: depths.by_queue(session))
    except OperationalError as away:
        # Hints are indented; of several addresses, the last counts.
        lines = str(away.orig).strip().splitlines()
        said = next(line for line in reversed(lines) if not line.startswith("\t"))
        todo = next((todo for part, todo in _SAID if part in said), "see its log")
        yield error(CHECK, f"does not answer: {said}", todo)
    finally:
        engine.dispose()


def _server(connection: Connection) -> Findings:
    before = time.time()
    now: datetime = connection.scalars(select(func.clock_timestamp())).one()
    middle = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    skew_seconds = abs((now - middle).total_seconds())
    if skew_seconds > SKEW_SECONDS:
        said = f"its clock and ours differ by {skew_seconds:.0f} s"
        yield warning("clock", said, "set both by NTP: S3 refuses requests from another time")
    else:
        yield ok("clock", f"{skew_seconds:.1f} s from PostgreSQL's")
    query = "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
    used, most = connection.execute(text(query)).one()
    if used > MOST_IN_USE * most:
        said = f"{used} of {most} connections are in use"
        yield warning(CHECK, said, "raise max_connections, or run fewer processes")
    if connection.scalar(text("SHOW fsync")) == "off":
        yield error(CHECK, "fsync is off: a power cut may destroy the ledger", "switch it on")


def _migrations(connection: Connection, settings: Settings) -> Findings:
    script = ScriptDirectory.from_config(config(settings.database_url))
    head = script.get_current_head()
    try:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        connection.rollback()
        found = None
    todo = "run `python -m deploy.prepare` (container `prepare`; `lesiongan up` does it by itself)"
    if found == head:
        yield ok(CHECK, f"answers, schema {head}")
    elif found is None:
        yield error(CHECK, "has no schema of LesionGAN", todo)
    elif found in {each.revision for each in script.walk_revisions()}:
        yield error(CHECK, f"its schema is {found}, this code needs {head}", todo)
    else:
        todo = "start the version that made it, or restore a backup"
        yield error(CHECK, f"its schema {found} is newer than this code ({head})", todo)


def _ledger(connection: Connection) -> Findings:
    past = func.clock_timestamp() - timedelta(seconds=UNSWEPT_SECONDS)
    silent = select(func.count()).where(
        JobRow.status == State.RUNNING,
        JobRow.finished_at.is_(None),
        JobRow.lease_expires_at < past,
    )
    count = connection.scalars(silent).one()
    if count:
        said = f"{count} jobs of dead workers are not queued again"
        yield error("sweeper", said, "start the sweeper (`python -m shared.worker.sweep`)")
    else:
        yield ok("sweeper", "no job of a dead worker is left lying")


def _queues(measured: Callable[[], dict[str, depths.Depth]]) -> Findings:
    for queue, depth in sorted(measured().items()):
        if depth.oldest_seconds > WAITS_SECONDS:
            count, minutes = depth.counts[depths.READY], depth.oldest_seconds / 60
            said = f"{count} jobs wait in {queue}, the oldest for {minutes:.0f} min"
            yield warning("queues", said, "see `workers`; add some, or let it catch up")
