"""Intervals, differences and what is said of them."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.categories import CATEGORIES
from lesiongan.contracts.findings import ArmResult, Comparison, Figure
from services.classification.domain import evaluation
from services.classification.domain.comparison import (
    ArmImages,
    Measured,
    accuracy,
    arm_result,
    compare,
    compare_all,
    corrected,
    grade,
    measure,
    pairs_of,
)
from services.classification.domain.evaluation import Floats, Integers
from services.classification.domain.resampling import draw_resamples
from services.classification.domain.wording import (
    Screened,
    notes,
    of_copies,
    of_few_images,
    summary,
)

K = 4


def _test_set(n: int, *, group_size: int = 1) -> evaluation.TestSet:
    return evaluation.TestSet(np.arange(n) % K, np.arange(n) // group_size, CATEGORIES[:K])


def _predictions(
    test: evaluation.TestSet, accuracy: float, *, n_seeds: int, seed: int = 0
) -> Integers:
    """Independently right with probability ``accuracy``, otherwise the next category."""
    right = np.random.default_rng(seed).random((n_seeds, test.labels.size)) < accuracy
    return np.where(right, test.labels, (test.labels + 1) % K)


def _measured(
    test: evaluation.TestSet, predictions: Integers, arm: Arm = "none", *, resamples: int = 400
) -> Measured:
    drawn = draw_resamples(test, n_seeds=len(predictions), random_seed=0, resamples=resamples)
    return measure(arm, test, predictions, drawn)


def test_predictions_of_no_arm_have_the_accuracy_of_one() -> None:
    test = _test_set(60, group_size=2)
    said = _predictions(test, 0.7, n_seeds=3)
    drawn = draw_resamples(test, n_seeds=3, random_seed=0, resamples=200)
    row = arm_result(measure("none", test, said, drawn), test, ArmImages(train=1))
    assert accuracy(test, said, drawn) == row.accuracy


def test_one_resample_by_hand() -> None:
    test = _test_set(8, group_size=2)
    predictions = _predictions(test, 0.5, n_seeds=2, seed=3)
    drawn = draw_resamples(test, n_seeds=2, random_seed=0, resamples=200)
    measured = measure("none", test, predictions, drawn)
    images = np.repeat(np.arange(8), drawn.groups[150][test.groups])
    of_seeds = (predictions[:, images] == test.labels[images]).mean(axis=1)
    plain = (predictions == test.labels).mean(axis=1)
    drawn_mean = drawn.seed_shares[150] @ of_seeds + drawn.seed_excess[150] @ plain
    plain_mean = plain.mean()
    expected = plain_mean + drawn.patients_expansion * (drawn_mean - plain_mean)
    assert measured.resampled.accuracy[150] == pytest.approx(expected)


def test_the_row_of_an_arm() -> None:
    test = _test_set(100)
    predictions = _predictions(test, 0.7, n_seeds=3)
    row = arm_result(
        _measured(test, predictions, "gan"), test, ArmImages(train=90, augmented=0, synthetic=60)
    )
    accuracy = (predictions == test.labels).mean(axis=1)
    assert row.accuracy.mean == pytest.approx(accuracy.mean())
    assert row.accuracy.sd == pytest.approx(np.std(accuracy, ddof=1))
    assert row.accuracy.ci[0] < row.accuracy.mean < row.accuracy.ci[1]
    assert (row.arm, row.train_images, row.synthetic_images) == ("gan", 90, 60)
    assert list(row.per_category) == list(CATEGORIES[:K])
    bone = row.per_category["bone"]
    assert bone.n_test == 25
    assert bone.recall.mean == pytest.approx((predictions[:, ::K] == 0).mean())


def test_one_seed_has_no_spread_and_an_interval() -> None:
    test = _test_set(100)
    row = arm_result(_measured(test, _predictions(test, 0.7, n_seeds=1)), test, ArmImages(train=10))
    assert row.accuracy.sd is None
    assert row.accuracy.ci[0] < row.accuracy.ci[1]


def test_a_perfect_arm_is_sure() -> None:
    test = _test_set(40)
    row = arm_result(_measured(test, np.stack([test.labels] * 2)), test, ArmImages(train=10))
    assert row.accuracy == Figure(mean=1.0, sd=0.0, ci=(1.0, 1.0))


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_an_arm_does_not_differ_from_itself(seed: int, n_seeds: int, group_size: int) -> None:
    test = _test_set(30, group_size=group_size)
    predictions = _predictions(test, 0.6, n_seeds=n_seeds, seed=seed)
    a = _measured(test, predictions, "gan", resamples=50)
    b = _measured(test, predictions.copy(), "none", resamples=50)
    same = compare(a, b, test)
    assert (same.difference, same.ci, same.p) == (0.0, (0.0, 0.0), 1.0)
    assert [(each.only_a, each.only_b, each.p) for each in same.within_seeds] == [
        (0, 0, 1.0)
    ] * n_seeds


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_difference_turns_round(seed: int) -> None:
    test = _test_set(40)
    a = _measured(test, _predictions(test, 0.7, n_seeds=3, seed=seed), "gan", resamples=99)
    b = _measured(test, _predictions(test, 0.6, n_seeds=3, seed=seed + 1), "none", resamples=99)
    there, back = compare(a, b, test), compare(b, a, test)
    assert there.difference == pytest.approx(-back.difference)
    assert there.ci == pytest.approx((-back.ci[1], -back.ci[0]))
    assert there.p == back.p
    assert 2 / 100 <= there.p <= 1


def test_p_never_claims_zero() -> None:
    test = _test_set(200)
    good = _measured(test, _predictions(test, 0.95, n_seeds=3), "combined", resamples=999)
    poor = _measured(test, _predictions(test, 0.30, n_seeds=3), "none", resamples=999)
    assert compare(good, poor, test).p == pytest.approx(2 / 1000)
    assert compare(good, poor, test).ci[0] > 0.5


def test_pairing_tells_arms_apart_that_fail_on_the_same_images() -> None:
    """The better arm is right on every image that the other is right on, and on eight more."""
    test = _test_set(200)
    poor = _predictions(test, 0.6, n_seeds=1)
    good = poor.copy()
    wrong = np.flatnonzero(poor[0] != test.labels)[:8]
    good[0, wrong] = test.labels[wrong]
    a, b = _measured(test, good, "gan"), _measured(test, poor)
    low, _ = compare(a, b, test).ci
    assert low > 0
    assert np.quantile(a.resampled.accuracy, 0.025) < np.quantile(b.resampled.accuracy, 0.975)


def test_images_of_one_patient_are_not_independent() -> None:
    """Ten copies of each image are no more evidence than one, if the patient is known."""
    alone = _test_set(40)
    predictions = _predictions(alone, 0.7, n_seeds=1)
    copies = evaluation.TestSet(alone.labels.repeat(10), np.arange(40).repeat(10), alone.categories)
    believed = evaluation.TestSet(copies.labels, np.arange(400), alone.categories)
    widths = [
        np.ptp(
            np.quantile(_measured(test, made, resamples=1000).resampled.accuracy, [0.025, 0.975])
        )
        for test, made in (
            (alone, predictions),
            (copies, predictions.repeat(10, axis=1)),
            (believed, predictions.repeat(10, axis=1)),
        )
    ]
    assert widths[1] == pytest.approx(widths[0])
    assert widths[2] == pytest.approx(widths[0] / np.sqrt(10), rel=0.2)


def test_seeds_do_not_make_more_patients() -> None:
    """Seeds that agree on every image leave the test images' uncertainty as it is."""
    test = _test_set(100)
    one = _predictions(test, 0.7, n_seeds=1)
    low, high = np.quantile(
        _measured(test, one.repeat(10, axis=0), resamples=2000).resampled.accuracy, [0.025, 0.975]
    )
    expected = 2 * 1.96 * np.sqrt(0.7 * 0.3 / 100)
    assert high - low == pytest.approx(expected, rel=0.2)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """150 studies whose images are hard or easy and whose seeds are good or bad."""
    random = np.random.default_rng(11)
    truth, n, n_seeds, studies = 0.7, 200, 6, 150
    test = _test_set(n)
    covered = 0
    for _ in range(studies):
        of_images, of_seeds = random.normal(0, 0.1, n), random.normal(0, 0.03, (n_seeds, 1))
        right = random.random((n_seeds, n)) < truth + of_images + of_seeds
        predictions = np.where(right, test.labels, (test.labels + 1) % K)
        accuracy = _measured(test, predictions, resamples=200).resampled.accuracy
        low, high = np.quantile(accuracy, [0.025, 0.975])
        covered += low <= truth <= high
    assert 0.92 <= covered / studies <= 1.0


