"""What stands in the way of jobs that are to be written together, asked for by one statement.

Statements are built once, and take all targets as one array: so they are one text, whatever their
number, which the driver prepares and the server plans once a connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Integer, Select, String, bindparam, false, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.db.tables import JobRow, TombstoneRow
from shared.jobs import limits, queries


@dataclass(frozen=True)
class Obstacles:
    """Those of the targets that something makes or that were withdrawn; ``now``: the database's."""

    targets: frozenset[str]
    queues_full: bool
    now: datetime


def obstacles(session: Session, targets: Sequence[str], *, queued_jobs: int | None) -> Obstacles:
    """What stands in the way of ``targets``, whose locks the caller holds.

    Args:
        queued_jobs: as many may be queued before these; None: there is no limit.
    """
    given = {"targets": list(targets), "queued_jobs": queued_jobs}
    row = session.connection().execute(_look(limited=queued_jobs is not None), given).one()
    return Obstacles(frozenset(row.targets), row.queues_full, row.now)


@cache
def _look(*, limited: bool) -> Select[*tuple[object, ...]]:
    asked = func.any(bindparam("targets", type_=ARRAY(String)))
    made = select(JobRow.target).where(JobRow.target == asked, queries.is_active())
    withdrawn = select(TombstoneRow.id).where(TombstoneRow.id == asked)
    full = limits.more_queued(bindparam("queued_jobs", type_=Integer)) if limited else false()
    return select(
        func.array(made.union_all(withdrawn).scalar_subquery(), type_=ARRAY(String)).label(
            "targets"
        ),
        full.label("queues_full"),
        func.clock_timestamp().label("now"),
    )
