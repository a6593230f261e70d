"""What a GAN's samples are held against: made once, kept in the store, loaded where it is used."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category
from services.gan import store as rows
from services.gan.domain.inception import InceptionJudge, load_inception
from services.gan.domain.reference import (
    Reference,
    load_reference,
    make_reference,
    save_reference,
)
from services.gan.settings import GanSettings
from shared.compute.hot import HotModels
from shared.compute.precision import Precision
from shared.compute.tensor_file import unchanged
from shared.datasets.pixels import load_held_out
from shared.datasets.reading import StoredDataset
from shared.db.tables import GanFileRow
from shared.errors import BadInput
from shared.ids import sha256_of
from shared.jobs.context import JobContext
from shared.storage.port import ObjectMissing, ObjectStore

REFERENCE, PAIRS = "reference", "pairs"

_references: HotModels[Reference] = HotModels()


class Pictures(NamedTuple):
    """Images [n, C, S, S] and their labels [n]."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def training_reference(
    job: JobContext,
    store: ObjectStore,
    train: Pictures,
    val: Pictures,
    *,
    steps: int,
    precision: Precision,
) -> Reference:
    """The reference that an earlier attempt has stored, or a new one, stored now.

    Equal attempts make equal ones: it does not matter which is kept.
    """
    with job.reading() as session:
        known = rows.file_of(session, job.target, REFERENCE)
    try:
        if known is not None:
            data = unchanged(store.get(known.key), known.sha256)
            return load_reference(data, device=precision.device)
    except (ObjectMissing, BadInput) as error:
        message = f"the reference is made anew: {error.detail}"
        job.event("log", {"level": "warning", "message": message})
    made = make_reference(train, val, steps=steps, precision=precision, on_step=job.check)
    row = put_file(store, job.target, REFERENCE, save_reference(made), "safetensors")
    with job.fenced() as session:
        session.merge(row)
    return made


def sampling_reference(
    session: Session, store: ObjectStore, gan_id: str, precision: Precision, settings: GanSettings
) -> Reference | None:
    """The reference of a GAN, loaded at most once; None for one that is older than references.

    Raises :class:`BadInput` for one that is damaged.
    """
    row = rows.file_of(session, gan_id, REFERENCE)
    if row is None:
        return None

    def load() -> Reference:
        data = unchanged(store.get(row.key), row.sha256)
        return load_reference(data, device=precision.device)

    return _references.get(row.sha256, load, at_most=settings.hot_generators)


def held_out(
    store: ObjectStore, dataset: StoredDataset, categories: Sequence[Category], like: Pictures
) -> Pictures:
    """The images of ``val``; none where there are none, or where they are of another shape."""
    wanted = [record for record in dataset.select(split="val") if record.category in categories]
    if wanted:
        images, labels, _ = load_held_out(store, dataset, categories, "val")
        if images.shape[1:] == like.images.shape[1:]:
            return Pictures(images, labels)
    return Pictures(like.images[:0], like.labels[:0])


def inception_judge(
    settings: GanSettings,
    train: Pictures,
    val: Pictures,
    precision: Precision,
    on_batch: Callable[[], None],
) -> InceptionJudge | None:
    """Who also scores by Inception; None where the installation has no weights of it.

    Raises :class:`BadInput`, before anything is trained, where they are named but cannot be used.
    """
    path = settings.inception
    if path is None:
        return None
    if not path.is_file():
        raise BadInput("LESIONGAN_GAN_INCEPTION names a file that is not there on this worker")
    try:
        space = load_inception(path.read_bytes(), precision)
    except BadInput as error:
        raise BadInput(f"LESIONGAN_GAN_INCEPTION: {error.detail}") from error
    return InceptionJudge(space, train.images, val.images, on_batch)


def put_file(store: ObjectStore, gan_id: str, name: str, data: bytes, suffix: str) -> GanFileRow:
    """Store an object of a GAN; the row that names it is not written yet."""
    digest = sha256_of(data)
    key = f"gans/{gan_id}/{name}-{digest[:12]}.{suffix}"
    store.put(
        key, data, content_type="image/png" if suffix == "png" else "application/octet-stream"
    )
    return GanFileRow(gan_id=gan_id, name=name, key=key, sha256=digest)
