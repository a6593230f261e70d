"""Classifiers and experiments over HTTP: what is refused, and what the answers say."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from sqlalchemy import Engine, delete, text
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import PreprocessOptions
from shared.datasets.dicom_stripping import is_dicom
from shared.db.engine import Sessions
from shared.db.tables import ClassifierRow, DatasetRow, ExperimentRow
from shared.errors import BadInput
from shared.jobs import ledger
from shared.jobs.claims import Claim
from shared.storage.s3 import S3Store
from tests.integration.classification.datasets import (
    Counts,
    dataset,
    gan,
    publish_classifier,
    unsplit,
)
from tests.integration.classification.experiments import ask
from tests.integration.conftest import KeyMaker
from tests.integration.shared.builders import claimed, committed, grey_png
from tests.unit.preprocessing.dicom.builders import ct, written
from tests.unit.preprocessing.dicom.test_privacy import MARK, UID_MARK, marked

UNKNOWN_SET = "ds_" + "0" * 24
UNKNOWN_GAN = "gan_" + "0" * 24
UNKNOWN_CLASSIFIER = "clf_" + "0" * 24
NO_TEST: Counts = {"liver": (4, 2, 0), "lung": (3, 2, 0)}
LUNG_WITHOUT_TEST: Counts = {"liver": (4, 2, 2), "lung": (3, 2, 0)}
ONE_CATEGORY: Counts = {"liver": (4, 2, 2), "lung": (0, 2, 2)}
PNG_HEAD = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"


def is_problem(answer: httpx.Response, status: int, *reasons: str) -> None:
    """It is refused, and the answer says why."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    for reason in reasons:
        assert reason in answer.text, answer.text


def experiment(client: httpx.Client, dataset_id: str, **members: Any) -> httpx.Response:
    return client.post("/experiments", json={"dataset": dataset_id, **members})


def train(client: httpx.Client, *datasets: str, **members: Any) -> httpx.Response:
    return client.post("/classifiers", json={"datasets": list(datasets), **members})


@pytest.fixture
def classifier(client: httpx.Client, sessions: Sessions, images: str) -> str:
    """A classifier whose training waits for a worker."""
    assert train(client, images).status_code == 202
    made: str = client.get("/classifiers").json()["items"][0]["id"]
    return made


@pytest.fixture
def published(sessions: Sessions, classifier: str) -> str:
    """A classifier of 32 px that could be asked."""
    publish_classifier(sessions, classifier)
    return classifier


def test_a_raw_set_needs_images_of_every_category(
    client: httpx.Client, sessions: Sessions, store: S3Store
) -> None:
    raw = unsplit(sessions, store, {"liver": 6, "lung": 2})
    is_problem(experiment(client, raw), 422, raw, "fewer than 3 images of lung")
    is_problem(experiment(client, raw, train_per_category=6), 422, "fewer than 7", "liver, lung")
    no_test = {"split": {"train": 0.8, "val": 0.2, "test": 0}}
    enough = unsplit(sessions, store, {"liver": 6, "lung": 6})
    is_problem(experiment(client, enough, preprocess=no_test), 422, "split.test")
    lonely = unsplit(sessions, store, {"liver": 6})
    is_problem(experiment(client, lonely), 422, "fewer than two categories")


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (NO_TEST, "has no test images: preprocess it with a test split"),
        (LUNG_WITHOUT_TEST, "has no test images of lung"),
        (ONE_CATEGORY, "fewer than two categories"),
    ],
)
def test_a_preprocessed_set_needs_train_and_test(
    client: httpx.Client, sessions: Sessions, store: S3Store, counts: Counts, reason: str
) -> None:
    made = dataset(sessions, store, counts)
    is_problem(experiment(client, made), 422, made, reason)


def test_more_training_images_than_there_are(client: httpx.Client, images: str) -> None:
    answer = experiment(client, images, train_per_category=4)
    is_problem(answer, 422, images, "fewer than 4 training images of lung")


