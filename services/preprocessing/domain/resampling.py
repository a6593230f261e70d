"""Cutting a square out of an image onto a pixel grid, in one resampling.

Shrinking: an output pixel is the mean of what it covers (area averaging, exact at any position).
Enlarging: Keys' cubic convolution, limited to the two pixels it lies between, because cubic kernels
overshoot: beside lung they would lift soft tissue by some 70 HU. Slices of DeepLesion reduced by
1.43 and enlarged again come back with a root mean square error of 10.2 grey levels in their
window; 9.9 without the limit, 14.0 with linear interpolation. So no value ever leaves the range of
the tissue it came from.

Rows first, then columns. Sums run over the few pixels that a kernel touches, one tap at a time:
cheaper than dense matrices, and, unlike a BLAS product, the same bits on every machine.

Source: Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP
29(6), 1981, equation 15.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.floating[Any]]
Pixel = TypeVar("Pixel", np.uint8, np.uint16, np.int16)


@dataclass(frozen=True, slots=True)
class Square:
    """A square on an image, in pixels; pixel (0, 0) covers [0, 1) x [0, 1)."""

    centre_x: float
    centre_y: float
    side: float


@dataclass(frozen=True, slots=True)
class _Taps:
    """For each output pixel the input pixels it is made of, and their weights: ``[T, size]``."""

    pixels: NDArray[np.intp]  # may lie beyond the image
    weights: NDArray[np.float32]
    limited: bool  # to the range of the two middle taps

    def touched(self, length: int) -> slice:
        """The part of the image that is needed."""
        first, last = int(self.pixels.min()), int(self.pixels.max()) + 1
        return slice(min(max(first, 0), length), min(max(last, 0), length))

    def sum_lines(self, lines: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        """``lines [L + 1, M]`` from pixel ``first``; the last stands for all beyond → [size, M]."""
        beyond = len(lines) - 1
        indices = self.pixels - first
        indices[(indices < 0) | (indices > beyond)] = beyond
        total: NDArray[np.float32] = lines.take(indices[0], 0)
        total *= self.weights[0][:, None]
        for index, weight in zip(indices[1:], self.weights[1:], strict=True):
            line = lines.take(index, 0)
            line *= weight[:, None]
            total += line
        if self.limited:
            before, after = lines.take(indices[1], 0), lines.take(indices[2], 0)
            np.clip(total, np.minimum(before, after), np.maximum(before, after), out=total)
        return total


def resample_square(
    image: NDArray[Pixel],
    square: Square,
    size: int,
    *,
    outside: float,
    decode: Callable[[NDArray[Pixel]], NDArray[Any]] | None = None,
) -> NDArray[np.float32]:
    """``image [H, W]`` → float32 ``[size, size]``; beyond the image lies ``outside``.

    ``decode`` says what pixels mean, where they are not the values themselves. It is asked of the
    part that is needed, which of a slice is a twentieth.
    """
    rows = _taps(square.centre_y, square.side, size, image.shape[0])
    columns = _taps(square.centre_x, square.side, size, image.shape[1])
    down, across = rows.touched(image.shape[0]), columns.touched(image.shape[1])
    part = image[down, across]
    needed = part if decode is None else decode(part)
    framed = np.full((needed.shape[0] + 1, needed.shape[1] + 1), outside, np.float32)
    framed[:-1, :-1] = needed
    narrowed = rows.sum_lines(framed, down.start)  # [size, touched columns + 1]
    resampled = columns.sum_lines(np.ascontiguousarray(narrowed.T), across.start)
    return np.ascontiguousarray(resampled.T)


def _taps(centre: float, side: float, size: int, length: int) -> _Taps:
    step = side / size
    middles = centre - side / 2 + (np.arange(size, dtype=np.float64) + 0.5) * step
    pixels, weights = _area(middles, step) if step >= 1 else _cubic(middles, length)
    return _Taps(pixels.astype(np.intp), weights.astype(np.float32), limited=step < 1)


def _area(middles: Reals, step: float) -> tuple[Reals, Reals]:
    """Shares of a box ``step`` pixels wide around each middle."""
    lefts = middles - step / 2
    offsets = np.arange(int(np.ceil(step)) + 1, dtype=np.float64)
    pixels = np.floor(lefts) + offsets[:, None]
    overlap = np.minimum(lefts + step, pixels + 1) - np.maximum(lefts, pixels)
    return pixels, np.maximum(overlap, 0.0) / step


def _cubic(middles: Reals, length: int) -> tuple[Reals, Reals]:
    """Keys' kernel (a = -1/2) over the four pixels nearest to each middle.

    Inside the image the outermost pixel stands for those beyond it: an enlarged slice has no frame.
    """
    offsets = np.arange(-1, 3, dtype=np.float64)
    pixels = np.floor(middles - 0.5) + offsets[:, None]
    distance = np.abs(middles - 0.5 - pixels)
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
    inside = (middles >= 0) & (middles < length)
    return np.where(inside, np.clip(pixels, 0, length - 1), -1.0), weights
