"""Jobs that make data sets, as a route submits them and as a graph requires them.

None is checked here: a graph is planned before what its parts read is there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from lesiongan.contracts.augmentation import AugmentCommand
from lesiongan.contracts.base import Command
from lesiongan.contracts.classifiers import PseudoLabelCommand
from lesiongan.contracts.datasets import PreprocessCommand, SubsetCommand
from lesiongan.contracts.gans import GenerateCommand, GenerateSetCommand, RegenerateCommand
from shared.datasets import catalog
from shared.datasets.identity import dataset_id
from shared.db.tombstones import withdrawal_of
from shared.jobs.submit import NewJob
from shared.plans.passes import work_of_images
from shared.queue.port import QueueName


def ingest_id(
    session: Session, content_sha256: str, layout: str, *, neighbours: bool = False
) -> str:
    """The id of the raw data set that a source makes: another one after each withdrawal from it."""
    inputs = [content_sha256]
    command = {"layout": layout, "neighbours": True} if neighbours else {"layout": layout}
    while True:
        target = dataset_id("ingest", inputs, command)
        withdrawal = withdrawal_of(session, target)
        if withdrawal is None:
            return target
        inputs.append(withdrawal)


def preprocess_job(command: PreprocessCommand, *, images: int = 0) -> NewJob:
    """Preprocess a raw data set of ``images`` images."""
    inputs, like = [command.dataset], {"size": command.size}
    return _dataset_job("preprocess", "preprocessing", inputs, command, images=images, like=like)


def subset_job(command: SubsetCommand, *, images: int = 0) -> NewJob:
    """Draw one seed's real images, about ``images``."""
    return _dataset_job("subset", "preprocessing", [command.dataset], command, work=images)


def pseudo_label_job(command: PseudoLabelCommand, *, images: int = 0) -> NewJob:
    """Name the unlabelled ones of about ``images`` images."""
    inputs = [command.dataset, command.teacher]
    return _dataset_job("pseudo-label", "classification", inputs, command, work=images)


def augment_job(
    command: AugmentCommand, *, images: int = 0, likely: float = 0, likely_bytes: float
) -> NewJob:
    """Augment a data set to ``images`` images, of ``likely_bytes`` each.

    0 images: only the work itself will tell, and that there will be ``likely`` so many.
    """
    work = work_of_images(images or likely, size=likely_bytes)
    inputs = [command.dataset]
    return _dataset_job("augment", "augmentation", inputs, command, images=images, work=work)


def generate_job(command: GenerateCommand, *, image_size: int) -> NewJob:
    """Sample a GAN of images of ``image_size`` pixels."""
    says = {"gan": command.gan}
    return _dataset_job(
        "generate",
        "gan-sample",
        [command.gan],
        command,
        images=command.n,
        work=work_of_images(command.n, size=image_size**2),
        says=says,
        like=says,
    )


def generate_set_job(
    command: GenerateSetCommand, *, likely: float = 0, image_size: int = 1
) -> NewJob:
    """Sample a GAN in proportion to a data set's training images: ``likely`` so many."""
    inputs, says = [command.gan, command.dataset], {"gan": command.gan}
    work = work_of_images(likely, size=image_size**2)
    return _dataset_job("generate-set", "gan-sample", inputs, command, work=work, says=says)


def regenerate_job(command: RegenerateCommand) -> NewJob:
    """Make images of a manifest again."""
    gan, images = command.manifest.gan, len(command.indices)
    given, says = command.trimmed(), {"gan": gan}
    return _dataset_job("regenerate", "gan-sample", [gan], given, images=images, says=says)


def _dataset_job(
    kind: str,
    queue: QueueName,
    inputs: Sequence[str],
    command: Command,
    *,
    images: int = 0,
    work: float | None = None,
    says: dict[str, str] | None = None,
    like: Mapping[str, Any] | None = None,
) -> NewJob:
    """A job of ``kind``; what was made before answers with ``says`` beside the data set."""
    given = command.model_dump(mode="json")
    return NewJob(
        kind=kind,
        queue=queue,
        input=given,
        target=dataset_id(kind, inputs, given),
        finished=catalog.finished_outputs,
        says=says or {},
        total=images,
        unit="image",
        work=work,
        like=like or {},
    )
