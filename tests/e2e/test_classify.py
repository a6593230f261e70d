"""A classifier over HTTP: trained, asked, and asked wrongly."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from lesiongan.cli import app
from lesiongan.client import Client
from lesiongan.contracts.classifiers import ClassifierCommand
from tests.e2e.api import Api, decoded
from tests.e2e.conftest import Stack
from tests.unit.preprocessing.dicom.builders import ct, written


@pytest.fixture(scope="module")
def classifier(stack: Stack, preprocessed: str) -> str:
    """A small CNN after two passes over a few images."""
    command = {"datasets": [preprocessed], "architecture": "small_cnn", "epochs": 2}
    job = stack.api.ended(stack.api.post("/classifiers", command))
    assert job["status"] == "succeeded", job["error"]
    return str(job["output"]["classifier"])


@pytest.fixture(scope="module")
def image(stack: Stack, preprocessed: str) -> bytes:
    """A test image of the data set."""
    first = stack.api.json(f"/datasets/{preprocessed}/images", split="test", limit=1)["items"][0]
    return stack.api.get(f"/datasets/{preprocessed}/images/{first['index']}").content


def ask(api: Api, classifier: str, body: bytes) -> Any:
    return api.http.post("/classify", params={"classifier": classifier}, content=body)


def test_a_classifier_says_what_it_is(api: Api, classifier: str, preprocessed: str) -> None:
    made = api.json(f"/classifiers/{classifier}")
    counts = api.json(f"/datasets/{preprocessed}")["counts"]
    assert made["status"] == "succeeded"
    assert (made["image_size"], made["channels"]) == (32, 1)
    assert made["train_images"] == sum(counts["train"].values())
    assert made["scores"]["val_images"] == sum(counts["val"].values())
    assert 0 <= made["scores"]["val_balanced_accuracy"] <= 1
    assert len(made["categories"]) == 8
    assert made["phantom"] is True


def test_it_names_the_likeliest_category(api: Api, classifier: str, image: bytes) -> None:
    answer = ask(api, classifier, image)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert set(said["probabilities"]) == set(api.json(f"/classifiers/{classifier}")["categories"])
    assert abs(sum(said["probabilities"].values()) - 1) < 1e-5
    assert said["category"] == max(said["probabilities"], key=said["probabilities"].get)
    assert ask(api, classifier, image).json() == said


def test_it_shows_where_it_looked(api: Api, classifier: str, image: bytes) -> None:
    given = {"classifier": classifier, "explain": "true"}
    said = api.http.post("/classify", params=given, content=image).json()
    shown = cv2.imdecode(np.frombuffer(b64decode(said["grad_cam"]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown is not None
    assert shown.shape == (256, 256, 3)
    assert ask(api, classifier, image).json() == {**said, "grad_cam": None}


def test_an_image_of_another_kind_is_refused(api: Api, classifier: str, image: bytes) -> None:
    colour = cv2.imencode(".png", np.zeros((32, 32, 3), np.uint8))[1].tobytes()
    deep = cv2.imencode(".png", np.zeros((32, 32), np.uint16))[1].tobytes()
    large = cv2.imencode(".png", np.zeros((64, 64), np.uint8))[1].tobytes()
    for body, reason in (
        (colour, "3 channel"),
        (deep, "8-bit"),
        (large, "64x64"),
        (image[:100], "8-bit PNG"),
        (b"GIF89a", "not a PNG"),
    ):
        answer = ask(api, classifier, body)
        assert answer.status_code == 422, answer.text
        assert reason in answer.json()["detail"]


def test_a_dicom_file_is_classified_as_its_preprocessed_image(
    api: Api, classifier: str, raw: str, preprocessed: str
) -> None:
    lesion = api.json(f"/datasets/{raw}/images", split="test", limit=1)["items"][0]
    (crop,) = api.json(f"/datasets/{preprocessed}/images", source=lesion["source"])["items"]
    png = api.get(f"/datasets/{preprocessed}/images/{crop['index']}").content
    expected = ask(api, classifier, png).json()
    given = {"classifier": classifier, "explain": "true"}
    box = ",".join(f"{edge:.3f}" for edge in lesion["box_px"])

    said = api.http.post(
        "/classify", params={**given, "box": box}, content=api.dicom(raw, lesion["index"])
    ).json()

    assert said["crop"] == "lesion"
    shown, sent = decoded(b64decode(said["prepared"])), decoded(png)
    assert np.abs(shown.astype(int) - sent).max() <= 1  # of the box, thousandths of a pixel
    assert said["probabilities"] == pytest.approx(expected["probabilities"], abs=0.01)

    whole = api.http.post("/classify", params=given, content=api.dicom(raw, lesion["index"]))
    assert whole.json()["crop"] == "slice"
    again = ask(api, classifier, api.dicom(preprocessed, crop["index"])).json()
    assert again["probabilities"] == expected["probabilities"]
    assert api.json("/jobs", kind="prepare-image", limit=1)["items"][0]["status"] == "succeeded"


def test_a_dicom_file_that_is_no_slice_says_why(api: Api, classifier: str) -> None:
    answer = ask(api, classifier, written(ct(BurnedInAnnotation="YES")))
    assert answer.status_code == 422, answer.text
    assert "burned into it" in answer.json()["detail"]


def test_the_same_seed_trains_the_same_weights(api: Api, preprocessed: str) -> None:
    command = {"datasets": [preprocessed], "architecture": "small_cnn", "steps": 3, "seed": 5}
    first, second = (api.ended(api.post("/classifiers", command)) for _ in range(2))
    assert first["output"]["classifier"] != second["output"]["classifier"]
    assert first["output"]["weights_sha256"] == second["output"]["weights_sha256"]


@pytest.mark.parametrize("architecture", ["resnet18", "mobilenet_v2"])
def test_torchvisions_networks_train_and_answer(
    api: Api, preprocessed: str, image: bytes, architecture: str
) -> None:
    command = {"datasets": [preprocessed], "architecture": architecture, "steps": 2}
    job = api.ended(api.post("/classifiers", {**command, "batch_size": 4}))
    assert job["status"] == "succeeded", job["error"]
    assert ask(api, job["output"]["classifier"], image).status_code == 200


def test_client_and_command_line_ask_too(
    stack: Stack, classifier: str, image: bytes, preprocessed: str, tmp_path: Path
) -> None:
    url, key = stack.description["url"], stack.description["key"]
    path = tmp_path / "lesion.png"
    path.write_bytes(image)
    with Client(url, key) as client:
        said = client.classify(path, classifier)
        assert sum(said.probabilities.values()) == pytest.approx(1, abs=1e-5)
        command = ClassifierCommand(datasets=[preprocessed], steps=1)
        assert client.classifiers.estimate(command).based_on
    arguments = ["classify", str(path), "--classifier", classifier, "--url", url, "--key", key]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert said.category in result.output
