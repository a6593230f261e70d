"""A data set whose splits overlap is refused, and one that is allowed to says so in its report."""

import httpx
import pytest

from shared.worker.ports import Ports
from tests.integration.services.bench import Bench, archive, pictures


@pytest.fixture
def bench(ports: Ports, client: httpx.Client) -> Bench:
    return Bench(ports, client)


def in_two_splits() -> bytes:
    """Ten pictures of each category; one of them is there twice, in train and in test."""
    files = pictures(20)
    names = sorted(files)
    files["images/liver/again.png"] = files[names[0]]
    splits = ("train", "train", "val", "test")
    rows = [(name, splits[number % 4]) for number, name in enumerate(names)]
    rows.append(("images/liver/again.png", "test"))
    table = [f"{name},{name.split('/')[1]},,{split}" for name, split in rows]
    files["manifest.csv"] = "\n".join(["file,category,patient,split", *table]).encode()
    return archive(files)


def test_an_image_in_two_splits_is_refused_unless_allowed(bench: Bench) -> None:
    raw = bench.made(bench.upload(in_two_splits(), "folders"))
    of_raw = bench.client.get(f"/datasets/{raw}/report").json()
    assert of_raw["exact_duplicates"]["crossing"] == 1
    assert of_raw["near_duplicates"] is None
    refused = bench.run(bench.post("/preprocess", {"dataset": raw, "size": 32}))
    assert refused.status == "failed"
    assert refused.error is not None
    assert "1 pairs of equal images are" in refused.error["detail"]
    assert "allow_leakage" in refused.error["detail"]
    allowed = {"dataset": raw, "size": 32, "split": {"allow_leakage": True}}
    made = bench.made(bench.post("/preprocess", allowed))
    found = bench.client.get(f"/datasets/{made}/report").json()
    assert found["exact_duplicates"]["crossing"] == 1
    assert found["images"] == sum(
        tally["images"] for split in found["splits"].values() for tally in split.values()
    )


def test_split_anew_equal_images_stay_together(bench: Bench) -> None:
    raw = bench.made(bench.upload(in_two_splits(), "folders"))
    anew = {"dataset": raw, "size": 32, "split": {"keep": False}}
    made = bench.made(bench.post("/preprocess", anew))
    found = bench.client.get(f"/datasets/{made}/report").json()
    assert (found["exact_duplicates"]["pairs"], found["exact_duplicates"]["crossing"]) == (1, 0)
    assert found["near_duplicates"]["crossing"] == 0
