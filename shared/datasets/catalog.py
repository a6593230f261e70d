"""The catalogue: rows of data sets and shards in Postgres. Nothing is committed here."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ScalarSelect, Select, String, bindparam, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import CATEGORIES, SPLITS, UNLABELLED, UNSPLIT, Category
from lesiongan.contracts.datasets import Dataset, DatasetKind
from shared.datasets.columns import Records
from shared.datasets.identity import content_sha256
from shared.db import content_lock
from shared.db.rows import require
from shared.db.tables import DatasetRow, ShardRow
from shared.db.tombstones import refuse_withdrawn, withdrawn_patients
from shared.errors import BadInput, Gone

#: The most skipped files that a data set names; ``skipped_total`` counts them all.
MAX_SKIPPED = 200
#: The most reasons that are counted: some name a value.
MAX_REASONS = 200
#: Of a shard's row: what its place does not say.
_SHARD_VALUES = ("key", "first_index", "images", "bytes", "sha256", "records")


@dataclass(frozen=True, kw_only=True)
class NewDataset:
    """A data set about to be published: everything but its images."""

    id: str
    name: str
    kind: DatasetKind
    parents: Sequence[str]
    command: dict[str, Any]
    phantom: bool
    job_id: str
    skipped: Sequence[dict[str, Any]] = field(default_factory=list)
    notes: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The part of a data set that a writer fills; the default is all of it."""

    first_index: int = 0
    first_shard: int = 0
    end_shard: int | None = None


def manifest_key(dataset_id: str, job_id: str) -> str:
    """Where a data set's manifest lies; the job keeps two makers of one set apart."""
    return f"datasets/{dataset_id}/{job_id}/manifest.parquet"


def shard_key(dataset_id: str, job_id: str, attempt: int, number: int) -> str:
    """Where a shard lies. A worker that lost its lease writes beside, never over, its successor."""
    return f"datasets/{dataset_id}/{job_id}/shards/{number:05d}-{attempt}.tar"


def get(session: Session, dataset_id: str) -> DatasetRow:
    """A data set's row; raises :class:`NotFound`."""
    return require(session, DatasetRow, dataset_id, "data set")


def shards(session: Session, dataset_id: str, *, from_number: int = 0) -> Sequence[ShardRow]:
    """Complete shards in order; of a data set that grows, those that there are."""
    query = select(ShardRow).where(
        ShardRow.dataset_id == dataset_id, ShardRow.number >= from_number
    )
    return session.scalars(query.order_by(ShardRow.number)).all()


def add_shard(session: Session, row: ShardRow) -> None:
    """Make a complete shard visible to readers, in place of one left by an earlier attempt."""
    values = {name: getattr(row, name) for name in _SHARD_VALUES}
    at = {"dataset_id": row.dataset_id, "number": row.number}
    add = insert(ShardRow).values(**at, **values)
    session.execute(add.on_conflict_do_update(index_elements=list(at), set_=values))


@dataclass(frozen=True)
class TakenOver:
    """What a later attempt goes on from: the shards' parts of the manifest, in order."""

    records: Sequence[bytes]
    #: The number of the shard that follows.
    next_shard: int
    #: Objects of shards that were forgotten, to be deleted once that is committed.
    forgotten: Sequence[str]


def take_over_shards(session: Session, dataset_id: str, place: Place) -> TakenOver:
    """The complete shards in ``place``, from its first image on, without a gap.

    Shards that do not say what they hold, and those after them, are forgotten.
    """
    query = (
        select(ShardRow.number, ShardRow.first_index, ShardRow.images, ShardRow.key)
        .add_columns(ShardRow.records)
        .where(ShardRow.dataset_id == dataset_id, ShardRow.number >= place.first_shard)
        .where(ShardRow.number < place.end_shard if place.end_shard is not None else true())
        .order_by(ShardRow.number)
    )
    rows = session.execute(query).all()
    kept: list[bytes] = []
    index, number = place.first_index, place.first_shard
    for row in rows:
        if row.first_index != index or row.records is None:
            break
        kept.append(row.records)
        index, number = index + row.images, row.number + 1
    left = rows[len(kept) :]
    if left:
        numbers = [row.number for row in left]
        session.execute(
            delete(ShardRow).where(ShardRow.dataset_id == dataset_id, ShardRow.number.in_(numbers))
        )
    return TakenOver(kept, number, [row.key for row in left])


