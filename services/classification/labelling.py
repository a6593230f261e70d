"""Use case: unlabelled images get the category that a classifier names.

A GAN of few labelled images learns from many more so: "S²GAN" of Lucic et al., "High-fidelity image
generation with fewer labels", ICML 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lesiongan.contracts.categories import Category
from lesiongan.contracts.classifiers import PseudoLabelCommand
from services.classification import store as rows
from services.classification.domain.prediction import BATCH
from services.classification.domain.teaching import NO_LABEL, Teacher, named
from services.classification.domain.weights import Shape
from services.classification.settings import ClassificationSettings
from services.classification.teachers import load_teacher
from shared.compute.precision import choose_precision
from shared.datasets import reading
from shared.datasets.pixels import decode_uint8
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageMeta, inherited
from shared.datasets.writing import DatasetWriter, derived, destination
from shared.errors import BadInput
from shared.jobs.context import JobContext, Outcome
from shared.storage.port import ObjectStore


def label_by_teacher(
    job: JobContext,
    store: ObjectStore,
    command: PseudoLabelCommand,
    settings: ClassificationSettings,
) -> Outcome:
    """Copy a data set; the teacher names its unlabelled training images where it is sure enough.

    Raises :class:`BadInput` for a teacher of images of another size.
    """
    with job.reading() as session:
        parent = reading.open_dataset(session, store, command.dataset)
        row = rows.published(session, command.teacher)
    device = choose_precision(device=settings.device, threads=settings.threads).device
    asked = _Asked(*load_teacher(job, store, row, device), command.confidence)
    total = len(parent.records)
    with DatasetWriter(destination(store, job)) as writer:
        # Batches begin where they would without a resume: a network's last bits depend on them.
        for start in range(writer.resume() // BATCH * BATCH, total, BATCH):
            batch = asked.batch(store, parent, start)
            for png, meta in batch[len(writer) - start :]:
                writer.add(png, meta)
            job.progress(len(writer), total, "image")
        name, notes = f"{parent.row.name}, named by a classifier", [_note(command)]
        new = derived(job, parent.row, command, name=name, kind="preprocessed", notes=notes)
        write = writer.finish(new)
        return Outcome({"dataset": job.target, "images": len(writer)}, write)


@dataclass(frozen=True)
class _Asked:
    teacher: Teacher
    shape: Shape
    confidence: float

    def batch(
        self, store: ObjectStore, parent: StoredDataset, start: int
    ) -> list[tuple[bytes, ImageMeta]]:
        """A batch of images from ``start`` on, as they are written."""
        stored = list(reading.iterate(store, parent, parent.records[start : start + BATCH]))
        metas = [inherited(record) for record, _ in stored]
        asked = [place for place, meta in enumerate(metas) if _unlabelled(meta)]
        if asked:
            said = self._categories([stored[place][1] for place in asked])
            for place, category in zip(asked, said, strict=True):
                metas[place] = replace(metas[place], category=category)
        return [(png, meta) for (_, png), meta in zip(stored, metas, strict=True)]

    def _categories(self, pngs: Sequence[bytes]) -> list[Category | None]:
        images = [decode_uint8(png) for png in pngs]
        size = self.shape.image_size
        wanted = (self.shape.channels, size, size)
        if any(image.shape != wanted for image in images):
            raise BadInput("the teacher knows images of another size: preprocess these alike")
        labels = named(np.stack(images), self.teacher, self.confidence)
        return [None if label == NO_LABEL else self.shape.categories[label] for label in labels]


def _unlabelled(meta: ImageMeta) -> bool:
    return meta.split == "train" and meta.category is None


def _note(command: PseudoLabelCommand) -> str:
    return (
        f"Training images that had no category have the one that {command.teacher} names with a "
        f"probability of at least {command.confidence:g}: not a person's labels."
    )
