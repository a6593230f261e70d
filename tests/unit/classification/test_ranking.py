"""The area under the ROC, beside scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from services.classification.domain.ranking import macro_auc


@given(st.integers(0, 2**32), st.integers(2, 5), st.booleans())
@settings(max_examples=40, deadline=None)
def test_it_is_sklearns_mean_over_categories(seed: int, categories: int, tied: bool) -> None:
    random = np.random.default_rng(seed)
    labels = np.arange(40) % categories
    probabilities = random.dirichlet(np.ones(categories), 40).astype(np.float32)
    if tied:
        probabilities = np.round(probabilities, 1)
    weights = random.integers(1, 4, (3, 40)).astype(np.float64)
    expected = [
        np.mean(
            [
                roc_auc_score(labels == k, probabilities[:, k], sample_weight=row)
                for k in range(categories)
            ]
        )
        for row in weights
    ]
    np.testing.assert_allclose(macro_auc(labels, probabilities, weights), expected, atol=1e-9)


def test_a_category_that_was_not_drawn_is_left_out() -> None:
    labels = np.array([0, 0, 1, 2])
    probabilities = np.eye(3, dtype=np.float32)[labels]
    weights = np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    assert macro_auc(labels, probabilities, weights) == pytest.approx([1.0, 0.5])
