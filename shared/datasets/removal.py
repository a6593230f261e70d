"""Removing a data set, with what derives from it or not at all."""

from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from shared.datasets import catalog
from shared.db.references import refuse_while_needed
from shared.db.tables import ClassifierRow, DatasetRow, GanRow, ShardRow
from shared.errors import Conflict


def remove(session: Session, dataset_id: str, *, cascade: bool) -> list[str]:
    """Delete the rows; returns the keys of objects to delete once that is committed.

    Raises :class:`shared.errors.NotFound`, and :class:`Conflict` naming what derives from the data
    set, data sets unless ``cascade`` is set and models always, or the jobs that still need it.
    """
    catalog.get(session, dataset_id)
    doomed = _with_descendants(session, dataset_id)
    if len(doomed) > 1 and not cascade:
        names = ", ".join(doomed[1:])
        raise Conflict(f"{names} derive from {dataset_id}: delete them, or send ?cascade=true")
    refuse_while_needed(session, doomed)
    classifiers = _classifiers_of(session, doomed)
    models = list(session.scalars(select(GanRow.id).where(GanRow.dataset_id.in_(doomed))))
    models += [row.id for row in classifiers if row.weights_key is not None]
    if models:
        raise Conflict(f"{', '.join(sorted(models))} were trained on it: delete them first")
    # Those whose training never ended hold nothing that anybody could miss.
    keys = [row.checkpoint_key for row in classifiers if row.checkpoint_key is not None]
    for row in classifiers:
        session.delete(row)
    keys += list(session.scalars(select(ShardRow.key).where(ShardRow.dataset_id.in_(doomed))))
    rows = session.scalars(select(DatasetRow).where(DatasetRow.id.in_(doomed)))
    keys += [row.manifest_key for row in rows]
    session.execute(delete(ShardRow).where(ShardRow.dataset_id.in_(doomed)))
    session.execute(delete(DatasetRow).where(DatasetRow.id.in_(doomed)))
    return keys


def _classifiers_of(session: Session, dataset_ids: list[str]) -> Sequence[ClassifierRow]:
    seen = or_(*(ClassifierRow.datasets.contains([each]) for each in dataset_ids))
    return session.scalars(select(ClassifierRow).where(seen)).all()


def _with_descendants(session: Session, dataset_id: str) -> list[str]:
    found = [dataset_id]
    for known in found:
        found.extend(child for child in catalog.derived(session, known) if child not in found)
    return found
