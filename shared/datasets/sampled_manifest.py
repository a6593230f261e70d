"""``manifest.json`` of a synthetic data set: what ``POST /regenerate`` makes its images again from.

:class:`lesiongan.contracts.gans.Manifest` is as much of it as that needs.
"""

import json
from collections.abc import Callable, Sequence

from shared.datasets.records import ImageRecord
from shared.db.tables import DatasetRow

FILE_NAME = "manifest.json"


def sampled_manifest(
    row: DatasetRow, records: Sequence[ImageRecord], name: Callable[[ImageRecord], str]
) -> bytes:
    """JSON: the GAN, its weights, and of each image ``name(record)`` and what makes it again."""
    images = [
        {
            "file": name(record),
            "index": drawn_as(record),
            "category": record.category,
            "sha256": record.sha256,
            "seed": record.seed,
            "draw": record.draw,
        }
        for record in records
    ]
    about = {**row.command, "dataset": row.id, "synthetic": True, "images": images}
    return json.dumps(about, indent=1).encode()


def drawn_as(record: ImageRecord) -> int:
    """The index that made a synthetic image; its place, unless it was made again elsewhere."""
    return record.index if record.parent_index is None else record.parent_index
