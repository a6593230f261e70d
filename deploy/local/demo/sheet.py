"""Real training crops beside synthetic ones, a row for each category."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

CELL_PX = 88
GAP_PX = 4
#: Between the real and the synthetic half.
AISLE_PX = 28
LABEL_PX = 144
HEAD_PX = 56
INK, PAPER, DIM = "#e8e8ec", "#15161a", "#9a9ca5"


@dataclass(frozen=True)
class SheetRow:
    """One category's images, each a PNG."""

    category: str
    real: Sequence[bytes]
    synthetic: Sequence[bytes]


def draw_sheet(rows: Sequence[SheetRow], path: Path, *, phantom: bool) -> Path:
    """Draw the rows into a PNG at ``path``; ``phantom`` says that the real ones are phantoms."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only pictures need it, and it is slow

    columns = max(max(len(row.real), len(row.synthetic)) for row in rows)
    pixels = _grid(rows, columns)
    height, width = pixels.shape
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="none")
    half = _half_px(columns)
    left_title = "Training: phantom" if phantom else "Training: real"
    for left, title in (
        (LABEL_PX, left_title),
        (LABEL_PX + half + AISLE_PX, "Synthetic: WGAN-GP"),
    ):
        axes.text(left, HEAD_PX / 2, title, color=INK, size=14, weight="bold", va="center")
    for number, row in enumerate(rows):
        middle = HEAD_PX + number * (CELL_PX + GAP_PX) + CELL_PX / 2
        name = row.category.replace("_", " ")
        axes.text(16, middle, name, color=INK if row.synthetic else DIM, size=12, va="center")
    figure.savefig(path, dpi=100, facecolor=PAPER)
    return path


def _grid(rows: Sequence[SheetRow], columns: int) -> npt.NDArray[np.uint8]:
    """uint8 [H, W]: all images in their places, without words."""
    half = _half_px(columns)
    height = HEAD_PX + len(rows) * (CELL_PX + GAP_PX) + 12
    width = LABEL_PX + 2 * half + AISLE_PX + 16
    paper = int(PAPER[1:3], 16)
    grid = np.full((height, width), paper, np.uint8)
    for number, row in enumerate(rows):
        top = HEAD_PX + number * (CELL_PX + GAP_PX)
        for images, left in ((row.real, LABEL_PX), (row.synthetic, LABEL_PX + half + AISLE_PX)):
            for column, png in enumerate(images):
                x = left + column * (CELL_PX + GAP_PX)
                grid[top : top + CELL_PX, x : x + CELL_PX] = _cell(png)
    return grid


def _half_px(columns: int) -> int:
    return columns * (CELL_PX + GAP_PX) - GAP_PX


def _cell(png: bytes) -> npt.NDArray[np.uint8]:
    """uint8 [CELL_PX, CELL_PX] of a PNG; ValueError if it is none."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError("the server sent an image that is no PNG")
    method = cv2.INTER_CUBIC if image.shape[0] < CELL_PX else cv2.INTER_AREA
    resized = cv2.resize(image, (CELL_PX, CELL_PX), interpolation=method)
    return np.asarray(resized, dtype=np.uint8)
