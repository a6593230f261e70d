"""From stored values to the picture that a network sees."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.preprocessing.domain.contrast import Contrast, apply_contrast
from services.preprocessing.domain.hounsfield import decode_hu, encode_hu
from services.preprocessing.domain.pipeline import (
    PreprocessOptions,
    SliceMetadata,
    choose_crop,
    preprocess_slice,
    preprocess_stack,
    rows_needed,
)
from services.preprocessing.domain.windowing import apply_window
from tests.unit.preprocessing.builders import grey_noise

CONTRASTS: tuple[Contrast, ...] = ("window", "gray_bands", "clahe", "lesiongan")
CENTRE = (100.0, 60.0)


def disc_slice(radius_px: float = 10) -> NDArray[np.uint16]:
    """A bright disc (150 HU) in soft tissue (50 HU), in air: 160 x 200 pixels."""
    rows, columns = np.mgrid[0:160, 0:200] + 0.5
    hu = np.full((160, 200), -1000, np.int16)
    hu[np.hypot(rows - 80, columns - 100) < 70] = 50
    hu[np.hypot(rows - CENTRE[1], columns - CENTRE[0]) < radius_px] = 150
    return encode_hu(hu)


def lesion(radius_px: float = 10, spacing_mm: float = 0.8) -> SliceMetadata:
    x, y = CENTRE
    return SliceMetadata(
        spacing_mm=spacing_mm,
        box_px=(x - radius_px, y - radius_px, x + radius_px, y + radius_px),
        window_hu=(-175, 275),
    )


@pytest.mark.parametrize("spacing_mm", [0.4, 0.8, 1.0])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_lesion_lies_in_the_centre_at_its_true_size(spacing_mm: float, size: int) -> None:
    done = preprocess_slice(
        disc_slice(), lesion(spacing_mm=spacing_mm), PreprocessOptions(size=size)
    )
    assert done.image.shape == (size, size)
    assert done.spacing_mm == pytest.approx(64 / size)
    bright = np.argwhere(done.image > 155)  # above 100 HU: halfway
    np.testing.assert_allclose(bright.mean(0), (size - 1) / 2, atol=0.6)
    area_mm2 = len(bright) * (64 / size) ** 2
    assert area_mm2 == pytest.approx(np.pi * (10 * spacing_mm) ** 2, rel=0.15)


def test_the_box_is_given_on_the_crop() -> None:
    done = preprocess_slice(disc_slice(), lesion(), PreprocessOptions(size=64))
    assert done.box_px == pytest.approx((24, 24, 40, 40))
    assert done.crop == "lesion"
    assert not choose_crop(disc_slice().shape, lesion(), PreprocessOptions(size=64))[0].grown
    assert done.window_hu == (-175.0, 275.0)


def test_a_finer_slice_gives_the_same_crop() -> None:
    """As of DeepLesion's 768 pixels: more pixels of the same patient, not a larger patient."""
    coarse = preprocess_slice(disc_slice(), lesion(), PreprocessOptions(size=64))
    double = np.kron(disc_slice(), np.ones((2, 2), np.uint16))
    x1, y1, x2, y2 = (2 * side for side in lesion().box_px or ())
    metadata = SliceMetadata(spacing_mm=0.4, box_px=(x1, y1, x2, y2), window_hu=(-175, 275))
    fine = preprocess_slice(double, metadata, PreprocessOptions(size=64))
    assert fine.spacing_mm == coarse.spacing_mm
    assert fine.box_px == pytest.approx(coarse.box_px)
    assert np.abs(fine.image.astype(int) - coarse.image.astype(int)).mean() < 1


def test_a_large_lesion_grows_the_field() -> None:
    done = preprocess_slice(disc_slice(40), lesion(40), PreprocessOptions(size=64))
    assert choose_crop(disc_slice().shape, lesion(40), PreprocessOptions(size=64))[0].grown
    assert done.spacing_mm == pytest.approx((64 + 20) / 64)


@pytest.mark.parametrize(
    "metadata", [SliceMetadata(spacing_mm=0.8), SliceMetadata(box_px=(1, 1, 9, 9))]
)
def test_without_box_or_spacing_the_slice_is_taken(metadata: SliceMetadata) -> None:
    done = preprocess_slice(disc_slice(), metadata, PreprocessOptions(size=50))
    whole = preprocess_slice(disc_slice(), metadata, PreprocessOptions(size=50, crop="slice"))
    assert (done.crop, whole.crop) == ("slice", "slice")
    np.testing.assert_array_equal(done.image, whole.image)
    assert (done.image[:5] == 0).all()  # 160 rows in a square of 200: air above and below


def test_windows_are_chosen_by_name_then_image_then_default() -> None:
    options = PreprocessOptions(crop="slice", size=200)
    padded = np.full((200, 200), -1024, np.int16)
    padded[20:180] = decode_hu(disc_slice())
    for metadata, chosen, expected in (
        (lesion(), options, (-175.0, 275.0)),
        (SliceMetadata(), options, (-150.0, 250.0)),
        (lesion(), PreprocessOptions(crop="slice", size=200, window="lung"), (-1350.0, 150.0)),
    ):
        done = preprocess_slice(disc_slice(), metadata, chosen)
        assert done.window_hu == expected
        np.testing.assert_array_equal(done.image, apply_window(padded, expected))


@pytest.mark.parametrize("contrast", ["gray_bands", "lesiongan"])
def test_methods_without_a_window_report_none(contrast: Contrast) -> None:
    done = preprocess_slice(disc_slice(), lesion(), PreprocessOptions(contrast=contrast))
    assert done.window_hu is None


