"""Stored images as arrays, and arrays as PNGs. Workers use it; APIs carry no array library."""

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lesiongan.contracts.categories import Category, Split
from shared.datasets import reading
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord
from shared.errors import BadInput
from shared.observability import tracing
from shared.storage.port import ObjectStore


class Labelled(NamedTuple):
    """``images`` uint8 [N, C, H, W], ``labels`` int64 [N], and what is known of each image."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    records: Sequence[ImageRecord]


@tracing.traced("load training images")
def load_train(
    store: ObjectStore,
    dataset: StoredDataset,
    categories: Sequence[Category],
    *,
    unlabelled: bool = False,
) -> Labelled:
    """The training split; labels are places in ``categories``, -1 those of ``unlabelled`` images.

    This is the only door through which training reads images: it never opens ``val`` or ``test``.

    Raises :class:`BadInput` for images that are not 8-bit and of one size, or if there are none.
    """
    wanted = {*categories, None} if unlabelled else set(categories)
    return _load(store, dataset, categories, "train", wanted)


def load_unlabelled(store: ObjectStore, dataset: StoredDataset) -> npt.NDArray[np.uint8]:
    """Training images without a category, uint8 [N, C, H, W]; N may be 0."""
    records = [record for record in dataset.select(split="train") if record.category is None]
    images = [decode_uint8(png) for _, png in reading.iterate(store, dataset, records)]
    if len({image.shape for image in images}) > 1:
        raise BadInput(f"the images of data set {dataset.row.id} differ in size: preprocess it")
    return np.stack(images) if images else np.empty((0, 1, 1, 1), dtype=np.uint8)


def load_held_out(
    store: ObjectStore,
    dataset: StoredDataset,
    categories: Sequence[Category],
    split: Literal["val", "test"],
) -> Labelled:
    """A split that nothing is trained on, as :func:`load_train` answers."""
    return _load(store, dataset, categories, split, set(categories))


def _load(
    store: ObjectStore,
    dataset: StoredDataset,
    categories: Sequence[Category],
    split: Split,
    wanted: Collection[Category | None],
) -> Labelled:
    records = [record for record in dataset.select(split=split) if record.category in wanted]
    if not records:
        which = "training" if split == "train" else split
        raise BadInput(f"data set {dataset.row.id} has no {which} images")
    images, labels, read = [], [], []
    for record, png in reading.iterate(store, dataset, records):
        if record.unit != "uint8":
            raise BadInput(f"data set {dataset.row.id} holds HU, not 8-bit images: preprocess it")
        images.append(decode_uint8(png))
        labels.append(-1 if record.category is None else categories.index(record.category))
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


def correlation(one: bytes, other: bytes) -> float:
    """Pearson's, of the grey levels of two 8-bit PNGs of one size; 1.0 for two that are flat."""
    first, second = (decode_uint8(png).astype(np.float64).ravel() for png in (one, other))
    if first.shape != second.shape:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale else float(not (first @ first + second @ second))


def encode_png(image: npt.NDArray[Any], *, compression: int = 3) -> bytes:
    """A PNG of [H, W] or [H, W, 3] (BGR) values, 8 or 16 bits each; no metadata."""
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, compression])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be a PNG")
    return data.tobytes()


def encode_image(image: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of uint8 [C, H, W], C = 1 or 3 (RGB): the inverse of :func:`decode_uint8`."""
    channels_last = image.transpose(1, 2, 0)[..., ::-1]
    return encode_png(np.ascontiguousarray(channels_last), compression=1)
