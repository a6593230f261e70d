"""Calibration errors by hand, and the temperature that undoes a known one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.classification.domain.calibration import (
    calibration_error,
    fit_temperature,
    tempered,
)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_the_error_by_hand() -> None:
    """Two images at 0.9, one of them right; one at 0.6, wrong: (2 * 0.4 + 0.6) / 3."""
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    labels = np.array([0, 1, 0])
    plain, heavy = calibration_error(labels, probabilities, np.array([[1, 1, 1], [1, 1, 3.0]]))
    assert plain == pytest.approx((2 * 0.4 + 0.6) / 3)
    assert heavy == pytest.approx((2 * 0.4 + 3 * 0.6) / 5)


@given(st.integers(0, 2**32), st.floats(0.3, 5.0))
@settings(max_examples=20, deadline=None)
def test_tempering_is_dividing_the_logits(seed: int, temperature: float) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (10, 4))
    made = tempered(_softmax(logits), temperature)
    np.testing.assert_allclose(made, _softmax(logits / temperature), atol=1e-7)


@pytest.mark.parametrize("sharpened", [0.5, 2.0, 4.0])
def test_a_known_temperature_is_found(sharpened: float) -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 1.5, (4000, 3))
    truth = _softmax(logits)
    labels = (random.random((4000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    assert fit_temperature(_softmax(logits * sharpened), labels) == pytest.approx(
        sharpened, rel=0.1
    )