@pytest.mark.parametrize("contrast", ["clahe", "lesiongan"])
def test_other_methods_see_the_slice_before_it_is_resampled(contrast: Contrast) -> None:
    square = disc_slice()[:, 20:180]
    options = PreprocessOptions(contrast=contrast, crop="slice", size=80)
    done = preprocess_slice(square, SliceMetadata(), options)
    first = apply_contrast(decode_hu(square), contrast, (-150, 250))
    expected = cv2.resize(first.astype(np.float32), (80, 80), interpolation=cv2.INTER_AREA)
    assert np.abs(done.image - expected).max() <= 0.51


@pytest.mark.parametrize("contrast", ["window", "gray_bands", "lesiongan"])
def test_eight_bits_of_the_wanted_size_pass_unchanged(contrast: Contrast) -> None:
    grey = grey_noise(size=28)
    done = preprocess_slice(grey, SliceMetadata(), PreprocessOptions(contrast=contrast, size=28))
    np.testing.assert_array_equal(done.image, grey)
    assert (done.window_hu, done.spacing_mm) == (None, None)


def test_enlarged_eight_bits_neither_overshoot_nor_wrap() -> None:
    checks = np.kron(np.indices((7, 7)).sum(0) % 2, np.ones((4, 4))).astype(np.uint8) * 255
    done = preprocess_slice(checks, SliceMetadata(), PreprocessOptions(size=112))
    fields = done.image.reshape(7, 16, 7, 16)[:, 4:12, :, 4:12]
    for row, column in np.ndindex(7, 7):
        assert (fields[row, :, column] == 255 * ((row + column) % 2)).all()


@given(
    contrast=st.sampled_from(CONTRASTS),
    corner=st.tuples(st.floats(0, 199), st.floats(0, 159)),
    extent=st.tuples(st.floats(0.01, 200), st.floats(0.01, 160)),
    spacing_mm=st.floats(0.1, 2),
    size=st.sampled_from([16, 64, 100]),
    bits=st.sampled_from([8, 16]),
)
def test_no_box_inside_an_image_fails(
    contrast: Contrast,
    corner: tuple[float, float],
    extent: tuple[float, float],
    spacing_mm: float,
    size: int,
    bits: int,
) -> None:
    values = disc_slice() if bits == 16 else np.full((160, 200), 77, np.uint8)
    x2, y2 = min(corner[0] + extent[0], 200), min(corner[1] + extent[1], 160)
    metadata = SliceMetadata(spacing_mm=spacing_mm, box_px=(*corner, x2, y2))
    done = preprocess_slice(values, metadata, PreprocessOptions(contrast=contrast, size=size))
    assert done.image.shape == (size, size)
    assert done.image.dtype == np.uint8
    assert done.image.flags.c_contiguous


def test_a_stack_is_cut_and_shaded_as_its_middle_slice_is() -> None:
    slices = [disc_slice(radius_px) for radius_px in (4, 10, 16)]
    options = PreprocessOptions(size=64)
    stack = preprocess_stack(slices, lesion(), options)
    assert stack.image.shape == (3, 64, 64)
    for channel, values in zip(stack.image, slices, strict=True):
        np.testing.assert_array_equal(channel, preprocess_slice(values, lesion(), options).image)
    own = preprocess_slice(slices[1], lesion(), options)
    assert (stack.box_px, stack.spacing_mm, stack.window_hu) == (
        own.box_px,
        own.spacing_mm,
        own.window_hu,
    )


def test_a_slice_alone_has_no_channels() -> None:
    alone = preprocess_stack([disc_slice()], lesion(), PreprocessOptions(size=32))
    assert alone.image.shape == (32, 32)


@given(
    x=st.floats(-30, 230),
    y=st.floats(-30, 190),
    half=st.floats(0.5, 60),
    spacing_mm=st.floats(0.18, 2),
    size=st.sampled_from([16, 32, 64, 128]),
    contrast=st.sampled_from(CONTRASTS),
    bits=st.sampled_from([8, 16]),
)
def test_the_rows_that_are_needed_make_the_same_picture(
    x: float,
    y: float,
    half: float,
    spacing_mm: float,
    size: int,
    contrast: Contrast,
    bits: int,
) -> None:
    values: NDArray[np.uint8] | NDArray[np.uint16] = disc_slice() + grey_noise(size=200)[:160]
    if bits == 8:
        values = (values >> 8).astype(np.uint8)
    box_px = (x - half, y - half, x + half, y + half)
    about = SliceMetadata(spacing_mm=spacing_mm, box_px=box_px, window_hu=(-175, 275))
    options = PreprocessOptions(contrast=contrast, size=size)
    rows = rows_needed((160, 200), about, options)
    whole = preprocess_slice(values, about, options)
    top = preprocess_slice(values[:rows], about, options)
    np.testing.assert_array_equal(top.image, whole.image)
    assert (top.spacing_mm, top.box_px, top.crop) == (whole.spacing_mm, whole.box_px, whole.crop)


def test_a_lesion_at_the_top_needs_few_rows_and_a_whole_slice_all() -> None:
    options = PreprocessOptions(size=64)
    high = SliceMetadata(spacing_mm=1, box_px=(90, 20, 110, 40))
    assert rows_needed((160, 200), high, options) == 64
    assert rows_needed((160, 200), SliceMetadata(), options) == 160
