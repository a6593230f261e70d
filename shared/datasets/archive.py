"""A data set in the *folders* layout: ``images/<category>/*.png`` and ``manifest.csv``."""

import csv
import io
from collections.abc import Iterator, Sequence

from lesiongan.contracts.categories import UNLABELLED
from shared.datasets import reading
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord
from shared.storage.port import ObjectStore

#: Files are handed on in batches of so many bytes.
BATCH_BYTES = 1 << 20


def file_name(record: ImageRecord) -> str:
    """An image's place in the archive."""
    category = record.category or UNLABELLED
    return f"images/{category}/{category}_{record.index:06d}.png"


def manifest_csv(records: Sequence[ImageRecord]) -> bytes:
    """file, category, patient, split: what the *folders* layout reads, one row an image."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["file", "category", "patient", "split"])
    for record in records:
        writer.writerow(
            [file_name(record), record.category or "", record.patient or "", record.split or ""]
        )
    return sink.getvalue().encode()


def archive_batches(
    store: ObjectStore, dataset: StoredDataset
) -> Iterator[list[tuple[str, bytes]]]:
    """Lists of (name, PNG) of all images, about ``BATCH_BYTES`` each."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for record, png in reading.iterate(store, dataset, dataset.records):
        batch.append((file_name(record), png))
        size += len(png)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
