"""The images that one classifier is trained on and selected by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import CATEGORIES, Category
from lesiongan.contracts.gans import MOST_DRAWS
from services.classification.domain.images import LabelledImages
from shared.datasets.leakage import refuse_shared_patients, unseen
from shared.datasets.pixels import Labelled, load_held_out, load_train
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord
from shared.errors import BadInput
from shared.storage.port import ObjectStore


@dataclass(frozen=True, kw_only=True)
class ClassifierImages:
    """``val`` is None where no data set has such images. ``counts`` says what ``train`` is of."""

    categories: tuple[Category, ...]
    train: LabelledImages
    val: LabelledImages | None
    counts: dict[str, int]


def load_images(
    store: ObjectStore,
    datasets: Sequence[StoredDataset],
    *,
    unlabelled: Sequence[StoredDataset] = (),
    without_copies: bool = False,
) -> ClassifierImages:
    """Training images of all data sets, and the ``val`` images of those that have some.

    Images of ``val`` that are byte for byte among the training images, or those of ``unlabelled``
    that are to be trained on later, are left out, and ``without_copies`` also synthetic ones that
    may be copies of training images.

    Raises :class:`BadInput` for fewer than two categories, images of several shapes, patients that
    are on both sides, and where nothing but copies was to be trained on.
    """
    categories = _categories(datasets)
    train = [(each, load_train(store, each, categories)) for each in datasets]
    if without_copies:
        train = [(each, _without_copies(each, part)) for each, part in train]
    val = [
        load_held_out(store, each, categories, "val")
        for each in datasets
        if any(each.row.counts["val"].get(category) for category in categories)
    ]
    records = [record for _, part in train for record in part.records]
    records += [record for each in unlabelled for record in each.select(split="train")]
    for part in val:
        refuse_shared_patients(records, part.records)
    flags = [np.full(len(part.labels), each.row.kind == "synthetic") for each, part in train]
    joined = _joined([part for _, part in train], np.concatenate(flags))
    augmented = sum(
        each.row.kind == "augmented" and record.draw is not None
        for each, part in train
        for record in part.records
    )
    if not len(joined):
        raise BadInput("all of the synthetic images may be copies: nothing is left to train on")
    synthetic = int(joined.synthetic.sum())
    return ClassifierImages(
        categories=categories,
        train=joined,
        val=_unseen_val(val, records),
        counts={
            "real": len(joined) - synthetic - augmented,
            "augmented": augmented,
            "synthetic": synthetic,
        },
    )


def _without_copies(dataset: StoredDataset, part: Labelled) -> Labelled:
    """All of a data set that no GAN made; the draws of others do not count tries."""
    if dataset.row.kind != "synthetic":
        return part
    keep = ~may_be_copies(part.records)
    records = [part.records[place] for place in np.flatnonzero(keep).tolist()]
    return Labelled(part.images[keep], part.labels[keep], records)


def may_be_copies(records: Sequence[ImageRecord]) -> NDArray[np.bool_]:
    """Which synthetic images [n] took the last draw, all before it having been copies."""
    return np.asarray([record.draw == MOST_DRAWS - 1 for record in records], dtype=np.bool_)


def _categories(datasets: Sequence[StoredDataset]) -> tuple[Category, ...]:
    for each in datasets:
        if each.row.kind == "raw":
            raise BadInput(f"data set {each.row.id} is raw: send it to POST /preprocess first")
    found = {name for each in datasets for name, n in each.row.counts["train"].items() if n}
    categories = tuple(category for category in CATEGORIES if category in found)
    if len(categories) < 2:
        raise BadInput("a classifier needs training images of at least two categories")
    return categories


def _unseen_val(
    parts: Sequence[Labelled], trained_on: Sequence[ImageRecord]
) -> LabelledImages | None:
    if not parts:
        return None
    joined = _joined(parts, np.zeros(sum(len(part.labels) for part in parts), dtype=np.bool_))
    keep = np.concatenate([unseen(trained_on, part.records) for part in parts])
    if not keep.any():
        return None
    return LabelledImages(joined.pixels[keep], joined.labels[keep], joined.synthetic[keep])


def _joined(parts: Sequence[Labelled], synthetic: NDArray[np.bool_]) -> LabelledImages:
    shapes = {part.images.shape[1:] for part in parts}
    if len(shapes) > 1:
        sizes = " and ".join(sorted(f"{w}x{h} px in {c} channel(s)" for c, h, w in shapes))
        raise BadInput(f"the data sets hold images of {sizes}: preprocess them alike")
    return LabelledImages(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        synthetic,
    )
