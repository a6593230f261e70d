"""Some minutes of what a lab does: upload, preprocess, augment, train, sample; and mistakes."""

import threading
import time
from pathlib import Path

from services.preprocessing.domain.phantom import write_phantoms
from tests.e2e.api import ENDED, Api
from tests.e2e.conftest import small_training

WAIT_SECONDS = 500.0


def work(api: Api, folder: Path, *, steps: int) -> None:
    """Keep every kind of worker busy, with readers beside them, until the training has ended."""
    done = threading.Event()
    reader = threading.Thread(target=_read, args=(api, done))
    reader.start()
    try:
        _jobs(api, folder, steps=steps)
    finally:
        done.set()
        reader.join()


def _jobs(api: Api, folder: Path, *, steps: int) -> None:
    archive = folder / "phantoms.zip"
    write_phantoms(archive, lesions_per_category=24, seed=7)
    raw = api.dataset_of(api.ended(api.upload(archive.read_bytes(), "phantoms.zip", "deeplesion")))
    preprocessed = api.dataset_of(api.ended(api.post("/preprocess", {"dataset": raw, "size": 32})))
    first = api.ended(api.post("/gans", small_training(preprocessed, steps=4)))
    long = small_training(preprocessed, steps=steps, checkpoint_every=50, preview_every=50)
    training = api.post("/gans", long)
    copies = [
        api.post("/augment", {"dataset": preprocessed, "copies": 3, "seed": seed})
        for seed in range(12)
    ]
    samples = [
        api.post(f"/generate?category=liver&n=400&seed={seed}&gan={first['output']['gan']}")
        for seed in range(6)
    ]
    for answer in (*copies, *samples, training):
        _wait(api, answer.json()["id"])


def _wait(api: Api, job_id: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while api.json(f"/jobs/{job_id}")["status"] not in ENDED:
        assert time.monotonic() < deadline, f"{job_id} does not end"
        time.sleep(1)


def _read(api: Api, done: threading.Event) -> None:
    turn = 0
    while not done.wait(0.1):
        turn += 1
        api.http.get("/jobs" if turn % 7 else "/jobs/job_none")
