"""Jobs that make data sets, as a route submits them and as a graph requires them.

None is checked here: a graph is planned before what its parts read is there.
"""

from sqlalchemy.orm import Session

from lesiongan.contracts.augmentation import AugmentCommand
from lesiongan.contracts.datasets import PreprocessCommand, SubsetCommand
from lesiongan.contracts.gans import GenerateCommand, GenerateSetCommand
from shared.datasets import catalog
from shared.datasets.identity import dataset_id
from shared.jobs.submit import NewJob


def preprocess_job(session: Session, command: PreprocessCommand, *, images: int = 0) -> NewJob:
    """Preprocess a raw data set of ``images`` images."""
    given = command.model_dump(mode="json")
    target = dataset_id("preprocess", [command.dataset], given)
    return NewJob(
        kind="preprocess",
        queue="preprocessing",
        input=given,
        target=target,
        finished=catalog.finished_output(session, target),
        total=images,
        unit="image",
    )


def subset_job(session: Session, command: SubsetCommand) -> NewJob:
    """Draw one seed's real images."""
    given = command.model_dump(mode="json")
    target = dataset_id("subset", [command.dataset], given)
    return NewJob(
        kind="subset",
        queue="preprocessing",
        input=given,
        target=target,
        finished=catalog.finished_output(session, target),
        unit="image",
    )


def augment_job(session: Session, command: AugmentCommand, *, images: int = 0) -> NewJob:
    """Augment a data set to ``images`` images."""
    given = command.model_dump(mode="json")
    target = dataset_id("augment", [command.dataset], given)
    return NewJob(
        kind="augment",
        queue="augmentation",
        input=given,
        target=target,
        finished=catalog.finished_output(session, target),
        total=images,
        unit="image",
    )


def generate_job(session: Session, command: GenerateCommand) -> NewJob:
    """Sample a GAN."""
    given = command.model_dump(mode="json")
    target = dataset_id("generate", [command.gan], given)
    finished = catalog.finished_output(session, target)
    return NewJob(
        kind="generate",
        queue="gan-sample",
        input=given,
        target=target,
        finished=None if finished is None else {**finished, "gan": command.gan},
        total=command.n,
        unit="image",
    )


def generate_set_job(session: Session, command: GenerateSetCommand) -> NewJob:
    """Sample a GAN in proportion to a data set's training images."""
    given = command.model_dump(mode="json")
    target = dataset_id("generate-set", [command.gan, command.dataset], given)
    finished = catalog.finished_output(session, target)
    return NewJob(
        kind="generate-set",
        queue="gan-sample",
        input=given,
        target=target,
        finished=None if finished is None else {**finished, "gan": command.gan},
        unit="image",
    )
