"""Splits: by patient, stratified, seeded, independent of order."""

import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category, Split
from services.preprocessing.domain.split import Keep, SplitItem, SplitResult, assign_splits
from shared.errors import BadInput


def image(
    number: int,
    category: Category | None,
    patient: str | None,
    split: Split | None = None,
) -> SplitItem:
    return SplitItem(category=category, patient=patient, sha256=f"{number:064x}", split=split)


@st.composite
def data_sets(draw: st.DrawFn) -> list[SplitItem]:
    """Patients of one category each, and images without a patient or a category."""
    items: list[SplitItem] = []
    for patient in range(draw(st.integers(0, 40))):
        category = draw(st.sampled_from([*CATEGORIES[:3], None]))
        name = draw(st.sampled_from([f"p{patient}", None]))
        for _ in range(draw(st.integers(1, 4))):
            items.append(image(len(items), category, name))
    return items


@st.composite
def mixed_data_sets(draw: st.DrawFn) -> list[SplitItem]:
    """Patients with lesions of several categories, and the same image more than once."""
    return [
        image(
            draw(st.integers(0, 30)),
            draw(st.sampled_from([*CATEGORIES, None])),
            draw(st.sampled_from(["a", "b", "c", "d", "e", "f", None])),
        )
        for _ in range(draw(st.integers(1, 40)))
    ]


@given(mixed_data_sets(), st.integers(0, 5))
def test_no_patient_and_no_image_is_in_two_splits(items: list[SplitItem], seed: int) -> None:
    result = assign_splits(items, seed=seed)
    assert len(result.splits) == len(items)
    splits_of = defaultdict(set)
    for item, split in zip(items, result.splits, strict=True):
        splits_of[item.patient or item.sha256].add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    assert result.without_patient == sum(item.patient is None for item in items)


@given(data_sets(), st.integers(0, 5))
def test_a_category_of_three_groups_is_in_every_split(items: list[SplitItem], seed: int) -> None:
    result = assign_splits(items, seed=seed)
    groups = defaultdict(set)
    for item in items:
        groups[item.category].add(item.patient or item.sha256)
    for category, _ in result.missing:
        assert len(groups[category]) < 3
    for category in CATEGORIES:
        if len(groups[category]) >= 3:
            present = {
                s for i, s in zip(items, result.splits, strict=True) if i.category == category
            }
            assert present == set(SPLITS)


