"""Removing data sets and what was made of them: rows at once, objects after the commit."""

import logging
from collections.abc import Iterable, Iterator

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.datasets import catalog, lineage
from shared.datasets.lineage import Made
from shared.db import content_lock
from shared.db.references import refuse_while_needed
from shared.db.tables import (
    CheckpointRow,
    ClassifierRow,
    DatasetRow,
    ExperimentRow,
    GanFileRow,
    GanRow,
    PreviewRow,
    ShardRow,
)
from shared.errors import Conflict, LesionGanError
from shared.storage.port import ObjectStore

log = logging.getLogger(__name__)


def remove(session: Session, dataset_id: str, *, cascade: bool) -> list[str]:
    """Delete a data set's rows; returns the keys of objects to delete once that is committed.

    Raises :class:`shared.errors.NotFound`, and :class:`Conflict` naming what derives from the data
    set unless ``cascade`` is set, or the unfinished jobs that need or make any of it.
    """
    content_lock.exclude(session)
    catalog.get(session, dataset_id)
    doomed = lineage.derived(session, dataset_id)
    others = [each for each in doomed.ids if each != dataset_id]
    if others and not cascade:
        raise Conflict(
            f"made from {dataset_id}: {', '.join(others)}; send ?cascade=true to delete them too",
            derived=others,
        )
    return remove_all(session, doomed)


def remove_all(session: Session, doomed: Made) -> list[str]:
    """Delete the rows of ``doomed``; returns the keys of their objects.

    Raises :class:`Conflict` naming the unfinished jobs that need or make any of it.
    """
    content_lock.exclude(session)
    refuse_while_needed(session, doomed.ids)
    return delete_rows(session, doomed)


def delete_rows(session: Session, doomed: Made) -> list[str]:
    """Delete the rows of ``doomed``, whoever needs them; returns the keys of their objects."""
    keys = list(_keys(session, doomed))
    session.execute(delete(ExperimentRow).where(ExperimentRow.id.in_(doomed.experiments)))
    session.execute(delete(ClassifierRow).where(ClassifierRow.id.in_(doomed.classifiers)))
    session.execute(delete(GanRow).where(GanRow.id.in_(doomed.gans)))
    session.execute(delete(ShardRow).where(ShardRow.dataset_id.in_(doomed.datasets)))
    session.execute(delete(DatasetRow).where(DatasetRow.id.in_(doomed.datasets)))
    return keys


def delete_objects(store: ObjectStore, keys: Iterable[str]) -> bool:
    """Delete objects that no row names any more; what fails is left for the collector.

    Returns whether all of them are gone.
    """
    left = 0
    for key in keys:
        try:
            store.delete(key)
        except LesionGanError as error:
            left += 1
            log.warning("an object is left to be collected: %s", error.detail)
    return left == 0


def _keys(session: Session, doomed: Made) -> Iterator[str]:
    columns = (
        (ShardRow.key, ShardRow.dataset_id, doomed.datasets),
        (DatasetRow.manifest_key, DatasetRow.id, doomed.datasets),
        (CheckpointRow.key, CheckpointRow.gan_id, doomed.gans),
        (PreviewRow.key, PreviewRow.gan_id, doomed.gans),
        (GanFileRow.key, GanFileRow.gan_id, doomed.gans),
        (GanRow.weights_key, GanRow.id, doomed.gans),
        (ClassifierRow.weights_key, ClassifierRow.id, doomed.classifiers),
        (ClassifierRow.checkpoint_key, ClassifierRow.id, doomed.classifiers),
        (ExperimentRow.report_key, ExperimentRow.id, doomed.experiments),
        (ExperimentRow.predictions_key, ExperimentRow.id, doomed.experiments),
    )
    for key, owner, ids in columns:
        found = session.scalars(select(key).where(owner.in_(ids))).all()
        yield from (each for each in found if each is not None)
