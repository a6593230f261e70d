"""What each key's jobs used."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lesiongan.contracts.usage import JobUsage, Usage
from services.gateway import keys
from shared.db.tables import DatasetRow, JobRow, KeyRow
from shared.jobs import limits


@dataclass(frozen=True)
class Span:
    """Jobs that were submitted at ``first`` or later, and before ``end``; None is open."""

    first: datetime | None
    end: datetime | None

    def of(self, key_ids: Sequence[str]) -> list[ColumnElement[bool]]:
        """Conditions on the jobs of these keys."""
        found: list[ColumnElement[bool]] = [JobRow.key_id.in_(key_ids)]
        if self.first is not None:
            found.append(JobRow.created_at >= self.first)
        if self.end is not None:
            found.append(JobRow.created_at < self.end)
        return found


def usage(session: Session, rows: Sequence[KeyRow], span: Span) -> list[Usage]:
    """The usage of each key, in the keys' order."""
    ids = [row.id for row in rows]
    jobs = _jobs(session, ids, span)
    images = _images(session, ids, span)
    stored = limits.stored_bytes(session, ids)
    return [
        Usage(
            key=row.id,
            name=row.name,
            jobs=jobs[row.id],
            device_seconds=sum(each.device_seconds for each in jobs[row.id]),
            images=images.get(row.id, 0),
            stored_bytes=stored.get(row.id, 0),
            queued_jobs=limits.queued_jobs(session, row.id),
            quota_device_seconds_used=limits.device_seconds(session, row.id),
            quota=keys.quota(row),
        )
        for row in rows
    ]


def _jobs(session: Session, ids: Sequence[str], span: Span) -> dict[str, list[JobUsage]]:
    what = (JobRow.key_id, JobRow.kind, JobRow.status)
    query = (
        select(*what, func.count(), func.sum(JobRow.device_seconds))
        .where(*span.of(ids))
        .group_by(*what)
        .order_by(*what)
    )
    found: dict[str, list[JobUsage]] = defaultdict(list)
    for key_id, kind, status, jobs, seconds in session.execute(query):
        used = {"kind": kind, "status": status, "jobs": jobs, "device_seconds": seconds}
        found[str(key_id)].append(JobUsage.model_validate(used))
    return found


def _images(session: Session, ids: Sequence[str], span: Span) -> dict[str, int]:
    query = (
        select(JobRow.key_id, func.sum(DatasetRow.images))
        .join(DatasetRow, DatasetRow.job_id == JobRow.id)
        .where(*span.of(ids))
        .group_by(JobRow.key_id)
    )
    return {str(key_id): int(images) for key_id, images in session.execute(query)}
