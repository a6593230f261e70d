"""CT windows: which HU become black and white.

Source of the named windows: D. J. Bell, A. Murphy et al., "Windowing (CT)", Radiopaedia.org, which
gives width and level: lung 1500/-600, mediastinum 350/50, abdomen (soft tissues) 400/50,
liver 150/30, bone 1800/400, brain 80/40.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

#: Lowest and highest HU: these become 0 and 255.
WindowHU = tuple[float, float]
WindowName = Literal["lung", "mediastinum", "abdomen", "soft_tissue", "liver", "bone", "brain"]


def window_of(*, width_hu: float, level_hu: float) -> WindowHU:
    """(lowest, highest) HU of a window given as radiologists do."""
    return level_hu - width_hu / 2, level_hu + width_hu / 2


WINDOWS_HU: Final[dict[WindowName, WindowHU]] = {
    "lung": window_of(width_hu=1500, level_hu=-600),
    "mediastinum": window_of(width_hu=350, level_hu=50),
    "abdomen": window_of(width_hu=400, level_hu=50),
    "soft_tissue": window_of(width_hu=400, level_hu=50),
    "liver": window_of(width_hu=150, level_hu=30),
    "bone": window_of(width_hu=1800, level_hu=400),
    "brain": window_of(width_hu=80, level_hu=40),
}

#: For images that bring no window of their own. One for all categories: choosing by category would
#: tell a classifier the answer.
DEFAULT_WINDOW: Final[WindowName] = "abdomen"


def apply_window(
    hu: NDArray[np.int16] | NDArray[np.float32], window_hu: WindowHU
) -> NDArray[np.uint8]:
    """HU of any shape → uint8: linear inside the window, saturating outside.

    255 · (hu - lowest) / (highest - lowest), rounded to nearest, halves to even. Monotonic in HU.
    """
    lowest, highest = window_hu
    if not lowest < highest:
        raise ValueError(f"a window needs lowest < highest, got {window_hu}")
    grey = (hu.astype(np.float32) - np.float32(lowest)) * np.float32(255 / (highest - lowest))
    np.clip(grey, 0, 255, out=grey)
    np.rint(grey, out=grey)
    return grey.astype(np.uint8)