def test_a_gan_that_saw_something_else(
    client: httpx.Client, sessions: Sessions, images: str
) -> None:
    both: list[Category] = ["liver", "lung"]
    one = gan(sessions, images, ["liver"])
    is_problem(experiment(client, images, gan_id=one), 422, one, "does not know lung")
    other = gan(sessions, UNKNOWN_SET, both)
    is_problem(experiment(client, images, gan_id=other), 422, other, f"been trained on {images}")
    large = gan(sessions, images, both, image_size=64)
    is_problem(experiment(client, images, gan_id=large), 422, "images of 64 px", "32 px")
    deep = gan(sessions, images, both, channels=3)
    is_problem(experiment(client, images, gan_id=deep), 422, "32 px in 3 channel(s)", "in 1")
    fitting = gan(sessions, images, both)
    drawn = experiment(client, images, gan_id=fitting, train_per_category=2)
    is_problem(drawn, 422, "train_per_category must be null")
    unused = experiment(client, images, gan_id=fitting, arms=["none", "traditional"])
    is_problem(unused, 422, "none of the arms uses a GAN")
    tuned = gan(sessions, images, both, command={"init_from": other})
    is_problem(experiment(client, images, gan_id=tuned), 422, tuned, other, "from the start")
    untrained = gan(sessions, images, both, weights_key=None)
    is_problem(experiment(client, images, gan_id=untrained), 409, untrained, "no weights yet")
    found = {"refused": True, "copies": 0.3, "n": 100}
    copying = gan(sessions, images, both, scores={"memorisation": found})
    is_problem(experiment(client, images, gan_id=copying), 409, copying, "gives back")
    is_problem(experiment(client, images, gan_id=UNKNOWN_GAN), 404, UNKNOWN_GAN)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"gan_id": UNKNOWN_GAN, "gan": {"steps": 5}}, "leave gan out"),
        ({"gan_id": "my-gan"}, "gan_id"),
        ({"arms": []}, "arms"),
        ({"arms": ["none", "none"]}, "arms must name each one once"),
        ({"arms": ["cyclegan"]}, "arms"),
        ({"operations": ["rotate", "rotate"]}, "operations must name each one once"),
        ({"seeds": 0}, "seeds"),
        ({"seeds": 101}, "seeds"),
        ({"train_per_category": 1}, "train_per_category"),
        ({"synthetic_ratio": 0}, "synthetic_ratio"),
        ({"classifier": {"steps": 0}}, "steps"),
        ({"classifier": {"architecture": "vgg"}}, "architecture"),
        ({"epochs": 3}, "epochs"),
        ({"preprocess": {"size": 32}}, "is preprocessed already: leave preprocess out"),
    ],
)
def test_an_experiment_that_makes_no_sense(
    client: httpx.Client, images: str, members: dict[str, Any], reason: str
) -> None:
    is_problem(experiment(client, images, **members), 422, reason)
    assert client.get("/experiments").json()["items"] == []


def test_only_real_images_are_compared_on(
    client: httpx.Client, sessions: Sessions, store: S3Store
) -> None:
    augmented = dataset(sessions, store, kind="augmented")
    is_problem(experiment(client, augmented), 422, augmented, "is augmented")
    synthetic = dataset(sessions, store, kind="synthetic")
    is_problem(experiment(client, synthetic), 422, "is synthetic")
    odd = dataset(sessions, store, size=40)
    is_problem(experiment(client, odd), 422, "are 40x40 px")
    is_problem(experiment(client, UNKNOWN_SET), 404, UNKNOWN_SET)
    is_problem(client.get("/experiments/exp_none"), 404, "exp_none")


def test_the_report_is_there_when_it_has_ended(
    client: httpx.Client, sessions: Sessions, store: S3Store, images: str
) -> None:
    ask(client, images)
    (made,) = client.get("/experiments").json()["items"]
    is_problem(client.get(f"/experiments/{made['id']}/report"), 409, made["id"], "no report yet")
    is_problem(client.get("/experiments/exp_none/report"), 404, "exp_none")
    store.put("experiments/report.html", b"<p>a table</p>")
    with sessions() as session:
        row = session.get(ExperimentRow, made["id"])
        assert row is not None
        row.report_key = "experiments/report.html"
        session.commit()
    report = client.get(f"/experiments/{made['id']}/report")
    assert report.text == "<p>a table</p>"
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in report.headers["content-security-policy"]


