import numpy as np

from services.preprocessing.domain.phantom.noise import noise_field, scanned, streak_field


def test_noise_is_correlated_but_not_blotchy() -> None:
    """Band-pass: neighbours agree, and means over large blocks nearly vanish."""
    field = noise_field(np.random.default_rng(0), (256, 256), 0.0)
    assert abs(field.std() - 1) < 0.05
    neighbours = float((field[:, 1:] * field[:, :-1]).mean())
    assert 0.3 < neighbours < 0.95
    blocks = field.reshape(16, 16, 16, 16).mean(axis=(1, 3))
    correlated_without_ramp = (1 + 2 * neighbours) / 16
    assert blocks.std() < correlated_without_ramp


def test_sharp_kernels_give_finer_noise() -> None:
    soft, sharp = (noise_field(np.random.default_rng(1), (256, 256), s) for s in (0.0, 1.0))
    assert (soft[:, 1:] * soft[:, :-1]).mean() > (sharp[:, 1:] * sharp[:, :-1]).mean() + 0.1


def test_streaks_run_sideways() -> None:
    field = streak_field(np.random.default_rng(2), (256, 256))
    along = (field[:, 8:] * field[:, :-8]).mean()
    across = (field[8:] * field[:-8]).mean()
    assert along > 0.8
    assert abs(across) < 0.3


def test_noise_is_strongest_deep_in_the_body() -> None:
    hu = np.full((256, 256), -1000.0, np.float32)
    hu[40:216, 40:216] = 40.0
    images = [
        scanned(np.random.default_rng(seed), hu, noise_hu=12.0, sharpness=0.5) for seed in range(6)
    ]
    spread = np.std(images, axis=0)
    middle, rim = spread[110:146, 110:146].mean(), spread[48:60, 48:60].mean()
    assert 9 < middle < 17
    assert rim < 0.8 * middle
