"""Whole experiments, every job in this process: what arms, GANs and the comparison really see."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from shared.db.tables import ClassifierRow, GanRow
from shared.worker.ports import Ports
from tests.integration.classification.datasets import dataset
from tests.integration.services.bench import Bench

#: In seconds: the figures mean nothing.
SMALL: dict[str, Any] = {
    "seeds": 1,
    "train_per_category": 2,
    "copies": 1,
    "synthetic_ratio": 2.0,
    "gan": {"steps": 4, "batch_size": 4, "n_critic": 1, "width": 4, "latent": 8},
    "classifier": {"steps": 3, "batch_size": 4},
}


@pytest.fixture
def images(ports: Ports) -> str:
    """Six training images of each category, two of val, four of test; all of other patients."""
    counts = {"liver": (6, 2, 4), "lung": (6, 2, 4)}
    return dataset(ports.sessions, ports.store, counts)  # type: ignore[arg-type]


def experiment(bench: Bench, images: str, **options: Any) -> dict[str, Any]:
    """One that has run."""
    made = bench.made(bench.post("/experiments", {"dataset": images, **SMALL, **options}))
    found: dict[str, Any] = bench.client.get(f"/experiments/{made}").json()
    assert found["status"] == "succeeded"
    return found


def test_a_gan_sees_all_training_images_and_the_categories_of_the_drawn_ones(
    bench: Bench, images: str
) -> None:
    asked = {"unlabelled": True, "gan_pseudo_confidence": None}
    found = experiment(bench, images, arms=["none", "combined"], **asked)
    with bench.ports.sessions() as session:
        (gan,) = session.query(GanRow).all()
        used = {name for row in session.query(ClassifierRow) for name in row.datasets}
    seen = bench.client.get(f"/datasets/{gan.dataset_id}/images", params={"limit": 50}).json()
    train = [image for image in seen["items"] if image["split"] == "train"]
    assert sorted(str(image["category"]) for image in train) == [
        *["None"] * 8,
        *["liver"] * 2,
        *["lung"] * 2,
    ]
    assert not any(image["split"] == "test" for image in seen["items"])
    assert gan.dataset_id not in used, "no classifier is trained on it"
    assert bench.client.get(f"/datasets/{gan.dataset_id}").json()["parents"] == [images]
    (note,) = [note for note in found["notes"] if note.startswith("A setting of its own")]
    assert "8 training images whose category it was not told" in note
    assert "in the first 1 of 4 steps" in note
    report = bench.client.get(f"/experiments/{found['id']}/report").text
    assert report.count('src="data:image/png;base64,') == 2 * (2 + 2 * 3)
    for arm in found["arms"]:
        assert [point["step"] for point in arm["learning_curve"]] == [1, 2, 3]
        assert sum(map(sum, arm["confusion"])) == found["n_test"]
    assert {line["id"] for line in found["lineage"]} >= {gan.id, gan.dataset_id}
    (listed,) = bench.client.get("/experiments").json()["items"]
    assert listed["lineage"] == []
    assert 0 <= found["trts"]["ci"][0] <= found["trts"]["mean"] <= found["trts"]["ci"][1] <= 1


def test_a_gan_sees_the_categories_that_the_teacher_is_sure_of(bench: Bench, images: str) -> None:
    found = experiment(bench, images, arms=["none", "combined"], gan_pseudo_confidence=0.0)
    with bench.ports.sessions() as session:
        (gan,) = session.query(GanRow).all()
    seen = bench.client.get(f"/datasets/{gan.dataset_id}/images", params={"limit": 50}).json()
    train = [image for image in seen["items"] if image["split"] == "train"]
    assert len(train) == 12
    assert all(image["category"] in ("liver", "lung") for image in train)
    (note,) = [note for note in found["notes"] if note.startswith("A setting of its own")]
    assert "8 training images with the category that its teacher named" in note
    (parent,) = bench.client.get(f"/datasets/{gan.dataset_id}").json()["parents"]
    assert bench.client.get(f"/datasets/{parent}").json()["parents"] == [images]


def test_whoever_doubts_the_table_computes_it_from_the_predictions(
    bench: Bench, images: str
) -> None:
    found = experiment(bench, images, arms=["none", "traditional"])
    answer = bench.client.get(f"/experiments/{found['id']}/predictions")
    assert answer.headers["content-disposition"].endswith('.parquet"')
    table = pq.read_table(io.BytesIO(answer.content)).to_pylist()
    assert len(table) == 2 * SMALL["seeds"] * found["n_test"]
    held_out = bench.client.get(f"/datasets/{images}/images", params={"split": "test"}).json()
    truth = {image["index"]: image["category"] for image in held_out["items"]}
    for arm in found["arms"]:
        of_arm = [row for row in table if row["arm"] == arm["arm"]]
        right = [
            max(found["categories"], key=lambda name: row[f"p_{name}"]) == truth[row["index"]]
            for row in of_arm
        ]
        assert sum(right) / len(right) == pytest.approx(arm["accuracy"]["mean"])


def test_several_rounds_of_naming_are_run_and_said(bench: Bench, images: str) -> None:
    found = experiment(bench, images, arms=["pseudo_label"], pseudo_rounds=2)
    assert any(note.startswith("Unlabelled images were named 2 times") for note in found["notes"])
    trained = [line["what"] for line in found["lineage"] if "classifier" in line["what"]]
    assert trained == [
        "seed 0: classifier, traditional",
        "seed 0: classifier, pseudo_label after round 1",
        "seed 0: classifier, pseudo_label",
    ]


def test_a_sweep_is_one_table_a_size_and_one_family_of_tests(bench: Bench, images: str) -> None:
    found = experiment(bench, images, arms=["none", "traditional"], train_per_category=[2, 3])
    points = found["sweep"]["points"]
    assert [point["train_per_category"] for point in points] == [2, 3]
    trained = [[arm["train_images"] for arm in point["arms"]] for point in points]
    assert trained == [[4, 8], [6, 12]]
    assert (found["arms"], found["comparisons"]) == (points[0]["arms"], points[0]["comparisons"])
    p = sorted(one["p"] for point in points for one in point["comparisons"])
    p_holm = sorted(one["p_holm"] for point in points for one in point["comparisons"])
    assert p_holm == pytest.approx([min(1, 2 * p[0]), min(1, max(2 * p[0], p[1]))])
    worth = [(one["baseline"], one["train_per_category"]) for one in found["sweep"]["worth"]]
    assert worth == [("none", 2), ("none", 3)]
    assert "What traditional reaches with 2 real images" in found["summary"]


def test_a_smaller_test_set_is_drawn_alike_and_said_to_be_small(bench: Bench) -> None:
    counts = {"liver": (2, 2, 9), "lung": (2, 2, 5)}
    ports = bench.ports
    more = dataset(ports.sessions, ports.store, counts)  # type: ignore[arg-type]
    found = experiment(bench, more, arms=["none"], test_images=8)
    assert found["n_test"] == 8
    (row,) = found["arms"]
    assert {name: each["n_test"] for name, each in row["per_category"].items()} == {
        "liver": 4,
        "lung": 4,
    }
    assert any(note.startswith("8 test images are few") for note in found["notes"])
