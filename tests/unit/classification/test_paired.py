"""McNemar's test and Holm's correction, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classification.domain.paired import holm, mcnemar


def test_only_images_that_one_alone_gets_right_count() -> None:
    labels = np.zeros(12, dtype=np.int64)
    a = np.array([0] * 10 + [1, 1])
    b = np.array([0] * 4 + [1] * 6 + [0, 1])
    only_a, only_b, p = mcnemar(labels, a, b)
    assert (only_a, only_b) == (6, 1)
    assert p == pytest.approx(2 * (1 + 7) / 2**7)
    assert mcnemar(labels, b, a) == (1, 6, p)


def test_the_correction_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_nothing_and_bonferroni_and_keeps_the_order(p: list[float]) -> None:
    adjusted = np.array(holm(p))
    assert (adjusted >= np.array(p) - 1e-12).all()
    assert (adjusted <= np.minimum(1.0, len(p) * np.array(p)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