@given(mixed_data_sets(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(items: list[SplitItem], order: random.Random) -> None:
    shuffled = list(range(len(items)))
    order.shuffle(shuffled)
    straight = assign_splits(items).splits
    assert [straight[i] for i in shuffled] == list(
        assign_splits([items[i] for i in shuffled]).splits
    )


def clinic(patients: int = 400, seed: int = 1) -> list[SplitItem]:
    """Patients with one to six lesions, of uneven categories."""
    draw = random.Random(seed)
    items: list[SplitItem] = []
    for patient in range(patients):
        for _ in range(draw.randint(1, 6)):
            category = draw.choices(CATEGORIES, weights=range(1, 9))[0]
            items.append(image(len(items), category, f"p{patient}"))
    return items


def shares(items: list[SplitItem], result: SplitResult) -> dict[str, list[float]]:
    counts = Counter(zip((i.category for i in items), result.splits, strict=True))
    totals = Counter(i.category for i in items)
    return {str(c): [counts[c, s] / totals[c] for s in SPLITS] for c in totals}


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_fractions_are_met_overall_and_in_every_category(seed: int) -> None:
    items = clinic()
    result = assign_splits(items, seed=seed)
    overall = [result.splits.count(split) / len(items) for split in SPLITS]
    assert overall == pytest.approx([0.725, 0.18, 0.095], abs=0.01)
    for share in shares(items, result).values():
        assert share == pytest.approx([0.725, 0.18, 0.095], abs=0.05)
    assert result.missing == ()


def test_other_fractions() -> None:
    result = assign_splits(clinic(), fractions=(0.5, 0.25, 0.25))
    total = len(result.splits)
    overall = [result.splits.count(split) / total for split in SPLITS]
    assert overall == pytest.approx([0.5, 0.25, 0.25], abs=0.01)


def test_the_seed_decides() -> None:
    items = clinic(60)
    assert assign_splits(items, seed=3) == assign_splits(items, seed=3)
    assert assign_splits(items, seed=3).splits != assign_splits(items, seed=4).splits


def test_pseudonyms_do_not_decide() -> None:
    items = clinic(60)
    renamed = [
        SplitItem(category=i.category, patient=f"x{i.patient}"[::-1], sha256=i.sha256)
        for i in items
    ]
    assert assign_splits(items) == assign_splits(renamed)


COMPLETE = [
    image(0, "liver", "a", "train"),
    image(1, "liver", "b", "val"),
    image(2, "bone", "c", "test"),
    image(3, None, "c", "test"),
]


def test_a_complete_source_split_is_kept() -> None:
    result = assign_splits(COMPLETE)
    assert result.kept
    assert result.splits == ("train", "val", "test", "test")
    assert result.missing == (
        ("bone", "train"),
        ("bone", "val"),
        ("liver", "test"),
    )
    assert not assign_splits(COMPLETE, keep=False).kept


@pytest.mark.parametrize(
    "items",
    [
        [*COMPLETE, image(9, "lung", "d")],  # one image without a split
        [image(0, None, "a", "train"), *COMPLETE[1:]],  # no labelled image to train on
        COMPLETE[:2],
    ],
)
def test_an_incomplete_source_split_is_not_kept(items: list[SplitItem]) -> None:
    assert not assign_splits(items).kept


def test_an_official_split_without_labels_to_train_on_can_be_kept_all_the_same() -> None:
    items = [image(0, None, "a", "train"), *COMPLETE[1:]]
    result = assign_splits(items, keep="always")
    assert result.kept
    assert result.splits == ("train", "val", "test", "test")
    assert ("liver", "train") in result.missing
    with pytest.raises(BadInput, match="1 images have no split"):
        assign_splits([*items, image(9, "lung", "d")], keep="always")
    with pytest.raises(BadInput, match="one patient into two splits"):
        assign_splits([*items, image(9, "lung", "b", "test")], keep="always")


@given(mixed_data_sets(), st.integers(0, 5))
def test_splits_of_a_seed_do_not_depend_on_patients_names(
    items: list[SplitItem], seed: int
) -> None:
    """Pseudonyms differ from one installation to another; patients keep their order by content."""
    firsts: dict[str, str] = {}
    for item in items:
        if item.patient is not None:
            firsts[item.patient] = min(firsts.get(item.patient, "z"), item.sha256)
    if len(set(firsts.values())) < len(firsts):
        return  # Two patients share their first image: their names decide.
    renamed = [replace(i, patient=i.patient and f"x-{ord(i.patient) ^ 7}") for i in items]
    assert assign_splits(items, seed=seed).splits == assign_splits(renamed, seed=seed).splits


@given(mixed_data_sets(), st.sampled_from([True, "always"]))
def test_what_is_kept_is_the_sources_own(items: list[SplitItem], keep: Keep) -> None:
    given_items = [replace(i, patient=None, split=SPLITS[n % 3]) for n, i in enumerate(items)]
    result = assign_splits(given_items, keep=keep)
    if keep == "always" or result.kept:
        assert result.splits == tuple(item.split for item in given_items)


def test_a_source_split_that_parts_a_patient_is_refused() -> None:
    with pytest.raises(BadInput, match="one patient into two splits"):
        assign_splits([*COMPLETE, image(9, "lung", "a", "test")])


def test_unlabelled_images_follow_their_patient_and_train_otherwise() -> None:
    items = clinic(40)
    test_patient = items[assign_splits(items).splits.index("test")].patient
    extra = [image(9000, None, test_patient), image(9001, None, "stranger")]
    assert assign_splits([*items, *extra]).splits[-2:] == ("test", "train")


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.0), (0.5, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_impossible_fractions_are_refused(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(BadInput, match="above 0 and sum to 1"):
        assign_splits(clinic(5), fractions=fractions)


def test_no_images() -> None:
    assert assign_splits([]).splits == ()
