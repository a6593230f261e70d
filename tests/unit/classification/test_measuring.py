"""From predictions to figures: what does not need a whole experiment."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.categories import CATEGORIES
from lesiongan.contracts.gans import GanOptions
from services.classification.domain.evaluation import grouped_by_patient
from services.classification.domain.wording import Beside, of_unlabelled
from services.classification.measuring import Asked, Predicted, learning_curve, tabulated
from services.classification.planned import PlannedExperiment
from shared.db.tables import ClassifierRow

#: Of the test images, patients unknown.
LABELS = np.arange(60) % 3


def trained(name: str, **counts: int) -> ClassifierRow:
    return ClassifierRow(id=f"clf_{name}", train_counts=counts, scores={})


def predicted(rows: dict[Arm, list[ClassifierRow]], size: int | None = None) -> Predicted:
    """All right but each third image in the first arm, each fourth in the second, ..."""
    said = {}
    for place, (arm, of_seeds) in enumerate(rows.items()):
        right = np.arange(LABELS.size) % (3 + place) != 0
        certain = np.eye(3)[np.where(right, LABELS, (LABELS + 1) % 3)]
        said[arm] = np.stack([certain.astype(np.float32)] * len(of_seeds))
    return Predicted(
        train_per_category=size,
        probabilities=said,
        classifiers=rows,
        by_place=None,
        recognised=[],
        screened=[],
        beside=[],
    )


def table(points: Sequence[Predicted], **options: Any) -> dict[str, Any]:
    dataset = f"ds_{0:024x}"
    plan = {"preprocessed": dataset, "points": [], "lineage": []}
    command = PlannedExperiment.model_validate(
        {"dataset": dataset, "seeds": 2, "plan": plan, **options}
    )
    test = grouped_by_patient(LABELS, [None] * LABELS.size, CATEGORIES[:3])
    return tabulated(Asked(command=command, phantom=False), test, points)


def test_the_parts_of_an_arm_make_up_its_whole() -> None:
    """Half images are rounded to even: 701 and 2, though 35, 700.5 and 2.5 are 738."""
    seeds = [
        trained("a", real=35, augmented=700, pseudo_labelled=2),
        trained("b", real=35, augmented=701, pseudo_labelled=3),
    ]
    (row,) = table([predicted({"pseudo_label": seeds})])["arms"]
    parts = row["augmented_images"], row["synthetic_images"], row["pseudo_labelled_images"]
    assert row["train_images"] - sum(parts) == 35


def test_arms_of_the_same_classifiers_are_not_compared() -> None:
    same = [trained("a", real=9), trained("b", real=9)]
    rows: dict[Arm, list[ClassifierRow]] = {
        "none": same,
        "oversample": same,
        "traditional": [trained("c", real=9), trained("d", real=9)],
    }
    found = table([predicted(rows)])
    assert [(one["a"], one["b"]) for one in found["comparisons"]] == [("traditional", "none")]


def test_a_family_of_many_comparisons_has_more_resamples() -> None:
    arms: list[Arm] = ["none", "traditional", "combined", "distil", "pseudo_label"]
    rows: dict[Arm, list[ClassifierRow]] = {arm: [trained(arm, real=9)] * 2 for arm in arms}
    points = [predicted(rows, size) for size in (2, 3, 4)]
    found = table(points, train_per_category=[2, 3, 4])
    assert "2,100 bootstrap resamples" in found["notes"][0]
    assert "corrected for 21 comparisons" in " ".join(found["notes"])


def test_ends_of_a_sweep_are_bounds() -> None:
    rows: dict[Arm, list[ClassifierRow]] = {
        arm: [trained(arm, real=9)] * 2 for arm in ("none", "traditional")
    }
    found = table([predicted(rows, size) for size in (2, 3)], train_per_category=[2, 3])
    assert "does not reach even with 3 (95 % interval 2 or fewer to 3 or more)" in found["summary"]


@pytest.mark.parametrize(
    ("options", "common"),
    [
        ({}, "All seeds have the same real images"),
        ({"gan_id": f"gan_{0:024x}"}, "All seeds have the same GAN"),
    ],
)
def test_what_seeds_have_in_common_is_said(options: dict[str, Any], common: str) -> None:
    rows: dict[Arm, list[ClassifierRow]] = {"none": [trained("a", real=9)] * 2}
    said = table([predicted(rows)], **options)["notes"]
    assert any(note.startswith(common) for note in said)
    own = table([predicted(rows, 5)], train_per_category=5)["notes"]
    assert not any("have the same" in note for note in own)


def point(step: int, loss: float, reached: float | None) -> dict[str, float | int | None]:
    return {"step": step, "train_loss": loss, "val_balanced_accuracy": reached}


def test_learning_curves_are_means_where_all_seeds_were_looked_at() -> None:
    first = [point(10, 2.0, 0.4), point(20, 1.0, 0.6)]
    second = [point(10, 1.0, 0.2), point(20, 0.5, None), point(30, 0.1, 0.9)]
    found = learning_curve([first, second])
    assert [one.step for one in found] == [10, 20]
    assert [one.train_loss for one in found] == pytest.approx([1.5, 0.75])
    assert [one.val_balanced_accuracy for one in found] == [pytest.approx(0.3), None]


@pytest.mark.parametrize("curves", [[], [[], []], [[point(1, 1.0, None)], []]])
def test_classifiers_of_before_have_no_curve(curves: list[list[dict[str, float]]]) -> None:
    assert learning_curve(curves) == []


def test_what_gans_saw_is_said_by_what_they_were_told() -> None:
    pretrained = GanOptions(steps=100, pretrain_steps=25)
    mixed = [Beside(named=70, unnamed=30), Beside(named=60, unnamed=40)]
    said = of_unlabelled(mixed, pretrained)
    assert "60 to 70 training images with the category that its teacher named" in said
    assert "30 to 40 training images whose category it was not told (in the first 25 of" in said
    assert "not told" not in of_unlabelled(mixed, GanOptions(steps=100)), "it never saw them"
    assert "teacher" not in of_unlabelled([Beside(named=0, unnamed=9)], pretrained)
    nothing = of_unlabelled([Beside(named=0, unnamed=9)], GanOptions(steps=100))
    assert nothing.startswith("The GANs saw no unlabelled image")
