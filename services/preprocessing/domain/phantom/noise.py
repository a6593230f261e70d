"""What the scanner adds: its point spread, correlated noise, and faint streaks."""

import cv2
import numpy as np

from services.preprocessing.domain.phantom.canvas import AIR_HU, HuImage


def blurred(image: HuImage, sigma_px: float) -> HuImage:
    """``image`` through a Gaussian point spread."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), dtype=np.float32)


def noise_field(rng: np.random.Generator, shape: tuple[int, int], sharpness: float) -> HuImage:
    """Unit-variance noise with the band-pass spectrum of filtered back projection.

    The ramp filter takes the lowest frequencies away and the kernel's apodisation the highest, so
    noise is neither white nor blotchy (Riederer et al., "The noise power spectrum in computed
    X-ray tomography", Phys. Med. Biol. 23, 1978): here, a difference of two Gaussians.
    """
    white = rng.standard_normal(shape, dtype=np.float32)
    narrow = blurred(white, 0.95 - 0.4 * sharpness)
    half = cv2.resize(narrow, (shape[1] // 2, shape[0] // 2), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(
        cv2.GaussianBlur(half, (0, 0), 1.4), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR
    )
    field = np.asarray(narrow - np.float32(0.7) * wide, dtype=np.float32)
    return np.asarray(field / field[::4, ::4].std(), dtype=np.float32)


def streak_field(rng: np.random.Generator, shape: tuple[int, int]) -> HuImage:
    """Unit-variance lateral streaks, as where bone on both sides starves the detector."""
    lines = rng.standard_normal((shape[0], shape[1] // 8), dtype=np.float32)
    field = cv2.resize(
        cv2.blur(lines, (33, 1)), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(field / field[::4, ::4].std(), dtype=np.float32)


def noise_level(hu: HuImage, noise_hu: float) -> HuImage:
    """The local standard deviation: highest deep in the body, lowest in the air around it."""
    shape = hu.shape
    small = cv2.resize(hu, (64, 64), interpolation=cv2.INTER_AREA)
    depth = cv2.GaussianBlur((small > -700).astype(np.float32), (0, 0), 7.0)
    level = noise_hu * (0.3 + 0.8 * depth)
    return np.asarray(
        cv2.resize(level, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def scanned(
    rng: np.random.Generator,
    hu: HuImage,
    *,
    noise_hu: float,
    sharpness: float,
    streak_hu: float = 0.0,
) -> HuImage:
    """float32 ``[H, W]`` HU as the scanner would have reconstructed the painted slice."""
    image = blurred(hu, 0.85 - 0.3 * sharpness)
    level = noise_level(hu, noise_hu)
    image += noise_field(rng, (hu.shape[0], hu.shape[1]), sharpness) * level
    if streak_hu > 0:
        level *= np.float32(streak_hu / noise_hu)
        image += streak_field(rng, (hu.shape[0], hu.shape[1])) * level
    return np.asarray(np.maximum(image, AIR_HU - 24.0), dtype=np.float32)