@pytest.mark.parametrize("n_seeds", [2, 3, 5, 10])
def test_few_seeds_seldom_show_a_difference_where_there_is_none(n_seeds: int) -> None:
    """200 studies of two arms that differ by the luck of their trainings alone."""
    random = np.random.default_rng(n_seeds)
    test, studies, shown = _test_set(400), 200, 0
    for _ in range(studies):
        a, b = (
            _measured(test, _as_good_as(test, random.normal(0.7, 0.05, n_seeds)), arm)
            for arm in ("gan", "none")
        )
        shown += compare(a, b, test).leaves_out_zero
    assert shown / studies <= 0.08


def test_two_seeds_that_agree_are_as_sure_as_one() -> None:
    """What is expanded is the spread of seeds, not that of the test images."""
    test = _test_set(144)
    one = _predictions(test, 0.65, n_seeds=1)
    widths = [
        np.subtract(*row.accuracy.ci[::-1])
        for row in (
            arm_result(_measured(test, said, resamples=2000), test, ArmImages(train=1))
            for said in (one, np.concatenate([one, np.roll(one, 4, axis=1)]))
        )
    ]
    assert widths[1] < 1.2 * widths[0]


def _as_good_as(test: evaluation.TestSet, accuracies: Floats) -> Integers:
    """The same images are the easy ones in each seed: only their number differs."""
    right = np.arange(test.labels.size) < accuracies[:, None] * test.labels.size
    return np.where(right, test.labels, (test.labels + 1) % K)


