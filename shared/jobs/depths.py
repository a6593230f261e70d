"""How much waits, for how long, and what runs: figures of the ledger for who watches it.

Each is one grouped query over rows that have not ended, which partial indexes hold.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, case, cast, extract, func, select, true
from sqlalchemy.orm import Session, aliased

from shared.db.tables import DeliveryRow, JobParentRow, JobRow, MetricRow
from shared.jobs import queries
from shared.jobs.states import State

READY, BLOCKED, RUNNING = "ready", "blocked", "running"
#: Steps that were reported: some metrics come with few of them.
_REMEMBERED = 200


@dataclass(frozen=True)
class Depth:
    """Jobs of a queue by state, and the seconds that the oldest ready one has waited."""

    counts: dict[str, int] = field(default_factory=lambda: {READY: 0, BLOCKED: 0, RUNNING: 0})
    oldest_seconds: float = 0.0


def by_queue(session: Session) -> dict[str, Depth]:
    """The queues that have jobs."""
    state = case(
        (JobRow.status == State.RUNNING, RUNNING), (queries.runnable(), READY), else_=BLOCKED
    )
    judged = (
        select(JobRow.queue, state.label("state"), _ready_since().label("since"))
        .where(JobRow.finished_at.is_(None))
        .subquery()
    )
    waited = extract("epoch", func.clock_timestamp() - func.min(judged.c.since))
    query = select(judged.c.queue, judged.c.state, func.count(), cast(waited, Float))
    found: dict[str, Depth] = {}
    for queue, state_, count, seconds in session.execute(
        query.group_by(judged.c.queue, judged.c.state)
    ):
        known = found.get(queue, Depth())
        oldest = max(0.0, seconds) if state_ == READY else known.oldest_seconds
        found[queue] = Depth({**known.counts, state_: count}, oldest)
    return found


def _ready_since() -> ColumnElement[object]:
    """When a job became ready: made, put off, last claimed, or its last parent ended."""
    parent = aliased(JobRow)
    parents_ended = (
        select(func.max(parent.finished_at))
        .join(JobParentRow, JobParentRow.parent_id == parent.id)
        .where(JobParentRow.job_id == JobRow.id)
        .scalar_subquery()
    )
    # GREATEST leaves nulls out.
    return func.greatest(JobRow.created_at, JobRow.not_before, JobRow.claimed_at, parents_ended)


def deliveries(session: Session) -> tuple[int, float]:
    """Webhook messages that wait, and for how many seconds the oldest has been due."""
    due = extract("epoch", func.clock_timestamp() - func.min(DeliveryRow.next_attempt_at))
    query = select(func.count(), cast(due, Float)).where(DeliveryRow.status == "pending")
    count, seconds = session.execute(query).one()
    return count, max(0.0, seconds or 0.0)


def trainings(session: Session) -> dict[str, dict[str, float]]:
    """The newest value of each metric of each GAN that trains now, its step among them."""
    found: dict[str, dict[str, float]] = {}
    for gan, step, values in session.execute(_newest_metrics()):
        numbers = {name: float(value) for name, value in values.items() if _is_number(value)}
        found.setdefault(gan, {}).update(step=float(step), **numbers)
    return found


def _newest_metrics() -> Select[Any]:
    newest = (
        select(MetricRow.gan_id, MetricRow.step, MetricRow.values)
        .where(MetricRow.gan_id == JobRow.target)
        .order_by(MetricRow.step.desc())
        .limit(_REMEMBERED)
        .lateral()
    )
    return (
        select(newest.c.gan_id, newest.c.step, newest.c["values"])
        .select_from(JobRow)
        .join(newest, true())
        .where(JobRow.finished_at.is_(None), JobRow.status == State.RUNNING)
        .where(JobRow.kind == "train-gan")
        .order_by(newest.c.step)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
