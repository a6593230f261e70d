"""From predictions to figures: what does not need a whole experiment."""

import pytest

from lesiongan.contracts.gans import GanOptions
from services.classification.domain.wording import Beside, of_unlabelled
from services.classification.measuring import learning_curve


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
