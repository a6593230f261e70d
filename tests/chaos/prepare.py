"""What the asks of a run work on: images, crops of them, a GAN and a classifier."""

import time
from typing import Any

from tests.chaos import material
from tests.chaos.client import Client
from tests.chaos.mix import CLASSIFIER, GAN, PREPROCESSED, RAW, SMALL_GAN

ENDED = ("succeeded", "failed", "cancelled")
WAIT_SECONDS = 120.0


def prepare(client: Client) -> dict[str, str]:
    """Ids by the plan's stand-ins."""
    form = {"layout": "folders", "name": "chaos"}
    images = {"file": ("images.zip", material.cohort())}
    raw = _made(client, "/datasets", data=form, files=images)
    crops = _made(client, "/preprocess", json={"dataset": raw["dataset"], "size": 32})
    training = {**SMALL_GAN, "dataset": crops["dataset"], "steps": 4}
    gan = _made(client, "/gans", json=training)
    steps = {"architecture": "small_cnn", "steps": 10, "batch_size": 8}
    classifier = _made(client, "/classifiers", json={"datasets": [crops["dataset"]], **steps})
    return {
        RAW: raw["dataset"],
        PREPROCESSED: crops["dataset"],
        GAN: gan["gan"],
        CLASSIFIER: classifier["classifier"],
    }


def ended(client: Client, job_id: str) -> dict[str, Any]:
    """The job once it has ended."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        job = client.json(f"/jobs/{job_id}")
        if job["status"] in ENDED:
            return job
        assert time.monotonic() < deadline, f"still {job['status']}: {job}"
        time.sleep(0.1)


def _made(client: Client, path: str, **sent: Any) -> dict[str, Any]:
    answer = client.ask("POST", path, headers={"Idempotency-Key": f"prepare {path}"}, **sent)
    assert answer.status_code == 202, answer.text
    job = ended(client, answer.json()["id"])
    assert job["status"] == "succeeded", job
    output: dict[str, Any] = job["output"]
    return output
