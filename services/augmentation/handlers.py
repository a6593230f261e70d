"""Use cases: augment a data set's training images, preview the series on one image."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from lesiongan.contracts.augmentation import AugmentCommand, AugmentOptions
from services.augmentation.domain.augment import augment
from services.augmentation.domain.series import draw_series, generator
from shared.datasets import reading
from shared.datasets.catalog import NewDataset
from shared.datasets.columns import Records
from shared.datasets.contact_sheet import contact_sheet, open_image
from shared.datasets.parts import Part
from shared.datasets.pixels import decode_uint8, encode_image
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageMeta, ImageRecord, inherited
from shared.datasets.writing import DatasetWriter, derived, destination, part_destination
from shared.errors import BadInput
from shared.jobs.context import JobContext, Outcome
from shared.plans.parts import divide_if_large
from shared.storage.port import ObjectStore


def augment_dataset(job: JobContext, store: ObjectStore, command: AugmentCommand) -> Outcome:
    """The originals, each training image followed by its copies; ``val`` and ``test`` untouched.

    Images are made one at a time, so memory does not grow with their number; many are made in
    parts. A later attempt goes on after the last complete shard. Raises :class:`BadInput` for
    images that are not square.
    """
    parent = _opened(job, store, command)
    splits = parent.records.members("split")
    made_of_each = [1 + command.copies if split == "train" else 1 for (split,) in splits]
    divide_if_large(job, made_of_each, command)
    total = sum(made_of_each)
    with DatasetWriter(destination(store, job)) as writer:
        first = writer.resume()
        if first < total:
            for png, meta in islice(_images(store, parent, parent.records, command), first, None):
                writer.add(png, meta)
                job.progress(len(writer), total, "image")
        write = writer.finish(_dataset(job, parent, command))
        return Outcome({"dataset": job.target, "images": len(writer)}, write)


def augment_part(
    job: JobContext, store: ObjectStore, command: AugmentCommand, dataset_id: str, part: Part
) -> Outcome:
    """The shards of a part of data set ``dataset_id``, as :func:`augment_dataset` makes them."""
    parent = _opened(job, store, command)
    records = parent.records[part.first_input : part.end_input]
    with DatasetWriter(part_destination(store, job, dataset_id, part)) as writer:
        first = writer.resume()
        for png, meta in islice(_images(store, parent, records, command), first, None):
            writer.add(png, meta)
            job.progress(len(writer), part.images, "image")
        writer.flush()
        return Outcome({"images": len(writer)})


def _opened(job: JobContext, store: ObjectStore, command: AugmentCommand) -> StoredDataset:
    with job.reading() as session:
        return reading.open_dataset(session, store, command.dataset)


def _images(
    store: ObjectStore,
    parent: StoredDataset,
    records: Records,
    command: AugmentCommand,
) -> Iterator[tuple[bytes, ImageMeta]]:
    for record, png in reading.iterate(store, parent, records):
        meta = inherited(record)
        yield png, meta
        if record.split == "train":
            image = _square(decode_uint8(png), record)
            for copy in range(1, command.copies + 1):
                made = make_copy(image, command, record.index, copy)
                yield (
                    encode_image(made),
                    replace(meta, box_px=None, phash=None, seed=command.seed, draw=copy),
                )


def make_copy(
    image: npt.NDArray[np.uint8], options: AugmentOptions, index: int, copy: int
) -> npt.NDArray[np.uint8]:
    """Copy number ``copy`` of image ``index``: uint8 [C, H, W] in and out."""
    random = generator(options.seed, index, copy)
    series = draw_series(random, options.operations, rotation_degrees=options.rotation_degrees)
    return augment(image, series, random, interpolation=options.interpolation)


def preview(
    job: JobContext, store: ObjectStore, options: AugmentOptions, image_key: str
) -> Outcome:
    """The image and its copies on one contact sheet, as a PNG in the store.

    Raises :class:`BadInput` for what is not a square 8-bit PNG.
    """
    image = _square(decode_uint8(store.get(image_key)), None)
    copies = (make_copy(image, options, 0, copy) for copy in range(1, options.copies + 1))
    key = f"results/{job.job_id}/{job.attempt}.png"
    shown = (open_image(encode_image(each)) for each in chain([image], copies))
    store.put(key, contact_sheet(shown), content_type="image/png")
    output: dict[str, Any] = {"object": key, "content_type": "image/png"}
    return Outcome(output, afterwards=partial(store.delete, image_key))


def _square(image: npt.NDArray[np.uint8], record: ImageRecord | None) -> npt.NDArray[np.uint8]:
    if image.shape[1] != image.shape[2]:
        which = "the image" if record is None else f"image {record.index}"
        size = f"{image.shape[2]}x{image.shape[1]}"
        raise BadInput(f"{which} is {size} px, not square: preprocess it")
    return image


def _dataset(job: JobContext, parent: StoredDataset, command: AugmentCommand) -> NewDataset:
    name = command.name or f"{parent.row.name}, {command.copies} copies"
    return derived(job, parent.row, command, name=name, kind="augmented")
