"""What a series does to pixels."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesiongan.contracts.augmentation import Interpolation
from services.augmentation.domain.augment import augment
from services.augmentation.domain.geometry import matrix
from services.augmentation.domain.series import Series


def _image(side: int = 32, channels: int = 1) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(3)
    return random.integers(0, 256, (channels, side, side), dtype=np.uint8)


def _augmented(
    image: npt.NDArray[np.uint8], interpolation: Interpolation = "nearest", **series: float
) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(0)
    return augment(image, Series(**series), random, interpolation=interpolation)  # type: ignore[arg-type]


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_changes_nothing(interpolation: Interpolation, channels: int) -> None:
    image = _image(channels=channels)
    np.testing.assert_array_equal(_augmented(image, interpolation), image)


def test_a_flip_mirrors_left_and_right() -> None:
    image = _image()
    np.testing.assert_array_equal(_augmented(image, flip=True), image[:, :, ::-1])


def test_a_quarter_turn_is_exact() -> None:
    image = _image()
    turned = _augmented(image, rotation_degrees=90.0)
    np.testing.assert_array_equal(turned[0], np.rot90(image[0], k=-1))


def test_a_shift_moves_by_a_fraction_of_the_side() -> None:
    image = _image()
    moved = _augmented(image, shift_x=0.25)
    np.testing.assert_array_equal(moved[0, :, 8:], image[0, :, :24])


def test_contrast_saturates_and_never_wraps() -> None:
    image = np.array([[[0, 128], [129, 255]]], dtype=np.uint8)
    bright = _augmented(image, offset_grey=100.0)
    np.testing.assert_array_equal(bright, [[[100, 228], [229, 255]]])


def test_noise_has_the_sigma_it_is_given() -> None:
    flat = np.full((1, 256, 256), 128, np.uint8)
    noisy = _augmented(flat, noise_sigma_grey=6.0).astype(float)
    assert noisy.std() == pytest.approx(6.0, rel=0.03)


@given(st.floats(-15, 15), st.floats(0.87, 1.15), st.floats(-0.08, 0.08), st.floats(-8, 8))
def test_one_matrix_is_the_steps_one_after_the_other(
    angle: float, scale: float, shift: float, shear: float
) -> None:
    """Scaled last, about the middle, and moved: the order that the docstring of matrix implies."""

    def whole(step: Series) -> npt.NDArray[np.float64]:
        return np.vstack([matrix(step, 64), [0, 0, 1]])

    together = whole(
        Series(rotation_degrees=angle, scale=scale, shift_x=shift, shear_degrees=shear)
    )
    steps = (
        whole(Series(shift_x=shift))
        @ whole(Series(scale=scale))
        @ whole(Series(rotation_degrees=angle))
        @ whole(Series(shear_degrees=shear))
    )
    np.testing.assert_allclose(together, steps, atol=1e-9)


def _smooth(side: int = 96) -> npt.NDArray[np.uint8]:
    """Without texture, which each resampling takes some of away."""
    noise = np.random.default_rng(1).standard_normal((side, side))
    blurred: npt.NDArray[np.float64] = np.asarray(cv2.GaussianBlur(noise, (0, 0), 5.0))
    scaled = np.rint(127.5 + 25 * blurred / blurred.std())
    return np.asarray(np.clip(scaled, 0, 255), dtype=np.uint8)[None]


#: All that can be compared: blur and noise are one operation each as it is.
SERIES = st.builds(
    Series,
    rotation_degrees=st.floats(-15, 15),
    scale=st.floats(0.87, 1.15),
    shift_x=st.floats(-0.08, 0.08),
    shift_y=st.floats(-0.08, 0.08),
    shear_degrees=st.floats(-8, 8),
    flip=st.booleans(),
    gain=st.floats(0.87, 1.15),
    offset_grey=st.floats(-12, 12),
)


def _steps(series: Series) -> list[dict[str, float]]:
    names = (["flip"], ["shear_degrees"], ["rotation_degrees"], ["scale"], ["shift_x", "shift_y"])
    last = ["gain", "offset_grey"]
    return [{name: getattr(series, name) for name in step} for step in (*names, last)]


@pytest.mark.parametrize(("interpolation", "mean"), [("linear", 1.0), ("cubic", 0.75)])
@given(series=SERIES)
def test_the_series_at_once_is_the_series_step_by_step(
    interpolation: Interpolation, mean: float, series: Series
) -> None:
    """Within the error of five roundings and interpolations, where no edge can reach."""
    image = _smooth()
    once = augment(image, series, np.random.default_rng(0), interpolation=interpolation)
    for step in _steps(series):
        image = _augmented(image, interpolation, **step)
    middle = (0, slice(28, 68), slice(28, 68))
    apart = np.abs(once[middle].astype(int) - image[middle].astype(int))
    assert apart.mean() < mean
    assert apart.max() <= 4


@given(st.floats(0.8, 1.2), st.floats(-40, 40))
def test_contrast_is_looked_up_as_it_would_be_computed(gain: float, offset: float) -> None:
    image = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    computed = np.clip(np.rint((image - 127.5) * gain + 127.5 + offset), 0, 255)
    looked_up = _augmented(image, gain=gain, offset_grey=offset)
    before_noise = _augmented(image, gain=gain, offset_grey=offset, noise_sigma_grey=1e-6)
    np.testing.assert_array_equal(looked_up, computed)
    assert np.abs(before_noise - computed).max() <= 1  # where single precision rounds the other way


@pytest.mark.parametrize("channels", [1, 3])
def test_blur_keeps_the_mean_and_takes_texture_away(channels: int) -> None:
    image = _image(side=64, channels=channels)
    blurred = _augmented(image, blur_sigma_px=1.0)
    assert blurred.shape == image.shape
    assert blurred.mean() == pytest.approx(image.mean(), abs=1.0)
    assert blurred.std() < 0.5 * image.std()
