"""The images of a training after its teacher has seen them."""

from collections.abc import Sequence
from dataclasses import replace

from lesiongan.contracts.classifiers import ClassifierCommand
from services.classification.domain.teaching import (
    Teacher,
    filtered,
    pseudo_labelled,
    softened,
)
from services.classification.loading import ClassifierImages
from services.classification.teachers import load_teacher
from shared.datasets.pixels import load_unlabelled
from shared.datasets.reading import StoredDataset
from shared.db.tables import ClassifierRow
from shared.errors import BadInput
from shared.jobs.context import JobContext
from shared.storage.port import ObjectStore


def taught(
    job: JobContext,
    store: ObjectStore,
    images: ClassifierImages,
    command: ClassifierCommand,
    row: ClassifierRow,
    unlabelled: Sequence[StoredDataset],
    *,
    device: str,
) -> ClassifierImages:
    """As ``command`` asks: filtered, with more images, with softened labels.

    Raises :class:`BadInput` for a teacher of other categories or of images of another size.
    """
    teacher = _teacher(job, store, images, row, device)
    train, counts = images.train, images.counts
    if command.filter_confidence is not None:
        train = filtered(train, teacher, command.filter_confidence)
        counts = counts | {"synthetic": int(train.synthetic.sum())}
    for each in unlabelled:
        before, more = len(train), load_unlabelled(store, each)
        if len(more) and more.shape[1:] != train.pixels.shape[1:]:
            raise BadInput(f"the unlabelled images of {each.row.id} differ from the others in size")
        train = pseudo_labelled(train, more, teacher, command.pseudo_confidence)
        added = counts.get("pseudo_labelled", 0) + len(train) - before
        counts = counts | {"pseudo_labelled": added}
    if not len(train):
        raise BadInput("the teacher recognises none of the images: lower filter_confidence")
    if command.distil is not None:
        train = softened(train, teacher)
    return replace(images, train=train, counts=counts)


def _teacher(
    job: JobContext, store: ObjectStore, images: ClassifierImages, row: ClassifierRow, device: str
) -> Teacher:
    teacher, shape = load_teacher(job, store, row, device)
    wanted = images.categories, images.train.image_size, images.train.channels
    if (shape.categories, shape.image_size, shape.channels) != wanted:
        raise BadInput(f"the teacher {row.id} knows other categories, or images of another size")
    return teacher
