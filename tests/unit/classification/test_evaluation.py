"""The figures of an arm, against scikit-learn and against what must hold of any predictions."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
)

from lesiongan.contracts.categories import CATEGORIES
from services.classification.domain import evaluation
from services.classification.domain.evaluation import Figures, Integers, figures, weighted_figures
from shared.errors import BadInput

K = 4


def _test_set(labels: Integers) -> evaluation.TestSet:
    return evaluation.TestSet(labels, np.arange(labels.size), CATEGORIES[:K])


def _places(*shape: int, seed: int = 0, n_categories: int = K) -> Integers:
    return np.random.default_rng(seed).integers(n_categories, size=shape)


def _assert_same(a: Figures, b: Figures) -> None:
    for field in fields(Figures):
        np.testing.assert_allclose(getattr(a, field.name), getattr(b, field.name), atol=1e-12)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Integers, Integers]:
    """Labels [N] and predictions [S, N], some categories without images or predictions."""
    n, s = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    place = st.integers(0, K - 1)
    labels = draw(st.lists(place, min_size=n, max_size=n))
    predictions = draw(st.lists(st.lists(place, min_size=n, max_size=n), min_size=s, max_size=s))
    return np.array(labels), np.array(predictions)


@given(_cases())
@settings(max_examples=60, deadline=None)
def test_the_figures_are_scikit_learns(case: tuple[Integers, Integers]) -> None:
    labels, predictions = case
    made = figures(_test_set(labels), predictions)
    for s, predicted in enumerate(predictions):
        present = np.unique(labels)
        options = {"labels": present, "zero_division": 0}
        each = precision_recall_fscore_support(labels, predicted, **options)
        macro = precision_recall_fscore_support(labels, predicted, average="macro", **options)
        np.testing.assert_allclose(made.category_precision[s, present], each[0])
        np.testing.assert_allclose(made.category_recall[s, present], each[1])
        np.testing.assert_allclose(made.category_f1[s, present], each[2])
        absent = np.setdiff1d(np.arange(K), present)
        assert np.isnan(made.category_recall[s, absent]).all()
        ours = made.precision[s], made.recall[s], made.f1[s]
        np.testing.assert_allclose(ours, macro[:3])
        assert made.accuracy[s] == pytest.approx(accuracy_score(labels, predicted))


def test_balanced_accuracy_is_scikit_learns() -> None:
    labels, predictions = _places(40, n_categories=3), _places(5, 40, seed=1, n_categories=3)
    made = figures(_test_set(labels), predictions)
    expected = [balanced_accuracy_score(labels, predicted) for predicted in predictions]
    np.testing.assert_allclose(made.balanced_accuracy, expected)
    np.testing.assert_allclose(made.recall, expected)


@given(_cases())
@settings(max_examples=60, deadline=None)
def test_figures_are_shares(case: tuple[Integers, Integers]) -> None:
    labels, predictions = case
    made = figures(_test_set(labels), predictions)
    for field in fields(Figures):
        values = getattr(made, field.name)
        assert values.shape[0] == len(predictions)
        assert not np.any((values < 0) | (values > 1 + 1e-12))
        assert field.name.startswith("category") or not np.isnan(values).any()


@given(_cases(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_weight_repeats_an_image(case: tuple[Integers, Integers], data: st.DataObject) -> None:
    labels, predictions = case
    n = labels.size
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    weights[0] += 1
    weighted = weighted_figures(_test_set(labels), predictions, weights[None].astype(float))
    repeated = figures(_test_set(labels.repeat(weights)), predictions.repeat(weights, axis=1))
    _assert_same(
        Figures(**{f.name: getattr(weighted, f.name)[0] for f in fields(Figures)}), repeated
    )


def test_each_row_of_weights_is_its_own() -> None:
    test, predictions = _test_set(_places(30)), _places(3, 30, seed=1)
    weights = np.random.default_rng(2).random((5, 30))
    together = weighted_figures(test, predictions, weights)
    one_by_one = [weighted_figures(test, predictions, row[None]) for row in weights]
    assert together.category_recall.shape == (5, 3, K)
    _assert_same(together, evaluation.joined(one_by_one))


def test_the_order_of_images_and_seeds_is_nothing() -> None:
    labels, predictions = _places(50), _places(4, 50, seed=1)
    order = np.random.default_rng(2).permutation(50)
    plain = figures(_test_set(labels), predictions)
    moved = figures(_test_set(labels[order]), predictions[::-1][:, order])
    for field in fields(Figures):
        reversed_seeds = getattr(moved, field.name)[::-1]
        np.testing.assert_allclose(reversed_seeds, getattr(plain, field.name))


def test_a_perfect_arm_has_all_figures_one() -> None:
    labels = np.arange(12) % K
    made = figures(_test_set(labels), np.stack([labels, labels]))
    for field in fields(Figures):
        np.testing.assert_array_equal(getattr(made, field.name), 1.0)


def test_seeds_are_averaged_by_their_shares() -> None:
    test, predictions = _test_set(_places(30)), _places(3, 30, seed=1)
    made = weighted_figures(test, predictions, np.ones((2, 30)))
    averaged = made.mean_over_seeds(np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]))
    assert averaged.accuracy[0] == pytest.approx(made.accuracy[0, 0])
    assert averaged.accuracy[1] == pytest.approx(made.accuracy[1, 1:].mean())
    np.testing.assert_allclose(averaged.category_f1[1], made.category_f1[1, 1:].mean(axis=0))


def test_confusion_counts_all_seeds() -> None:
    labels, predictions = _places(30), _places(3, 30, seed=1)
    expected = sum(confusion_matrix(labels, p, labels=range(K)) for p in predictions)
    np.testing.assert_array_equal(evaluation.confusion(_test_set(labels), predictions), expected)


def test_images_of_a_patient_are_a_group_and_unknown_patients_are_alone() -> None:
    patients = ["b", None, "a", "b", "", "a"]
    test = evaluation.grouped_by_patient(np.zeros(6, np.int64), patients, CATEGORIES[:K])
    b, first_alone, a, b_again, second_alone, a_again = test.groups
    assert (b, a) == (b_again, a_again)
    assert len({a, b, first_alone, second_alone}) == test.n_groups == 4
    assert test.without_patient == 2


def test_group_places_have_no_gaps() -> None:
    test = evaluation.TestSet(np.zeros(4, np.int64), np.array([70, 7, 70, 9]), CATEGORIES[:K])
    assert test.group_places.tolist() == [2, 0, 2, 1]


def test_no_test_image_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match="no test images"):
        _test_set(np.array([], dtype=np.int64))


@pytest.mark.parametrize("labels", [[0, K], [-1, 0]])
def test_labels_outside_the_categories_are_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="of 4"):
        _test_set(np.array(labels))


def test_labels_and_groups_must_agree() -> None:
    with pytest.raises(ValueError, match="groups"):
        evaluation.TestSet(np.zeros(3, np.int64), np.arange(2), CATEGORIES[:K])


@pytest.mark.parametrize(
    "predictions", [np.zeros((2, 3), int), np.zeros(4, int), np.full((1, 4), K)]
)
def test_predictions_that_do_not_fit_are_refused(predictions: Integers) -> None:
    with pytest.raises(ValueError, match="4"):
        figures(_test_set(np.arange(4)), predictions)
