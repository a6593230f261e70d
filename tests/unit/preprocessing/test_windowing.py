"""Windows: monotonic, saturating, exact at the ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preprocessing.domain.windowing import (
    DEFAULT_WINDOW,
    WINDOWS_HU,
    WindowName,
    apply_window,
)

ALL_HU = np.arange(-32768, 32768, dtype=np.int16)
windows = st.tuples(st.integers(-3000, 3000), st.integers(1, 4000)).map(
    lambda pair: (float(pair[0]), float(pair[0] + pair[1]))
)


@given(windows)
def test_monotonic_and_saturating(window_hu: tuple[float, float]) -> None:
    grey = apply_window(ALL_HU, window_hu).astype(int)
    assert (np.diff(grey) >= 0).all()
    assert (grey[window_hu[0] >= ALL_HU] == 0).all()
    assert (grey[window_hu[1] <= ALL_HU] == 255).all()


@given(windows)
def test_nearest_shade_of_the_exact_line(window_hu: tuple[float, float]) -> None:
    lowest, highest = window_hu
    exact = np.clip((ALL_HU.astype(np.float64) - lowest) / (highest - lowest), 0, 1) * 255
    assert np.abs(apply_window(ALL_HU, window_hu) - exact).max() <= 0.5 + 1e-3


@given(windows, st.integers(-1000, 1000))
def test_only_the_distance_to_the_window_counts(
    window_hu: tuple[float, float], shift_hu: int
) -> None:
    hu = np.arange(-8000, 8000, 7, dtype=np.int16)
    moved = (window_hu[0] + shift_hu, window_hu[1] + shift_hu)
    np.testing.assert_array_equal(
        apply_window(hu, window_hu), apply_window((hu + shift_hu).astype(np.int16), moved)
    )


def test_deeplesions_usual_window() -> None:
    hu = np.array([[-1024, -175, 50, 275, 3000]], np.int16)
    assert apply_window(hu, (-175, 275)).tolist() == [[0, 0, 128, 255, 255]]


@pytest.mark.parametrize(
    ("name", "window_hu"),
    [
        ("lung", (-1350, 150)),
        ("mediastinum", (-125, 225)),
        ("abdomen", (-150, 250)),
        ("soft_tissue", (-150, 250)),
        ("liver", (-45, 105)),
        ("bone", (-500, 1300)),
        ("brain", (0, 80)),
    ],
)
def test_named_windows(name: WindowName, window_hu: tuple[float, float]) -> None:
    assert WINDOWS_HU[name] == window_hu


def test_the_default_is_one_of_them() -> None:
    assert DEFAULT_WINDOW in WINDOWS_HU


def test_an_empty_window_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="lowest < highest"):
        apply_window(ALL_HU, (50, 50))
