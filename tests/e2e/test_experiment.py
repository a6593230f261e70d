"""The four-arm experiment over HTTP, small enough for seconds."""

import os
import re
import signal
import time
from typing import Any

import pytest

from deploy.local.stack import status
from tests.e2e.api import Api
from tests.e2e.conftest import LONG, Stack

CATEGORIES = 8
#: Real training images of a category.
REAL = 3


def small_experiment(dataset: str, **options: Any) -> dict[str, Any]:
    """Every arm, in seconds: its figures mean nothing."""
    gan = {"steps": 2, "batch_size": 8, "n_critic": 1, "width": 8, "latent": 16}
    return {
        "dataset": dataset,
        "seeds": 2,
        "train_per_category": REAL,
        "copies": 2,
        "synthetic_ratio": 1.5,
        "gan": gan,
        "classifier": {"steps": 4, "batch_size": 8},
        **options,
    }


@pytest.fixture(scope="module")
def experiment(stack: Stack, preprocessed: str, gan: str) -> dict[str, Any]:
    """An experiment that has succeeded; the GANs that it trains are not the first one."""
    api = stack.api
    job = api.ended(api.post("/experiments", small_experiment(preprocessed)))
    assert job["status"] == "succeeded", job["error"]
    return api.json(f"/experiments/{job['output']['experiment']}")


def test_the_table_has_a_row_an_arm(experiment: dict[str, Any]) -> None:
    arms = {arm["arm"]: arm for arm in experiment["arms"]}
    real = REAL * CATEGORIES
    assert {name: arm["train_images"] for name, arm in arms.items()} == {
        "none": real,
        "traditional": 3 * real,
        "gan": real + round(1.5 * REAL) * CATEGORIES,
        "combined": 3 * real + round(1.5 * REAL) * CATEGORIES,
    }
    for arm in arms.values():
        for name in ("accuracy", "balanced_accuracy", "precision", "recall"):
            low, high = arm[name]["ci"]
            assert 0 <= low <= high <= 1
            assert 0 <= arm[name]["mean"] <= 1
            assert arm[name]["sd"] is not None
        assert len(arm["per_category"]) == CATEGORIES
    pairs = [(each["a"], each["b"]) for each in experiment["comparisons"]]
    assert ("combined", "none") in pairs
    assert ("combined", "traditional") in pairs
    assert experiment["status"] == "succeeded"
    assert "phantom" in experiment["summary"]
    place = experiment["location_only"]
    assert 0 <= place["ci"][0] <= place["mean"] <= place["ci"][1] <= 1


def test_every_test_image_is_judged_once_a_seed(
    api: Api, preprocessed: str, experiment: dict[str, Any]
) -> None:
    counts = api.json(f"/datasets/{preprocessed}")["counts"]["test"]
    assert experiment["n_test"] == sum(counts.values())
    for arm in experiment["arms"]:
        judged = {name: figures["n_test"] for name, figures in arm["per_category"].items()}
        assert judged == counts


def test_no_classifier_was_trained_on_val_or_test(
    api: Api, preprocessed: str, experiment: dict[str, Any]
) -> None:
    held_out = {
        image["sha256"]
        for split in ("val", "test")
        for image in api.json(f"/datasets/{preprocessed}/images", split=split, limit=200)["items"]
    }
    graph = api.json("/jobs", graph=experiment["job"], limit=200)["items"]
    trainings = [job for job in graph if job["kind"] == "train-classifier"]
    assert len(trainings) == 8
    for dataset in {name for job in trainings for name in job["input"]["datasets"]}:
        images = api.json(f"/datasets/{dataset}/images", split="train", limit=200)["items"]
        assert images
        assert not held_out & {image["sha256"] for image in images}
        assert not api.json(f"/datasets/{dataset}/images", split="test", limit=1)["items"]


def test_its_jobs_form_a_graph(api: Api, experiment: dict[str, Any]) -> None:
    graph = api.json("/jobs", graph=experiment["job"], limit=200)["items"]
    kinds = [job["kind"] for job in graph]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "subset": 2,
        "augment": 2,
        "train-gan": 2,
        "generate-set": 2,
        "train-classifier": 8,
        "experiment": 1,
    }
    last = api.json(f"/jobs/{experiment['job']}")
    assert len(last["parents"]) == 8
    assert last["progress"] == {"done": 17, "total": 17, "unit": "job", "eta_seconds": None}
    assert all(job["children"] for job in graph if job["kind"] != "experiment")


