"""A data set in the *folders* layout: ``images/<category>/*.png`` and ``manifest.csv``."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Final

from lesiongan.contracts.categories import UNLABELLED, UNSPLIT
from lesiongan.contracts.datasets import ImageFormat
from shared.datasets import reading
from shared.datasets.columns import Records
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord
from shared.storage.port import ObjectStore

#: Files are handed on in batches of so many bytes.
BATCH_BYTES = 1 << 20
#: Where an image lies in an archive, by its record and how its file's name ends.
Name = Callable[[ImageRecord, str], str]
#: How names of files end, by the format that a client asks for.
SUFFIXES: Final[dict[ImageFormat, str]] = {"png": "png", "dicom": "dcm"}
#: The file that an image's PNG becomes in an archive.
Encode = Callable[[ImageRecord, bytes], bytes]


def png_as_stored(_record: ImageRecord, png: bytes) -> bytes:
    """The :data:`Encode` of archives of PNGs."""
    return png


def file_name(record: ImageRecord, suffix: str = "png") -> str:
    """An image's place in the archive."""
    return _place(record.category, record.index, suffix)


def _place(category: str | None, index: int, suffix: str) -> str:
    folder = category or UNLABELLED
    return f"images/{folder}/{folder}_{index:06d}.{suffix}"


def manifest_csv(records: Records, suffix: str = "png") -> bytes:
    """file, category, patient, split: what the *folders* layout reads, one row an image."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["file", "category", "patient", "split"])
    for index, category, *more in records.members("index", "category", "patient", "split"):
        known = (each or "" for each in (category, *more))
        writer.writerow([_place(category, index, suffix), *known])
    return sink.getvalue().encode()


def place_in_image_folder(record: ImageRecord, suffix: str = "png") -> str:
    """An image's place where each split is a folder of folders, as torchvision's ImageFolder."""
    category = record.category or UNLABELLED
    return f"{record.split or UNSPLIT}/{category}/{category}_{record.index:06d}.{suffix}"


def archive_batches(
    store: ObjectStore,
    dataset: StoredDataset,
    *,
    suffix: str = "png",
    encode: Encode = png_as_stored,
    name: Name = file_name,
) -> Iterator[list[tuple[str, bytes]]]:
    """Lists of (name, file) of all images, about ``BATCH_BYTES`` each."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for record, png in reading.iterate(store, dataset, dataset.records):
        file = encode(record, png)
        batch.append((name(record, suffix), file))
        size += len(file)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
