"""What is drawn, and how far few units are expanded."""

import math

import numpy as np
import pytest
from scipy.stats import t

from lesiongan.contracts.categories import CATEGORIES
from services.classification.domain import evaluation
from services.classification.domain.paired import holm
from services.classification.domain.resampling import (
    RESAMPLES,
    draw_resamples,
    enough_resamples,
    expanded,
    expansion,
    interval_of,
    two_sided_p,
)


def _test_set(n: int, *, group_size: int = 1) -> evaluation.TestSet:
    return evaluation.TestSet(np.arange(n) % 4, np.arange(n) // group_size, CATEGORIES[:4])


def test_every_resample_draws_as_many_as_there_are() -> None:
    drawn = draw_resamples(_test_set(60, group_size=4), n_seeds=3, random_seed=1, resamples=300)
    assert drawn.groups.shape == (300, 15)
    assert drawn.seed_shares.shape == (300, 3)
    np.testing.assert_array_equal(drawn.groups.sum(axis=1), 15)
    np.testing.assert_allclose(drawn.seed_shares.sum(axis=1), 1.0)
    np.testing.assert_allclose(drawn.seed_excess.sum(axis=1), 0.0, atol=1e-12)
    assert np.unique(drawn.groups, axis=0).shape[0] > 250


def test_the_random_seed_fixes_the_draws() -> None:
    first, again, other = (
        draw_resamples(_test_set(40), n_seeds=3, random_seed=seed, resamples=50)
        for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.groups, again.groups)
    np.testing.assert_array_equal(first.seed_shares, again.seed_shares)
    assert not np.array_equal(first.groups, other.groups)


@pytest.mark.parametrize("n_seeds", [2, 5, 20])
def test_the_mean_of_seeds_has_the_interval_of_students_t(n_seeds: int) -> None:
    """Of figures whose resampled means are near a normal distribution."""
    figures = np.random.default_rng(n_seeds).normal(0.7, 0.01, n_seeds)
    drawn = draw_resamples(_test_set(40), n_seeds=n_seeds, random_seed=0, resamples=20_000)
    means = (drawn.seed_shares + drawn.seed_excess) @ figures
    assert means.mean() == pytest.approx(figures.mean(), abs=1e-3)
    half = t.ppf(0.975, n_seeds - 1) * figures.std(ddof=1) / math.sqrt(n_seeds)
    assert 1.96 * means.std() == pytest.approx(half, rel=0.03)


def test_one_seed_counts_for_itself() -> None:
    drawn = draw_resamples(_test_set(40), n_seeds=1, random_seed=0, resamples=10)
    np.testing.assert_array_equal(drawn.seed_shares, 1.0)
    np.testing.assert_array_equal(drawn.seed_excess, 0.0)


def test_many_units_are_hardly_expanded_and_one_says_nothing() -> None:
    factors = [expansion(n) for n in (2, 3, 10, 100, 5_000)]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(1.0, abs=1e-3)
    assert math.isnan(expansion(1))


def test_figures_are_moved_away_from_the_observed_one() -> None:
    moved = expanded(np.array([0.6, 0.7, 0.9]), 0.7, 2.0)
    np.testing.assert_allclose(moved, [0.5, 0.7, 1.1])
    assert interval_of(moved)[1] == 1.0


def test_resamples_without_a_figure_are_left_out() -> None:
    some = np.array([0.5, np.nan, 0.5])
    assert interval_of(some) == (0.5, 0.5)
    assert interval_of(np.full(3, np.nan), within=(-1.0, 1.0)) == (-1.0, 1.0)
    assert two_sided_p(np.full(3, np.nan)) == 1.0


@pytest.mark.parametrize("n_comparisons", [1, 10, 60, 200])
def test_any_number_of_comparisons_can_be_shown(n_comparisons: int) -> None:
    smallest = two_sided_p(np.ones(enough_resamples(n_comparisons)))
    assert max(holm([smallest] * n_comparisons)) < 0.05
    assert enough_resamples(1) == RESAMPLES