def test_images_of_one_patient_show_nothing() -> None:
    test = _test_set(20, group_size=20)
    poor = np.stack([test.labels])
    poor[0, 0] = (poor[0, 0] + 1) % K
    found = compare(
        _measured(test, np.stack([test.labels]), "gan"), _measured(test, poor, "none"), test
    )
    assert found.difference == pytest.approx(0.05)
    assert (found.ci, found.p) == ((-1.0, 1.0), 1.0)
    row = arm_result(_measured(test, poor), test, ArmImages(train=1))
    assert (row.accuracy.mean, row.accuracy.ci) == (0.95, (0.0, 1.0))


def test_a_category_that_resamples_lack_does_not_spoil_the_others() -> None:
    """Two images of 100: every seventh resample draws neither."""
    labels = np.repeat([0, 1, 2], [49, 49, 2])
    test = evaluation.TestSet(labels, np.arange(100), CATEGORIES[:3])
    predictions = np.stack([labels])
    predictions[0, :6] = 1
    row = arm_result(_measured(test, predictions, resamples=2000), test, ArmImages(train=1))
    assert row.recall == row.balanced_accuracy
    assert row.precision.ci[0] > 0.9
    rare = row.per_category[CATEGORIES[2]]
    assert (rare.recall.mean, rare.recall.ci) == (1.0, (1.0, 1.0))


def test_the_intervals_are_not_idly_wide() -> None:
    """With one seed and independent images the width is the binomial one."""
    test = _test_set(400)
    low, high = np.quantile(
        _measured(test, _predictions(test, 0.8, n_seeds=1), resamples=2000).resampled.accuracy,
        [0.025, 0.975],
    )
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 400), rel=0.15)


def test_means_do_not_depend_on_the_order_of_seeds_and_images() -> None:
    test = _test_set(60, group_size=3)
    predictions = _predictions(test, 0.7, n_seeds=4)
    order = np.random.default_rng(1).permutation(60)
    moved = evaluation.TestSet(test.labels[order], test.groups[order], test.categories)
    images = ArmImages(train=1)
    plain = arm_result(_measured(test, predictions), test, images)
    shuffled = arm_result(_measured(moved, predictions[:, order]), moved, images)
    assert shuffled.accuracy.ci == pytest.approx(plain.accuracy.ci)
    turned = arm_result(_measured(test, predictions[::-1]), test, images)
    assert turned.f1.mean == pytest.approx(plain.f1.mean)


def test_resamples_of_another_number_of_seeds_are_refused() -> None:
    test = _test_set(20)
    drawn = draw_resamples(test, n_seeds=3, random_seed=0, resamples=10)
    with pytest.raises(ValueError, match="seeds"):
        measure("none", test, _predictions(test, 0.5, n_seeds=1), drawn)


