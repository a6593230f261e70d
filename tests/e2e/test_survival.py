"""Killed in the middle: nothing is lost, and a training ends with the weights it would have had."""

import io
import os
import signal
import time
import zipfile
from typing import Any

import cv2
import httpx
import numpy as np
import psutil
import pytest
from redis import Redis

from deploy.local.stack import status
from lesiongan.contracts.categories import CATEGORIES
from tests.e2e.api import Api
from tests.e2e.conftest import LONG, Stack, small_training


def _pid(stack: Stack, process: str) -> int:
    return status(stack.home).processes[process]


def _kill(stack: Stack, process: str) -> None:
    os.kill(_pid(stack, process), signal.SIGKILL)


def _wait_for_step(api: Api, gan: str, step: int) -> None:
    deadline = time.monotonic() + 60
    while api.json(f"/gans/{gan}")["step"] < step:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _gan_of(api: Api, job_id: str) -> str:
    gans = api.json("/gans", limit=50)["items"]
    return next(str(gan["id"]) for gan in gans if gan["job"] == job_id)


def test_a_killed_training_ends_with_the_same_weights(
    stack: Stack, api: Api, preprocessed: str
) -> None:
    command = small_training(preprocessed, steps=40, checkpoint_every=5, seed=3)
    whole = api.ended(api.post("/gans", command))
    job_id = api.post("/gans", command).json()["id"]
    gan = _gan_of(api, job_id)
    _wait_for_step(api, gan, 10)
    _kill(stack, "worker-gan-train")
    job = api.wait(job_id)
    assert job["status"] == "succeeded", job
    assert job["attempts"] == 2
    assert api.json(f"/gans/{gan}")["resumed_from_step"] >= 5
    assert job["output"]["weights_sha256"] == whole["output"]["weights_sha256"]


def test_a_killed_classifier_ends_with_the_same_weights(
    stack: Stack, api: Api, preprocessed: str
) -> None:
    command = {
        "datasets": [preprocessed],
        "architecture": "small_cnn",
        "steps": 300,
        "batch_size": 16,
        "patience": None,
        "seed": 3,
    }
    whole = api.ended(api.post("/classifiers", command))
    job_id = api.post("/classifiers", command).json()["id"]
    _wait_for_progress(api, job_id, 80)
    _kill(stack, "worker-classification")
    job = api.wait(job_id)
    assert job["status"] == "succeeded", job
    assert job["attempts"] == 2
    resumed_from = api.json(f"/classifiers/{job['output']['classifier']}")["resumed_from_step"]
    assert 0 < resumed_from < 300
    assert job["output"]["weights_sha256"] == whole["output"]["weights_sha256"]
    assert job["output"]["classifier"] != whole["output"]["classifier"]


def _wait_for_progress(api: Api, job_id: str, done: int) -> None:
    deadline = time.monotonic() + 60
    while (job := api.json(f"/jobs/{job_id}"))["progress"]["done"] < done:
        assert job["status"] in ("queued", "running"), job
        assert time.monotonic() < deadline
        time.sleep(0.02)


#: Two parts, of 2,048 images at most.
_PICTURES = 2_200


def _pictures() -> bytes:
    """A folder a category, as a ZIP."""
    random = np.random.default_rng(5)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(_PICTURES):
            values = random.integers(0, 256, (24, 24), np.uint8)
            category = CATEGORIES[number % len(CATEGORIES)]
            archive.writestr(
                f"images/{category}/{number:05d}.png", cv2.imencode(".png", values)[1].tobytes()
            )
    return file.getvalue()


def _sha256_of_images(api: Api, dataset: str) -> list[str]:
    found: list[str] = []
    page: dict[str, Any] = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        after = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = api.json(f"/datasets/{dataset}/images", limit=200, **after)
        found += [image["sha256"] for image in page["items"]]
    return found


@pytest.mark.timeout(300)  # a machine may be busy
def test_a_killed_preprocessing_repeats_one_part_and_loses_nothing(stack: Stack, api: Api) -> None:
    raw = api.dataset_of(api.ended(api.upload(_pictures(), "pictures.zip", "folders")))
    command = {"dataset": raw, "size": 32, "split": {"allow_leakage": True}}
    job_id = api.post("/preprocess", command).json()["id"]
    _wait_for_progress(api, job_id, 200)
    _kill(stack, "worker-cpu")
    job = api.wait(job_id)
    assert job["status"] == "succeeded", job
    parts = [api.json(f"/jobs/{part}") for part in job["parents"]]
    assert sorted(part["attempts"] for part in parts) == [1, 2]
    other = {**command, "split": {"allow_leakage": True, "seed": 1}}
    undisturbed = api.dataset_of(api.ended(api.post("/preprocess", other)))
    made = _sha256_of_images(api, api.dataset_of(job))
    assert made == _sha256_of_images(api, undisturbed)
    assert len(set(made)) == _PICTURES