def test_the_report_needs_nothing_else(api: Api, experiment: dict[str, Any]) -> None:
    answer = api.get(f"/experiments/{experiment['id']}/report")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert experiment["id"] in answer.text
    assert "<script" not in answer.text
    assert not re.search(r'(?:src|href)=["\x27]?+(?!#|data:image/png;base64,)', answer.text)


def test_the_same_experiment_is_not_run_again(
    api: Api, preprocessed: str, experiment: dict[str, Any]
) -> None:
    again = api.post("/experiments", small_experiment(preprocessed, name="another name")).json()
    assert again["status"] == "succeeded"
    assert again["output"]["experiment"] == experiment["id"]


def test_another_experiment_shares_what_is_the_same(
    api: Api, preprocessed: str, experiment: dict[str, Any]
) -> None:
    command = small_experiment(preprocessed, arms=["none", "gan"], seeds=3)
    job = api.ended(api.post("/experiments", command))
    made = api.json("/jobs", graph=job["id"], limit=200)["items"]
    assert sorted(each["kind"] for each in made) == [
        "experiment",
        "generate-set",
        "subset",
        "train-classifier",
        "train-classifier",
        "train-gan",
    ]
    other = api.json(f"/experiments/{job['output']['experiment']}")
    assert other["id"] != experiment["id"]
    assert other["seeds"] == 3


def test_gans_of_experiments_never_become_the_default(
    api: Api, gan: str, experiment: dict[str, Any]
) -> None:
    assert experiment["arms"]
    assert api.json(f"/gans/{gan}")["default"]


def test_a_raw_data_set_is_preprocessed_on_the_way(api: Api, raw: str, gan: str) -> None:
    split = {"train": 0.5, "val": 0.2, "test": 0.3, "keep": False}
    settings = {"size": 32, "split": split}
    command = small_experiment(raw, arms=["none"], preprocess=settings, train_per_category=None)
    job = api.ended(api.post("/experiments", command))
    assert job["status"] == "succeeded", job["error"]
    kinds = {each["kind"] for each in api.json("/jobs", graph=job["id"])["items"]}
    assert kinds == {"preprocess", "train-classifier", "experiment"}


def test_cancelling_it_cancels_all_of_it(api: Api, preprocessed: str, gan: str) -> None:
    slow = {"steps": LONG, "batch_size": 8, "n_critic": 1, "width": 8, "latent": 16}
    command = small_experiment(preprocessed, arms=["gan"], gan=slow, seeds=2)
    job_id = api.post("/experiments", command).json()["id"]
    _wait(api, job_id, lambda jobs: any(j["progress"]["done"] for j in _of(jobs, "train-gan")))
    api.post(f"/jobs/{job_id}/cancel")
    jobs = _wait(api, job_id, lambda jobs: all(j["finished_at"] for j in jobs))
    assert all(j["status"] == "cancelled" for j in jobs if j["kind"] != "subset")


@pytest.mark.timeout(300)  # a machine may be busy
def test_a_killed_worker_loses_nothing(stack: Stack, api: Api, preprocessed: str, gan: str) -> None:
    slower = {"steps": 160, "batch_size": 16}
    command = small_experiment(preprocessed, arms=["none"], classifier=slower, seeds=1)
    whole = api.ended(api.post("/experiments", command))
    known = api.json("/jobs", graph=whole["id"])["items"]
    first = _of(known, "train-classifier")[0]["output"]["weights_sha256"]
    api.http.delete(f"/classifiers/{_of(known, 'train-classifier')[0]['output']['classifier']}")
    again = api.post("/experiments", {**command, "arms": ["none", "traditional"]}).json()["id"]
    _wait(
        api, again, lambda jobs: any(j["progress"]["done"] for j in _of(jobs, "train-classifier"))
    )
    os.kill(status(stack.home).processes["worker-classification"], signal.SIGKILL)
    jobs = _wait(api, again, lambda jobs: all(j["finished_at"] for j in jobs))
    assert {job["status"] for job in jobs} == {"succeeded"}
    trained = _of(jobs, "train-classifier")
    assert max(job["attempts"] for job in trained) == 2
    assert first in [job["output"]["weights_sha256"] for job in trained], "the same weights again"


