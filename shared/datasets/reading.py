"""Reading images back: ranged reads, neighbours together, nothing that is not asked for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category, Split
from shared.datasets import catalog
from shared.datasets.manifest import read_manifest
from shared.datasets.records import ImageRecord
from shared.db.tables import DatasetRow
from shared.errors import BadInput, NotFound
from shared.storage.port import ObjectStore

#: Rows whose bytes lie within one span are fetched by one ranged read.
SPAN_BYTES = 8 << 20
#: Manifests are immutable, so those read last are kept.
KEPT_MANIFESTS = 16
#: DeepLesion's PNGs: HU = value - 32768.
HU_OFFSET = 32768


@dataclass(frozen=True)
class StoredDataset:
    """A published data set and where its bytes lie."""

    row: DatasetRow
    records: Sequence[ImageRecord]
    shard_keys: Mapping[int, str]

    def select(
        self, *, category: Category | None = None, split: Split | None = None
    ) -> list[ImageRecord]:
        """Records of a category, of a split, or both; None means all."""
        return [
            record
            for record in self.records
            if category in (None, record.category) and split in (None, record.split)
        ]


def open_dataset(session: Session, store: ObjectStore, dataset_id: str) -> StoredDataset:
    """A published data set with its manifest. Raises :class:`NotFound`."""
    row = catalog.get(session, dataset_id)
    keys = {shard.number: shard.key for shard in catalog.shards(session, dataset_id)}
    return StoredDataset(row, _manifest(store, row.manifest_key), keys)


@lru_cache(maxsize=KEPT_MANIFESTS)
def _manifest(store: ObjectStore, key: str) -> tuple[ImageRecord, ...]:
    return tuple(read_manifest(store.get(key)))


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
    """(record, PNG) of ``records``, in their order within the shards. Holds one span in memory."""
    ordered = sorted(records, key=lambda record: (record.shard, record.offset))
    for span in _spans(ordered):
        start = span[0].offset
        size = span[-1].offset + span[-1].size - start
        data = store.get_range(dataset.shard_keys[span[0].shard], start, size)
        for record in span:
            at = record.offset - start
            yield record, data[at : at + record.size]


class Labelled(NamedTuple):
    """``images`` uint8 [N, C, H, W], ``labels`` int64 [N], and what is known of each image."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    records: Sequence[ImageRecord]


def load_train(
    store: ObjectStore, dataset: StoredDataset, categories: Sequence[Category]
) -> Labelled:
    """The training split; labels are places in ``categories``.

    This is the only door through which training reads images: it never opens ``val`` or ``test``.

    Raises :class:`BadInput` for images that are not 8-bit and of one size, or if there are none.
    """
    return _load(store, dataset, categories, "train")


def load_held_out(
    store: ObjectStore,
    dataset: StoredDataset,
    categories: Sequence[Category],
    split: Literal["val", "test"],
) -> Labelled:
    """A split that nothing is trained on, as :func:`load_train` answers."""
    return _load(store, dataset, categories, split)


def _load(
    store: ObjectStore, dataset: StoredDataset, categories: Sequence[Category], split: Split
) -> Labelled:
    wanted = set(categories)
    records = [record for record in dataset.select(split=split) if record.category in wanted]
    if not records:
        which = "training" if split == "train" else split
        raise BadInput(f"data set {dataset.row.id} has no {which} images")
    images, labels, read = [], [], []
    for record, png in iterate(store, dataset, records):
        if record.unit != "uint8":
            raise BadInput(f"data set {dataset.row.id} holds HU, not 8-bit images: preprocess it")
        images.append(decode_uint8(png))
        labels.append(categories.index(record.category))
        read.append(record)
    if len({image.shape for image in images}) > 1:
        raise BadInput(f"the images of data set {dataset.row.id} differ in size: preprocess it")
    return Labelled(np.stack(images), np.asarray(labels, dtype=np.int64), read)


def decode_uint8(png: bytes) -> npt.NDArray[np.uint8]:
    """An 8-bit PNG as [C, H, W]; C is 1 or 3 (RGB). Raises :class:`BadInput` for anything else."""
    image: Any = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8:
        raise BadInput("the image is not an 8-bit PNG")
    if image.ndim == 2:
        return np.asarray(image)[None]
    rgb: npt.NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)
    return np.ascontiguousarray(rgb)


def decode_for_display(png: bytes, record: ImageRecord) -> npt.NDArray[np.uint8]:
    """Any stored image as uint8 [C, H, W]; HU in the image's own window, else -160…240 HU."""
    if record.unit == "uint8":
        return decode_uint8(png)
    values: Any = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 2:
        raise BadInput("the image is not a 16-bit grey PNG")
    low, high = record.window_hu or (-160.0, 240.0)
    hu = values.astype(np.float32) - HU_OFFSET
    grey = np.clip((hu - low) / (high - low) * 255.0, 0, 255)
    return np.asarray(np.rint(grey), dtype=np.uint8)[None]


def _spans(ordered: Sequence[ImageRecord]) -> Iterator[list[ImageRecord]]:
    span: list[ImageRecord] = []
    for record in ordered:
        far = span and (
            record.shard != span[0].shard
            or record.offset + record.size - span[0].offset > SPAN_BYTES
        )
        if far:
            yield span
            span = []
        span.append(record)
    if span:
        yield span
