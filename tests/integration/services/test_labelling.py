"""Unlabelled images get the category that a classifier names, and nothing else changes."""

from collections import Counter

import pytest

from lesiongan.contracts.categories import Category, Split
from lesiongan.contracts.classifiers import PseudoLabelCommand
from shared.plans.datasets import pseudo_label_job
from tests.integration.classification.datasets import dataset
from tests.integration.services.bench import Bench
from tests.integration.shared.builders import grey_png, meta, stored_dataset


@pytest.fixture
def teacher(bench: Bench) -> str:
    counts = {"liver": (6, 2, 2), "lung": (6, 2, 2)}
    known = dataset(bench.ports.sessions, bench.ports.store, counts)  # type: ignore[arg-type]
    command = {"datasets": [known], "architecture": "small_cnn", "steps": 2, "batch_size": 4}
    return bench.made(bench.post("/classifiers", command))


def partly_labelled(bench: Bench, *, size: int = 32, images: int = 140) -> str:
    """A labelled training image, many without a category, and one of ``val`` without."""
    unlabelled: list[tuple[Category | None, Split]] = [(None, "train")] * images
    splits = [("liver", "train"), *unlabelled, (None, "val"), ("lung", "test")]
    made = [
        (
            grey_png(place, size=size),
            meta(category, split, f"patient {place}", width=size, height=size),
        )
        for place, (category, split) in enumerate(splits)
    ]
    return stored_dataset(bench.ports.sessions, bench.ports.store, made)


def labelled(bench: Bench, given: str, teacher: str, confidence: float) -> str:
    command = PseudoLabelCommand(dataset=given, teacher=teacher, confidence=confidence)
    return bench.submit(lambda _: pseudo_label_job(command))


def images_of(bench: Bench, name: str) -> list[dict[str, object]]:
    page = bench.client.get(f"/datasets/{name}/images", params={"limit": 200}).json()
    found: list[dict[str, object]] = page["items"]
    return found


def test_only_unlabelled_training_images_are_named(bench: Bench, teacher: str) -> None:
    given = partly_labelled(bench)
    named = bench.made(labelled(bench, given, teacher, 0.0))
    before, after = images_of(bench, given), images_of(bench, named)
    assert [image["sha256"] for image in after] == [image["sha256"] for image in before]
    for old, new in zip(before, after, strict=True):
        asked = old["split"] == "train" and old["category"] is None
        assert (new["category"] is not None) if asked else new["category"] == old["category"]
    assert Counter(str(image["split"]) for image in after) == {"train": 141, "val": 1, "test": 1}
    told = bench.client.get(f"/datasets/{named}").json()
    assert told["parents"] == [given]
    assert teacher in told["notes"][0]


def test_an_unsure_teacher_names_nothing(bench: Bench, teacher: str) -> None:
    given = partly_labelled(bench, images=3)
    named = bench.made(labelled(bench, given, teacher, 1.0))
    assert [image["category"] for image in images_of(bench, named)] == [
        image["category"] for image in images_of(bench, given)
    ]


def test_a_teacher_of_other_images_is_refused(bench: Bench, teacher: str) -> None:
    job = bench.run(labelled(bench, partly_labelled(bench, size=16), teacher, 0.5))
    assert job.status == "failed"
    assert job.error is not None
    assert "another size" in str(job.error)
