"""Stored values to HU: exact for every cell, whatever the header says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.preprocessing.domain.dicom.frames import Rescale
from services.preprocessing.domain.dicom.pixel_format import PixelFormat
from services.preprocessing.domain.dicom.rescale import grey_table, hounsfield_table, look_up
from services.preprocessing.domain.hounsfield import AIR_HU, decode_hu
from tests.unit.preprocessing.dicom.builders import ct, hu, image, written

CELLS = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)


def pixel_format(
    stored: int = 16,
    *,
    high: int | None = None,
    allocated: int = 16,
    is_signed: bool = False,
    padding: tuple[int, int] | None = None,
) -> PixelFormat:
    return PixelFormat(
        rows=256,
        columns=256,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high is None else high,
        is_signed=is_signed,
        padding=padding,
    )


def to_hu(form: PixelFormat, slope: float, intercept: float) -> NDArray[np.int16]:
    return decode_hu(hounsfield_table(form, Rescale(slope, intercept, None)))


def by_hand(cell: int, form: PixelFormat, slope: float, intercept: float) -> int:
    """PS3.5 8.1.1 and PS3.3 C.11.1, one value at a time."""
    bits = f"{cell:016b}"[15 - form.high_bit : 16 - form.high_bit + form.bits_stored - 1]
    value = int(bits, 2)
    if form.is_signed and bits[0] == "1":
        value -= 1 << form.bits_stored
    if form.padding is not None and form.padding[0] <= value <= form.padding[1]:
        return AIR_HU
    return max(-32768, min(32767, round(value * slope + intercept)))


@given(
    data=st.data(),
    stored=st.integers(1, 16),
    is_signed=st.booleans(),
    slope=st.floats(-100, 100).filter(lambda slope: slope != 0),
    intercept=st.floats(-40_000, 40_000),
)
def test_every_value_is_what_the_standard_says(
    data: st.DataObject, stored: int, is_signed: bool, slope: float, intercept: float
) -> None:
    high = data.draw(st.integers(stored - 1, 15))
    ends = data.draw(st.none() | st.tuples(*[st.integers(-40_000, 70_000)] * 2))
    padding = None if ends is None else (min(ends), max(ends))
    form = pixel_format(stored, high=high, is_signed=is_signed, padding=padding)
    table = to_hu(form, slope, intercept)
    for cell in data.draw(st.lists(st.integers(0, 65_535), min_size=20, max_size=20)):
        assert table[cell] == by_hand(cell, form, slope, intercept)


@given(st.integers(-2000, 2000), st.booleans())
def test_whole_hu_are_exact(intercept: int, is_signed: bool) -> None:
    table = to_hu(pixel_format(is_signed=is_signed), 1, intercept).astype(int)
    stored = CELLS.ravel().astype(np.int16 if is_signed else np.uint16).astype(int)
    inside = np.abs(stored + intercept) < 32_768
    assert np.array_equal(table[inside], (stored + intercept)[inside])
    assert table.min() >= -32_768
    assert table.max() <= 32_767


@pytest.mark.parametrize("slope", [1e300, -1e300, 1e-300, 1.7e308])
def test_absurd_slopes_end_at_the_ends(slope: float) -> None:
    table = to_hu(pixel_format(is_signed=True), slope, 1.7e308 if slope > 1 else 0.0)
    assert set(np.unique(table)) <= {-32_768, 0, 32_767}


def test_unused_bits_do_not_count() -> None:
    """Overlays once lay in the high bits."""
    form = pixel_format(12, is_signed=True)
    assert to_hu(form, 1, 0)[0xF7FF] == 2047
    assert to_hu(form, 1, 0)[0x0800] == -2048
    shifted = pixel_format(12, high=15)
    assert to_hu(shifted, 1, -1024)[0x400F] == 0


def test_grey_levels_are_inverted_within_their_bits() -> None:
    form = pixel_format(6, allocated=8)
    assert grey_table(form, is_inverted=False)[63] == 63
    assert grey_table(form, is_inverted=True)[63] == 0
    assert grey_table(form, is_inverted=True)[0] == 63
    padded = pixel_format(8, allocated=8, padding=(255, 255))
    assert grey_table(padded, is_inverted=False)[255] == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 70_000), (2048, 2048), (1, 3_000_000)])
def test_strips_of_any_shape_are_looked_up(shape: tuple[int, int]) -> None:
    cells = np.arange(np.prod(shape), dtype=np.uint64).astype(np.uint16).reshape(shape)
    table = np.arange(1 << 16, dtype=np.uint16) ^ np.uint16(0x5555)
    assert np.array_equal(look_up(table, cells), cells ^ np.uint16(0x5555))


def test_padding_is_air_however_its_sign_is_written() -> None:
    stored = np.array([[-2000, 0, 100, 2000]], np.int16)
    for value in (-2000, 63_536):
        dataset = ct(stored)
        dataset.add_new(0x0028_0120, "SS" if value < 0 else "US", value)
        assert hu(image([written(dataset)])).tolist() == [[AIR_HU, -1024, -924, 976]]
    limited = ct(stored)
    limited.add_new(0x0028_0120, "SS", 0)
    limited.add_new(0x0028_0121, "SS", -2000)
    assert hu(image([written(limited)])).tolist() == [[AIR_HU, AIR_HU, -924, 976]]


@given(st.sampled_from(["<i2", "<u2", "u1", "i1"]), st.integers(-1024, -1), st.integers(0, 9))
def test_a_file_of_any_sign_and_size_comes_out_as_numpy_has_it(
    kind: str, intercept: int, seed: int
) -> None:
    limits = np.iinfo(np.dtype(kind))
    stored = np.random.default_rng(seed).integers(
        limits.min, limits.max, (5, 7), endpoint=True, dtype=np.dtype(kind)
    )
    stored[0, 0] = limits.max
    found = hu(image([written(ct(stored, RescaleIntercept=intercept, RescaleSlope=2))]))
    expected = np.clip(stored.astype(int) * 2 + intercept, -32_768, 32_767)
    assert np.array_equal(found, expected)
