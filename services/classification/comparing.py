"""The comparison of an experiment: the one place where ``test`` is read."""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.categories import UNLABELLED, Category
from lesiongan.contracts.gans import GanOptions
from services.classification import store as rows
from services.classification.domain.evaluation import grouped_by_patient
from services.classification.domain.prediction import predict
from services.classification.domain.smaller_test import draw_test
from services.classification.domain.weights import load_weights
from services.classification.domain.wording import Beside, Screened
from services.classification.loading import may_be_copies
from services.classification.measuring import Asked, Predicted, tabulated
from services.classification.pictures import picture_rows
from services.classification.places import by_place
from services.classification.planned import PlannedExperiment, PlannedPoint
from services.classification.report.render import PictureRow, render_report
from services.classification.settings import ClassificationSettings
from shared.compute.precision import choose_precision
from shared.datasets import catalog, reading
from shared.datasets.duplicates import near_duplicates
from shared.datasets.leakage import refuse_shared_patients, unseen
from shared.datasets.pixels import Labelled, load_held_out, load_train
from shared.datasets.reading import StoredDataset
from shared.db.tables import ClassifierRow, ExperimentRow
from shared.errors import BadInput
from shared.jobs.context import JobContext, Outcome
from shared.storage.port import ObjectStore

#: Whose classifier is shown the synthetic images: it has seen real ones alone.
_OF_REAL: tuple[Arm, ...] = ("none", "traditional")


@dataclass(frozen=True)
class Point:
    """What is compared at one number of real images, in the ledger's words."""

    planned: PlannedPoint
    classifiers: dict[Arm, list[ClassifierRow]]
    real: list[StoredDataset]
    synthetic: list[StoredDataset]
    seen_by_gans: list[StoredDataset]


@dataclass(frozen=True)
class Contestants:
    """What the ledger knows of an experiment whose classifiers are all trained."""

    experiment: ExperimentRow
    dataset: StoredDataset
    points: list[Point]
    #: Every data set that a classifier or a GAN was trained on.
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
    if command.test_images is not None:
        held_out = _drawn(held_out, command.test_images)
    seen = _refuse_leaks(found, held_out)
    patients = [record.patient for record in held_out.records]
    test = grouped_by_patient(held_out.labels, patients, categories)
    networks = _Networks(job, store, settings)
    predicted = [_predict(networks, point, held_out, categories) for point in found.points]
    asked = Asked(command=command, phantom=found.experiment.phantom)
    result = tabulated(asked, test, predicted)
    result["notes"].append(_audit(found, held_out, seen))
    if seen:
        result["notes"].append(f"{seen} test images are byte for byte also training images.")
    result["lineage"] = [
        *(line.model_dump(mode="json") for line in command.plan.lineage),
        *_hashes(found),
    ]
    probabilities = [each.probabilities for each in predicted]
    pictures = _pictures(store, found.points[0], categories, command)
    return _stored(job, store, found, result, probabilities, held_out, pictures)


def _drawn(held_out: Labelled, images: int) -> Labelled:
    places = draw_test(held_out.labels, images)
    records = [held_out.records[place] for place in places]
    return Labelled(held_out.images[places], held_out.labels[places], records)


def _contestants(job: JobContext, store: ObjectStore, command: PlannedExperiment) -> Contestants:
    plan = command.plan
    with job.reading() as session:
        experiment = rows.uncompared(session, job.target)

        def opened(ids: Sequence[str]) -> list[StoredDataset]:
            return [reading.open_dataset(session, store, each) for each in ids]

        points = [
            Point(
                planned=point,
                classifiers={
                    arm: [rows.published(session, each) for each in point.classifiers[arm]]
                    for arm in command.arms
                },
                real=opened(point.real),
                synthetic=opened(point.synthetic),
                seen_by_gans=opened(point.seen_by_gans),
            )
            for point in plan.points
        ]
        used = {name for row in _classifiers(points) for name in row.datasets}
        used |= {each for point in plan.points for each in point.seen_by_gans}
        return Contestants(
            experiment=experiment,
            dataset=reading.open_dataset(session, store, plan.preprocessed),
            points=points,
            trained_on=opened(sorted(used)),
        )


def _classifiers(points: Sequence[Point]) -> Iterator[ClassifierRow]:
    for point in points:
        for each in point.classifiers.values():
            yield from each


def _categories(found: Contestants) -> tuple[Category, ...]:
    known = {tuple(row.categories) for row in _classifiers(found.points)}
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


class _Networks:
    """What classifiers say of images."""

    def __init__(
        self, job: JobContext, store: ObjectStore, settings: ClassificationSettings
    ) -> None:
        self._job = job
        self.store = store
        self._device = choose_precision(device=settings.device, threads=settings.threads).device

    def probabilities(
        self, row: ClassifierRow, images: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.float32]:
        """[N, categories]."""
        assert row.weights_key is not None, "published"
        network, _ = load_weights(self.store.get(row.weights_key), device=self._device)
        return predict(network, images, device=self._device, on_batch=self._job.check)