def test_a_classifier_is_a_run_of_its_own(client: httpx.Client, images: str) -> None:
    jobs = [train(client, images, steps=9, architecture="small_cnn").json() for _ in range(2)]
    assert jobs[0]["id"] != jobs[1]["id"]
    assert jobs[0]["progress"]["total"] == 9
    newest, older = client.get("/classifiers").json()["items"]
    assert (newest["job"], older["job"]) == (jobs[1]["id"], jobs[0]["id"])
    found = client.get(f"/classifiers/{newest['id']}").json()
    assert (found["status"], found["datasets"], found["phantom"]) == ("queued", [images], True)
    assert (found["architecture"], found["command"]["steps"]) == ("small_cnn", 9)
    assert (found["categories"], found["image_size"], found["train_images"]) == ([], None, None)


def test_what_a_job_will_make_is_named_at_once(client: httpx.Client, images: str) -> None:
    for answer in (train(client, images, steps=9), experiment(client, images, seeds=1)):
        job = answer.json()
        link = job["links"]["result"]
        found = client.get(link).json()
        assert (found["status"], found["job"]) == ("queued", job["id"])
        assert client.get(job["links"]["self"]).json()["links"]["result"] == link
        client.post(job["links"]["cancel"])
        listed = client.get("/jobs", params={"kind": job["kind"], "status": "cancelled"}).json()
        assert link in [each["links"]["result"] for each in listed["items"]]
        assert client.get(link).json()["status"] == "cancelled"


def test_what_a_classifier_cannot_be_trained_on(
    client: httpx.Client, sessions: Sessions, store: S3Store, images: str
) -> None:
    raw = dataset(sessions, store, kind="raw")
    is_problem(train(client, images, raw), 422, raw, "POST /preprocess first")
    is_problem(train(client, images, UNKNOWN_SET), 404, UNKNOWN_SET)
    lonely = dataset(sessions, store, ONE_CATEGORY)
    is_problem(train(client, lonely), 422, "at least two categories")
    is_problem(train(client, images, epochs=2, steps=5), 422, "epochs or steps, not both")
    is_problem(train(client, images, images), 422, "each data set once")
    is_problem(train(client), 422, "datasets")
    is_problem(train(client, "images.zip"), 422, "datasets")
    assert client.get("/classifiers").json()["items"] == []


def png_of_size(width: int, height: int) -> bytes:
    """The head of a PNG that states a size."""
    return PNG_HEAD + struct.pack(">II", width, height) + b"\x08\x00\x00\x00\x00" + b"\0" * 40


def classify(
    client: httpx.Client, image: bytes, classifier_id: str, *, wait: str = "20", **more: str
) -> httpx.Response:
    kind = {"content-type": "image/png", "prefer": f"wait={wait}"}
    params = {"classifier": classifier_id, **more}
    return client.post("/classify", content=image, params=params, headers=kind)


def test_an_image_that_cannot_be_classified(client: httpx.Client, published: str) -> None:
    is_problem(classify(client, grey_png(1), published), 422, "8x8 px", "takes 32x32 px")
    is_problem(classify(client, png_of_size(32, 33), published), 422, "32x33 px")
    is_problem(classify(client, b"GIF89a", published), 422, "not a PNG")
    is_problem(classify(client, b"", published), 422, "send an image")
    is_problem(classify(client, png_of_size(8000, 5000), published), 413, "8000x5000 px")
    is_problem(classify(client, grey_png(1) + b"\0" * (8 << 20), published), 413, "bytes")
    assert client.get("/jobs", params={"kind": "classify"}).json()["items"] == []


@pytest.fixture
def prepared(sessions: Sessions, images: str, published: str) -> str:
    """A classifier whose data set says how it was preprocessed."""
    with sessions() as session:
        row = session.get(DatasetRow, images)
        assert row is not None
        row.command = PreprocessOptions(size=32).model_dump(mode="json")
        session.commit()
    return published


