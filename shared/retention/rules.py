"""What expires by its row: which rows, and the objects that go with them.

A rule asks twice: for what has expired, and again for each once nobody can begin to use it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.db.tables import (
    CheckpointRow,
    ClassifierRow,
    DatasetRow,
    GanRow,
    JobEventRow,
    JobRow,
    ShardRow,
    UploadRow,
)
from shared.jobs.states import State
from shared.retention.owners import hold
from shared.retention.periods import Periods
from shared.storage.parts import part_key


@dataclass(frozen=True)
class Removed:
    """Rows that are deleted, and the objects to delete once that is committed."""

    rows: int
    keys: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """One kind of thing that expires; ``name`` is how the collection's output counts it."""

    name: str
    owner: InstrumentedAttribute[str]
    #: Ids of owners of which something has expired.
    expired: Callable[[Periods], Select[str]]
    #: Deletes an owner's rows.
    remove: Callable[[Session, str], Removed]
    #: Keeps jobs for an owner from beginning until the transaction ends.
    hold: Callable[[Session, str], None] = hold


def _ended_before(period: timedelta) -> ColumnElement[bool]:
    """Whether the job has ended, and so long ago; never null, so that it can be negated."""
    return func.coalesce(JobRow.finished_at <= func.clock_timestamp() - period, false())


def _expired_uploads(periods: Periods) -> Select[str]:
    """Uploads that no ingest needs, nor has needed for a while."""
    needed = exists(
        select(JobRow.id).where(_names_upload(UploadRow.id), ~_ended_before(periods.upload))
    )
    old = UploadRow.created_at <= func.clock_timestamp() - periods.upload
    return select(UploadRow.id).where(old, ~needed)


def _names_upload(upload_id: Any) -> ColumnElement[bool]:
    return and_(JobRow.kind == "ingest", JobRow.input["upload"].astext == upload_id)


def _hold_ingests(session: Session, upload_id: str) -> None:
    session.execute(select(JobRow.id).where(_names_upload(upload_id)).with_for_update())


def _remove_upload(session: Session, upload_id: str) -> Removed:
    row = session.get_one(UploadRow, upload_id)
    keys = [part_key(upload_id, number) for number in range(row.parts)]
    session.delete(row)
    return Removed(1, keys)


def _training_is_over(periods: Periods) -> ColumnElement[bool]:
    """A training that succeeded is never resumed; one that ended otherwise may be retried."""
    ended_badly = JobRow.status.in_((State.FAILED, State.CANCELLED))
    return or_(
        JobRow.status == State.SUCCEEDED, and_(ended_badly, _ended_before(periods.checkpoint))
    )


def _expired_gan_checkpoints(periods: Periods) -> Select[str]:
    return (
        select(CheckpointRow.gan_id)
        .distinct()
        .join(GanRow, GanRow.id == CheckpointRow.gan_id)
        .join(JobRow, JobRow.id == GanRow.job_id)
        .where(_training_is_over(periods))
    )


def _remove_gan_checkpoints(session: Session, gan_id: str) -> Removed:
    query = delete(CheckpointRow).where(CheckpointRow.gan_id == gan_id).returning(CheckpointRow.key)
    keys = session.scalars(query).all()
    return Removed(len(keys), keys)


def _expired_classifier_checkpoints(periods: Periods) -> Select[str]:
    return (
        select(ClassifierRow.id)
        .join(JobRow, JobRow.id == ClassifierRow.job_id)
        .where(ClassifierRow.checkpoint_key.is_not(None), _training_is_over(periods))
    )


def _remove_classifier_checkpoint(session: Session, classifier_id: str) -> Removed:
    row = session.get_one(ClassifierRow, classifier_id, with_for_update=True)
    assert row.checkpoint_key is not None, "the rule asks for those that have one"
    keys = [row.checkpoint_key]
    row.checkpoint_key = row.checkpoint_sha256 = None
    return Removed(1, keys)


def _abandoned_shards(periods: Periods) -> Select[str]:
    """Shards of data sets that were never published, and that nobody makes nor has made lately."""
    published = exists(select(DatasetRow.id).where(DatasetRow.id == ShardRow.dataset_id))
    makes = JobRow.target == ShardRow.dataset_id
    made_lately = exists(select(JobRow.id).where(makes, ~_ended_before(periods.orphan)))
    return select(ShardRow.dataset_id).distinct().where(~published, ~made_lately)


def _remove_shards(session: Session, dataset_id: str) -> Removed:
    query = delete(ShardRow).where(ShardRow.dataset_id == dataset_id).returning(ShardRow.key)
    keys = session.scalars(query).all()
    return Removed(len(keys), keys)


def _expired_events(periods: Periods) -> Select[str]:
    told = exists(select(JobEventRow.id).where(JobEventRow.job_id == JobRow.id))
    return select(JobRow.id).where(_ended_before(periods.event), told)


def _remove_events(session: Session, job_id: str) -> Removed:
    query = delete(JobEventRow).where(JobEventRow.job_id == job_id).returning(JobEventRow.id)
    return Removed(len(session.scalars(query).all()))


RULES: tuple[Rule, ...] = (
    Rule("uploads", UploadRow.id, _expired_uploads, _remove_upload, _hold_ingests),
    Rule("checkpoints", CheckpointRow.gan_id, _expired_gan_checkpoints, _remove_gan_checkpoints),
    Rule(
        "checkpoints",
        ClassifierRow.id,
        _expired_classifier_checkpoints,
        _remove_classifier_checkpoint,
    ),
    Rule("shards", ShardRow.dataset_id, _abandoned_shards, _remove_shards),
    Rule("events", JobRow.id, _expired_events, _remove_events),
)
