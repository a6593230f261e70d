"""What a job would cost: measured on the jobs of its kind that ended here before."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from lesiongan.contracts.jobs import Estimate
from shared.db.tables import JobParentRow, JobRow
from shared.jobs.dividing import SUFFIX
from shared.jobs.states import State
from shared.jobs.submit import NewJob, with_required

#: The most recent jobs that an estimate looks at.
SAMPLE = 20
#: Bytes of one 64² grey PNG with its JSON in a shard.
BYTES_AN_IMAGE = 5_000


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


def _estimate_one(session: Session, new: NewJob) -> Estimate:
    """Device-seconds from the seconds a unit of recent jobs of the kind took.

    Work that was done before costs nothing. Without any such job there is nothing to measure by,
    and the estimate says so.
    """
    images = new.total if new.unit == "image" else 0
    if new.output(session) is not None:
        return Estimate(images=images, bytes=0, device_seconds=0.0, based_on="made before")
    part = aliased(JobRow)
    divided = exists(
        select(JobParentRow.job_id)
        .join(part, part.id == JobParentRow.parent_id)
        .where(JobParentRow.job_id == JobRow.id, part.kind == new.kind + SUFFIX)
    )
    query = (
        select(JobRow.device_seconds, JobRow.done)
        .where(JobRow.kind.in_((new.kind, new.kind + SUFFIX)), ~divided)
        .where(JobRow.status == State.SUCCEEDED, JobRow.done > 0, JobRow.device_seconds > 0)
        .order_by(JobRow.finished_at.desc())
        .limit(SAMPLE)
    )
    rates = sorted(seconds / done for seconds, done in session.execute(query))
    if not rates:
        return Estimate(
            images=images,
            bytes=images * BYTES_AN_IMAGE,
            device_seconds=0.0,
            based_on=f"no {new.kind} job has ended here yet, so its time is unknown",
        )
    return Estimate(
        images=images,
        bytes=images * BYTES_AN_IMAGE,
        device_seconds=rates[len(rates) // 2] * new.total,
        based_on=f"the median of {len(rates)} earlier {new.kind} jobs",
    )