def _predict(
    networks: _Networks, point: Point, held_out: Labelled, categories: Sequence[Category]
) -> Predicted:
    return Predicted(
        train_per_category=point.planned.train_per_category,
        probabilities={
            arm: np.stack([networks.probabilities(row, held_out.images) for row in each])
            for arm, each in point.classifiers.items()
        },
        classifiers=point.classifiers,
        by_place=by_place(point.real, held_out.records, categories),
        recognised=_recognised(networks, point, categories),
        screened=[_screened(each) for each in point.synthetic],
        beside=[_beside(*each) for each in zip(point.seen_by_gans, point.real, strict=False)],
    )


def _beside(seen: StoredDataset, real: StoredDataset) -> Beside:
    known, drawn = (Counter(each.row.counts["train"]) for each in (seen, real))
    unnamed = known.pop(UNLABELLED, 0)
    drawn.pop(UNLABELLED, 0)
    return Beside(named=known.total() - drawn.total(), unnamed=unnamed)


def _screened(synthetic: StoredDataset) -> Screened:
    draws = [record.draw or 0 for record in synthetic.records]
    last = int(may_be_copies(synthetic.records).sum())
    return Screened(images=len(draws), drawn_again=sum(draws), may_be_copies=last)


def _recognised(
    networks: _Networks, point: Point, categories: Sequence[Category]
) -> list[npt.NDArray[np.bool_]]:
    """Of each seed's synthetic images: whether its classifier of real images names them right."""
    arm = next((arm for arm in _OF_REAL if arm in point.classifiers), None)
    if arm is None:
        return []
    found = []
    for row, synthetic in zip(point.classifiers[arm], point.synthetic, strict=False):
        images, labels, _ = load_train(networks.store, synthetic, categories)
        found.append(networks.probabilities(row, images).argmax(axis=1) == labels)
    return found


def _pictures(
    store: ObjectStore, point: Point, categories: Sequence[Category], command: PlannedExperiment
) -> list[PictureRow]:
    """Of the first seed; none without a GAN."""
    if not point.synthetic:
        return []
    real = load_train(store, point.real[0], categories)
    synthetic = load_train(store, point.synthetic[0], categories)
    if not point.seen_by_gans:
        return picture_rows(categories, real, synthetic, real)
    unlabelled = (command.gan or GanOptions()).sees_unlabelled
    seen = load_train(store, point.seen_by_gans[0], categories, unlabelled=unlabelled)
    return picture_rows(categories, real, synthetic, seen)


def _hashes(found: Contestants) -> Iterator[dict[str, str]]:
    """What tells whether a repetition gave the same: of the images, and of all weights."""
    yield {"what": "SHA-256 of the images", "id": found.dataset.row.sha256}
    begun = [row.command.get("pretrained_sha256") for row in _classifiers(found.points)]
    for sha256 in sorted({str(each) for each in begun if each is not None}):
        yield {"what": "SHA-256 of the pretrained weights", "id": sha256}
    for row in _classifiers(found.points):
        yield {"what": f"SHA-256 of the weights, {row.name}", "id": row.weights_sha256 or ""}


def _stored(
    job: JobContext,
    store: ObjectStore,
    found: Contestants,
    result: dict[str, Any],
    probabilities: Sequence[Mapping[Arm, npt.NDArray[np.float32]]],
    held_out: Labelled,
    pictures: Sequence[PictureRow],
) -> Outcome:
    experiment = found.experiment
    folder = f"experiments/{experiment.id}/{job.job_id}-{job.attempt}"
    view = rows.experiment_view(experiment, "succeeded", result)
    report_key, predictions_key = f"{folder}/report.html", f"{folder}/predictions.parquet"
    page = render_report(view, pictures).encode()
    store.put(report_key, page, content_type="text/html; charset=utf-8")
    sizes = [point.planned.train_per_category for point in found.points]
    table = _predictions_parquet(view.categories, sizes, probabilities, held_out)
    store.put(predictions_key, table, content_type="application/vnd.apache.parquet")

    def write(session: Session) -> None:
        row = rows.get_experiment(session, experiment.id)
        row.result, row.report_key, row.predictions_key = result, report_key, predictions_key

    return Outcome({"experiment": experiment.id}, write)


def _predictions_parquet(
    categories: Sequence[Category],
    sizes: Sequence[int | None],
    probabilities: Sequence[Mapping[Arm, npt.NDArray[np.float32]]],
    held_out: Labelled,
) -> bytes:
    """One row a prediction: whoever doubts the table can compute it anew."""
    images = [record.index for record in held_out.records]
    truth = [record.category for record in held_out.records]
    parts = []
    for size, by_arm in zip(sizes, probabilities, strict=True):
        for arm, each in by_arm.items():
            for seed, one in enumerate(each):
                columns: dict[str, Any] = {
                    "train_per_category": pa.array([size] * len(images), pa.int32()),
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
