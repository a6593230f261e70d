"""Resampling: exact where exactness is known, close to OpenCV where it agrees on the method."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preprocessing.domain.resampling import Square, resample_square

HU = np.random.default_rng(0).integers(-1024, 2000, (96, 96)).astype(np.int16)
WHOLE = Square(48, 48, 96)


def test_scale_one_changes_nothing() -> None:
    np.testing.assert_array_equal(resample_square(HU, WHOLE, 96, outside=-1024), HU)


@pytest.mark.parametrize("size", [48, 32, 24, 64, 71])
def test_shrinking_is_area_averaging(size: int) -> None:
    expected = cv2.resize(HU.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    ours = resample_square(HU, WHOLE, size, outside=-1024)
    np.testing.assert_allclose(ours, expected, atol=0.01)


@given(
    slope=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
    centre=st.tuples(st.floats(30, 66), st.floats(30, 66)),
    side=st.floats(4, 40),
    size=st.integers(4, 64),
)
def test_a_ramp_keeps_its_place_and_slope(
    slope: tuple[float, float], centre: tuple[float, float], side: float, size: int
) -> None:
    """Any kernel of even weights keeps linear functions: it tests centre and scale at once."""
    columns, rows = np.meshgrid(np.arange(96) + 0.5, np.arange(96) + 0.5)
    ramp = np.round(slope[0] * columns + slope[1] * rows).astype(np.int16)
    square = Square(centre[0], centre[1], side)
    places = (np.arange(size) + 0.5) * side / size - side / 2
    expected = slope[0] * (places + centre[0]) + slope[1] * (places + centre[1])[:, None]
    ours = resample_square(ramp, square, size, outside=0)
    assert np.abs(ours - expected).max() <= 1.0  # the ramp itself was rounded


@given(
    x=st.floats(-200, 300),
    y=st.floats(-200, 300),
    side=st.floats(1, 400),
    size=st.integers(1, 80),
)
def test_any_square_works_and_a_constant_stays_constant(
    x: float, y: float, side: float, size: int
) -> None:
    flat = np.full((96, 96), -1024, np.int16)
    ours = resample_square(flat, Square(x, y, side), size, outside=-1024)
    assert ours.shape == (size, size)
    np.testing.assert_allclose(ours, -1024, atol=1e-3)


@pytest.mark.parametrize("size", [30, 71, 120])
def test_an_enlarged_image_has_no_frame(size: int) -> None:
    flat = np.full((28, 28), 200, np.uint8)
    ours = resample_square(flat, Square(14, 14, 28), size, outside=0)
    np.testing.assert_allclose(ours, 200, atol=1e-3)


def test_enlarging_does_not_ring_beside_air() -> None:
    edge = np.where(np.arange(40) < 20, -1000, 50).astype(np.int16)[None].repeat(40, 0)
    ours = resample_square(edge, Square(20, 20, 30), 100, outside=-1024)
    assert ours.min() >= -1000.01
    assert ours.max() <= 50.01
    assert (np.diff(ours[0]) >= -0.01).all()


@given(x=st.floats(-50, 150), y=st.floats(-50, 150), scale=st.floats(0.1, 6))
def test_no_value_leaves_the_range_of_the_image(x: float, y: float, scale: float) -> None:
    ours = resample_square(HU, Square(x, y, 16 * scale), 16, outside=-1024)
    assert ours.min() >= HU.min() - 0.01
    assert ours.max() <= HU.max() + 0.01


def test_beyond_the_image_lies_the_given_value() -> None:
    ours = resample_square(np.full((10, 10), 100, np.int16), Square(0, 5, 10), 10, outside=-1024)
    np.testing.assert_array_equal(ours[:, :5], -1024)
    np.testing.assert_array_equal(ours[:, 5:], 100)
    far = resample_square(HU, Square(-500, 0, 10), 5, outside=-1024)
    np.testing.assert_array_equal(far, -1024)


def test_enlarging_is_sharper_than_linear_interpolation() -> None:
    rows, columns = np.mgrid[0:96, 0:96]
    smooth = (500 * np.sin(columns / 3) * np.cos(rows / 4)).astype(np.int16)
    small = resample_square(smooth, WHOLE, 48, outside=0).round().astype(np.int16)
    ours = resample_square(small, Square(24, 24, 48), 96, outside=0)
    linear = cv2.resize(small.astype(np.float32), (96, 96), interpolation=cv2.INTER_LINEAR)
    inner = slice(8, -8)
    assert (
        np.abs(ours - smooth)[inner, inner].mean()
        < 0.7 * np.abs(linear - smooth)[inner, inner].mean()
    )
