"""Small data sets to train classifiers on, and models that are published without training."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from lesiongan.contracts.categories import SPLITS, Category
from lesiongan.contracts.datasets import DatasetKind
from shared.db.engine import Sessions
from shared.db.tables import ClassifierRow, GanRow
from shared.ids import new_id
from shared.storage.s3 import S3Store
from tests.integration.shared.builders import grey_png, meta, stored_dataset

#: Images in ``train``, ``val`` and ``test`` of each category.
Counts = Mapping[Category, tuple[int, int, int]]
USUAL: Counts = {"liver": (4, 2, 2), "lung": (3, 2, 2)}

_number = count()


def dataset(
    sessions: Sessions,
    store: S3Store,
    counts: Counts = USUAL,
    *,
    kind: DatasetKind = "preprocessed",
    size: int = 32,
) -> str:
    """The id of a data set in which every image and every patient is another."""
    images = []
    for category, by_split in counts.items():
        for split, images_of_split in zip(SPLITS, by_split, strict=True):
            for _ in range(images_of_split):
                number = next(_number)
                about = meta(category, split, f"patient {number}", width=size, height=size)
                images.append((grey_png(number, size=size), about))
    return stored_dataset(sessions, store, images, kind=kind)


def unsplit(sessions: Sessions, store: S3Store, counts: Mapping[Category, int]) -> str:
    """The id of a raw data set whose source had no split."""
    images = [
        (grey_png(next(_number)), meta(category, None))
        for category, images_of_it in counts.items()
        for _ in range(images_of_it)
    ]
    return stored_dataset(sessions, store, images, kind="raw")


def gan(sessions: Sessions, dataset_id: str, categories: Sequence[Category], **members: Any) -> str:
    """The id of a GAN of 32 px that has weights."""
    values = {
        "image_size": 32,
        "weights_key": "k",
        "weights_sha256": "0" * 64,
        "channels": 1,
        "command": {},
        "scores": {},
    }
    row = GanRow(
        id=new_id("gan"),
        name="a test's",
        dataset_id=dataset_id,
        job_id=new_id("job"),
        phantom=True,
        categories=list(categories),
        steps=1,
        **(values | members),
    )
    with sessions() as session:
        session.add(row)
        session.commit()
    return row.id


def publish_classifier(sessions: Sessions, classifier_id: str, *, size: int = 32) -> None:
    """Let a classifier's row say that it has been trained."""
    with sessions() as session:
        row = session.get(ClassifierRow, classifier_id)
        assert row is not None
        row.image_size, row.channels, row.categories = size, 1, ["liver", "lung"]
        row.weights_key, row.weights_sha256 = "k", "0" * 64
        session.commit()
