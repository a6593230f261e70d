"""``POST /regenerate`` where no worker runs: what is refused, and what a job is given to do."""

from typing import Any

import httpx
import pytest

from shared.db.engine import Sessions
from shared.db.tables import TombstoneRow, WithdrawalRow
from tests.integration.gan.test_generate import published_gan

NOBODY = "gan_" + "0" * 24


def manifest(made_by: str, /, **members: Any) -> dict[str, Any]:
    """That of a ZIP of ten images, as ``GET /generate`` writes it."""
    images = [
        {"file": f"{n}.png", "index": n, "seed": 5, "draw": n % 2, "sha256": f"{n:064x}"}
        for n in range(10)
    ]
    about = {"gan": made_by, "weights_sha256": "0" * 64, "category": "liver", "n": 10, "seed": 5}
    return {**about, "truncation": None, "images": images, "synthetic": True, **members}


def ask(client: httpx.Client, given: Any, indices: Any) -> httpx.Response:
    return client.post("/regenerate", json={"manifest": given, "indices": indices})


@pytest.fixture
def gan(sessions: Sessions) -> str:
    return published_gan(sessions, default=False)


def test_the_job_is_given_what_was_asked_for_alone(client: httpx.Client, gan: str) -> None:
    answer = ask(client, manifest(gan), [7, 3])
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["kind"] == "regenerate"
    given = job["input"]["manifest"]["images"]
    assert [(each["index"], each["draw"]) for each in given] == [(7, 1), (3, 1)]
    assert job["progress"]["total"] == 2


def test_the_same_images_twice_are_one_job(client: httpx.Client, gan: str) -> None:
    whole = manifest(gan)
    part = {**whole, "images": [whole["images"][3]]}
    assert ask(client, whole, [3]).json()["id"] == ask(client, part, [3]).json()["id"]
    assert ask(client, whole, [4]).json()["id"] != ask(client, whole, [3]).json()["id"]


def test_a_gan_that_is_not_there(client: httpx.Client) -> None:
    assert ask(client, manifest(NOBODY), [1]).status_code == 404


def test_a_gan_that_was_withdrawn(client: httpx.Client, sessions: Sessions) -> None:
    with sessions() as session:
        session.add(WithdrawalRow(id="wd_1", patient="p", counts={}, images=0))
        session.flush()
        session.add(TombstoneRow(id=NOBODY, kind="gan", withdrawal_id="wd_1"))
        session.commit()
    assert ask(client, manifest(NOBODY), [1]).status_code == 410


def test_other_weights_than_the_manifest_names(client: httpx.Client, gan: str) -> None:
    answer = ask(client, manifest(gan, weights_sha256="1" * 64), [1])
    assert answer.status_code == 409
    assert "1" * 64 in answer.json()["detail"]


@pytest.mark.parametrize("indices", [[], [10], [-1], [1, 1], ["1"], [1.5], None, [0] * 2001])
def test_indices_that_cannot_be(client: httpx.Client, gan: str, indices: Any) -> None:
    answer = ask(client, manifest(gan), indices)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


DAMAGED: dict[str, dict[str, Any]] = {
    "no images": {"images": []},
    "no list": {"images": 3},
    "an image without its seed": {"images": [{"index": 1, "draw": 0, "sha256": "0" * 64}]},
    "an image without its bytes' digest": {"images": [{"index": 1, "draw": 0, "seed": 1}]},
    "two images of one index": {
        "images": [{"index": 1, "draw": 0, "seed": 1, "sha256": "0" * 64}] * 2
    },
    "a draw that no data set holds": {
        "images": [{"index": 1, "draw": 2**31, "seed": 1, "sha256": "0" * 64}]
    },
    "no category": {"category": None},
    "no category of ours": {"category": "spleen"},
    "a category that the GAN never knew": {"category": "lung"},
    "no weights": {"weights_sha256": None},
    "no GAN": {"gan": "ds_0"},
    "a truncation of nothing": {"truncation": 0.0},
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_manifest(client: httpx.Client, gan: str, damage: str) -> None:
    answer = ask(client, manifest(gan, **DAMAGED[damage]), [1])
    assert answer.status_code == 422, answer.text
    assert client.get("/jobs").json()["items"] == []


def test_a_dry_run_makes_nothing(client: httpx.Client, gan: str) -> None:
    body = {"manifest": manifest(gan), "indices": [1, 2, 3]}
    answer = client.post("/regenerate?dry_run=true", json=body)
    assert (answer.status_code, answer.json()["images"]) == (200, 3)
    assert client.get("/jobs").json()["items"] == []
