"""Train on real, test on synthetic."""

import numpy as np
import pytest

from services.classification.domain.recognition import recognised_share


def right(images: int, of: int) -> np.ndarray:
    return np.arange(of) < images


def test_the_mean_is_that_of_seeds_and_the_interval_holds_it() -> None:
    found = recognised_share([right(50, 100), right(300, 400)])
    assert found.mean == pytest.approx(0.625)
    assert found.sd == pytest.approx(np.std([0.5, 0.75], ddof=1))
    assert found.ci[0] < 0.5
    assert found.ci[1] > 0.75


def test_one_seed_has_the_interval_of_a_share() -> None:
    found = recognised_share([right(200, 400)])
    assert found.sd is None
    half = 1.96 * np.sqrt(0.25 / 400)
    assert found.ci == pytest.approx((0.5 - half, 0.5 + half), abs=0.005)


def test_what_is_always_right_has_no_spread() -> None:
    found = recognised_share([right(9, 9), right(7, 7)])
    assert (found.mean, found.ci) == (1.0, (1.0, 1.0))


@pytest.mark.parametrize("nothing", [[], [right(0, 0)]])
def test_nothing_is_refused(nothing: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="nothing"):
        recognised_share(nothing)
