"""The client's classifiers and experiments."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from lesiongan.contracts.arms import USUAL_ARMS
from lesiongan.contracts.augmentation import AugmentOptions
from lesiongan.contracts.classifiers import ClassifierCommand
from lesiongan.contracts.experiments import ArmClassifier, ExperimentCommand
from lesiongan.contracts.gans import GanOptions
from lesiongan.errors import ApiError, JobFailed, UnexpectedAnswer
from tests.unit.sdk.fake_server import Script, client_of, job, page, problem
from tests.unit.sdk.made import CLASSIFIER, DATASET, EXPERIMENT, classifier, experiment, said


def test_a_classifier_is_trained_once_however_often_the_call_is_sent() -> None:
    script = Script(httpx.Response(503), httpx.Response(202, json=job()))
    command = ClassifierCommand(datasets=[DATASET], epochs=2, patience=None)
    assert client_of(script).classifiers.train(command).id == "job_1"
    first, second = script.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert second.url.path == "/classifiers"
    assert json.loads(second.content) == {"datasets": [DATASET], "epochs": 2, "patience": None}


def test_naming_a_file_of_weights_asks_for_it() -> None:
    command = ClassifierCommand(datasets=[DATASET], pretrained_sha256="0" * 64)
    assert command.pretrained
    assert not ClassifierCommand(datasets=[DATASET], pretrained_sha256=None).pretrained


def test_classifiers_are_listed_shown_and_deleted() -> None:
    script = Script(page(classifier()), httpx.Response(200, json=classifier()), httpx.Response(204))
    client = client_of(script)
    (found,) = client.classifiers.list(limit=5)
    assert client.classifiers.get(found).scores == {"step": 30, "val_accuracy": 0.8125}
    client.classifiers.delete(found.id)
    assert [(r.method, r.url.path) for r in script.requests] == [
        ("GET", "/classifiers"),
        ("GET", f"/classifiers/{CLASSIFIER}"),
        ("DELETE", f"/classifiers/{CLASSIFIER}"),
    ]


def test_classify_sends_the_image_and_reads_what_was_said() -> None:
    script = Script(httpx.Response(200, json=said()))
    made = client_of(script).classify(b"png", CLASSIFIER)
    assert (made.category, made.probabilities["lung"]) == ("liver", 0.25)
    (request,) = script.requests
    assert (request.method, request.url.path) == ("POST", "/classify")
    assert dict(request.url.params) == {"classifier": CLASSIFIER}
    assert request.content == b"png"
    assert request.headers["content-type"] == "image/png"
    assert request.headers["accept"] == "application/json"


def test_classify_sends_a_dicom_file_with_its_lesion() -> None:
    script = Script(httpx.Response(200, json={**said(), "crop": "lesion"}))
    dicom = b"\0" * 128 + b"DICM"
    assert client_of(script).classify(dicom, CLASSIFIER, box=(1, 2.5, 30, 40)).crop == "lesion"
    (request,) = script.requests
    assert request.url.params["box"] == "1,2.5,30,40"
    assert request.headers["content-type"] == "application/dicom"


def test_a_classification_that_takes_longer_comes_with_its_job(tmp_path: Path) -> None:
    image = tmp_path / "lesion.png"
    image.write_bytes(b"png")
    script = Script(
        httpx.Response(202, json=job("queued")),
        httpx.Response(200, json=job("succeeded")),
        httpx.Response(200, json=said()),
    )
    assert client_of(script).classify(str(image), CLASSIFIER).category == "liver"
    result = script.requests[2]
    assert (result.url.path, result.headers["accept"]) == (
        "/jobs/job_1/result",
        "application/json",
    )


def test_a_classification_whose_job_fails() -> None:
    error = {"type": "/x", "title": "Invalid input", "detail": "the image is 3x3 px"}
    script = Script(
        httpx.Response(202, json=job()), httpx.Response(200, json=job("failed", error=error))
    )
    with pytest.raises(JobFailed, match="3x3"):
        client_of(script).classify(b"png", CLASSIFIER)


@pytest.mark.parametrize("answer", [{"category": "spleen", "probabilities": {}}, {"x": 1}])
def test_an_answer_that_is_no_classification(answer: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        client_of(Script(httpx.Response(200, json=answer))).classify(b"png", CLASSIFIER)


def test_an_augmentation_preview_carries_its_options() -> None:
    script = Script(httpx.Response(200, content=b"png out"))
    options = AugmentOptions(copies=2, operations=["rotate", "noise"])
    assert client_of(script).augment_preview(b"png in", options) == b"png out"
    (request,) = script.requests
    assert request.url.path == "/augment/preview"
    assert request.url.params.multi_items() == [
        ("copies", "2"),
        ("operations", "rotate"),
        ("operations", "noise"),
    ]
    assert request.headers["accept"] == "image/png"


def test_an_experiment_sends_only_what_was_set_however_deep() -> None:
    script = Script(httpx.Response(202, json=job()))
    given = {
        "dataset": DATASET,
        "arms": ["none", "gan"],
        "gan": GanOptions(steps=9),
        "classifier": ArmClassifier(steps=5),
    }
    command = ExperimentCommand.model_validate(given)
    client_of(script).experiments.run(command)
    assert script.requests[0].url.path == "/experiments"
    assert json.loads(script.requests[0].content) == {
        "dataset": DATASET,
        "arms": ["none", "gan"],
        "gan": {"steps": 9},
        "classifier": {"steps": 5},
    }


def test_estimates_make_nothing() -> None:
    estimate = {"images": 5, "bytes": 9, "device_seconds": 0.5, "based_on": "x"}
    script = Script(*(httpx.Response(200, json=estimate) for _ in range(2)))
    client = client_of(script)
    client.classifiers.estimate(ClassifierCommand(datasets=[DATASET]))
    client.experiments.estimate(ExperimentCommand.model_validate({"dataset": DATASET}))
    assert [(r.url.path, r.url.params["dry_run"]) for r in script.requests] == [
        ("/classifiers", "true"),
        ("/experiments", "true"),
    ]


def test_experiments_are_listed_and_shown() -> None:
    script = Script(page(experiment()), httpx.Response(200, json=experiment()))
    client = client_of(script)
    (found,) = client.experiments.list()
    shown = client.experiments.get(found)
    assert shown.arms[1].accuracy.ci == (0.751, 0.79)
    assert script.requests[1].url.path == f"/experiments/{EXPERIMENT}"


def test_a_report_as_text_and_as_a_file(tmp_path: Path) -> None:
    html = "<p>77 ± 1 %</p>"
    script = Script(*(httpx.Response(200, html=html) for _ in range(2)))
    client = client_of(script)
    assert client.experiments.report_html(EXPERIMENT) == html
    path = client.experiments.download_report(EXPERIMENT, tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == html
    for request in script.requests:
        assert request.url.path == f"/experiments/{EXPERIMENT}/report"
        assert request.headers["accept"] == "text/html"


def test_predictions_are_saved(tmp_path: Path) -> None:
    script = Script(httpx.Response(200, content=b"PAR1"))
    path = client_of(script).experiments.download_predictions(EXPERIMENT, tmp_path / "all.parquet")
    assert path.read_bytes() == b"PAR1"
    assert script.requests[0].url.path == f"/experiments/{EXPERIMENT}/predictions"


def few_labels(**given: object) -> ExperimentCommand:
    return ExperimentCommand.model_validate({"dataset": DATASET, "preset": "few_labels", **given})


def test_few_labels_are_named_sampled_and_compared_with_their_control() -> None:
    made = few_labels(train_per_category=5)
    assert made.gan is not None
    assert (made.gan.steps, made.gan.width, made.gan.learning_rate) == (1500, 16, 1e-3)
    assert (made.pseudo_rounds, made.gan_pseudo_confidence) == (3, 0.9)
    assert (made.synthetic_per_category, made.classifier.synthetic_share) == (1000, 0.5)
    assert made.arms == [*USUAL_ARMS, "pseudo_label"]
    again = ExperimentCommand.model_validate(made.model_dump(mode="json"))
    assert (made.preset, again) == (None, made)


def test_what_is_given_beside_few_labels_counts() -> None:
    made = few_labels(synthetic_ratio=2.0, gan={"steps": 10}, pseudo_rounds=1)
    assert (made.synthetic_per_category, made.synthetic_ratio) == (None, 2.0)
    assert made.gan is not None
    assert (made.gan.steps, made.gan.width, made.pseudo_rounds) == (10, 16, 1)
    assert ExperimentCommand.model_validate(made.model_dump(mode="json")) == made
    objects = few_labels(classifier=ArmClassifier(steps=7), gan=GanOptions(steps=10))
    assert objects.gan is not None
    assert (objects.classifier.steps, objects.classifier.synthetic_share) == (7, 0.5)
    assert (objects.gan.steps, objects.gan.width) == (10, 16)
    refused = few_labels(unlabelled=False)
    assert (refused.unlabelled, refused.pseudo_rounds, refused.arms) == (False, 1, [*USUAL_ARMS])
    trained = few_labels(gan_id="gan_0f3a5c7e9b1d2f4a6c8e0b1d")
    assert (trained.gan, trained.gan_pseudo_confidence) == (None, None)


def test_a_report_that_is_refused_leaves_no_file(tmp_path: Path) -> None:
    script = Script(problem(409, "Conflict", "the experiment is running"))
    with pytest.raises(ApiError, match="running"):
        client_of(script).experiments.download_report(EXPERIMENT, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_a_preset_fills_in_what_is_not_given() -> None:
    made = ExperimentCommand.model_validate({"dataset": DATASET, "preset": "seed"})
    assert made.preprocess is not None
    assert (made.preprocess.contrast, made.preprocess.crop) == ("lesiongan", "slice")
    assert (made.operations, made.rotation_degrees) == (["rotate", "flip"], 30.0)
    assert (made.classifier.architecture, made.test_images) == ("mobilenet_v2", 57)
    own = {"preprocess": {"size": 32, "crop": "lesion"}, "classifier": {"steps": 3}, "copies": 5}
    changed = ExperimentCommand.model_validate({"dataset": DATASET, "preset": "seed", **own})
    assert changed.preprocess is not None
    assert (changed.preprocess.contrast, changed.preprocess.crop) == ("lesiongan", "lesion")
    assert (changed.classifier.architecture, changed.classifier.steps) == ("mobilenet_v2", 3)
    assert changed.copies == 5
    again = ExperimentCommand.model_validate(made.model_dump(mode="json"))
    assert again == made
