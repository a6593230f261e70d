"""Two patients' images, and what was made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lesiongan.contracts.datasets import DatasetKind
from shared.db.engine import Sessions
from shared.db.tables import (
    CheckpointRow,
    ClassifierRow,
    DatasetRow,
    ExperimentRow,
    GanRow,
    JobRow,
    MetricRow,
    PreviewRow,
)
from shared.ids import new_id
from shared.jobs import ledger
from shared.storage.port import ObjectStore
from tests.integration.shared.builders import (
    committed,
    grey_png,
    meta,
    queued,
    running,
    stored_dataset,
)

#: The pseudonym of the patient who withdraws, and of one who does not.
ALICE, BOB = "a" * 32, "b" * 32


@dataclass(frozen=True)
class World:
    """Ids. ``kept`` were made of Bob's images alone, all others of Alice's as well."""

    raw: str
    crops: str
    gan: str
    synthetic: str
    classifier: str
    of_synthetic: str
    experiment: str
    subset: str
    kept_gan: str
    kept_synthetic: str
    kept_classifier: str


def make_world(sessions: Sessions, store: ObjectStore) -> World:
    raw = dataset(sessions, store, [ALICE, ALICE, BOB], kind="raw")
    crops = dataset(sessions, store, [ALICE, ALICE, BOB], parents=[raw])
    subset = dataset(sessions, store, [BOB], parents=[crops])
    gan, kept_gan = make_gan(sessions, store, crops), make_gan(sessions, store, subset)
    synthetic = sampled(sessions, store, gan, crops)
    classifier = make_classifier(sessions, store, [crops])
    kept_classifier = make_classifier(sessions, store, [subset])
    return World(
        raw=raw,
        crops=crops,
        gan=gan,
        synthetic=synthetic,
        classifier=classifier,
        of_synthetic=make_classifier(sessions, store, [subset, synthetic]),
        experiment=make_experiment(sessions, store, crops, [kept_classifier]),
        subset=subset,
        kept_gan=kept_gan,
        kept_synthetic=sampled(sessions, store, kept_gan, subset),
        kept_classifier=kept_classifier,
    )


def dataset(
    sessions: Sessions,
    store: ObjectStore,
    patients: Sequence[str | None],
    *,
    parents: Sequence[str] = (),
    kind: DatasetKind = "preprocessed",
) -> str:
    images = [(grey_png(n), meta(patient=each)) for n, each in enumerate(patients)]
    return stored_dataset(sessions, store, images, parents=parents, kind=kind)


def sampled(sessions: Sessions, store: ObjectStore, gan: str, parent: str) -> str:
    made = dataset(sessions, store, [None, None], parents=[parent], kind="synthetic")

    def name_gan(session: Any) -> None:
        session.get(DatasetRow, made).command = {"gan": gan}

    committed(sessions, name_gan)
    return made


def ended_job(sessions: Sessions, kind: str, target: str, given: dict[str, Any]) -> str:
    """A job that has succeeded, and said something while it ran."""
    claim = running(sessions, kind=kind, target=target, input=given)
    committed(sessions, lambda s: ledger.add_event(s, claim.job_id, "metric", {"loss": 1}))
    committed(sessions, partial(ledger.succeed, claim=claim, output={kind: target}))
    return claim.job_id


def make_gan(sessions: Sessions, store: ObjectStore, dataset_id: str) -> str:
    gan = new_id("gan")
    job = ended_job(sessions, "train-gan", gan, {"dataset": dataset_id})
    keys = [f"gans/{gan}/{name}" for name in ("weights", "checkpoint", "preview")]
    for key in keys:
        store.put(key, b"1234")
    row = GanRow(
        id=gan,
        name="g",
        dataset_id=dataset_id,
        job_id=job,
        phantom=True,
        categories=["liver"],
        image_size=32,
        channels=1,
        steps=1,
        weights_key=keys[0],
        weights_sha256="0",
        scores={},
        command={},
    )
    committed(sessions, lambda s: s.add(row))
    parts = [
        CheckpointRow(gan_id=gan, step=1, key=keys[1], sha256="0"),
        PreviewRow(gan_id=gan, step=1, key=keys[2]),
        MetricRow(gan_id=gan, step=1, values={"loss": 1}),
    ]
    committed(sessions, lambda s: s.add_all(parts))
    return gan


def make_classifier(sessions: Sessions, store: ObjectStore, datasets: Sequence[str]) -> str:
    classifier = new_id("clf")
    job = ended_job(sessions, "train-classifier", classifier, {"datasets": list(datasets)})
    key = f"classifiers/{classifier}/weights"
    store.put(key, b"1234")
    row = ClassifierRow(
        id=classifier,
        name="c",
        datasets=list(datasets),
        job_id=job,
        phantom=True,
        architecture="small_cnn",
        categories=[],
        train_counts={},
        scores={},
        weights_key=key,
        weights_sha256="0",
        command={},
    )
    committed(sessions, lambda s: s.add(row))
    return classifier


def make_experiment(
    sessions: Sessions, store: ObjectStore, dataset_id: str, classifiers: Sequence[str]
) -> str:
    experiment = new_id("exp")
    given = {"dataset": dataset_id, "plan": {"classifiers": {"none": list(classifiers)}}}
    job = ended_job(sessions, "experiment", experiment, given)
    keys = [f"experiments/{experiment}/{name}" for name in ("report.html", "predictions.parquet")]
    for key in keys:
        store.put(key, b"1234")
    row = ExperimentRow(
        id=experiment,
        name="e",
        dataset_id=dataset_id,
        job_id=job,
        phantom=True,
        seeds=1,
        categories=[],
        report_key=keys[0],
        predictions_key=keys[1],
        command={},
    )
    committed(sessions, lambda s: s.add(row))
    return experiment


def waiting_job(sessions: Sessions, kind: str, given: dict[str, Any], **members: Any) -> str:
    """A queued job of ``kind``."""
    return queued(sessions, kind=kind, input=given, **members)


def status(sessions: Sessions, job_id: str) -> str:
    with sessions() as session:
        return session.get_one(JobRow, job_id).status


def objects_of(store: ObjectStore, *ids: str) -> list[str]:
    """Every object of the bucket whose key names one of ``ids``."""
    return [each.key for each in store.list("") if any(name in each.key for name in ids)]
