"""A series depends on (seed, image, copy) alone, and stays within its bounds."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lesiongan.contracts.augmentation import OPERATIONS, Operation
from services.augmentation.domain import series as bounds
from services.augmentation.domain.series import Series, draw_series, generator

SEEDS = st.integers(0, 2**63 - 1)
PLACES = st.integers(0, 10**6)


@given(SEEDS, PLACES, st.integers(1, 100))
def test_it_stays_within_its_bounds(seed: int, index: int, copy: int) -> None:
    drawn = draw_series(generator(seed, index, copy), OPERATIONS)
    assert abs(drawn.rotation_degrees) <= bounds.MAX_ROTATION_DEGREES
    assert 1 / bounds.MAX_SCALE <= drawn.scale <= bounds.MAX_SCALE
    assert max(abs(drawn.shift_x), abs(drawn.shift_y)) <= bounds.MAX_SHIFT
    assert abs(drawn.shear_degrees) <= bounds.MAX_SHEAR_DEGREES
    assert 0 <= drawn.trim <= bounds.MAX_TRIM
    assert 1 / bounds.MAX_GAIN <= drawn.gain <= bounds.MAX_GAIN
    assert 0 <= drawn.blur_sigma_px <= bounds.MAX_BLUR_SIGMA_PX
    assert 0 <= drawn.noise_sigma_grey <= bounds.MAX_NOISE_SIGMA_GREY


@given(SEEDS, PLACES)
def test_rotation_goes_as_far_as_asked_and_nothing_else_changes(seed: int, index: int) -> None:
    usual = draw_series(generator(seed, index, 1), OPERATIONS)
    wider = draw_series(generator(seed, index, 1), OPERATIONS, rotation_degrees=30.0)
    assert wider == replace(usual, rotation_degrees=2 * usual.rotation_degrees)


@given(SEEDS, PLACES)
def test_the_same_copy_again(seed: int, index: int) -> None:
    first = draw_series(generator(seed, index, 1), OPERATIONS)
    assert draw_series(generator(seed, index, 1), OPERATIONS) == first
    assert draw_series(generator(seed, index, 2), OPERATIONS) != first
    assert draw_series(generator(seed, index + 1, 1), OPERATIONS) != first


def test_without_operations_nothing_changes() -> None:
    assert draw_series(generator(0, 0, 1), ()) == Series()


@given(st.sampled_from(OPERATIONS))
def test_leaving_one_out_changes_no_other(left_out: Operation) -> None:
    every = draw_series(generator(5, 6, 7), OPERATIONS)
    fewer = draw_series(generator(5, 6, 7), [o for o in OPERATIONS if o != left_out])
    changed = {name for name in vars(every) if getattr(every, name) != getattr(fewer, name)}
    allowed = {
        "rotate": {"rotation_degrees"},
        "scale": {"scale"},
        "shift": {"shift_x", "shift_y"},
        "shear": {"shear_degrees"},
        "trim": {"trim"},
        "flip": {"flip"},
        "contrast": {"gain", "offset_grey"},
        "blur": {"blur_sigma_px"},
        "noise": {"noise_sigma_grey"},
    }[left_out]
    assert changed <= allowed
