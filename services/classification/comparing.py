"""The comparison of an experiment: the one place where ``test`` is read."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category
from lesiongan.contracts.experiments import Arm
from services.classification import store as rows
from services.classification.domain import comparison, wording
from services.classification.domain.evaluation import TestSet, confusion, grouped_by_patient
from services.classification.domain.prediction import predict
from services.classification.domain.weights import load_weights
from services.classification.planned import PlannedExperiment
from services.classification.report.render import ReportDetails, render_report
from services.classification.settings import ClassificationSettings
from shared.compute.precision import choose_precision
from shared.datasets import catalog, reading
from shared.datasets.duplicates import near_duplicates
from shared.datasets.leakage import refuse_shared_patients, unseen
from shared.datasets.pixels import Labelled, load_held_out
from shared.datasets.reading import StoredDataset
from shared.db.tables import ClassifierRow, ExperimentRow
from shared.errors import BadInput
from shared.jobs.context import JobContext, Outcome
from shared.storage.port import ObjectStore

#: Of the bootstrap: the same predictions give the same intervals.
BOOTSTRAP_SEED = 0

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Contestants:
    """What the ledger knows of an experiment whose classifiers are all trained."""

    experiment: ExperimentRow
    dataset: StoredDataset
    classifiers: dict[Arm, list[ClassifierRow]]
    #: Every data set that one of them was trained on.
    trained_on: list[StoredDataset]


def compare_arms(
    job: JobContext,
    store: ObjectStore,
    command: PlannedExperiment,
    settings: ClassificationSettings,
) -> Outcome:
    """Every classifier's predictions of the test images, the table they make, and the report.

    Raises :class:`BadInput` where the arms cannot be compared, or a patient was trained on.
    """
    found = _contestants(job, store, command)
    categories = _categories(found)
    catalog.require_test(found.dataset.row, categories)
    held_out = load_held_out(store, found.dataset, categories, "test")
    seen = _refuse_leaks(found, held_out)
    patients = [record.patient for record in held_out.records]
    test = grouped_by_patient(held_out.labels, patients, categories)
    predictions = _predict_all(job, store, found, held_out, settings)
    result, details = _table(found, command, test, predictions)
    if "oversample" in command.arms and command.classifier.balance:
        result["notes"].append(
            "Every arm draws its categories equally often (classifier.balance), so oversample is "
            "the same classifier as none."
        )
    result["notes"].append(_audit(found, held_out, seen))
    if seen:
        result["notes"].append(f"{seen} test images are byte for byte also training images.")
    return _stored(job, store, found.experiment, result, details, predictions, held_out)


def _contestants(job: JobContext, store: ObjectStore, command: PlannedExperiment) -> Contestants:
    plan = command.plan
    with job.reading() as session:
        classifiers = {
            arm: [rows.published(session, each) for each in plan.classifiers[arm]]
            for arm in command.arms
        }
        used = {each for arm in classifiers.values() for row in arm for each in row.datasets}
        return Contestants(
            experiment=rows.get_experiment(session, job.target),
            dataset=reading.open_dataset(session, store, plan.preprocessed),
            classifiers=classifiers,
            trained_on=[reading.open_dataset(session, store, each) for each in sorted(used)],
        )


def _categories(found: Contestants) -> tuple[Category, ...]:
    known = {tuple(row.categories) for arm in found.classifiers.values() for row in arm}
    if len(known) != 1:
        raise BadInput("the arms' classifiers tell different categories apart")
    return known.pop()  # type: ignore[return-value]


def _refuse_leaks(found: Contestants, held_out: Labelled) -> int:
    """How many test images are also training images; patients must not be on both sides."""
    train = [record for each in found.trained_on for record in each.select(split="train")]
    refuse_shared_patients(train, held_out.records)
    return unseen(train, held_out.records).count(False)


def _audit(found: Contestants, held_out: Labelled, seen: int) -> str:
    """What was looked for that would let a classifier know a test image beforehand."""
    near = near_duplicates(found.dataset.records)
    more = "" if near.complete else " at least, since not all could be compared"
    unknown = sum(record.patient is None for record in held_out.records)
    return (
        f"Leakage audit: no known patient is both trained and tested on ({unknown:,} test images "
        f"have no known patient); {seen:,} test images are byte for byte training images; "
        f"{near.crossing:,} pairs of images in two splits look alike{more}."
    )


def _predict_all(
    job: JobContext,
    store: ObjectStore,
    found: Contestants,
    held_out: Labelled,
    settings: ClassificationSettings,
) -> dict[Arm, npt.NDArray[np.float32]]:
    """Probabilities [seeds, images, categories] of each arm."""
    device = choose_precision(device=settings.device, threads=settings.threads).device
    made: dict[Arm, npt.NDArray[np.float32]] = {}
    for arm, classifiers in found.classifiers.items():
        each = []
        for row in classifiers:
            assert row.weights_key is not None, "published"
            network, _ = load_weights(store.get(row.weights_key), device=device)
            each.append(predict(network, held_out.images, device=device, on_batch=job.check))
        made[arm] = np.stack(each)
    return made


def _table(
    found: Contestants,
    command: PlannedExperiment,
    test: TestSet,
    probabilities: dict[Arm, npt.NDArray[np.float32]],
) -> tuple[dict[str, Any], ReportDetails]:
    """The contract's ``n_test``, ``arms``, ``comparisons``, ``summary`` and ``notes``."""
    predicted: dict[Arm, Integers] = {
        arm: each.argmax(axis=2).astype(np.int64) for arm, each in probabilities.items()
    }
    resamples = comparison.draw_resamples(test, n_seeds=command.seeds, random_seed=BOOTSTRAP_SEED)
    measured = [comparison.measure(arm, test, each, resamples) for arm, each in predicted.items()]
    arms = [
        comparison.arm_result(
            each,
            test,
            _arm_images(found.classifiers[each.arm]),
            _grade(test, probabilities[each.arm], found.classifiers[each.arm], resamples),
        )
        for each in measured
    ]
    (compared,) = comparison.corrected([comparison.compare_all(measured, test)])
    phantom = found.experiment.phantom
    n_test = len(test.labels)
    result = {
        "n_test": n_test,
        "arms": [each.model_dump(mode="json") for each in arms],
        "comparisons": [each.model_dump(mode="json") for each in compared],
        "summary": wording.summary(
            arms, compared, n_test=n_test, n_seeds=command.seeds, phantom=phantom
        ),
        "notes": wording.notes(
            test, n_seeds=command.seeds, phantom=phantom, n_comparisons=len(compared)
        ),
    }
    details = ReportDetails(
        confusion={arm: confusion(test, each).tolist() for arm, each in predicted.items()},
        lineage=[*((line.what, line.id) for line in command.plan.lineage), *_hashes(found)],
    )
    return result, details


