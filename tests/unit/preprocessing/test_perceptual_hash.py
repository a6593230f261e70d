"""What looks alike has nearly the same hash, and what does not has not."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preprocessing.domain.perceptual_hash import perceptual_hash
from shared.datasets.duplicates import NEAR_BITS


def picture(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Smooth, as anatomy is."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (8, 8), np.uint8)
    return np.asarray(cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC), np.uint8)


def distance(a: int, b: int) -> int:
    return ((a ^ b) & (2**64 - 1)).bit_count()


@given(st.integers(0, 10_000))
def test_it_is_64_bits_signed(seed: int) -> None:
    assert -(2**63) <= perceptual_hash(picture(seed)) < 2**63


@pytest.mark.parametrize("seed", range(20))
def test_noise_and_brightness_change_little(seed: int) -> None:
    image = picture(seed)
    noise = np.random.default_rng(seed).normal(0, 1, image.shape)
    changed = np.clip(image * 0.9 + 8 + noise, 0, 255).astype(np.uint8)
    assert distance(perceptual_hash(image), perceptual_hash(changed)) <= 2 * NEAR_BITS


def test_other_pictures_are_far_away() -> None:
    hashes = [perceptual_hash(picture(seed)) for seed in range(40)]
    nearest = min(distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i])
    assert nearest > NEAR_BITS


def test_of_three_channels_the_middle_counts() -> None:
    stack = np.stack([picture(1), picture(2), picture(3)])
    assert perceptual_hash(stack) == perceptual_hash(picture(2))
