"""``lesiongan classifiers`` and ``lesiongan classify``."""

import json
from pathlib import Path

import httpx
import pytest

from tests.unit.sdk.fake_server import Run, Script, job, page, problem
from tests.unit.sdk.made import CLASSIFIER, DATASET, classifier, said


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Two files."""
    paths = [tmp_path / "first.png", tmp_path / "second.png"]
    for path in paths:
        path.write_bytes(path.name.encode())
    return [str(path) for path in paths]


def test_train_sends_only_what_was_asked_and_shows_the_classifier(run: Run) -> None:
    script = Script(
        httpx.Response(202, json=job()),
        httpx.Response(200, json=job("succeeded", output={"classifier": CLASSIFIER})),
        httpx.Response(200, json=classifier()),
    )
    other = DATASET.replace("a", "b")
    options = ["--architecture", "small_cnn", "--steps", "9", "--synthetic-share", "0.5"]
    result = run(script, "classifiers", "train", DATASET, other, *options)
    assert result.exit_code == 0, result.stderr
    assert json.loads(script.requests[0].content) == {
        "datasets": [DATASET, other],
        "architecture": "small_cnn",
        "steps": 9,
        "synthetic_share": 0.5,
    }
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["classifier", CLASSIFIER] in lines
    assert ["trained", "on", DATASET, "(phantom)"] in lines
    assert ["val_accuracy", "0.8125"] in lines


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ([], {}),
        (["--patience", "3"], {"patience": 3}),
        (["--no-patience"], {"patience": None}),
    ],
)
def test_no_patience_is_null(run: Run, options: list[str], sent: dict[str, int | None]) -> None:
    script = Script(httpx.Response(202, json=job()))
    run(script, "classifiers", "train", DATASET, *options, "--no-wait")
    assert json.loads(script.requests[0].content) == {"datasets": [DATASET], **sent}


def test_train_without_waiting_prints_the_job(run: Run) -> None:
    script = Script(httpx.Response(202, json=job()))
    result = run(script, "classifiers", "train", DATASET, "--no-wait", "--json")
    assert json.loads(result.stdout)["status"] == "queued"
    assert len(script.requests) == 1


def test_train_dry(run: Run) -> None:
    estimate = {"images": 5, "bytes": 9, "device_seconds": 0.5, "based_on": "earlier jobs"}
    script = Script(httpx.Response(200, json=estimate))
    result = run(script, "classifiers", "train", DATASET, "--dry-run")
    assert "earlier jobs" in result.stdout
    assert script.requests[0].url.params["dry_run"] == "true"


def test_list_and_show(run: Run) -> None:
    result = run(Script(page(classifier())), "classifiers", "list")
    row = [CLASSIFIER, "succeeded", "small_cnn", "81.2%", "phantom", "ours"]
    assert row in [line.split() for line in result.stdout.splitlines()]
    queued = classifier(status="queued", categories=[], image_size=None, scores={})
    result = run(Script(httpx.Response(200, json=queued)), "classifiers", "show", CLASSIFIER)
    assert result.exit_code == 0
    assert "categories" not in result.stdout


def test_deleting_a_classifier_asks_first(run: Run) -> None:
    script = Script(httpx.Response(204))
    assert run(script, "classifiers", "delete", CLASSIFIER).exit_code == 1
    assert script.requests == []
    result = run(script, "classifiers", "delete", CLASSIFIER, "--yes", "--json")
    assert json.loads(result.stdout) == {"deleted": CLASSIFIER}


def test_classify_is_a_row_a_file(run: Run, images: list[str]) -> None:
    script = Script(*(httpx.Response(200, json=said()) for _ in images))
    result = run(script, "classify", *images, "--classifier", CLASSIFIER)
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines == [
        ["FILE", "CATEGORY", "PROBABILITY"],
        *([image, "liver", "75.0%"] for image in images),
    ]
    assert [request.content for request in script.requests] == [b"first.png", b"second.png"]


def test_classify_as_json_has_every_probability(run: Run, images: list[str]) -> None:
    script = Script(
        httpx.Response(202, json=job()),
        httpx.Response(200, json=job("succeeded")),
        httpx.Response(200, json=said()),
    )
    result = run(script, "classify", images[0], "--classifier", CLASSIFIER, "--json")
    assert json.loads(result.stdout) == [{"file": images[0], **said()}]
    assert result.stderr == ""


def test_classify_sends_the_lesion_of_a_slice(run: Run, images: list[str]) -> None:
    script = Script(httpx.Response(200, json=said()))
    box = ["--box", "1", "2", "30.5", "40"]
    assert run(script, "classify", images[0], "--classifier", CLASSIFIER, *box).exit_code == 0
    assert script.requests[0].url.params["box"] == "1,2,30.5,40"


def test_a_bad_file_is_named_and_the_others_classified(run: Run, images: list[str]) -> None:
    nowhere = "no-such.png"
    script = Script(
        problem(422, "Invalid input", "the image is\nno PNG", errors=[{"loc": [], "msg": "x"}]),
        httpx.Response(200, json=said()),
    )
    result = run(script, "classify", *images, nowhere, "--classifier", CLASSIFIER, "--json")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: {images[0]}: the image is no PNG",
        f"error: {nowhere}: No such file or directory",
    ]
    bad, good, missing = json.loads(result.stdout)
    assert (bad["file"], bad["error"]) == (images[0], "the image is\nno PNG")
    assert good["category"] == "liver"
    assert missing == {"file": nowhere, "error": "No such file or directory"}


def test_only_a_bad_file_is_one_line(run: Run, images: list[str]) -> None:
    error = {"type": "/x", "title": "Invalid input", "detail": "no PNG"}
    script = Script(
        httpx.Response(202, json=job()), httpx.Response(200, json=job("failed", error=error))
    )
    result = run(script, "classify", images[0], "--classifier", CLASSIFIER)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"error: {images[0]}: job job_1")
    assert "no PNG" in result.stderr


@pytest.mark.parametrize(
    "refused",
    [
        problem(404, "Not found", "there is no classifier clf_x"),
        problem(422, "Invalid input", "classifier", errors=[{"loc": ["query"], "msg": "x"}]),
    ],
)
def test_what_is_no_images_fault_ends_at_once(
    run: Run, images: list[str], refused: httpx.Response
) -> None:
    script = Script(refused)
    result = run(script, "classify", *images, "--classifier", "clf_x")
    assert result.exit_code == 1
    assert len(script.requests) == 1
    assert "first.png" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "--classifier", CLASSIFIER],
        ["classify", "a.png"],
        ["classifiers", "train"],
        ["classifiers", "train", "no-id"],
        ["classifiers", "train", DATASET, DATASET],
        ["classifiers", "train", DATASET, "--architecture", "vgg16"],
        ["classifiers", "train", DATASET, "--patience", "3", "--no-patience"],
        ["classifiers", "train", DATASET, "--synthetic-share", "2"],
    ],
)
def test_wrongly_written_commands_are_exit_code_2(run: Run, arguments: list[str]) -> None:
    result = run(Script(), *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
