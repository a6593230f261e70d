"""KID, FID, precision, recall, density and coverage against what is known of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from services.gan.domain.frechet_distance import frechet_distance
from services.gan.domain.kernel_distance import kernel_distance
from services.gan.domain.manifolds import compare_manifolds
from services.gan.domain.scores import compare


def _normal(count: int, seed: int, *, mean: float = 0.0, width: int = 8) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(mean, 1.0, (count, width)).astype(np.float32)


def test_the_kernel_distance_is_the_unbiased_estimate_written_out() -> None:
    one, other = _normal(5, 0), _normal(7, 1)

    def kernel(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
        return float((a.astype(float) @ b.astype(float) / 8 + 1) ** 3)

    within_one = np.mean([kernel(one[i], one[j]) for i in range(5) for j in range(5) if i != j])
    within = np.mean([kernel(other[i], other[j]) for i in range(7) for j in range(7) if i != j])
    between = np.mean([kernel(a, b) for a in one for b in other])
    expected = float(within_one + within - 2 * between)
    assert kernel_distance(one, other) == pytest.approx(expected)


def test_the_kernel_distance_of_one_distribution_is_zero_on_average() -> None:
    found = [kernel_distance(_normal(20, 2 * k), _normal(20, 2 * k + 1)) for k in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert min(found) < 0 < max(found)
    assert kernel_distance(_normal(200, 0), _normal(200, 1, mean=1.0)) > 10 * np.std(found)


@hypothesis_settings(max_examples=20, deadline=None)
@given(n=st.integers(8, 30), m=st.integers(8, 30), seed=st.integers(0, 99))
def test_the_frechet_distance_is_that_of_the_matrix_root(n: int, m: int, seed: int) -> None:
    one, other = _normal(n, seed, width=5), _normal(m, seed + 1, mean=0.5, width=5)
    covariances = [np.cov(each.astype(float), rowvar=False) for each in (one, other)]
    root = np.trace(np.real(sqrtm(covariances[0] @ covariances[1])))
    shift = np.square(one.astype(float).mean(0) - other.astype(float).mean(0)).sum()
    expected = shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * root
    assert frechet_distance(one, other) == pytest.approx(expected, abs=1e-3)


def test_a_set_and_itself() -> None:
    real = _normal(60, 0)
    assert frechet_distance(real, real) == pytest.approx(0.0, abs=1e-6)
    shares = compare_manifolds(real, real)
    assert (shares.precision, shares.recall, shares.coverage) == (1.0, 1.0, 1.0)


def test_samples_of_one_mode_are_precise_and_miss_the_other() -> None:
    real = np.concatenate([_normal(100, 0), _normal(100, 1, mean=20.0)])
    shares = compare_manifolds(_normal(200, 2), real)
    assert shares.precision > 0.8
    assert shares.recall < 0.6
    assert 0.3 < shares.coverage <= 0.5
    assert shares.density > 0.8


def test_samples_far_from_all_are_neither() -> None:
    shares = compare_manifolds(_normal(50, 0, mean=50.0), _normal(50, 1))
    assert (shares.precision, shares.recall, shares.density, shares.coverage) == (0, 0, 0, 0)


def test_one_outlier_raises_precision_but_not_density() -> None:
    """What Naeem et al. hold against precision."""
    real = np.concatenate([_normal(100, 0), np.full((1, 8), 50.0, dtype=np.float32)])
    shares = compare_manifolds(_normal(100, 1, mean=25.0), real)
    assert shares.precision == 1.0
    assert shares.density < 0.3


@pytest.mark.parametrize(("made", "real"), [(3, 50), (50, 3), (0, 0)])
def test_too_few_images_have_no_scores(made: int, real: int) -> None:
    assert compare(_normal(made, 0), _normal(real, 1)) is None


def test_four_images_are_enough_for_finite_scores() -> None:
    scores = compare(_normal(4, 0), _normal(4, 1))
    assert scores is not None
    assert (scores.made, scores.real) == (4, 4)
    assert np.isfinite([scores.kid, scores.fid, scores.density]).all()


def test_more_samples_than_real_images_do_not_cover_more() -> None:
    real, made = _normal(40, 1), _normal(400, 0)
    few, many = compare(made[:40], real), compare(made, real)
    assert few is not None
    assert many is not None
    assert (many.made, many.coverage, many.recall) == (400, few.coverage, few.recall)
    assert many.kid != few.kid
