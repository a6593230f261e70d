"""The job that trains a classifier, and the classifier's row with it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.classifiers import ClassifierCommand
from shared.db.tables import ClassifierRow, JobRow
from shared.jobs.submit import NewJob, Output
from shared.plans.passes import work_of_large_passes

#: Of a classifier for which nothing else is asked.
EPOCHS = 30


@dataclass(frozen=True, kw_only=True)
class ClassifierData:
    """What must be known of the images before a training begins.

    ``images``: about how many it will be trained on. ``taught_on``: the data sets of its teacher,
    from which its weights derive too.
    """

    name: str
    phantom: bool
    images: int
    image_size: int
    taught_on: Sequence[str] = ()


def train_classifier_job(
    command: ClassifierCommand,
    data: ClassifierData,
    *,
    classifier_id: str,
    for_experiment: bool,
    requires: Sequence[NewJob] = (),
) -> NewJob:
    """Train the classifier ``classifier_id``; one that is published is finished."""
    given = command.model_dump(mode="json")

    def also(session: Session, job: JobRow) -> None:
        row = session.get(ClassifierRow, classifier_id)
        if row is not None:
            row.job_id = job.id
            return
        session.add(
            ClassifierRow(
                id=classifier_id,
                name=command.name or data.name,
                datasets=list(
                    dict.fromkeys([*command.datasets, *command.unlabelled, *data.taught_on])
                ),
                job_id=job.id,
                phantom=data.phantom,
                architecture=command.architecture,
                for_experiment=for_experiment,
                categories=[],
                train_counts={},
                scores={},
                command=given,
            )
        )

    return NewJob(
        kind="train-classifier",
        queue="classification",
        input=given,
        target=classifier_id,
        finished=_published,
        total=command.steps or 0,
        unit="step",
        work=work_of_large_passes(
            steps_of(command, data.images),
            batch_size=command.batch_size,
            image_size=data.image_size,
        ),
        like={"architecture": command.architecture},
        exclusive=True,
        requires=requires,
        also=also,
    )


def steps_of(command: ClassifierCommand, images: int) -> int:
    """As many as asked for, or enough to see ``images`` training images in each epoch."""
    if command.steps is not None:
        return command.steps
    return an_epoch(command, images) * (command.epochs or EPOCHS)


def an_epoch(command: ClassifierCommand, images: int) -> int:
    """Steps in which each of ``images`` is seen once."""
    return math.ceil(images / command.batch_size)


def _published(session: Session, classifier_ids: Sequence[str]) -> dict[str, Output]:
    query = select(ClassifierRow.id, ClassifierRow.weights_sha256)
    published = ClassifierRow.weights_sha256.is_not(None)
    return {
        row.id: {"classifier": row.id, "weights_sha256": row.weights_sha256}
        for row in session.execute(query.where(ClassifierRow.id.in_(classifier_ids), published))
    }
