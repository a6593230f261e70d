"""Nothing that a person waits for waits behind a training or a batch."""

import time
from collections.abc import Iterator

import pytest

from services.preprocessing.domain.png import encode_grey
from tests.e2e.api import ENDED, Api
from tests.e2e.conftest import small_training
from tests.unit.preprocessing.builders import grey_noise

BATCH = 10
#: Far below what the training or the batch would take.
SOON_SECONDS = 60


@pytest.fixture
def busy(api: Api, preprocessed: str) -> Iterator[list[str]]:
    """Jobs of hours: a training, and behind a long augmentation nine more."""
    training = small_training(preprocessed, steps=1_000_000, checkpoint_every=1_000_000)
    ids = [str(api.post("/gans", training).json()["id"])]
    for seed in range(BATCH):
        command = {"dataset": preprocessed, "copies": 100, "seed": 700 + seed}
        ids.append(str(api.post("/augment", command).json()["id"]))
    yield ids
    for job_id in ids:
        api.post(f"/jobs/{job_id}/cancel")
    assert {api.wait(job_id)["status"] for job_id in ids} <= {"cancelled", "succeeded"}


def test_images_and_previews_are_served_meanwhile(api: Api, gan: str, busy: list[str]) -> None:
    training, *batch = busy
    assert api.wait(training, until=("running",))["status"] == "running"
    began = time.monotonic()
    images = api.post(f"/generate?gan={gan}&category=liver&n=500&seed=4242").json()["id"]
    preview = api.http.post(
        "/augment/preview?operations=rotate",
        content=encode_grey(grey_noise(1, size=64)),
        headers={"Prefer": f"wait={SOON_SECONDS}"},
    )
    assert preview.status_code == 200, preview.text
    assert preview.headers["content-type"] == "image/png"
    made = api.wait(images)
    assert made["status"] == "succeeded", made
    assert api.json(f"/datasets/{made['output']['dataset']}")["images"] == 500
    assert time.monotonic() - began < SOON_SECONDS
    assert api.json(f"/jobs/{training}")["status"] == "running"
    still = [api.json(f"/jobs/{job_id}")["status"] for job_id in batch]
    assert sum(status not in ENDED for status in still) > 0, "the batch was still there"
