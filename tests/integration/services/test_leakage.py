"""A data set whose splits overlap is refused, and one that is allowed to says so in its report."""

import cv2
import numpy as np

from services.preprocessing.domain.png import encode_grey
from tests.integration.services.bench import Bench, archive, pictures


def grey(seed: int, *, brighter: int = 0) -> bytes:
    """Something smooth, with noise of its own."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 200, (8, 8), np.uint8)
    smooth = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    noisy = smooth + random.integers(-20, 20, smooth.shape) + brighter
    return encode_grey(np.clip(noisy, 0, 255).astype(np.uint8))


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


def test_a_picture_that_was_changed_a_little_is_the_same(bench: Bench) -> None:
    files = {f"images/liver/{number}.png": grey(number) for number in range(8)}
    files["images/liver/again.png"] = grey(0, brighter=2)
    split = {name: ("train", "val", "test")[number % 3] for number, name in enumerate(files)}
    split["images/liver/again.png"] = "test"
    table = [f"{name},liver,,{split[name]}" for name in files]
    files["manifest.csv"] = "\n".join(["file,category,patient,split", *table]).encode()
    raw = bench.made(bench.upload(archive(files), "folders"))
    refused = bench.run(bench.post("/preprocess", {"dataset": raw, "size": 64}))
    assert refused.error is not None
    assert "same but for details are (images 0 and 8)" in refused.error["detail"]


def test_split_anew_equal_images_stay_together(bench: Bench) -> None:
    raw = bench.made(bench.upload(in_two_splits(), "folders"))
    anew = {"dataset": raw, "size": 32, "split": {"keep": False}}
    made = bench.made(bench.post("/preprocess", anew))
    found = bench.client.get(f"/datasets/{made}/report").json()
    assert (found["exact_duplicates"]["pairs"], found["exact_duplicates"]["crossing"]) == (1, 0)
    assert found["near_duplicates"]["crossing"] == 0
