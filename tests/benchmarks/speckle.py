"""How speckled images are, and how many samples are more so than real images of their category."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

#: Side of the window that is looked at, in pixels: speckle comes in patches.
WINDOW_PX = 8
#: The share of real images that a limit lets through.
REAL_SHARE = 0.99


def speckle(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of [n, 1, S, S], how far pixels stand off their neighbourhood where they do so most: [n].

    The greatest mean of ``|x - median|`` over a window, in grey levels; the median is that of 3x3
    pixels. Edges and flat tissue hardly differ from their median; single bright or dark pixels do.
    """
    grey = images[:, 0].astype(np.float64)
    median = ndimage.median_filter(grey, size=(1, 3, 3), mode="reflect")
    off = np.abs(grey - median)
    windows = np.lib.stride_tricks.sliding_window_view(off, (WINDOW_PX, WINDOW_PX), axis=(1, 2))
    found: NDArray[np.float64] = windows.mean(axis=(3, 4)).max(axis=(1, 2))
    return found


def speckle_limits(real: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The ``speckle`` within which all but a hundredth of a category's real images stay: [K]."""
    values = speckle(real)
    return np.array([np.quantile(values[labels == k], REAL_SHARE) for k in np.unique(labels)])


def speckled(
    images: NDArray[np.uint8], labels: NDArray[np.int64], limits: NDArray[np.float64]
) -> float:
    """The share of the images that are beyond the limit of their category."""
    return float((speckle(images) > limits[labels]).mean())
