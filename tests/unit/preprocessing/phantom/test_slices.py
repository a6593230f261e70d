from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from lesiongan.contracts.categories import CATEGORIES, Category
from services.preprocessing.domain.phantom.cohort import draw_cohort
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.levels import LEVELS_OF
from services.preprocessing.domain.phantom.slices import SlicePlan, render_slice


def plans_of(category: Category, difficulty: Difficulty, count: int = 4) -> list[SlicePlan]:
    plans = [
        plan
        for patient in draw_cohort(21, 12, difficulty)
        for plan in patient.slices
        if plan.category == category
    ]
    return plans[:count]


@pytest.mark.parametrize("category", CATEGORIES)
def test_boxes_hold_the_lesions_and_nothing_else_changes(category: Category) -> None:
    """Without its lesions the same slice differs within their boxes, and (almost) only there."""
    for plan in plans_of(category, Difficulty()):
        with_lesions = render_slice(plan, Difficulty())
        without = render_slice(plan, Difficulty(), with_lesions=False)
        difference = np.abs(with_lesions.hu.astype(np.int32) - without.hu)
        boxed = np.zeros(difference.shape, bool)
        assert len(with_lesions.marks) == plan.lesions
        for mark in with_lesions.marks:
            x1, y1, x2, y2 = mark.measurement.box
            assert 0 <= x1 < x2 < 512
            assert 0 <= y1 < y2 < 512
            region = np.s_[int(y1) : int(y2) + 1, int(x1) : int(x2) + 1]
            boxed[region] = True
            assert difference[region].max() >= 12
        assert difference[boxed].sum() > 0.85 * difference.sum()


def test_a_slice_is_drawn_the_same_twice() -> None:
    plan = plans_of("liver", Difficulty())[0]
    first, second = (render_slice(plan, Difficulty()) for _ in range(2))
    np.testing.assert_array_equal(first.hu, second.hu)
    assert first.marks == second.marks


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_level_of_a_category_has_sites_for_two_lesions(category: Category) -> None:
    plan = plans_of("lung", Difficulty())[0]
    for level in LEVELS_OF[category]:
        drawn = render_slice(replace(plan, category=category, level=level, lesions=2), Difficulty())
        assert len(drawn.marks) == 2
        assert drawn.marks[0] != drawn.marks[1]


def test_lesions_fade_with_difficulty() -> None:
    """By how much a liver lesion changes the liver, on average over its pixels."""
    contrasts = []
    for level in (0.0, 0.5, 1.0):
        differences = []
        for plan in plans_of("liver", Difficulty(), 6):
            still = replace(plan, study=replace(plan.study, noise_hu=0.01))
            hu = render_slice(still, Difficulty(level)).hu.astype(np.int32)
            without = render_slice(still, Difficulty(level), with_lesions=False).hu
            difference = np.abs(hu - without)[(without > 20) & (without < 160)]
            differences.append(difference[difference > 3])
        contrasts.append(np.concatenate(differences).mean())
    assert contrasts[0] > contrasts[1] > contrasts[2]


def test_noise_grows_with_difficulty() -> None:
    noises = [plans_of("bone", Difficulty(level))[0].study.noise_hu for level in (0.0, 0.5, 1.0)]
    assert noises[0] < noises[1] < noises[2]


def test_difficulty_is_monotone_in_all_that_it_turns() -> None:
    steps = [Difficulty(level) for level in np.linspace(0, 1, 11)]
    for easier, harder in pairwise(steps):
        assert easier.lesion_contrast > harder.lesion_contrast > 0
        assert easier.noise < harder.noise
        assert easier.borderline_share <= harder.borderline_share <= 1
        assert easier.foreign_window_share < harder.foreign_window_share <= 1
