"""A smaller test set."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.classification.domain.smaller_test import draw_test


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 70))
def test_categories_take_turns_while_they_have_images(labels: list[int], images: int) -> None:
    known = np.array(labels)
    places = draw_test(known, images)
    assert len(places) == min(images, len(known))
    assert places.tolist() == sorted(set(places.tolist()))
    there, drawn = np.bincount(known, minlength=5), np.bincount(known[places], minlength=5)
    for category in range(5):
        if drawn[category] < there[category]:
            assert drawn[category] >= drawn.max() - 1


def test_57_of_eight_categories_are_seven_each_and_one_more() -> None:
    labels = np.repeat(np.arange(8), 20)
    counts = np.bincount(labels[draw_test(labels, 57)])
    assert sorted(counts.tolist()) == [7] * 7 + [8]


def test_the_same_images_are_drawn_again() -> None:
    labels = np.repeat(np.arange(3), 9)
    assert draw_test(labels, 7).tolist() == draw_test(labels, 7).tolist()
