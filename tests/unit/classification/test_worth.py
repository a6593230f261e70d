"""How many real images an arm is worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesiongan.contracts.arms import Arm
from services.classification.domain import comparison, resampling
from services.classification.domain.evaluation import grouped_by_patient
from services.classification.domain.worth import equivalents, worths

SIZES = (5, 10, 20, 50)
accuracies = st.integers(0, 1000).map(lambda right: right / 1000)


@given(st.lists(accuracies, min_size=4, max_size=4), accuracies)
def test_a_curve_reaches_its_own_points_with_no_more_than_their_sizes(
    curve: list[float], reached: float
) -> None:
    rising = np.maximum.accumulate(curve)
    (found,) = equivalents(SIZES, rising[None], np.array([reached]))
    assert 5 <= found <= 50 * (1 + 1e-12)
    for size, accuracy in zip(SIZES, rising, strict=True):
        (own,) = equivalents(SIZES, rising[None], np.array([accuracy]))
        assert own <= size * (1 + 1e-9)
        if accuracy < reached:
            assert found >= own * (1 - 1e-9)


def test_between_two_sizes_it_is_straight_over_their_logarithm() -> None:
    curves = np.array([[0.5, 0.6, 0.7, 0.8]] * 4)
    found = equivalents(SIZES, curves, np.array([0.4, 0.55, 0.7, 0.9]))
    assert found == pytest.approx([5, np.sqrt(50), 20, 50])


def test_a_curve_that_falls_is_taken_for_level() -> None:
    found = equivalents(SIZES, np.array([[0.5, 0.7, 0.6, 0.9]]), np.array([0.65]))
    assert found == pytest.approx([10])


def sweep(*accuracy: tuple[float, float]) -> list[dict[Arm, comparison.Measured]]:
    """``none`` and ``combined`` at each size: as many of 200 images right in both seeds."""
    labels = np.repeat([0, 1], 100)
    test = grouped_by_patient(labels, [None] * 200, ("bone", "liver"))
    drawn = resampling.draw_resamples(test, n_seeds=2, random_seed=0, resamples=300)

    def measured(arm: Arm, share: float) -> comparison.Measured:
        wrong = np.random.default_rng(0).permutation(200)[round(200 * share) :]
        said = labels.copy()
        said[wrong] = 1 - said[wrong]
        return comparison.measure(arm, test, np.stack([said, said]), drawn)

    return [
        {"none": measured("none", none), "combined": measured("combined", combined)}
        for none, combined in accuracy
    ]


def test_each_size_of_an_arm_is_read_off_the_baseline() -> None:
    found = worths([5, 10, 20], sweep((0.5, 0.6), (0.6, 0.7), (0.7, 0.9)))
    assert [(one.arm, one.baseline, one.train_per_category) for one in found] == [
        ("combined", "none", 5),
        ("combined", "none", 10),
        ("combined", "none", 20),
    ]
    assert [one.equivalent for one in found] == pytest.approx([10, 20, 20])
    assert [one.beyond for one in found] == [None, None, "above"]
    assert all(one.ci[0] <= one.equivalent <= one.ci[1] for one in found)


def test_what_does_worse_is_worth_no_more_than_the_smallest_size() -> None:
    (worse, _) = worths([5, 10], sweep((0.6, 0.5), (0.7, 0.6)))
    assert (worse.equivalent, worse.beyond, worse.ci[0]) == (5, "below", 5)


def test_a_curve_that_was_higher_has_reached_what_it_reached() -> None:
    """That 100 images did worse than 50 does not take back what 50 did."""
    (few, *_) = worths([20, 50, 100], sweep((0.8, 0.86), (0.861, 0.9), (0.857, 0.9)))
    assert (few.equivalent, few.beyond) == (50, None)


def test_one_size_makes_no_curve() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        worths([5], sweep((0.5, 0.6)))
