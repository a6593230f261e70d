"""One seed's real images: never of ``test``, equally many of each category."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category, Split
from services.preprocessing.domain.subset import draw, left_over
from shared.errors import BadInput

Known = list[tuple[Category | None, Split | None]]

seeds = st.integers(0, 2**63 - 1)


@st.composite
def data_sets(draw: st.DrawFn) -> tuple[Known, int]:
    """Shuffled images, and a count of which each category has enough to train on, or none."""
    count = draw(st.integers(1, 6))
    known: Known = [(None, split) for split in SPLITS] + [("pelvis", None)]
    for category in CATEGORIES[:3]:
        known += [(category, "train")] * draw(st.just(0) | st.integers(count, 10))
        known += [(category, "val")] * draw(st.integers(0, 10))
        known += [(category, "test")] * draw(st.integers(0, 10))
    return draw(st.permutations(known)), count


@given(data_sets(), seeds)
def test_counts_are_exact_val_is_capped_and_test_stays_behind(
    made: tuple[Known, int], seed: int
) -> None:
    known, per_category = made
    chosen = draw(known, per_category=per_category, seed=seed)
    assert chosen == sorted(set(chosen))
    there = Counter(known)
    expected: Counter[tuple[Category | None, Split | None]] = Counter()
    for category in CATEGORIES:
        if there[category, "train"]:
            expected[category, "train"] = per_category
            expected[category, "val"] = min(per_category, there[category, "val"])
    assert Counter(known[place] for place in chosen) == +expected


@given(data_sets(), seeds)
def test_what_a_category_gives_depends_on_its_own_images_alone(
    made: tuple[Known, int], seed: int
) -> None:
    known, count = made
    whole = draw(known, per_category=count, seed=seed)
    for category in CATEGORIES[:3]:
        places = [place for place, (c, _) in enumerate(known) if c == category]
        alone = draw([known[place] for place in places], per_category=count, seed=seed)
        assert [place for place in whole if known[place][0] == category] == [
            places[place] for place in alone
        ]


@given(data_sets(), seeds)
def test_training_images_do_not_depend_on_val_or_test(made: tuple[Known, int], seed: int) -> None:
    known, count = made
    train = [place for place, (_, split) in enumerate(known) if split == "train"]
    others = [each for each in known if each[1] != "train"]
    moved = [known[place] for place in train] + others
    chosen = [p for p in draw(known, per_category=count, seed=seed) if known[p][1] == "train"]
    again = [p for p in draw(moved, per_category=count, seed=seed) if p < len(train)]
    assert [train[place] for place in again] == chosen


def images(*counted: tuple[Category, Split, int]) -> Known:
    """So many images of a category and a split, one kind after the other."""
    return [(category, split) for category, split, count in counted for _ in range(count)]


def test_the_seed_decides_and_all_images_have_their_turn() -> None:
    known = images(("liver", "train", 30), ("lung", "train", 30), ("lung", "val", 30))
    drawn = [draw(known, per_category=10, seed=seed) for seed in range(20)]
    assert drawn[0] == draw(known, per_category=10, seed=0)
    assert len({tuple(each) for each in drawn}) == 20
    assert set().union(*drawn) == set(range(90))


def test_categories_and_splits_are_drawn_independently() -> None:
    known = images(("liver", "train", 30), ("lung", "train", 30), ("lung", "val", 30))
    chosen = draw(known, per_category=10, seed=0)
    parts = [{place % 30 for place in chosen if place // 30 == part} for part in range(3)]
    assert [len(part) for part in parts] == [10, 10, 10]
    assert len({frozenset(part) for part in parts}) == 3


def test_categories_that_lack_training_images_are_named() -> None:
    known = images(
        ("lung", "train", 2),
        ("lung", "val", 9),
        ("bone", "train", 1),
        ("bone", "test", 9),
        ("liver", "train", 3),
    )
    with pytest.raises(BadInput, match=r"fewer than 3 training images of bone, lung$"):
        draw(known, per_category=3, seed=0)


def test_a_category_without_training_images_gives_nothing() -> None:
    known: Known = [("lung", "train"), ("bone", "val"), ("bone", "test"), (None, "train")]
    assert draw(known, per_category=1, seed=0) == [0]


@given(data_sets(), seeds)
def test_what_is_left_over_is_the_rest_of_train(made: tuple[Known, int], seed: int) -> None:
    known, per_category = made
    chosen = {*draw(known, per_category=per_category, seed=seed)}
    rest = left_over(known, per_category=per_category, seed=seed)
    assert not chosen & {*rest}
    train = {place for place, (_, split) in enumerate(known) if split == "train"}
    assert train == {*rest} | {place for place in chosen if known[place][1] == "train"}
