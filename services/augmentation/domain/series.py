"""The random series of one copy of one image, as numbers.

Each depends on (seed, index of the image, number of the copy) alone, through a counter-based
generator (Philox; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): any copy
can be made again, alone and in any order.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from lesiongan.contracts.augmentation import OPERATIONS, USUAL_ROTATION, Operation

#: How often each operation happens: a copy that goes through all of them is no lesion any more.
PROBABILITY = 0.5
#: How far each operation goes, either way; rotation where nothing else is asked.
MAX_ROTATION_DEGREES = USUAL_ROTATION
MAX_SCALE = 1.15
MAX_SHIFT = 0.08
MAX_SHEAR_DEGREES = 8.0
MAX_TRIM = 0.12
MAX_GAIN = 1.15
MAX_OFFSET_GREY = 12.0
MAX_BLUR_SIGMA_PX = 0.6
MAX_NOISE_SIGMA_GREY = 6.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """What happens to one copy; the defaults change nothing.

    ``shift_x`` and ``shift_y`` are fractions of the side. ``trim`` is the fraction of the side that
    is cut off around the image before the rest is enlarged. Sigmas are in pixels and grey levels.
    """

    rotation_degrees: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    shear_degrees: float = 0.0
    trim: float = 0.0
    flip: bool = False
    gain: float = 1.0
    offset_grey: float = 0.0
    blur_sigma_px: float = 0.0
    noise_sigma_grey: float = 0.0


def generator(seed: int, index: int, copy: int) -> np.random.Generator:
    """The random numbers of one copy; two copies share none."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, index, copy]))


def draw_series(
    random: np.random.Generator,
    operations: Collection[Operation],
    *,
    rotation_degrees: float = MAX_ROTATION_DEGREES,
) -> Series:
    """A series in which each of ``operations`` happens half of the time, evenly up to its bound.

    All numbers are drawn whatever the operations are, so that leaving one out changes no other.
    """
    drawn = random.random(len(OPERATIONS) + 10).tolist()
    happens = {o for o, chance in zip(OPERATIONS, drawn, strict=False) if chance < PROBABILITY}
    chosen = happens.intersection(operations)
    (angle, log_scale, x, y, shear, trim, gain, offset, blur, noise) = (
        2 * number - 1 for number in drawn[len(OPERATIONS) :]
    )
    return Series(
        rotation_degrees=rotation_degrees * angle if "rotate" in chosen else 0.0,
        scale=float(MAX_SCALE**log_scale) if "scale" in chosen else 1.0,
        shift_x=MAX_SHIFT * x if "shift" in chosen else 0.0,
        shift_y=MAX_SHIFT * y if "shift" in chosen else 0.0,
        shear_degrees=MAX_SHEAR_DEGREES * shear if "shear" in chosen else 0.0,
        trim=MAX_TRIM * abs(trim) if "trim" in chosen else 0.0,
        flip="flip" in chosen,
        gain=float(MAX_GAIN**gain) if "contrast" in chosen else 1.0,
        offset_grey=MAX_OFFSET_GREY * offset if "contrast" in chosen else 0.0,
        blur_sigma_px=MAX_BLUR_SIGMA_PX * abs(blur) if "blur" in chosen else 0.0,
        noise_sigma_grey=MAX_NOISE_SIGMA_GREY * abs(noise) if "noise" in chosen else 0.0,
    )
