"""How a radiologist marks a lesion: RECIST diameters, and the box that DeepLesion draws."""

from dataclasses import dataclass

import numpy as np

from services.preprocessing.domain.phantom.canvas import SIZE_PX
from services.preprocessing.domain.phantom.contours import Contour

#: DeepLesion pads the box around the four ends of the diameters by this much.
_BOX_PADDING_PX = 5.0
_CUTS = 24


@dataclass(frozen=True, slots=True)
class Measurement:
    """In pixels: the ends of both diameters (x1, y1 … x4, y4), their lengths, and the box."""

    coordinates: tuple[float, ...]
    diameters: tuple[float, float]
    box: tuple[float, float, float, float]


def measure(outline_px: Contour) -> Measurement:
    """The longest diameter of an outline ``[N, 2]`` and the longest one perpendicular to it.

    Eisenhauer et al., "New response evaluation criteria in solid tumours: revised RECIST guideline
    (version 1.1)", Eur. J. Cancer 45, 2009.
    """
    long_axis = _longest(outline_px)
    short_axis = _longest_across(outline_px, long_axis)
    ends = np.concatenate([long_axis, short_axis])
    low = np.maximum(ends.min(0) - _BOX_PADDING_PX, 0.0)
    high = np.minimum(ends.max(0) + _BOX_PADDING_PX, SIZE_PX - 1.0)
    lengths = (float(np.linalg.norm(axis[1] - axis[0])) for axis in (long_axis, short_axis))
    return Measurement(
        coordinates=tuple(float(value) for value in ends.ravel()),
        diameters=(next(lengths), next(lengths)),
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
    )


def _longest(outline: Contour) -> Contour:
    apart = np.linalg.norm(outline[:, None] - outline[None], axis=2)
    first, second = np.unravel_index(int(apart.argmax()), apart.shape)
    return outline[[first, second]]


def _longest_across(outline: Contour, long_axis: Contour) -> Contour:
    """The longest chord at right angles to ``long_axis``, found on a fan of cuts."""
    along = long_axis[1] - long_axis[0]
    along = along / (np.linalg.norm(along) + 1e-9)
    across = np.array([-along[1], along[0]])
    s, t = (outline - long_axis[0]) @ along, (outline - long_axis[0]) @ across
    best = (0.0, 0.0, 0.0)
    for cut in np.linspace(s.min(), s.max(), _CUTS + 2)[1:-1]:
        crossings = _crossings(s - cut, t)
        if crossings.size >= 2 and np.ptp(crossings) > best[2] - best[1]:
            best = (float(cut), float(crossings.min()), float(crossings.max()))
    cut, low, high = best
    return np.stack([long_axis[0] + along * cut + across * value for value in (low, high)])


def _crossings(s: Contour, t: Contour) -> Contour:
    after_s, after_t = np.roll(s, -1), np.roll(t, -1)
    crosses = (s < 0) != (after_s < 0)
    share = s[crosses] / (s[crosses] - after_s[crosses])
    return np.asarray(t[crosses] + share * (after_t[crosses] - t[crosses]))
