from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Split
from services.preprocessing.domain.phantom.cohort import draw_cohort, lesions_by_split
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.windows import LUNG
from shared.errors import BadInput


@given(st.integers(3, 5000))
def test_every_split_gets_some_and_all_are_dealt(count: int) -> None:
    dealt = lesions_by_split(count)
    assert min(dealt.values()) >= 1
    assert sum(dealt.values()) == count


def test_default_shares_are_the_papers() -> None:
    assert lesions_by_split(1000) == {"train": 725, "val": 180, "test": 95}


def test_other_shares_are_relative() -> None:
    assert lesions_by_split(40, {"train": 2, "val": 1, "test": 1}) == {
        "train": 20,
        "val": 10,
        "test": 10,
    }


@pytest.mark.parametrize(
    "shares", [{"train": 1.0}, {"train": 1.0, "val": 0.0, "test": 1.0}], ids=["missing", "zero"]
)
def test_refuses_shares_that_leave_a_split_empty(shares: dict[Split, float]) -> None:
    with pytest.raises(BadInput, match="shares"):
        lesions_by_split(10, shares)


def test_cohort_holds_the_lesions_asked_for() -> None:
    cohort = draw_cohort(5, 40, Difficulty())
    counts: Counter[tuple[str, str]] = Counter()
    for patient in cohort:
        for plan in patient.slices:
            counts[patient.split, plan.category] += plan.lesions
    by_split = lesions_by_split(40)
    assert counts == {(split, c): by_split[split] for split in SPLITS for c in CATEGORIES}
    assert [patient.patient.index for patient in cohort] == list(range(1, len(cohort) + 1))
    assert any(len({plan.study.number for plan in patient.slices}) > 1 for patient in cohort)
    assert any(plan.lesions == 2 for patient in cohort for plan in patient.slices)


def test_no_two_slices_have_one_name() -> None:
    for patient in draw_cohort(6, 60, Difficulty()):
        names = [(plan.study.number, plan.key_slice) for plan in patient.slices]
        assert len(set(names)) == len(names)


def test_lungs_are_read_in_the_lung_window_when_it_is_easy() -> None:
    windows = {
        plan.window_hu
        for patient in draw_cohort(7, 30, Difficulty(0.0))
        for plan in patient.slices
        if plan.category == "lung"
    }
    assert windows == {LUNG}