@pytest.mark.parametrize(
    ("arms", "pairs"),
    [
        (
            ("none", "traditional", "gan", "combined"),
            ["combined-none", "combined-traditional", "gan-none", "traditional-none"],
        ),
        (("traditional", "combined"), ["combined-traditional"]),
        (("combined", "none"), ["combined-none"]),
        (("gan", "traditional"), []),
        (("none",), []),
        (("none", "oversample", "tstr"), ["oversample-none"]),
        (("none", "gan", "pseudo_label"), ["gan-none", "gan-pseudo_label"]),
        (
            ("traditional", "combined", "distil"),
            ["combined-traditional", "combined-distil", "distil-traditional"],
        ),
    ],
)
def test_which_arms_are_compared(arms: tuple[Arm, ...], pairs: list[str]) -> None:
    test = _test_set(20)
    predictions = _predictions(test, 0.5, n_seeds=2)
    measured = [_measured(test, predictions, arm, resamples=10) for arm in arms]
    compared = compare_all(measured, test, pairs_of(arms))
    assert [f"{one.a}-{one.b}" for one in compared] == pairs


def _row(arm: Arm, accuracy: float) -> ArmResult:
    figure = Figure(mean=accuracy, sd=0.01, ci=(accuracy - 0.02, accuracy + 0.02))
    return ArmResult(
        arm=arm,
        train_images=10,
        augmented_images=0,
        synthetic_images=0,
        accuracy=figure,
        balanced_accuracy=figure,
        precision=figure,
        recall=figure,
        f1=figure,
        per_category={},
    )


def _difference(
    a: Arm, b: Arm, low: float, middle: float, high: float, p_holm: float | None = None
) -> Comparison:
    return Comparison(a=a, b=b, difference=middle, ci=(low, high), p=0.5, p_holm=p_holm)


def _said(
    rows: dict[Arm, float], *comparisons: Comparison, n_seeds: int = 3, phantom: bool = False
) -> str:
    arms = [_row(arm, accuracy) for arm, accuracy in rows.items()]
    return summary(arms, comparisons, n_test=1050, n_seeds=n_seeds, phantom=phantom)


def test_the_summary_of_four_arms() -> None:
    rows: dict[Arm, float] = {"none": 0.808, "traditional": 0.850, "gan": 0.83, "combined": 0.858}
    assert _said(
        rows,
        _difference("traditional", "none", 0.02, 0.042, 0.06),
        _difference("combined", "none", 0.030, 0.050, 0.068),
        _difference("combined", "traditional", -0.005, 0.007, 0.019),
    ) == (
        "On 1,050 test images and 3 seeds, combined data reached 85.8 % accuracy against 80.8 % "
        "without augmentation (+5.0 points, 95 % interval 3.0 to 6.8); against traditional "
        "augmentation the difference (+0.7, -0.5 to 1.9) is not shown to differ from zero."
    )


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.01, 0.02, 0.03), "(+2.0, 1.0 to 3.0) is shown to be above zero."),
        ((-0.03, -0.02, -0.01), "(-2.0, -3.0 to -1.0) is shown to be below zero."),
        ((0.0, 0.02, 0.04), "is not shown to differ from zero."),
    ],
)
def test_what_the_gan_adds_is_said_either_way(ends: tuple[float, float, float], words: str) -> None:
    said = _said(
        {"none": 0.8, "combined": 0.85},
        _difference("combined", "none", 0.03, 0.05, 0.07),
        _difference("combined", "traditional", *ends),
    )
    assert said.endswith(words)


def test_a_gain_that_is_not_shown_is_not_claimed() -> None:
    said = _said({"none": 0.8, "gan": 0.81}, _difference("gan", "none", -0.01, 0.01, 0.03))
    assert "gan data reached 81.0 %" in said
    assert said.endswith("a difference that is not shown to differ from zero.")


def test_what_other_comparisons_take_away_is_not_claimed() -> None:
    said = _said(
        {"none": 0.8, "combined": 0.85},
        _difference("combined", "none", 0.01, 0.05, 0.09, p_holm=0.3),
        _difference("combined", "traditional", 0.01, 0.02, 0.03, p_holm=0.06),
        _difference("combined", "distil", 0.01, 0.02, 0.03, p_holm=0.06),
    )
    words = "not shown to differ from zero once it is corrected for all comparisons"
    assert said.count(words) == 2
    assert said.endswith("; distil, without a GAN, is not shown to be worse.")


