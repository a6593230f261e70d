"""The manifest keeps what it is given."""

import io
from dataclasses import replace

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lesiongan.contracts.categories import CATEGORIES, SPLITS
from shared.datasets.columns import Records
from shared.datasets.manifest import read_manifest, write_manifest
from shared.datasets.records import ImageMeta, ImageRecord, Neighbour, from_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)

SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)
NEIGHBOURS = st.builds(
    Neighbour, offset=st.integers(0, 2**40), size=st.integers(1, 2**40), sha256=SHA256
)

RECORDS = st.builds(
    ImageRecord,
    index=st.integers(0, 2**40),
    sha256=SHA256,
    category=st.none() | st.sampled_from(CATEGORIES),
    split=st.none() | st.sampled_from(SPLITS),
    patient=st.none() | TEXT,
    source=TEXT,
    unit=st.sampled_from(["hu16", "uint8"]),
    width=st.integers(1, 2**20),
    height=st.integers(1, 2**20),
    spacing_mm=st.none() | FINITE,
    box_px=st.none() | st.tuples(FINITE, FINITE, FINITE, FINITE),
    window_hu=st.none() | st.tuples(FINITE, FINITE),
    location=st.none() | st.tuples(FINITE, FINITE, FINITE),
    noisy=st.booleans(),
    parent_index=st.none() | st.integers(0, 2**40),
    seed=st.none() | st.integers(0, 2**63 - 1),
    draw=st.none() | st.integers(0, 2**20),
    shard=st.integers(0, 2**20),
    offset=st.integers(0, 2**40),
    size=st.integers(1, 2**40),
    channels=st.sampled_from([1, 3]),
    previous=st.none() | NEIGHBOURS,
    following=st.none() | NEIGHBOURS,
)


@hypothesis_settings(max_examples=60)
@given(st.lists(RECORDS, max_size=6))
def test_what_is_written_is_read(records: list[ImageRecord]) -> None:
    assert list(read_manifest(write_manifest(Records.of(records)))) == records


@hypothesis_settings(max_examples=20)
@given(st.lists(RECORDS, min_size=1, max_size=3))
def test_a_manifest_from_before_there_were_neighbours_is_read(records: list[ImageRecord]) -> None:
    table = pq.read_table(io.BytesIO(write_manifest(Records.of(records))))
    older = io.BytesIO()
    pq.write_table(table.drop_columns(["channels", "previous", "following"]), older)
    plain = [replace(each, channels=1, previous=None, following=None) for each in records]
    assert list(read_manifest(older.getvalue())) == plain


@given(RECORDS)
def test_a_record_survives_json(record: ImageRecord) -> None:
    assert from_json(ImageRecord, {**record.as_json(), "a_later_member": 1}) == record


def test_a_meta_is_a_record_without_its_place() -> None:
    known = ImageMeta(
        category=None, split=None, patient=None, source="s", unit="uint8", width=1, height=1
    )
    place = {"index": 0, "sha256": "0", "shard": 0, "offset": 512, "size": 9}
    assert from_json(ImageMeta, {**known.as_json(), **place}) == known
