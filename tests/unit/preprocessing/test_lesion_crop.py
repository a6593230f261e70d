"""Crop geometry: centre, scale and growth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preprocessing.domain.lesion_crop import lesion_square, slice_square

sizes = st.integers(16, 512)
spacings = st.floats(0.15, 1.2)
boxes = st.tuples(
    st.floats(0, 500), st.floats(0, 500), st.floats(0.5, 400), st.floats(0.5, 400)
).map(lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3]))
Box = tuple[float, float, float, float]


@given(boxes, spacings, sizes, st.floats(0, 30))
def test_centre_scale_and_context(
    box_px: Box, slice_spacing_mm: float, size: int, context_mm: float
) -> None:
    geometry = lesion_square(box_px, slice_spacing_mm, size, context_mm=context_mm)
    x1, y1, x2, y2 = geometry.to_crop(box_px)
    assert (x1 + x2) / 2 == pytest.approx(size / 2)
    assert (y1 + y2) / 2 == pytest.approx(size / 2)
    assert geometry.spacing_mm is not None
    width_mm = (box_px[2] - box_px[0]) * slice_spacing_mm
    assert (x2 - x1) * geometry.spacing_mm == pytest.approx(width_mm)
    margin_mm = min(x1, y1) * geometry.spacing_mm
    assert margin_mm >= context_mm - 1e-6
    assert geometry.spacing_mm * size >= 64 - 1e-6


@given(boxes, spacings, sizes)
def test_the_scale_is_constant_unless_the_field_grows(
    box_px: Box, slice_spacing_mm: float, size: int
) -> None:
    geometry = lesion_square(box_px, slice_spacing_mm, size)
    longest_mm = max(box_px[2] - box_px[0], box_px[3] - box_px[1]) * slice_spacing_mm
    assert geometry.grown == (longest_mm + 20 > 64)
    expected_mm = longest_mm + 20 if geometry.grown else 64
    assert geometry.spacing_mm == pytest.approx(expected_mm / size)


def test_a_wanted_spacing_sets_the_field() -> None:
    geometry = lesion_square((250, 250, 260, 260), 0.5, 64, spacing_mm=0.75, context_mm=5)
    assert geometry.spacing_mm == pytest.approx(0.75)
    assert geometry.square.side == pytest.approx(96)
    assert (geometry.square.centre_x, geometry.square.centre_y) == (255, 255)


def test_a_slice_is_padded_to_a_square() -> None:
    geometry = slice_square(512, 256, 0.5, 64)
    assert (geometry.square.centre_x, geometry.square.centre_y) == (256, 128)
    assert geometry.square.side == 512
    assert geometry.spacing_mm == pytest.approx(4)
    assert slice_square(512, 256, None, 64).spacing_mm is None


@given(boxes, spacings, sizes, st.tuples(st.floats(-99, 99), st.floats(-99, 99)))
def test_a_crop_goes_where_the_lesion_goes(
    box_px: Box, slice_spacing_mm: float, size: int, by: tuple[float, float]
) -> None:
    moved = (box_px[0] + by[0], box_px[1] + by[1], box_px[2] + by[0], box_px[3] + by[1])
    here = lesion_square(box_px, slice_spacing_mm, size)
    there = lesion_square(moved, slice_spacing_mm, size)
    assert there.square.centre_x == pytest.approx(here.square.centre_x + by[0])
    assert there.square.centre_y == pytest.approx(here.square.centre_y + by[1])
    assert there.to_crop(moved) == pytest.approx(here.to_crop(box_px), abs=1e-6)


@given(boxes, spacings, sizes, st.floats(0.25, 4))
def test_a_lesion_looks_the_same_however_finely_it_was_scanned(
    box_px: Box, slice_spacing_mm: float, size: int, finer: float
) -> None:
    x1, y1, x2, y2 = (side * finer for side in box_px)
    coarse = lesion_square(box_px, slice_spacing_mm, size)
    fine = lesion_square((x1, y1, x2, y2), slice_spacing_mm / finer, size)
    assert fine.spacing_mm == pytest.approx(coarse.spacing_mm)
    there = fine.to_crop((x1, y1, x2, y2))
    assert there == pytest.approx(coarse.to_crop(box_px), abs=1e-6)


@given(st.integers(1, 1024), st.integers(1, 1024), sizes)
def test_a_whole_slice_fits_and_touches_two_edges(width: int, height: int, size: int) -> None:
    x1, y1, x2, y2 = slice_square(width, height, 0.8, size).to_crop((0, 0, width, height))
    assert min(x1, y1) == pytest.approx(0, abs=1e-6)
    assert max(x2, y2) == pytest.approx(size)
    assert (x1 + x2, y1 + y2) == pytest.approx((size, size))