def test_a_dicom_file_is_prepared_first(client: httpx.Client, prepared: str) -> None:
    answer = classify(client, written(marked(1)), prepared, box="9,8,2,3", wait="1")
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["kind"], job["status"], job["input"]["crop"]) == ("classify", "queued", "lesion")
    (parent,) = job["parents"]
    first = client.get(f"/jobs/{parent}").json()
    assert (first["kind"], first["input"]["box_px"]) == ("prepare-image", [2.0, 3.0, 9.0, 8.0])
    assert first["input"]["options"]["size"] == 32
    assert first["input"]["prepared"] == job["input"]["image"]


def test_a_retry_needs_the_dicom_file_or_what_was_made_of_it(
    client: httpx.Client, sessions: Sessions, store: S3Store, prepared: str
) -> None:
    job = classify(client, written(ct()), prepared, wait="1").json()
    (parent,) = job["parents"]
    sent = client.get(f"/jobs/{parent}").json()["input"]["image"]

    def ended(job_id: str, end: Callable[[Session, Claim], None]) -> None:
        claim = claimed(sessions, job_id)
        assert claim is not None
        committed(sessions, lambda session: end(session, claim))

    def fails(session: Session, claim: Claim) -> None:
        ledger.fail(session, claim, BadInput("no slice"))

    ended(parent, fails)
    assert client.post(f"/jobs/{job['id']}/retry").json()["status"] == "queued"
    ended(parent, fails)
    store.delete(sent)
    is_problem(client.post(f"/jobs/{job['id']}/retry"), 410, "send it again")

    store.put(sent, b"as if it were kept")
    client.post(f"/jobs/{job['id']}/retry")
    store.delete(sent)
    ended(parent, lambda session, claim: ledger.succeed(session, claim, {}))
    ended(job["id"], fails)
    is_problem(client.post(f"/jobs/{job['id']}/retry"), 410, "send it again")
    store.put(job["input"]["image"], grey_png(1, size=32))
    assert client.post(f"/jobs/{job['id']}/retry").json()["status"] == "queued"


def test_nothing_of_a_dicom_file_is_stored_but_its_picture(
    client: httpx.Client, store: S3Store, engine: Engine, prepared: str
) -> None:
    job = classify(client, written(marked(1)), prepared, wait="1").json()
    (parent,) = job["parents"]
    staged = store.get(client.get(f"/jobs/{parent}").json()["input"]["image"])
    assert is_dicom(staged)
    with engine.connect() as connection:
        rows = [str(row) for row in connection.execute(text("SELECT * FROM jobs"))]
    for kept in (staged.decode("latin-1"), *rows):
        assert MARK not in kept
        assert UID_MARK not in kept


def test_a_dicom_file_that_cannot_be_classified(
    client: httpx.Client, classifier: str, sessions: Sessions
) -> None:
    sound = written(ct())
    is_problem(classify(client, sound, classifier), 409, "no weights yet")
    publish_classifier(sessions, classifier)
    is_problem(classify(client, sound[:140], classifier), 422, "damaged")
    is_problem(classify(client, written(ct(PixelData=None)), classifier), 422, "no picture")
    is_problem(classify(client, sound, classifier, box="1,2,3"), 422, "box")
    is_problem(classify(client, sound, classifier), 422, "not preprocessed here")
    with sessions() as session:
        row = session.get(ClassifierRow, classifier)
        assert row is not None
        row.channels = 3
        session.commit()
    is_problem(classify(client, sound, classifier), 422, "3 channels", "send one of its images as")
    assert client.get("/jobs", params={"kind": "classify"}).json()["items"] == []


def test_a_classifier_that_cannot_be_asked(client: httpx.Client, classifier: str) -> None:
    image = grey_png(1, size=32)
    is_problem(classify(client, image, classifier), 409, classifier, "no weights yet")
    is_problem(classify(client, image, UNKNOWN_CLASSIFIER), 404, UNKNOWN_CLASSIFIER)
    is_problem(classify(client, image, "resnet18"), 422, "classifier")
    is_problem(client.post("/classify", content=image), 422, "classifier")


