"""Every kind of job stops within seconds when it is cancelled in its middle, and can be retried."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from lesiongan.contracts.classifiers import PseudoLabelCommand
from lesiongan.contracts.datasets import SubsetCommand
from lesiongan.contracts.gans import GenerateSetCommand
from services.worker import TASK_MODULES
from shared.db.engine import make_sessions
from shared.db.tables import ClassifierRow, GanRow, JobEventRow, JobRow
from shared.jobs.submit import NewJob
from shared.plans.datasets import generate_set_job, pseudo_label_job, subset_job
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store
from shared.web.auth import ensure_key, make_key
from shared.worker.ports import Ports
from tests.conftest import empty_tables
from tests.integration.services.bench import Bench, archive, pictures
from tests.integration.shared.builders import row
from tests.unit.preprocessing.dicom.builders import ct, hounsfield, written

#: What is promised, on a machine that does nothing else, and what is forgiven on a busy one.
PROMISED_SECONDS = 2.0
FORGIVEN_SECONDS = 10.0
SMALL_GAN: dict[str, Any] = {
    "batch_size": 8,
    "n_critic": 1,
    "width": 8,
    "latent": 16,
    "checkpoint_every": 5,
    "preview_every": 20,
}
#: Of the two trainings that are cancelled.
STEPS = 60


@dataclass(frozen=True)
class Made:
    """What the jobs of this file work on."""

    bench: Bench
    preprocessed: str
    raw: str
    gan: str
    classifier: str


@pytest.fixture(scope="module")
def _frequent_checkpoints() -> Iterator[None]:
    """A classifier's come by the clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONGAN_CLASSIFICATION_CHECKPOINT_SECONDS", "0.01")
        yield


@pytest.fixture(scope="module")
def made(
    base_url: str, engine: Engine, settings: Settings, store: S3Store, _frequent_checkpoints: None
) -> Iterator[Made]:
    """A data set, a GAN and a classifier, each made by its real job; gone with the last test."""
    sessions, secret = make_sessions(engine), make_key()
    with sessions() as session:
        ensure_key(session, key=secret, name="a test's", scopes=["admin"])
        session.commit()
    headers = {"Authorization": f"Bearer {secret}"}
    ports = Ports(settings=settings, sessions=sessions, store=store, bell=CeleryDoorbell(settings))
    with httpx.Client(base_url=base_url, headers=headers, timeout=60, trust_env=False) as client:
        bench = Bench(ports, client)
        raw = bench.made(bench.upload(archive(pictures(90)), "folders"))
        preprocessed = bench.made(bench.post("/preprocess", {"dataset": raw, "size": 32}))
        gan = bench.made(bench.post("/gans", {"dataset": preprocessed, "steps": 2, **SMALL_GAN}))
        classifier = bench.made(bench.post("/classifiers", training(preprocessed, steps=2)))
        yield Made(bench, preprocessed, raw, gan, classifier)
    empty_tables(engine)


def training(dataset: str, *, steps: int) -> dict[str, Any]:
    """A classifier of seconds."""
    return {
        "datasets": [dataset],
        "architecture": "small_cnn",
        "steps": steps,
        "batch_size": 8,
        "patience": None,
    }


def ingest(made: Made) -> str:
    return made.bench.upload(archive(pictures(400, seed=1)), "folders")


