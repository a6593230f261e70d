"""What the ledger says, read beside the API: the run's own connection to Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import Sessions, make_engine, make_sessions
from shared.db.tables import JobEventRow, JobRow
from shared.settings import Settings


@dataclass(frozen=True)
class Running:
    """An attempt that runs."""

    job_id: str
    attempt: int
    worker: str


class Ledger:
    """Questions that are answered, or None while Postgres is away."""

    def __init__(self, settings: Settings) -> None:
        self._engine: Engine = make_engine(settings.database_url)
        self.sessions: Sessions = make_sessions(self._engine)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def running(self) -> list[Running] | None:
        """The attempts that run now."""
        query = select(JobRow.id, JobRow.attempts, JobRow.worker).where(JobRow.status == "running")
        found = self._rows(query)
        return None if found is None else [Running(*row) for row in found]

    def progress(self) -> dict[str, tuple[Any, ...]] | None:
        """What of each job changes as it goes on."""
        query = select(JobRow.id, JobRow.status, JobRow.attempts, JobRow.done)
        found = self._rows(query)
        return None if found is None else {row[0]: tuple(row[1:]) for row in found}

    def work_done(self) -> tuple[int, int] | None:
        """What grows with each claim and each end."""
        ended = func.count().filter(JobRow.finished_at.is_not(None))
        found = self._rows(select(func.coalesce(func.sum(JobRow.attempts), 0), ended))
        return None if found is None else (int(found[0][0]), int(found[0][1]))

    def unfinished(self) -> list[str] | None:
        """What there is to say of the jobs that have not ended."""
        said = select(JobRow.id, JobRow.kind, JobRow.status, JobRow.attempts, JobRow.worker)
        found = self._rows(said.where(JobRow.status.in_(("queued", "running"))))
        return None if found is None else [" ".join(map(str, row)) for row in found]

    def given_up(self) -> list[tuple[str, str]] | None:
        """(id, kind) of jobs that too many attempts ended on, or that needed such a job."""
        reason = JobRow.error["detail"].astext
        query = select(JobRow.id, JobRow.kind).where(
            JobRow.status == "failed", reason.contains("given up after")
        )
        found = self._rows(query)
        return None if found is None else [(row[0], row[1]) for row in found]

    def setbacks(self) -> dict[str, int]:
        """How often an attempt was put back, by its reason."""
        message = JobEventRow.data["message"].astext
        query = select(message, func.count()).where(message.like("%tried again")).group_by(message)
        return {str(row[0]): int(row[1]) for row in self._rows(query) or ()}

    def _rows(self, query: Any) -> Sequence[Any] | None:
        try:
            with self.sessions() as session:
                return session.execute(query).all()
        except SQLAlchemyError:
            return None
