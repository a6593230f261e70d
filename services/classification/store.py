"""Rows of classifiers and experiments. Nothing is committed here."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from lesiongan.contracts.classifiers import Classifier
from lesiongan.contracts.experiments import Experiment
from shared.datasets import removal
from shared.datasets.lineage import Made
from shared.db.rows import require
from shared.db.tables import ClassifierRow, ExperimentRow
from shared.errors import AlreadyMade, Conflict
from shared.jobs import queries


def get(session: Session, classifier_id: str) -> ClassifierRow:
    """A classifier's row; raises :class:`NotFound`."""
    return require(session, ClassifierRow, classifier_id, "classifier")


def published(session: Session, classifier_id: str) -> ClassifierRow:
    """A classifier whose weights are there; raises :class:`NotFound` and :class:`Conflict`."""
    row = get(session, classifier_id)
    if row.weights_key is None:
        raise Conflict(f"{classifier_id} has no weights yet: its training has not succeeded")
    return row


def untrained(session: Session, classifier_id: str) -> ClassifierRow:
    """A classifier that is to be trained; raises :class:`AlreadyMade` if another job has done it.

    Weights that were published stay as they are: manifests and results name their hash.
    """
    row = get(session, classifier_id)
    if row.weights_sha256 is not None:
        output = trained(row.id, row.weights_sha256, row.scores["step"])
        raise AlreadyMade(f"{row.id} is trained", output)
    return row


def trained(classifier_id: str, weights_sha256: str, steps: int) -> dict[str, Any]:
    """What a training answers, whichever job asks."""
    return {"classifier": classifier_id, "weights_sha256": weights_sha256, "steps": steps}


def views(session: Session, rows: Sequence[ClassifierRow]) -> list[Classifier]:
    """Classifiers as clients see them; a classifier's status is its job's."""
    statuses = queries.statuses(session, [row.job_id for row in rows])
    return [_view(row, statuses[row.job_id]) for row in rows]


def _view(row: ClassifierRow, status: str) -> Classifier:
    return Classifier.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "datasets": row.datasets,
            "phantom": row.phantom,
            "status": status,
            "architecture": row.architecture,
            "categories": row.categories,
            "image_size": row.image_size,
            "channels": row.channels,
            "train_images": sum(row.train_counts.values()) if row.train_counts else None,
            "scores": row.scores,
            "resumed_from_step": row.resumed_from_step,
            "weights_sha256": row.weights_sha256,
            "command": row.command,
            "job": row.job_id,
            "created_at": row.created_at,
        }
    )


def remove(session: Session, classifier_id: str) -> list[str]:
    """Delete a classifier's row; returns the keys of its objects.

    Raises :class:`NotFound`, and :class:`Conflict` while it trains or an unfinished job needs it.
    """
    queries.refuse_while_made(session, classifier_id, get(session, classifier_id).job_id)
    return removal.remove_all(session, Made(classifiers=frozenset({classifier_id})))


def get_experiment(session: Session, experiment_id: str) -> ExperimentRow:
    """An experiment's row; raises :class:`NotFound`."""
    return require(session, ExperimentRow, experiment_id, "experiment")


def uncompared(session: Session, experiment_id: str) -> ExperimentRow:
    """An experiment whose arms are to be compared; raises :class:`AlreadyMade` if they have been.

    What was reported stays as it is.
    """
    row = get_experiment(session, experiment_id)
    if row.result is not None:
        raise AlreadyMade(f"{row.id} is complete", {"experiment": row.id})
    return row


def reported(session: Session, experiment_id: str) -> ExperimentRow:
    """An experiment whose report is there; raises :class:`NotFound` and :class:`Conflict`."""
    row = get_experiment(session, experiment_id)
    if row.report_key is None:
        raise Conflict(f"{experiment_id} has no report yet: its comparison has not succeeded")
    return row


def remove_experiment(session: Session, experiment_id: str) -> list[str]:
    """Delete an experiment's row; returns the keys of its objects.

    Raises :class:`NotFound`, and :class:`Conflict` while its comparison has not ended.
    """
    row = get_experiment(session, experiment_id)
    queries.refuse_while_made(session, experiment_id, row.job_id)
    return removal.remove_all(session, Made(experiments=frozenset({experiment_id})))


def experiment_views(session: Session, rows: Sequence[ExperimentRow]) -> list[Experiment]:
    """Experiments as clients see them; an experiment's status is its job's."""
    statuses = queries.statuses(session, [row.job_id for row in rows])
    return [experiment_view(row, statuses[row.job_id], row.result or {}) for row in rows]


def listed_experiments(session: Session, rows: Sequence[ExperimentRow]) -> list[Experiment]:
    """As :func:`experiment_views`, without the lineage, which may name a thousand things."""
    views = experiment_views(session, rows)
    return [view.model_copy(update={"lineage": []}) for view in views]


def experiment_view(row: ExperimentRow, status: str, result: dict[str, Any]) -> Experiment:
    """The experiment with ``result``: ``n_test``, ``arms``, ``comparisons`` and their words."""
    return Experiment.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "dataset": row.dataset_id,
            "phantom": row.phantom,
            "status": status,
            "categories": row.categories,
            "seeds": row.seeds,
            "command": row.command,
            "job": row.job_id,
            "created_at": row.created_at,
            **result,
        }
    )
