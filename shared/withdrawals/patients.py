"""Which data sets hold images of a patient."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session, undefer

from shared.datasets import catalog
from shared.datasets.manifest import read_manifest
from shared.db.engine import Sessions
from shared.db.tables import DatasetRow, ShardRow
from shared.storage.port import ObjectMissing, ObjectStore


@dataclass(frozen=True)
class Unpublished:
    """A data set that is not complete, and its first shard that may hold the patient, if any."""

    dataset_id: str
    first_shard: int | None


def read_unknown(sessions: Sessions, store: ObjectStore) -> list[str]:
    """Write down the patients of data sets that are older than that column.

    Returns the ids of those whose manifest is gone, so that nobody can say whom they hold.
    """
    unreadable: list[str] = []
    with sessions() as session:
        query = select(DatasetRow).where(DatasetRow.patients.is_(None)).order_by(DatasetRow.id)
        for row in session.scalars(query).all():
            try:
                row.patients = catalog.patients_of(read_manifest(store.get(row.manifest_key)))
            except ObjectMissing:
                unreadable.append(row.id)
            session.commit()
    return unreadable


def images_by_dataset(session: Session, pseudonyms: Sequence[str]) -> dict[str, int]:
    """How many images of the patient each published data set holds, where it holds any."""
    query = select(DatasetRow).options(undefer(DatasetRow.patients))
    rows = session.scalars(query.where(DatasetRow.patients.has_any(array(pseudonyms))))
    return {row.id: sum((row.patients or {}).get(each, 0) for each in pseudonyms) for row in rows}


def unpublished(session: Session, pseudonyms: Sequence[str]) -> list[Unpublished]:
    """Data sets that are being made, or whose making ended early, as far as they have shards."""
    published = select(DatasetRow.id)
    query = (
        select(ShardRow)
        .where(ShardRow.dataset_id.not_in(published))
        .order_by(ShardRow.dataset_id, ShardRow.number)
        .options(undefer(ShardRow.records))
    )
    first: dict[str, int | None] = {}
    for shard in session.scalars(query):
        if first.setdefault(shard.dataset_id, None) is None and _may_hold(shard, pseudonyms):
            first[shard.dataset_id] = shard.number
    return [Unpublished(dataset_id, number) for dataset_id, number in first.items()]


def _may_hold(shard: ShardRow, pseudonyms: Sequence[str]) -> bool:
    if shard.records is None:
        return True
    return not catalog.patients_of(read_manifest(shard.records)).keys().isdisjoint(pseudonyms)