@pytest.mark.parametrize("pair", [(a, b) for a, b in pairs_of(get_args(Arm))])
def test_whatever_is_compared_is_said(pair: tuple[Arm, Arm]) -> None:
    a, b = pair
    said = _said({a: 0.85, b: 0.8}, _difference(a, b, 0.03, 0.05, 0.07))
    assert f"{a} data reached 85.0 % accuracy against 80.0 %".replace("_", " ") in said
    assert "no arm was compared" not in said
    assert said.count("without a GAN") == said.count("with distil") + said.count("with pseudo")


def test_a_gan_without_augmentation_has_its_control_too() -> None:
    said = _said(
        {"none": 0.7, "gan": 0.78},
        _difference("gan", "none", 0.05, 0.08, 0.1),
        _difference("gan", "pseudo_label", -0.06, -0.04, -0.02),
    )
    assert said.endswith("; pseudo label, augmented and without a GAN, is better.")


def test_a_loss_is_called_one() -> None:
    said = _said({"none": 0.8, "gan": 0.7}, _difference("gan", "none", -0.12, -0.1, -0.08))
    assert said.endswith("(-10.0 points, 95 % interval -12.0 to -8.0), which is worse.")


def test_without_the_arm_none_traditional_is_the_measure() -> None:
    said = _said(
        {"traditional": 0.8, "combined": 0.85},
        _difference("combined", "traditional", 0.03, 0.05, 0.07),
    )
    assert said.endswith(
        "combined data reached 85.0 % accuracy against 80.0 % with traditional augmentation "
        "(+5.0 points, 95 % interval 3.0 to 7.0)."
    )


def test_a_lone_arm_on_phantoms_with_one_seed() -> None:
    assert _said({"none": 0.8}, n_seeds=1, phantom=True) == (
        "On 1,050 test images and one seed, none reached 80.0 % accuracy (95 % interval 78.0 to "
        "82.0); no arm was compared with another (phantom images: this says nothing about "
        "patients)."
    )


def test_no_arm_has_no_summary() -> None:
    with pytest.raises(ValueError, match="without an arm"):
        _said({})


def _notes(
    patients: list[str | None], *, n_seeds: int = 10, phantom: bool = False, n_comparisons: int = 4
) -> str:
    labels = np.arange(len(patients)) % 2
    test = evaluation.grouped_by_patient(labels, patients, CATEGORIES[:2])
    return " ".join(notes(test, n_seeds=n_seeds, phantom=phantom, n_comparisons=n_comparisons))


def test_notes_say_what_was_resampled() -> None:
    known = [f"p{place}" for place in range(40)]
    assert "of seeds and patients" in _notes([*known])
    assert "unknown" not in _notes([*known])
    assert "of seeds and images" in _notes([None] * 40)
    assert "too narrow" in _notes([None] * 40)
    assert "5 of 45 test images is unknown" in _notes([*known, *[None] * 5])


def test_notes_warn_of_few_seeds_few_patients_and_phantoms() -> None:
    known = [f"p{place}" for place in range(40)]
    assert "With one seed" in _notes([*known], n_seeds=1)
    assert "3 seeds are few" in _notes([*known], n_seeds=3)
    assert "few" not in _notes([*known])
    assert "of one patient" in _notes(["a"] * 40)
    assert "bone (2), abdomen (2)" in _notes(["a", "a", "b", "b"] * 20)
    assert "phantoms" in _notes([*known], phantom=True)
    assert "phantoms" not in _notes([*known])
    assert "corrected for 4 comparisons" in _notes([*known])
    assert "corrected" not in _notes([*known], n_comparisons=1)


def test_p_values_are_corrected_over_all_families_together() -> None:
    first, second = (_difference("gan", "none", -0.1, 0.0, 0.1) for _ in range(2))
    given_p = [first.model_copy(update={"p": 0.01}), second.model_copy(update={"p": 0.04})]
    families = corrected([[given_p[1]], [given_p[0]]])
    assert [[one.p_holm for one in family] for family in families] == [[0.04], [0.02]]