@pytest.mark.parametrize("kind", ["png", "dicom"])
def test_a_question_asked_again_is_not_judged_anew(
    client: httpx.Client, sessions: Sessions, prepared: str, kind: str
) -> None:
    image = grey_png(1, size=32) if kind == "png" else written(ct())
    client.headers["Idempotency-Key"] = "once"
    first = classify(client, image, prepared, wait="1")
    with sessions() as session:
        session.execute(delete(ClassifierRow))
        session.commit()
    again = classify(client, image, prepared, wait="1")
    assert again.status_code == 202, again.text
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    is_problem(classify(client, grey_png(2, size=32), prepared), 422, "Idempotency-Key")
    del client.headers["Idempotency-Key"]
    is_problem(classify(client, image, prepared), 404, prepared)


def test_an_explanation_is_asked_for_with_yes_or_no(client: httpx.Client, published: str) -> None:
    answer = classify(client, png_of_size(32, 32), published, explain="perhaps")
    is_problem(answer, 422, "explain")


def test_a_dry_run_of_classify_asks_nobody(client: httpx.Client, published: str) -> None:
    answer = classify(client, grey_png(1, size=32), published, dry_run="true")
    assert (answer.status_code, answer.json()["images"]) == (200, 1)
    assert client.get("/jobs", params={"kind": "classify"}).json()["items"] == []


def test_a_dry_run_counts_the_preparation_of_a_dicom_file(
    client: httpx.Client, prepared: str
) -> None:
    answer = classify(client, written(ct()), prepared, dry_run="true")
    assert answer.status_code == 200
    said = answer.json()["based_on"]
    assert "no classify job has ended here yet" in said
    assert "no prepare-image job has ended here yet" in said
    for kind in ("classify", "prepare-image"):
        assert client.get("/jobs", params={"kind": kind}).json()["items"] == []


def test_a_deflated_dicom_file_is_staged_plain(
    client: httpx.Client, store: S3Store, prepared: str
) -> None:
    sound = written(marked(1), DeflatedExplicitVRLittleEndian)
    job = classify(client, sound, prepared, wait="1").json()
    first = client.get(f"/jobs/{job['parents'][0]}").json()
    staged = dcmread(io.BytesIO(store.get(first["input"]["image"])))
    assert staged.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert staged.PixelData == dcmread(io.BytesIO(written(ct()))).PixelData

    start = 144 + int.from_bytes(sound[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(64)), packer.flush()])
    assert len(bomb) < 100_000
    is_problem(classify(client, sound[:start] + bomb, prepared), 413, "expands to more than")


def test_a_set_that_was_trained_on_is_kept(
    client: httpx.Client, images: str, published: str
) -> None:
    job = client.get(f"/classifiers/{published}").json()["job"]
    is_problem(client.delete(f"/datasets/{images}?cascade=true"), 409, job, "cancel")
    client.post(f"/jobs/{job}/cancel")
    is_problem(client.delete(f"/datasets/{images}"), 409, published, "cascade")
    assert client.get(f"/datasets/{images}").status_code == 200
    assert client.delete(f"/datasets/{images}?cascade=true").status_code == 204
    is_problem(client.get(f"/classifiers/{published}"), 404, published)


def test_a_classifier_is_deleted(client: httpx.Client, images: str, published: str) -> None:
    job = client.get(f"/classifiers/{published}").json()["job"]
    is_problem(client.delete(f"/classifiers/{published}"), 409, job, "cancel")
    client.post(f"/jobs/{job}/cancel")
    assert client.delete(f"/classifiers/{published}").status_code == 204
    is_problem(client.get(f"/classifiers/{published}"), 404, published)
    is_problem(client.delete(f"/classifiers/{published}"), 404, published)
    assert client.delete(f"/datasets/{images}").status_code == 204


def test_a_reader_may_look_and_no_more(
    client: httpx.Client, make_headers: KeyMaker, images: str, published: str
) -> None:
    ask(client, images)
    reader = make_headers("read")
    for path in ("/classifiers", f"/classifiers/{published}", "/experiments"):
        assert client.get(path, headers=reader).status_code == 200
        is_problem(httpx.get(client.base_url.join(path), trust_env=False), 401)
    command: dict[str, Any] = {"dataset": images, "datasets": [images]}
    for path in ("/experiments", "/classifiers", f"/classify?classifier={published}"):
        is_problem(client.post(path, json=command, headers=reader), 403)
    is_problem(client.delete(f"/classifiers/{published}", headers=reader), 403)
