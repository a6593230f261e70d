"""Stored slices as arrays, and pictures of one or three channels as PNG."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.pipeline import Stored
from services.preprocessing.domain.png import decode_checked, encode_grey
from shared.datasets import pixels, reading
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord
from shared.storage.port import ObjectStore


def decoded(
    store: ObjectStore,
    dataset: StoredDataset,
    records: Sequence[ImageRecord],
    neighbours: bool,  # noqa: FBT001 - an option's value is handed on
) -> Iterator[tuple[ImageRecord, Sequence[Stored]]]:
    """Each record with its slice, between the two beside it where ``neighbours`` are wanted.

    A slice stands in for one that is missing. Lesions of one slice lie side by side, and it is
    decoded once.
    """
    last: tuple[bytes, ...] = ()
    slices: Sequence[Stored] = ()
    for record, pngs in (_stacks if neighbours else _alone)(store, dataset, records):
        if pngs != last:
            last, slices = pngs, [decode_checked(png) for png in pngs]
        yield record, slices


def _alone(
    store: ObjectStore, dataset: StoredDataset, records: Sequence[ImageRecord]
) -> Iterator[tuple[ImageRecord, tuple[bytes, ...]]]:
    for record, png in reading.iterate(store, dataset, records):
        yield record, (png,)


def _stacks(
    store: ObjectStore, dataset: StoredDataset, records: Sequence[ImageRecord]
) -> Iterator[tuple[ImageRecord, tuple[bytes, ...]]]:
    for record, stack in reading.iterate_stacks(store, dataset, records):
        yield record, (stack.previous or stack.png, stack.png, stack.following or stack.png)


def encode_image(image: NDArray[np.uint8]) -> bytes:
    """uint8 ``[H, W]``, or ``[3, H, W]`` as RGB."""
    return encode_grey(image) if image.ndim == 2 else pixels.encode_image(image)
