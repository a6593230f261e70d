"""A contact sheet: many images in one picture."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

CELL_PX = 96
GAP_PX = 4


def contact_sheet(
    images: Sequence[npt.NDArray[np.uint8]], *, columns: int | None = None, cell_px: int = CELL_PX
) -> bytes:
    """A PNG that shows ``images`` in rows, each enlarged or shrunk to ``cell_px``.

    Args:
        images: uint8 [C, H, W] each, C = 1 or 3.
        columns: images in a row; the default makes the sheet about square.
        cell_px: side of a cell in pixels.
    """
    columns = columns or max(1, math.ceil(math.sqrt(len(images))))
    rows = max(1, math.ceil(len(images) / columns))
    step = cell_px + GAP_PX
    sheet = np.full((rows * step + GAP_PX, columns * step + GAP_PX, 3), 24, np.uint8)
    for place, image in enumerate(images):
        top = GAP_PX + place // columns * step
        left = GAP_PX + place % columns * step
        sheet[top : top + cell_px, left : left + cell_px] = _cell(image, cell_px)
    return encode_png(sheet)


def encode_png(image: npt.NDArray[Any], *, compression: int = 3) -> bytes:
    """A PNG of [H, W] or [H, W, 3] (BGR) values, 8 or 16 bits each; no metadata."""
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, compression])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be a PNG")
    return data.tobytes()


def encode_image(image: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of uint8 [C, H, W], C = 1 or 3 (RGB): the inverse of ``reading.decode_uint8``."""
    channels_last = image.transpose(1, 2, 0)[..., ::-1]
    return encode_png(np.ascontiguousarray(channels_last), compression=1)


def _cell(image: npt.NDArray[np.uint8], cell_px: int) -> npt.NDArray[np.uint8]:
    channels_last = np.ascontiguousarray(image.transpose(1, 2, 0)[..., ::-1])
    larger = channels_last.shape[0] < cell_px
    method = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    resized: Any = cv2.resize(channels_last, (cell_px, cell_px), interpolation=method)
    if resized.ndim == 2:
        resized = cv2.cvtColor(resized, cv2.COLOR_GRAY2BGR)
    return np.asarray(resized, dtype=np.uint8)
