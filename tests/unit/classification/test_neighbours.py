"""The training image that a synthetic one is most like."""

import numpy as np
import pytest

from services.classification.domain.neighbours import nearest


def test_a_copy_is_its_own_neighbour_at_no_distance() -> None:
    training = np.random.default_rng(0).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)
    darker = np.clip(training[[3]].astype(np.int16) - 4, 0, 255).astype(np.uint8)
    places, distances = nearest(np.concatenate([training[[2]], darker]), training)
    assert places.tolist() == [2, 3]
    assert distances[0] == 0
    assert 0 < distances[1] <= 4


def test_distances_are_grey_levels_either_way() -> None:
    black, white = np.zeros((1, 1, 2, 2), np.uint8), np.full((1, 1, 2, 2), 255, np.uint8)
    for one, other in ((black, white), (white, black)):
        assert nearest(one, other)[1].tolist() == [255.0]


@pytest.mark.parametrize("training", [np.zeros((0, 1, 2, 2)), np.zeros((3, 1, 4, 4))])
def test_what_cannot_be_compared_is_refused(training: np.ndarray) -> None:
    with pytest.raises(ValueError, match="beside training images"):
        nearest(np.zeros((1, 1, 2, 2), np.uint8), training.astype(np.uint8))
