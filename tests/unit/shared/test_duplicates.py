"""Images that are there twice are found, all of them, and counted once."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets import duplicates
from shared.datasets.columns import Records
from shared.datasets.duplicates import NEAR_BITS, exact_duplicates, near_duplicates
from shared.datasets.records import ImageRecord
from shared.datasets.report import refuse_leakage
from shared.errors import BadInput

SPLITS = st.sampled_from(["train", "val", "test"])
#: Few patterns, so that many hashes are near each other.
HASHES = st.lists(st.integers(0, 63), max_size=4).map(lambda bits: sum({1 << bit for bit in bits}))


def record(index: int, **members: Any) -> ImageRecord:
    known: dict[str, Any] = {
        "category": "liver",
        "split": "train",
        "patient": None,
        "source": f"file {index}",
        "unit": "uint8",
        "width": 32,
        "height": 32,
        "index": index,
        "sha256": f"sha {index}",
        "shard": 0,
        "offset": 0,
        "size": 1,
        "phash": None,
    }
    return ImageRecord(**known | members)


def signed(number: int) -> int:
    return number - 2**64 if number >> 63 else number


@given(st.lists(st.tuples(st.integers(0, 5), SPLITS), max_size=14))
def test_every_pair_of_equal_images_is_counted(images: list[tuple[int, Any]]) -> None:
    records = [record(i, sha256=str(sha), split=split) for i, (sha, split) in enumerate(images)]
    pairs = [(a, b) for a, b in combinations(records, 2) if a.sha256 == b.sha256]
    found = exact_duplicates(Records.of(records))
    assert found.pairs == len(pairs)
    assert found.crossing == sum(a.split != b.split for a, b in pairs)
    assert set(found.examples) <= {(a.index, b.index) for a, b in pairs}


@given(st.lists(st.tuples(HASHES, SPLITS), max_size=14))
def test_every_pair_that_looks_alike_is_counted_once(images: list[tuple[int, Any]]) -> None:
    records = [record(i, phash=signed(bits), split=split) for i, (bits, split) in enumerate(images)]
    pairs = [
        (a, b)
        for (a, x), (b, y) in combinations(zip(records, images, strict=True), 2)
        if (x[0] ^ y[0]).bit_count() <= NEAR_BITS
    ]
    found = near_duplicates(Records.of(records))
    assert found.pairs == len(pairs)
    assert found.crossing == sum(a.split != b.split for a, b in pairs)
    assert found.complete


def test_equal_images_are_not_also_alike() -> None:
    records = [record(i, sha256="one", phash=5) for i in range(3)]
    assert exact_duplicates(Records.of(records)).pairs == 3
    assert near_duplicates(Records.of(records)).pairs == 0


def test_lesions_of_one_slice_are_one_image() -> None:
    rows = [record(i, sha256="slice", unit="hu16", source=f"file 4, row {i}") for i in range(3)]
    assert exact_duplicates(Records.of(rows)).pairs == 0
    again = record(9, sha256="slice", unit="hu16", source="file 5, row 9")
    assert exact_duplicates(Records.of([*rows, again])).pairs == 1


def test_too_many_to_compare_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MAX_COMPARISONS", 10)
    assert not near_duplicates(Records.of(record(i, phash=i) for i in range(9))).complete


def test_leakage_is_refused_and_named() -> None:
    apart = [record(0, patient="a", phash=0), record(1, patient="b", phash=255, split="test")]
    refuse_leakage(Records.of(apart), lambda *_: True)
    for wrong, said in (
        (record(2, patient="a", phash=-1, split="test"), "1 patients are"),
        (record(2, sha256="sha 0", phash=0, split="val"), "equal images are .images 0 and 2."),
        (record(2, phash=3, split="val"), "same but for details are .images 0 and 2."),
    ):
        with pytest.raises(BadInput, match=said):
            refuse_leakage(Records.of([*apart, wrong]), lambda *_: True)


def test_what_only_looks_alike_is_no_leakage() -> None:
    alike = [record(0, patient="a", phash=0), record(1, patient="b", phash=3, split="test")]
    assert near_duplicates(Records.of(alike)).crossing == 1
    refuse_leakage(Records.of(alike), lambda *_: False)