def _hashes(found: Contestants) -> Iterator[tuple[str, str]]:
    """What tells whether a repetition gave the same: of the images, and of all weights."""
    yield "SHA-256 of the images", found.dataset.row.sha256
    for arm, classifiers in found.classifiers.items():
        for seed, row in enumerate(classifiers):
            yield f"seed {seed}: SHA-256 of the weights, {arm}", row.weights_sha256 or ""


def _grade(
    test: TestSet,
    probabilities: npt.NDArray[np.float32],
    classifiers: Sequence[ClassifierRow],
    resamples: comparison.Resamples,
) -> comparison.Graded:
    temperatures = [row.scores.get("temperature") for row in classifiers]
    return comparison.grade(test, probabilities, temperatures, resamples)


def _arm_images(classifiers: Sequence[ClassifierRow]) -> comparison.ArmImages:
    counts = [row.train_counts for row in classifiers]
    return comparison.ArmImages(
        train=round(mean(sum(each.values()) for each in counts)),
        augmented=round(mean(each["augmented"] for each in counts)),
        synthetic=round(mean(each["synthetic"] for each in counts)),
        pseudo_labelled=round(mean(each.get("pseudo_labelled", 0) for each in counts)),
    )


def _stored(
    job: JobContext,
    store: ObjectStore,
    experiment: ExperimentRow,
    result: dict[str, Any],
    details: ReportDetails,
    probabilities: dict[Arm, npt.NDArray[np.float32]],
    held_out: Labelled,
) -> Outcome:
    folder = f"experiments/{experiment.id}/{job.job_id}-{job.attempt}"
    view = rows.experiment_view(experiment, "succeeded", result)
    report_key, predictions_key = f"{folder}/report.html", f"{folder}/predictions.parquet"
    page = render_report(view, details).encode()
    store.put(report_key, page, content_type="text/html; charset=utf-8")
    table = _predictions_parquet(view.categories, probabilities, held_out)
    store.put(predictions_key, table, content_type="application/vnd.apache.parquet")

    def write(session: Session) -> None:
        row = rows.get_experiment(session, experiment.id)
        row.result, row.report_key, row.predictions_key = result, report_key, predictions_key

    return Outcome({"experiment": experiment.id}, write)


def _predictions_parquet(
    categories: Sequence[Category],
    probabilities: dict[Arm, npt.NDArray[np.float32]],
    held_out: Labelled,
) -> bytes:
    """One row a prediction: whoever doubts the table can compute it anew."""
    images = [record.index for record in held_out.records]
    truth = [record.category for record in held_out.records]
    parts = []
    for arm, each in probabilities.items():
        for seed, one in enumerate(each):
            columns: dict[str, Any] = {
                "arm": [arm] * len(images),
                "seed": [seed] * len(images),
                "index": images,
                "category": truth,
            }
            columns |= {f"p_{name}": one[:, place] for place, name in enumerate(categories)}
            parts.append(pa.table(columns))
    sink = io.BytesIO()
    pq.write_table(pa.concat_tables(parts), sink, compression="zstd")
    return sink.getvalue()
