"""What a job would cost: measured on the jobs of its kind that ended here before.

A job's seconds are taken as ``fixed + pace x work``: loading, warming up and publishing take the
same time whatever the job is asked for. The pace is that of the job's second half, from a report of
progress to the last one: the first job of a worker begins slowly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, median_low

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from lesiongan.contracts.jobs import Estimate
from shared.db.tables import DatasetRow, JobParentRow, JobRow
from shared.jobs.dividing import SUFFIX
from shared.jobs.states import State
from shared.jobs.submit import NewJob, with_required

#: The most recent jobs that an estimate looks at, and how many of these count: those whose work is
#: nearest to what is asked.
SAMPLE, NEAREST = 20, 5
#: Bytes of one 64² grey PNG with its record, where no data set of its kind was made here yet.
BYTES_AN_IMAGE = 5_000


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One job that succeeded, with its parts: what it was asked for and what it took."""

    seconds: float
    #: Of ``seconds``, those that another amount of work would have taken too; None: not known.
    fixed: float | None
    work: float
    units: int
    bytes_an_image: float | None = None

    def seconds_for(self, work: float) -> float:
        """What ``work`` would have taken.

        Where it is not known how much of that is fixed, the middle between all and nothing.
        """
        times = work / self.work
        if self.fixed is None:
            return self.seconds * math.sqrt(times)
        return self.fixed + (self.seconds - self.fixed) * times


def estimate(session: Session, new: NewJob) -> Estimate:
    """What a job would cost, with all that it requires.

    Parts that run side by side are added up: device-seconds are not waiting time.
    """
    parts = [_estimate_one(session, each) for each in with_required(session, new)]
    reasons = dict.fromkeys(part.based_on for part in parts)
    return Estimate(
        images=sum(part.images for part in parts),
        bytes=sum(part.bytes for part in parts),
        device_seconds=round(sum(part.device_seconds for part in parts), 3),
        based_on="; ".join(reasons),
    )


def nearest(ended: Sequence[Ended], work: float) -> Sequence[Ended]:
    """Those of ``ended`` whose work differs from ``work`` by the smallest factors."""
    return sorted(ended, key=lambda each: abs(math.log(each.work / work)))[:NEAREST]


def _estimate_one(session: Session, new: NewJob) -> Estimate:
    """Work that was done before costs nothing.

    Without any job of the kind there is nothing to measure by, and the estimate says so.
    """
    if new.output(session) is not None:
        return Estimate(images=_images(new, []), bytes=0, device_seconds=0.0, based_on=_MADE)
    # Nothing asked for is a job all the same.
    work = max(new.amount, 1.0)
    ended = nearest(_alike(session, new), work)
    images = _images(new, ended)
    sizes = [each.bytes_an_image for each in ended if each.bytes_an_image is not None]
    return Estimate(
        images=images,
        bytes=round(images * (median(sizes) if sizes else BYTES_AN_IMAGE)),
        # The lower of two: one of them may have been the first of its worker.
        device_seconds=median_low(each.seconds_for(work) for each in ended) if ended else 0.0,
        based_on=_based_on(new.kind, len(ended)),
    )


_MADE = "made before"


def _based_on(kind: str, ended: int) -> str:
    if ended == 0:
        return f"no {kind} job has ended here yet, so its time is unknown"
    return f"the median of {ended} earlier {kind} {'job' if ended == 1 else 'jobs'}"


def _images(new: NewJob, ended: Sequence[Ended]) -> int:
    """As many as the job says; where only its work will tell, as many as such work made before."""
    if new.unit != "image":
        return 0
    if new.total or not ended:
        return new.total
    return round(median(each.units / each.work for each in ended) * new.amount)


def _alike(session: Session, new: NewJob) -> list[Ended]:
    """Jobs of the kind; those whose input agrees with ``like``, if there are any."""
    ended = _ended(session, JobRow.kind == new.kind, JobRow.input.contains(dict(new.like)))
    return ended if ended or not new.like else _ended(session, JobRow.kind == new.kind)


def _ended(session: Session, *which: ColumnElement[bool]) -> list[Ended]:
    part = aliased(JobRow)
    of_parts = (
        select(func.sum(part.device_seconds))
        .join(JobParentRow, part.id == JobParentRow.parent_id)
        .where(JobParentRow.job_id == JobRow.id, part.kind == JobRow.kind + SUFFIX)
        .correlate(JobRow)
        .scalar_subquery()
    )
    query = (
        select(
            JobRow.device_seconds,
            of_parts,
            func.extract("epoch", JobRow.reported_at - JobRow.mark_at),
            JobRow.mark_done,
            JobRow.attempts,
            func.coalesce(JobRow.work, JobRow.done),
            JobRow.done,
            DatasetRow.bytes / func.nullif(DatasetRow.images, 0),
        )
        .outerjoin(DatasetRow, DatasetRow.job_id == JobRow.id)
        .where(*which, JobRow.status == State.SUCCEEDED, JobRow.device_seconds > 0)
        .order_by(JobRow.finished_at.desc())
        .limit(SAMPLE)
    )
    return [
        Ended(
            seconds=seconds + (parts or 0.0),
            fixed=0.0 if parts else _fixed(seconds, units, span, marked, attempts),
            work=max(work, 1.0),
            units=units,
            bytes_an_image=size,
        )
        for seconds, parts, span, marked, attempts, work, units, size in session.execute(query)
    ]


def _fixed(
    seconds: float, units: int, span: float | None, marked: int | None, attempts: int
) -> float | None:
    """What ``units`` would not have taken at the pace of those after ``marked``, in ``span``.

    None where the pace is not known: of several attempts, or with one report.
    """
    if attempts != 1 or not span or marked is None or units <= marked:
        return None
    return max(0.0, seconds - units * float(span) / (units - marked))
