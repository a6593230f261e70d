"""Dividing a claimed job: parts of it become jobs, which any number of workers take.

The job is handed back and waits for its parts as for parents; whoever claims it then puts together
what they made. So the death of a worker, cancellation and retry need no rules of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.db import content_lock
from shared.db.tables import JobParentRow, JobRow
from shared.jobs import claims, ledger
from shared.jobs.claims import Claim
from shared.jobs.submit import GRAPHS, NewJob, require

#: What the kind of a part ends with; before it stands the kind of the whole.
SUFFIX = "-part"
#: Parents are locked first, which means: in order of age.
_OLDER = timedelta(microseconds=1)


@dataclass(frozen=True)
class PartOfJob:
    """One part: ``name`` tells it from the others of what the whole job makes."""

    name: str
    input: dict[str, Any]
    images: int


class Divided(Exception):
    """Raised by a handler: ``parts`` are to be made first, and then the job is to run again."""

    def __init__(self, parts: Sequence[PartOfJob]) -> None:
        super().__init__(f"{len(parts)} parts")
        self.parts = parts


def divide(session: Session, claim: Claim, parts: Sequence[PartOfJob]) -> Sequence[JobRow]:
    """Hand the job back until ``parts`` are made; returns the rows to ring for.

    Raises :class:`shared.jobs.claims.LeaseLost`.
    """
    content_lock.share(session)
    ledger.lock_target(session, GRAPHS)
    whole = claims.hold(session, claim)
    ready: Sequence[JobRow] = []
    if not whole.cancel_requested:
        ready = require(session, whole, [_new(whole, part) for part in parts])
        for row in ready:
            row.created_at = whole.created_at - _OLDER
        whole.total, whole.done, whole.unit = sum(part.images for part in parts), 0, "image"
    ledger.hand_back(session, claim)
    return ready


def done_of_parts(session: Session, whole: JobRow) -> int:
    """How many images the parts of a job have made that waits for them."""
    query = (
        select(func.coalesce(func.sum(JobRow.done), 0))
        .join(JobParentRow, JobParentRow.parent_id == JobRow.id)
        .where(JobParentRow.job_id == whole.id, JobRow.kind == whole.kind + SUFFIX)
    )
    return int(session.scalars(query).one())


def _new(whole: JobRow, part: PartOfJob) -> NewJob:
    return NewJob(
        kind=whole.kind + SUFFIX,
        queue=whole.queue,  # type: ignore[arg-type]  # a column holds any string
        input=part.input,
        target=f"{whole.target}/{part.name}",
        total=part.images,
        unit="image",
    )