def test_retrying_the_whole_retries_the_part_that_ended(
    api: Api, preprocessed: str, gan: str
) -> None:
    slower = {"steps": 80, "batch_size": 8, "n_critic": 1, "width": 8, "latent": 16}
    command = small_experiment(preprocessed, arms=["gan"], gan=slower, seeds=1)
    job_id = api.post("/experiments", command).json()["id"]
    jobs = _wait(api, job_id, lambda jobs: _of(jobs, "train-gan")[0]["status"] == "running")
    api.post(f"/jobs/{_of(jobs, 'train-gan')[0]['id']}/cancel")
    assert api.wait(job_id)["status"] == "cancelled"
    assert api.post(f"/jobs/{job_id}/retry").json()["status"] == "queued"
    assert api.wait(job_id)["status"] == "succeeded"


def _of(jobs: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [job for job in jobs if job["kind"] == kind]


def _wait(api: Api, graph: str, until: Any) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 90
    while True:
        jobs: list[dict[str, Any]] = api.json("/jobs", graph=graph, limit=200)["items"]
        if until(jobs):
            return jobs
        assert time.monotonic() < deadline, [(j["kind"], j["status"]) for j in jobs]
        time.sleep(0.05)


def test_the_controls_are_trained_and_compared(stack: Stack, preprocessed: str) -> None:
    arms = ["traditional", "combined", "class_weights", "distil", "pseudo_label"]
    asked = small_experiment(
        preprocessed, seeds=1, arms=arms, unlabelled=True, filter_confidence=0.0
    )
    job = stack.api.ended(stack.api.post("/experiments", asked))
    assert job["status"] == "succeeded", job["error"]
    made = stack.api.json(f"/experiments/{job['output']['experiment']}")
    rows = {arm["arm"]: arm for arm in made["arms"]}
    assert rows.keys() == {*arms}
    every = round(1.5 * REAL) * CATEGORIES
    assert 0 <= rows["combined"]["synthetic_images"] < every, "a GAN of two steps is filtered"
    assert rows["distil"]["train_images"] == rows["traditional"]["train_images"]
    assert rows["pseudo_label"]["pseudo_labelled_images"] >= 0
    assert rows["distil"]["calibration"]["error_tempered"] is not None
    pairs = {(each["a"], each["b"]): each for each in made["comparisons"]}
    assert {("combined", "distil"), ("combined", "pseudo_label")} <= pairs.keys()
    assert all(each["p"] <= each["p_holm"] <= 1 for each in pairs.values())
    assert any(note.startswith("Leakage audit") for note in made["notes"])


def test_synthetic_images_alone_are_tested_on_real_ones(stack: Stack, preprocessed: str) -> None:
    asked = small_experiment(preprocessed, seeds=1, arms=["tstr"])
    job = stack.api.ended(stack.api.post("/experiments", asked))
    assert job["status"] == "succeeded", job["error"]
    (row,) = stack.api.json(f"/experiments/{job['output']['experiment']}")["arms"]
    assert row["train_images"] == row["synthetic_images"] == round(1.5 * REAL) * CATEGORIES


SIZES = [2, 3]


@pytest.fixture(scope="module")
def sweep(stack: Stack, preprocessed: str) -> dict[str, Any]:
    """A sweep that nothing has disturbed."""
    job = stack.api.ended(stack.api.post("/experiments", small_sweep(preprocessed)))
    assert job["status"] == "succeeded", job["error"]
    return stack.api.json(f"/experiments/{job['output']['experiment']}")


def small_sweep(dataset: str) -> dict[str, Any]:
    """Long enough for a worker to be killed in a training of it."""
    slower = {"steps": 120, "batch_size": 8}
    return small_experiment(
        dataset,
        arms=["none", "traditional"],
        train_per_category=SIZES,
        seeds=1,
        test_images=CATEGORIES,
        classifier=slower,
    )


def test_a_sweep_compares_the_arms_with_each_number_of_images(
    api: Api, sweep: dict[str, Any]
) -> None:
    points = sweep["sweep"]["points"]
    assert [point["train_per_category"] for point in points] == SIZES
    for size, point in zip(SIZES, points, strict=True):
        images = {arm["arm"]: arm["train_images"] for arm in point["arms"]}
        assert images == {"none": size * CATEGORIES, "traditional": 3 * size * CATEGORIES}
        assert [(each["a"], each["b"]) for each in point["comparisons"]] == [
            ("traditional", "none")
        ]
    assert sweep["arms"] == points[0]["arms"], "of the fewest"
    assert sweep["n_test"] == CATEGORIES, "one of each, as test_images asks"
    assert [(one["arm"], one["baseline"]) for one in sweep["sweep"]["worth"]]
    assert sweep["summary"].startswith("With 2 real images of each category: on 8 test images")
    few, more = (
        {image["sha256"] for image in _train(api, _made(sweep, f"{size} a category"))}
        for size in SIZES
    )
    assert few < more, "what a seed has with few it has with more"


@pytest.mark.timeout(300)  # a machine may be busy
def test_a_worker_killed_in_a_sweep_changes_nothing(
    stack: Stack, api: Api, preprocessed: str, sweep: dict[str, Any]
) -> None:
    """Half of its classifiers are there when the worker of the others dies."""
    half = [line["id"] for line in sweep["lineage"] if line["what"].endswith("traditional")]
    assert len(half) == len(SIZES)
    for path in (f"/experiments/{sweep['id']}", *(f"/classifiers/{each}" for each in half)):
        assert api.http.delete(path).status_code == 204
    again = api.post("/experiments", small_sweep(preprocessed)).json()["id"]
    _wait(api, again, lambda jobs: any(map(_trains, _of(jobs, "train-classifier"))))
    os.kill(status(stack.home).processes["worker-classification"], signal.SIGKILL)
    jobs = _wait(api, again, lambda jobs: all(j["finished_at"] for j in jobs))
    assert {job["status"] for job in jobs} == {"succeeded"}
    assert sorted(job["attempts"] for job in _of(jobs, "train-classifier")) == [1, 2]
    found = api.json(f"/experiments/{sweep['id']}")
    its_own = {"job": again, "created_at": found["created_at"]}
    assert found == {**sweep, **its_own}, "all figures, and the hashes of all weights"


def _trains(job: dict[str, Any]) -> bool:
    return bool(job["status"] == "running" and job["progress"]["done"] > 0)


def _made(experiment: dict[str, Any], whose: str) -> str:
    """The real images of a number."""
    (found,) = (
        line["id"]
        for line in experiment["lineage"]
        if line["what"] == f"{whose}, seed 0: real images"
    )
    return str(found)


def _train(api: Api, dataset: str) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = api.json(
        f"/datasets/{dataset}/images", split="train", limit=200
    )["items"]
    return images


def test_the_papers_protocol_by_its_name(api: Api, raw: str) -> None:
    given = {"arms": ["none", "traditional"], "preprocess": {"size": 32}, "seeds": 1}
    command = {
        "dataset": raw,
        "preset": "seed",
        "classifier": {"steps": 2, "batch_size": 4},
        **given,
    }
    job = api.ended(api.post("/experiments", command))
    assert job["status"] == "succeeded", job["error"]
    jobs = api.json("/jobs", graph=job["id"], limit=200)["items"]
    (preprocess,), (augment,) = _of(jobs, "preprocess"), _of(jobs, "augment")
    taken = {name: preprocess["input"][name] for name in ("contrast", "crop", "size")}
    assert taken == {"contrast": "lesiongan", "crop": "slice", "size": 32}
    turned = {name: augment["input"][name] for name in ("operations", "rotation_degrees", "copies")}
    assert turned == {"operations": ["rotate", "flip"], "rotation_degrees": 30, "copies": 3}
    trained = _of(jobs, "train-classifier")
    assert {each["input"]["architecture"] for each in trained} == {"mobilenet_v2"}

    made = api.json(f"/experiments/{job['output']['experiment']}")
    assert made["command"]["test_images"] == 57
    rows = {arm["arm"]: arm["train_images"] for arm in made["arms"]}
    assert rows["traditional"] == 4 * rows["none"]
    assert any(note.startswith("Preset seed: after the LesionGAN paper") for note in made["notes"])
    few = f"{made['n_test']} test images are few: one image is"
    assert any(note.startswith(few) and "points wide" in note for note in made["notes"])
