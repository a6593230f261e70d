"""Killed in the middle: nothing is lost, and a training ends with the weights it would have had."""

import os
import signal
import time

import httpx
import psutil
from redis import Redis

from deploy.local.stack import status
from tests.e2e.api import Api
from tests.e2e.conftest import Stack, small_training


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


def test_a_stopped_worker_hands_its_job_back(stack: Stack, api: Api, preprocessed: str) -> None:
    command = small_training(preprocessed, steps=100_000, checkpoint_every=100_000, seed=4)
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
    job_id = api.post("/gans", small_training(preprocessed, steps=100_000)).json()["id"]
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
