"""Reading images back: ranged reads, neighbours together, nothing that is not asked for."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category, Split
from shared.datasets import catalog
from shared.datasets.ahead import read_ahead
from shared.datasets.columns import Records
from shared.datasets.kept import Kept
from shared.datasets.manifest import read_manifest
from shared.datasets.records import ImageRecord, Neighbour
from shared.db.engine import Sessions
from shared.db.tables import DatasetRow
from shared.errors import BadInput, Gone, NotFound
from shared.storage.port import ObjectStore

#: Rows whose bytes lie within one span are fetched by one ranged read.
SPAN_BYTES = 8 << 20
#: Manifests are immutable, so those read last are kept: of some 200,000 images.
KEPT_BYTES = 64 << 20


@dataclass(frozen=True)
class StoredDataset:
    """A published data set and where its bytes lie."""

    row: DatasetRow
    records: Records
    shard_keys: Mapping[int, str]

    def select(self, *, category: Category | None = None, split: Split | None = None) -> Records:
        """Records of a category, of a split, or both; None means all."""
        return self.records.where(category=category, split=split)


class Stack(NamedTuple):
    """PNGs of an image and of the slices beside it, None where there is none."""

    previous: bytes | None
    png: bytes
    following: bytes | None


def open_dataset(session: Session, store: ObjectStore, dataset_id: str) -> StoredDataset:
    """A published data set with its manifest. Raises :class:`NotFound` and :class:`Gone`."""
    row, keys = _found(session, dataset_id)
    return StoredDataset(row, _manifest(store, row.manifest_key), keys)


def open_detached(sessions: Sessions, store: ObjectStore, dataset_id: str) -> StoredDataset:
    """As :func:`open_dataset`, for who has no transaction: the store is not waited for in one."""
    with sessions() as session:
        row, keys = _found(session, dataset_id)
    return StoredDataset(row, _manifest(store, row.manifest_key), keys)


def _found(session: Session, dataset_id: str) -> tuple[DatasetRow, dict[int, str]]:
    try:
        row = catalog.get(session, dataset_id)
    except Gone:
        forget_manifests()
        raise
    return row, {shard.number: shard.key for shard in catalog.shards(session, dataset_id)}


def forget_manifests() -> None:
    """Drop what was read, since some of it must not be kept."""
    _manifests.clear()


_manifests: Kept[tuple[ObjectStore, str], Records] = Kept(KEPT_BYTES, size=lambda r: r.nbytes)


def _manifest(store: ObjectStore, key: str) -> Records:
    return _manifests.get((store, key), lambda: read_manifest(store.get(key)))


def square_size(
    session: Session, store: ObjectStore, row: DatasetRow, allowed: Collection[int]
) -> int:
    """The side of a data set's images in pixels; raises :class:`BadInput` unless ``allowed``."""
    first = open_dataset(session, store, row.id).records[0]
    if first.width != first.height or first.width not in allowed:
        sizes = ", ".join(map(str, sorted(allowed)))
        size = f"{first.width}x{first.height}"
        raise BadInput(f"the images of {row.id} are {size} px: preprocess to {sizes} px")
    return first.width


def channels(session: Session, store: ObjectStore, row: DatasetRow) -> int:
    """How many channels a data set's images have: 1, or 3 where neighbours came along."""
    return open_dataset(session, store, row.id).records[0].channels


def record_at(dataset: StoredDataset, index: int) -> ImageRecord:
    """The record of image ``index``; raises :class:`NotFound`."""
    if not 0 <= index < len(dataset.records):
        raise NotFound(f"data set {dataset.row.id} has no image {index}")
    return dataset.records[index]


def read_png(store: ObjectStore, dataset: StoredDataset, record: ImageRecord) -> bytes:
    """One image's PNG, by one ranged read."""
    return store.get_range(dataset.shard_keys[record.shard], record.offset, record.size)


def iterate(
    store: ObjectStore, dataset: StoredDataset, records: Sequence[ImageRecord]
) -> Iterator[tuple[ImageRecord, bytes]]:
    """(record, PNG) of ``records``, in their order within the shards. Holds two spans in memory.

    Of :class:`Records`, which are in that order, no more become objects than these spans need.
    """
    yield from _read_spans(store, dataset, records, _end)


def iterate_stacks(
    store: ObjectStore, dataset: StoredDataset, records: Sequence[ImageRecord]
) -> Iterator[tuple[ImageRecord, Stack]]:
    """As :func:`iterate`, with the slices beside each image, which lie in the same span."""
    for record, data in _read_spans(store, dataset, records, _end_of_stack):
        yield (
            record,
            Stack(
                _cut(data, record, record.previous),
                data[: record.size],
                _cut(data, record, record.following),
            ),
        )


def _end(record: ImageRecord) -> int:
    return record.offset + record.size


def _end_of_stack(record: ImageRecord) -> int:
    beside = (each for each in (record.previous, record.following) if each is not None)
    return max([_end(record), *(each.offset + each.size for each in beside)])


def _cut(data: bytes, record: ImageRecord, beside: Neighbour | None) -> bytes | None:
    """A neighbour out of the bytes that begin with the image's own."""
    if beside is None:
        return None
    at = beside.offset - record.offset
    return data[at : at + beside.size]


def _read_spans(
    store: ObjectStore,
    dataset: StoredDataset,
    records: Sequence[ImageRecord],
    end: Callable[[ImageRecord], int],
) -> Iterator[tuple[ImageRecord, bytes]]:
    """Each record with the bytes from its offset to its end."""
    ordered: Iterable[ImageRecord] = records
    if not isinstance(records, Records):
        ordered = sorted(records, key=lambda record: (record.shard, record.offset))

    def read(span: list[ImageRecord]) -> bytes:
        first = span[0]
        key = dataset.shard_keys[first.shard]
        return store.get_range(key, first.offset, end(span[-1]) - first.offset)

    for span, data in read_ahead(_spans(ordered, end), read):
        start = span[0].offset
        for record in span:
            yield record, data[record.offset - start : end(record) - start]


def _spans(
    ordered: Iterable[ImageRecord], end: Callable[[ImageRecord], int]
) -> Iterator[list[ImageRecord]]:
    span: list[ImageRecord] = []
    for record in ordered:
        far = span and (record.shard != span[0].shard or end(record) - span[0].offset > SPAN_BYTES)
        if far:
            yield span
            span = []
        span.append(record)
    if span:
        yield span