def publish(session: Session, new: NewDataset, records: Records) -> None:
    """Make a data set visible, with the bytes of its shards. A set that another job has published
    meanwhile stays as it is.

    Raises :class:`Gone` for a set that was withdrawn, or that holds a patient who was.
    """
    content_lock.share(session)
    refuse_withdrawn(session, [new.id])
    patients = patients_of(records)
    if patients and not withdrawn_patients(session).isdisjoint(patients):
        raise Gone("a patient withdrew while this was made: send the request again")
    values = {
        "id": new.id,
        "name": new.name,
        "kind": new.kind,
        "parents": list(new.parents),
        "command": new.command,
        "sha256": content_sha256(records),
        "images": len(records),
        "bytes": _stored_bytes(new.id),
        "phantom": new.phantom,
        "counts": counts(records),
        "skipped": list(new.skipped)[:MAX_SKIPPED],
        "skipped_total": len(new.skipped),
        "skipped_for": reasons(new.skipped),
        "notes": list(new.notes),
        "manifest_key": manifest_key(new.id, new.job_id),
        "job_id": new.job_id,
        "patients": patients,
    }
    session.execute(insert(DatasetRow).values(**values).on_conflict_do_nothing())


def forget_parts(session: Session, dataset_id: str) -> None:
    """Shards need not say any more what they hold: the manifest says it all."""
    session.execute(update(ShardRow).where(ShardRow.dataset_id == dataset_id).values(records=None))


def patients_of(records: Records) -> dict[str, int]:
    """Images of each patient, by pseudonym."""
    return dict(Counter(patient for (patient,) in records.members("patient") if patient))


def counts(records: Records) -> dict[str, dict[str, int]]:
    """Images by split and category; the three splits are always there."""
    table: dict[str, dict[str, int]] = {split: defaultdict(int) for split in SPLITS}
    for split, category in records.members("split", "category"):
        by_category = table.setdefault(split or UNSPLIT, defaultdict(int))
        by_category[category or UNLABELLED] += 1
    return {split: dict(sorted(by_category.items())) for split, by_category in table.items()}


def reasons(skipped: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Skipped files of each reason, the most frequent ones."""
    return dict(Counter(str(each["reason"]) for each in skipped).most_common(MAX_REASONS))


def _stored_bytes(dataset_id: str) -> ScalarSelect[int]:
    total = select(func.coalesce(func.sum(ShardRow.bytes), 0))
    return total.where(ShardRow.dataset_id == dataset_id).scalar_subquery()


def finished_outputs(session: Session, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What jobs would answer whose data sets were made before; without what is to be made."""
    rows = session.execute(_images_of(), {"ids": list(ids)})
    return {row.id: {"dataset": row.id, "images": row.images} for row in rows}


@cache
def _images_of() -> Select[*tuple[object, ...]]:
    """Built once: every submit asks it."""
    asked = func.any(bindparam("ids", type_=ARRAY(String)))
    return select(DatasetRow.id, DatasetRow.images).where(DatasetRow.id == asked)


def require_train(row: DatasetRow, categories: Iterable[str], *, at_least: int = 1) -> None:
    """Refuse to train on a data set that lacks training images of a category.

    Raises :class:`BadInput` naming the categories.
    """
    train = row.counts.get("train", {})
    lacking = [name for name in categories if train.get(name, 0) < at_least]
    if lacking:
        raise BadInput(
            f"data set {row.id} has fewer than {at_least} training images of {', '.join(lacking)}"
        )


def require_neighbours(row: DatasetRow) -> None:
    """Refuse images of 3 channels of a raw data set without neighbouring slices.

    Raises :class:`BadInput`.
    """
    if not row.command.get("neighbours"):
        raise BadInput(
            f"data set {row.id} holds no neighbouring slices: take it in again with `neighbours`"
        )


def require_test(row: DatasetRow, categories: Iterable[str]) -> None:
    """Refuse a comparison on a data set that lacks test images of a category.

    Raises :class:`BadInput` naming the categories.
    """
    test = row.counts.get("test", {})
    if not test:
        raise BadInput(f"data set {row.id} has no test images: preprocess it with a test split")
    lacking = [name for name in categories if not test.get(name)]
    if lacking:
        raise BadInput(f"data set {row.id} has no test images of {', '.join(lacking)}")


def labelled_categories(row: DatasetRow, splits: Collection[str]) -> list[Category]:
    """The categories that have images in one of ``splits``, in their usual order."""
    found = {name for split in splits for name, n in row.counts.get(split, {}).items() if n}
    return [category for category in CATEGORIES if category in found]


def dataset_view(row: DatasetRow) -> Dataset:
    """The data set as clients see it."""
    return Dataset.model_validate(row, from_attributes=True)
