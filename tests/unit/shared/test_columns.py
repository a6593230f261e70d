"""Records in columns are the records that were put in."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category, Split
from shared.datasets.columns import Records
from shared.datasets.records import ImageRecord
from tests.unit.shared.test_manifest import RECORDS

LISTS = st.lists(RECORDS, max_size=6)
FEW = hypothesis_settings(max_examples=40)


@FEW
@given(LISTS, LISTS)
def test_what_is_put_in_comes_out(first: list[ImageRecord], more: list[ImageRecord]) -> None:
    records = Records.joined([Records.of(first), Records.of(more)])
    known = [*first, *more]
    assert list(records) == known
    assert [records[place] for place in range(len(records))] == known
    assert list(records.members("sha256", "category", "box_px", "previous")) == [
        (each.sha256, each.category, each.box_px, each.previous) for each in known
    ]


@FEW
@given(LISTS, st.integers(-8, 8), st.integers(-8, 8))
def test_slices_and_places_are_those_of_a_list(
    known: list[ImageRecord], start: int, stop: int
) -> None:
    records = Records.of(known)
    assert list(records[start:stop]) == known[start:stop]
    places = list(range(0, len(known), 2))
    assert list(records.take(places)) == [known[place] for place in places]
    if -len(known) <= start < len(known):
        assert records[start] == known[start]
    else:
        with pytest.raises(IndexError):
            records[start]


@FEW
@given(LISTS, st.none() | st.sampled_from(CATEGORIES), st.none() | st.sampled_from(SPLITS))
def test_a_selection_is_in_order(
    known: list[ImageRecord], category: Category | None, split: Split | None
) -> None:
    assert list(Records.of(known).where(category=category, split=split)) == [
        each for each in known if category in (None, each.category) and split in (None, each.split)
    ]


def test_they_are_not_turned_round() -> None:
    with pytest.raises(ValueError, match="order"):
        Records.of([])[::-1]


def test_a_table_without_places_is_refused() -> None:
    table = Records.of([]).table
    with pytest.raises(ValueError, match="offset"):
        Records(table.drop_columns(["offset"]))


def test_an_image_costs_little() -> None:
    """Of a set of 100,000 images some 30 MB are held, where objects took 140."""
    records = [
        ImageRecord(
            category="liver",
            split="train",
            patient=f"{number:032x}",
            source=f"file {number}, row {number}",
            unit="uint8",
            width=64,
            height=64,
            spacing_mm=1.0,
            box_px=(1.0, 2.0, 3.0, 4.0),
            location=(0.25, 0.5, 0.75),
            index=number,
            sha256=f"{number:064x}",
            shard=0,
            offset=number,
            size=1,
        )
        for number in range(1000)
    ]
    assert Records.of(records).nbytes / len(records) < 320
