"""The job that trains a classifier, and the classifier's row with it."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.classifiers import ClassifierCommand
from shared.db.tables import ClassifierRow, JobRow
from shared.jobs.submit import NewJob, Output


def train_classifier_job(
    command: ClassifierCommand,
    *,
    classifier_id: str,
    name: str,
    phantom: bool,
    for_experiment: bool,
    taught_on: Sequence[str] = (),
    requires: Sequence[NewJob] = (),
) -> NewJob:
    """Train the classifier ``classifier_id``; one that is published is finished.

    ``taught_on``: the data sets of its teacher, from which its weights derive too.
    """
    given = command.model_dump(mode="json")

    def also(session: Session, job: JobRow) -> None:
        row = session.get(ClassifierRow, classifier_id)
        if row is not None:
            row.job_id = job.id
            return
        session.add(
            ClassifierRow(
                id=classifier_id,
                name=command.name or name,
                datasets=list(dict.fromkeys([*command.datasets, *command.unlabelled, *taught_on])),
                job_id=job.id,
                phantom=phantom,
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
        exclusive=True,
        requires=requires,
        also=also,
    )


def _published(session: Session, classifier_ids: Sequence[str]) -> dict[str, Output]:
    query = select(ClassifierRow.id, ClassifierRow.weights_sha256)
    published = ClassifierRow.weights_sha256.is_not(None)
    return {
        row.id: {"classifier": row.id, "weights_sha256": row.weights_sha256}
        for row in session.execute(query.where(ClassifierRow.id.in_(classifier_ids), published))
    }