def test_auc_and_calibration_of_an_arm_have_intervals() -> None:
    test = _test_set(80)
    random = np.random.default_rng(0)
    right = np.eye(K)[test.labels]
    probabilities = np.stack([0.5 * random.dirichlet(np.ones(K), 80) + 0.5 * right] * 2)
    drawn = draw_resamples(test, n_seeds=2, random_seed=0, resamples=200)
    graded = grade(test, probabilities.astype(np.float32), [0.5, 0.5], drawn)
    predictions = probabilities.argmax(axis=2)
    row = arm_result(_measured(test, predictions), test, ArmImages(train=1), graded)
    assert row.auc is not None
    assert row.calibration is not None
    assert row.calibration.error_tempered is not None
    assert row.auc.ci[0] <= row.auc.mean <= row.auc.ci[1] <= 1.0
    assert row.calibration.error_tempered.mean < row.calibration.error.mean
    assert grade(test, probabilities.astype(np.float32), [0.5, None], drawn).error_tempered is None


def test_the_interval_of_a_calibration_error_lies_about_it() -> None:
    """Chance alone makes the error of a calibrated classifier, and resampling as much again."""
    test = _test_set(400)
    random = np.random.default_rng(3)
    sure = random.uniform(0.5, 1.0, 400)
    right = random.random(400) < sure
    said = np.where(right, test.labels, (test.labels + 1) % K)
    probabilities = np.full((400, K), (1.0 - sure[:, None]) / (K - 1))
    probabilities[np.arange(400), said] = sure
    drawn = draw_resamples(test, n_seeds=1, random_seed=0, resamples=500)
    graded = grade(test, probabilities[None].astype(np.float32), [None], drawn)
    row = arm_result(_measured(test, said[None]), test, ArmImages(train=1), graded)
    assert row.calibration is not None
    error = row.calibration.error
    assert error.ci[0] < error.mean < error.ci[1]
    assert error.ci[1] - error.mean < 2 * (error.mean - error.ci[0])


def test_a_control_that_does_as_well_is_named_in_the_summary() -> None:
    def said(distil: float, pseudo: float) -> str:
        return _said(
            {"none": 0.8, "combined": 0.85},
            _difference("combined", "none", 0.03, 0.05, 0.07),
            _difference("combined", "distil", distil, 0.01, 0.05),
            _difference("combined", "pseudo_label", pseudo, 0.01, 0.05),
        )

    assert said(0.001, -0.03).endswith("; pseudo label, without a GAN, is not shown to be worse.")
    assert said(-0.1, -0.03).endswith(
        "; distil and pseudo label, without a GAN, are not shown to be worse."
    )
    assert "without a GAN" not in said(0.001, 0.001)


def test_a_control_that_does_better_is_said_to() -> None:
    sentence = _said(
        {"none": 0.7, "combined": 0.72},
        _difference("combined", "none", -0.001, 0.014, 0.03),
        _difference("combined", "distil", -0.018, -0.007, 0.005),
        _difference("combined", "pseudo_label", -0.05, -0.038, -0.026),
    )
    assert sentence.endswith(
        "; pseudo label, without a GAN, is better; distil, without a GAN, is not shown to be worse."
    )


def test_few_test_images_are_said_to_be_few() -> None:
    test = _test_set(57)
    arms = [
        _measured(test, _predictions(test, 0.7, n_seeds=2)),
        _measured(test, _predictions(test, 0.8, n_seeds=2), "combined"),
    ]
    rows = [arm_result(one, test, ArmImages(train=1)) for one in arms]
    said = of_few_images(rows, [compare(arms[1], arms[0], test)], 57)
    assert said.startswith("57 test images are few: one image is 1.8 points")
    widths = sorted(100 * (row.accuracy.ci[1] - row.accuracy.ci[0]) for row in rows)
    assert f"{widths[0]:.1f} to {widths[1]:.1f} points wide, those of their differences" in said
    assert of_few_images(rows, [], 200) == ""


def test_draws_that_were_thrown_away_are_counted() -> None:
    new, some, many = Screened(100, 0, 0), Screened(100, 7, 0), Screened(50, 40, 2)
    assert of_copies([new, new], left_out=True).startswith(
        "None of 200 synthetic images was thrown"
    )
    said = of_copies([new, some], left_out=True)
    assert said.startswith("For 200 synthetic images 7 draws were thrown away")
    assert "last" not in said
    last = "2 took the last of 16 draws, may be copies, and were"
    assert of_copies([some, many], left_out=True).endswith(f"{last} left out.")
    kept = f"{last} kept (filter_copies leaves them out)."
    assert of_copies([some, many], left_out=False).endswith(kept)
