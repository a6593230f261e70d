"""What a model of places alone learns."""

import numpy as np
import pytest

from services.classification.domain.placement import predicted_by_place


def test_places_that_differ_are_told_apart() -> None:
    random = np.random.default_rng(0)
    centres = np.array([[0.2, 0.2, 0.2], [0.8, 0.8, 0.2], [0.5, 0.5, 0.8]])
    labels = np.arange(60) % 3
    places = centres[labels] + random.normal(0, 0.03, (60, 3))
    unseen = centres[labels] + random.normal(0, 0.03, (60, 3))
    assert (predicted_by_place(places, labels, unseen) == labels).all()


def test_places_that_say_nothing_are_guessed() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    said = predicted_by_place(random.random((200, 3)), labels, random.random((1000, 3)))
    assert (said == np.arange(1000) % 2).mean() == pytest.approx(0.5, abs=0.1)


def test_one_category_is_all_that_one_category_teaches() -> None:
    said = predicted_by_place(np.full((3, 3), 0.5), np.full(3, 4), np.zeros((2, 3)))
    assert said.tolist() == [4, 4]


def test_a_place_outside_those_known_has_a_category_too() -> None:
    places = np.array([[0.4, 0.5, 0.5], [0.6, 0.5, 0.5]])
    said = predicted_by_place(
        places, np.array([0, 1]), np.array([[0.0, 0.5, 0.5], [1.0, 0.5, 0.5]])
    )
    assert set(said.tolist()) <= {0, 1}