def part_of(made: Made, whole: str) -> str:
    """The first part of a job that is divided."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.datasets.parts.PART_IMAGES", 45)
        assert made.bench.run(whole).status == "queued"
    return str(min(made.bench.client.get(f"/jobs/{whole}").json()["parents"]))


def preprocess_part(made: Made) -> str:
    options = {"dataset": made.raw, "size": 128, "contrast": "clahe", "crop": "slice"}
    return part_of(made, made.bench.post("/preprocess", options))


def augment_part(made: Made) -> str:
    options = {"dataset": made.preprocessed, "copies": 2, "seed": 9}
    return part_of(made, made.bench.post("/augment", options))


def preprocess(made: Made) -> str:
    options = {"dataset": made.raw, "size": 64, "contrast": "clahe", "crop": "slice"}
    return made.bench.post("/preprocess", options)


def preprocess_preview(made: Made) -> str:
    return made.bench.show("/preprocess/preview", picture())


def prepare_image(made: Made) -> str:
    dicom = written(ct(hounsfield(1, rows=64, columns=64) + 1024))
    job_id = made.bench.show(f"/classify?classifier={made.classifier}", dicom)
    (parent,) = made.bench.client.get(f"/jobs/{job_id}").json()["parents"]
    return str(parent)


def subset(made: Made) -> str:
    command = SubsetCommand(dataset=made.preprocessed, per_category=20, seed=3)
    return made.bench.submit(lambda _: subset_job(command))


def augment(made: Made) -> str:
    return made.bench.post("/augment", {"dataset": made.preprocessed, "copies": 20, "seed": 1})


def augment_preview(made: Made) -> str:
    return made.bench.show("/augment/preview", picture())


def train_gan(made: Made) -> str:
    return made.bench.post("/gans", {"dataset": made.preprocessed, "steps": STEPS, **SMALL_GAN})


def generate(made: Made) -> str:
    command: dict[str, str | int] = {"gan": made.gan, "category": "liver", "n": 500, "seed": 1}
    answer = made.bench.client.post("/generate", params=command)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def generate_set(made: Made) -> str:
    command = GenerateSetCommand(gan=made.gan, dataset=made.preprocessed, ratio=6.0, seed=1)
    return made.bench.submit(lambda _: generate_set_job(command))


def regenerate(made: Made) -> str:
    sha256 = made.bench.client.get(f"/gans/{made.gan}").json()["weights_sha256"]
    images = [{"index": n, "seed": 1, "draw": 0, "sha256": "0" * 64} for n in range(500)]
    manifest = {"gan": made.gan, "weights_sha256": sha256, "category": "liver", "images": images}
    return made.bench.post("/regenerate", {"manifest": manifest, "indices": [*range(500)]})


def train_classifier(made: Made) -> str:
    return made.bench.post("/classifiers", training(made.preprocessed, steps=STEPS))


def pseudo_label(made: Made) -> str:
    command = PseudoLabelCommand(dataset=made.preprocessed, teacher=made.classifier, confidence=0.5)
    return made.bench.submit(lambda _: pseudo_label_job(command))


def classify(made: Made) -> str:
    return made.bench.show(f"/classify?classifier={made.classifier}", picture())


def experiment(made: Made, *, seeds: int = 2) -> str:
    command = {
        "dataset": made.preprocessed,
        "arms": ["none", "traditional"],
        "seeds": seeds,
        "copies": 1,
        "train_per_category": 4,
        "classifier": {"steps": 2, "batch_size": 8, "architecture": "small_cnn"},
    }
    job_id = made.bench.post("/experiments", command)
    page = made.bench.client.get("/jobs", params={"graph": job_id, "limit": 200}).json()["items"]
    for each in sorted(page, key=lambda job: str(job["created_at"])):
        if each["id"] != job_id and each["status"] == "queued":
            assert made.bench.run(each["id"]).status == "succeeded"
    return job_id


def collect(made: Made) -> str:
    new = NewJob(kind="collect", queue="default", input={}, target="collection", unit="object")
    return made.bench.submit(lambda _: new)


def picture() -> bytes:
    """An image of 32 pixels."""
    return next(iter(pictures(2, seed=9).values()))


#: How a job of each kind is made, and at which call of the store it is cancelled.
KINDS: dict[str, tuple[Callable[[Made], str], int]] = {
    "ingest": (ingest, 3),
    "preprocess": (preprocess, 2),
    "preprocess-part": (preprocess_part, 2),
    "preprocess-preview": (preprocess_preview, 1),
    "prepare-image": (prepare_image, 1),
    "subset": (subset, 1),
    "augment": (augment, 3),
    "augment-part": (augment_part, 2),
    "augment-preview": (augment_preview, 1),
    "train-gan": (train_gan, 6),
    "generate": (generate, 2),
    "generate-set": (generate_set, 2),
    "regenerate": (regenerate, 2),
    "train-classifier": (train_classifier, 12),
    "pseudo-label": (pseudo_label, 2),
    "classify": (classify, 1),
    "experiment": (experiment, 3),
    "collect": (collect, 3),
}


def test_every_kind_is_cancelled_here() -> None:
    assert set(KINDS) == set(TASK_MODULES)


class CancelledAt:
    """Cancels a job over HTTP at a call of its store, which is slow from then on."""

    def __init__(self, made: Made, job_id: str, call: int) -> None:
        self._cancel = f"/jobs/{job_id}/cancel"
        self._client = made.bench.client
        self._call = call
        self._calls = 0
        self.asked_at: float | None = None

    def __call__(self) -> None:
        self._calls += 1
        if self._calls == self._call:
            assert self._client.post(self._cancel).status_code == 200
            self.asked_at = time.monotonic()
        elif self.asked_at is not None:
            time.sleep(0.2)


@pytest.mark.parametrize("kind", sorted(TASK_MODULES))
def test_it_stops_in_its_middle_and_can_be_retried(
    made: Made, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, call = KINDS[kind]
    job_id = make(made)
    assert row(made.bench.ports.sessions, job_id).kind == kind
    cancel = CancelledAt(made, job_id, call)
    found = made.bench.run(job_id, on_call=cancel)
    assert cancel.asked_at is not None, "it ended before it was cancelled"
    seconds = time.monotonic() - cancel.asked_at
    with capsys.disabled():
        late = "" if seconds <= PROMISED_SECONDS else " (LATE)"
        print(f"\n{kind}: cancelled after {seconds:.2f} s{late}", end="")  # noqa: T201
    assert (found.status, found.error, found.attempts) == ("cancelled", None, 1)
    assert seconds < FORGIVEN_SECONDS
    _is_half_made(made, found)
    assert made.bench.client.post(f"/jobs/{job_id}/retry").status_code in (200, 202)
    again = made.bench.run(job_id)
    assert (again.status, again.attempts) == ("succeeded", 2), again.error


def test_what_another_job_has_made_meanwhile_stays_as_it_is(made: Made) -> None:
    bench, calls = made.bench, []
    first = experiment(made, seeds=1)
    assert bench.client.post(f"/jobs/{first}/cancel").json()["status"] == "cancelled"
    other = bench.run(experiment(made, seeds=1))
    assert (other.status, other.target) == ("succeeded", row(bench.ports.sessions, first).target)
    assert bench.client.post(f"/jobs/{first}/retry").json()["status"] == "queued"
    again = bench.run(first, on_call=lambda: calls.append(1))
    assert (again.status, again.output) == ("succeeded", other.output)
    assert calls == [], "nothing was read, and nothing stored"


def _is_half_made(made: Made, job: JobRow) -> None:
    """A training was stopped in its middle, not at its end."""
    with made.bench.ports.sessions() as session:
        if job.kind == "train-gan":
            gan = session.get(GanRow, job.target)
            assert gan is not None
            assert 0 < gan.step < STEPS
        if job.kind == "train-classifier":
            classifier = session.get(ClassifierRow, job.target)
            assert classifier is not None
            assert classifier.weights_key is None
            told = select(JobEventRow).where(JobEventRow.job_id == job.id)
            metrics = session.scalars(told.where(JobEventRow.event == "metric")).all()
            # Its progress is written four times a second: less often than it takes these steps.
            assert 0 < max(each.data["step"] for each in metrics) < STEPS
