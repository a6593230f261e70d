"""Stored slices as arrays, and pictures of one or three channels as PNG."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.pipeline import Stored
from services.preprocessing.domain.png import decode_rows, encode_grey
from shared.datasets import pixels, reading
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord
from shared.storage.port import ObjectStore


def decoded(
    store: ObjectStore,
    dataset: StoredDataset,
    records: Sequence[ImageRecord],
    *,
    neighbours: bool,
    rows: Callable[[ImageRecord], int],
) -> Iterator[tuple[ImageRecord, Sequence[Stored]]]:
    """Each record with its slice, between the two beside it where ``neighbours`` are wanted.

    A slice stands in for one that is missing. Lesions of one slice lie side by side, and it is
    decoded once: from its top as far as the one needs that needs most ``rows``.
    """
    read = (_stacks if neighbours else _alone)(store, dataset, records)
    for pngs, found in groupby(read, key=itemgetter(1)):
        together = [record for record, _ in found]
        needed = max(map(rows, together))
        known = {id(png): decode_rows(png, needed) for png in _distinct(pngs)}
        slices = [known[id(png)] for png in pngs]
        for record in together:
            yield record, slices


def _distinct(pngs: Sequence[bytes]) -> Iterable[bytes]:
    """One that stands in for others is in it once."""
    return {id(png): png for png in pngs}.values()


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