def test_a_stopped_worker_hands_its_job_back(stack: Stack, api: Api, preprocessed: str) -> None:
    command = small_training(preprocessed, steps=LONG, checkpoint_every=LONG, seed=4)
    job_id = api.post("/gans", command).json()["id"]
    gan = _gan_of(api, job_id)
    _wait_for_step(api, gan, 20)
    worker = psutil.Process(_pid(stack, "worker-gan-train"))
    worker.terminate()
    worker.wait(20)
    deadline = time.monotonic() + 60
    while api.json(f"/gans/{gan}")["resumed_from_step"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert api.json(f"/gans/{gan}")["resumed_from_step"] >= 20, "it wrote a checkpoint as it left"
    api.post(f"/jobs/{job_id}/cancel")
    assert api.wait(job_id)["status"] == "cancelled"


def test_a_running_training_is_cancelled(api: Api, preprocessed: str) -> None:
    job_id = api.post("/gans", small_training(preprocessed, steps=LONG)).json()["id"]
    assert api.wait(job_id, until=("running",))["status"] == "running"
    asked = time.monotonic()
    assert api.post(f"/jobs/{job_id}/cancel").status_code == 200
    assert api.wait(job_id)["status"] == "cancelled"
    assert time.monotonic() - asked < 15


def test_a_client_that_leaves_cancels_its_stream(api: Api, gan: str) -> None:
    with api.http.stream("GET", "/generate?category=liver&n=2000&seed=99") as answer:
        next(answer.iter_bytes(1))
        job_id = answer.headers["x-job-id"]
    assert api.wait(job_id)["status"] == "cancelled"


def test_a_stream_with_a_key_is_sent_again_from_where_it_is(api: Api, gan: str) -> None:
    asked = ("GET", "/generate?category=liver&n=2000&seed=96")
    headers = {"Idempotency-Key": "a line that breaks"}
    with api.http.stream(*asked, headers=headers) as answer:
        next(answer.iter_bytes(1))
        job_id = answer.headers["x-job-id"]
    again = api.http.request(*asked, headers=headers)
    assert (again.status_code, again.headers["x-job-id"]) == (200, job_id)
    assert len(zipfile.ZipFile(io.BytesIO(again.content)).namelist()) == 2001


def test_a_stream_that_another_waits_for_goes_on(stack: Stack, api: Api, gan: str) -> None:
    sampler = psutil.Process(_pid(stack, "worker-gan-sample"))
    sampler.suspend()
    try:
        with api.http.stream("GET", "/generate?category=liver&n=150&seed=98") as answer:
            job_id = answer.headers["x-job-id"]
            assert api.post("/generate?category=liver&n=150&seed=98").json()["id"] == job_id
    finally:
        sampler.resume()
    assert api.wait(job_id)["status"] == "succeeded"


def test_a_killed_sampler_goes_on_after_the_last_shard(stack: Stack, api: Api, gan: str) -> None:
    job_id = api.post("/generate?category=liver&n=3000&seed=97").json()["id"]
    while api.json(f"/jobs/{job_id}")["progress"]["done"] < 500:
        time.sleep(0.02)
    _kill(stack, "worker-gan-sample")
    job = api.wait(job_id)
    assert (job["status"], job["attempts"]) == ("succeeded", 2)
    images = api.json(f"/datasets/{job['output']['dataset']}")["images"]
    assert images == 3000


def test_flushed_redis_loses_no_job(stack: Stack, api: Api, gan: str) -> None:
    redis_url = stack.description["redis"]
    ids = [
        api.post(f"/generate?category=liver&n=300&seed={200 + number}").json()["id"]
        for number in range(4)
    ]
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    assert {api.wait(job_id)["status"] for job_id in ids} == {"succeeded"}


def test_a_killed_api_comes_back(stack: Stack, api: Api) -> None:
    _kill(stack, "api")
    deadline = time.monotonic() + 60
    while True:
        try:
            if api.get("/health/ready").status_code == 200:
                break
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert api.get("/jobs").status_code == 200
