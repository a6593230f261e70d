"""Contact sheets: each image in its cell, HU in its window."""

import io
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from shared.datasets.contact_sheet import (
    CELL_PX,
    GAP_PX,
    HU_OFFSET,
    contact_sheet,
    for_display,
    open_image,
)
from shared.datasets.pixels import encode_image, encode_png
from shared.datasets.records import ImageMeta
from shared.errors import BadInput


def decoded(png: bytes) -> npt.NDArray[Any]:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image)


def picture(values: npt.NDArray[np.uint8]) -> Image.Image:
    """``values`` [C, H, W] by way of the PNG that a data set holds."""
    return open_image(encode_image(values))


def meta(window_hu: tuple[float, float] | None = None) -> ImageMeta:
    return ImageMeta(
        category=None,
        split=None,
        patient=None,
        source="slice",
        unit="hu16",
        width=8,
        height=8,
        window_hu=window_hu,
    )


@pytest.mark.parametrize("size", [32, CELL_PX, 200])
@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_fills_its_cell(size: int, channels: int) -> None:
    levels = [40, 90, 140, 190, 240]
    images = [picture(np.full((channels, size, size), level, np.uint8)) for level in levels]
    sheet = decoded(contact_sheet(images, columns=3))
    step = CELL_PX + GAP_PX
    assert sheet.shape == (2 * step + GAP_PX, 3 * step + GAP_PX, 3)
    for place, level in enumerate(levels):
        row, column = divmod(place, 3)
        cell = sheet[
            row * step + GAP_PX : (row + 1) * step, column * step + GAP_PX : (column + 1) * step
        ]
        assert cell.shape == (CELL_PX, CELL_PX, 3)
        assert np.all(cell == level)


def test_colours_stay_what_they_are() -> None:
    red = np.zeros((3, 16, 16), np.uint8)
    red[0] = 255
    sheet = decoded(contact_sheet([picture(red)]))
    assert sheet[GAP_PX + 5, GAP_PX + 5].tolist() == [0, 0, 255], "OpenCV reads BGR"


@pytest.mark.parametrize(("count", "columns"), [(0, 1), (1, 1), (5, 3), (64, 8)])
def test_a_sheet_is_about_square(count: int, columns: int) -> None:
    images = [picture(np.zeros((1, 8, 8), np.uint8))] * count
    sheet = decoded(contact_sheet(images, cell_px=16))
    assert sheet.shape[1] == columns * (16 + GAP_PX) + GAP_PX


@pytest.mark.parametrize(
    ("window", "low", "high"), [(None, -160.0, 240.0), ((-1350.0, 150.0), -1350.0, 150.0)]
)
def test_hu_are_shown_in_their_window(
    window: tuple[float, float] | None, low: float, high: float
) -> None:
    hu = np.linspace(-2000, 2000, 4001).astype(np.int32).reshape(1, -1)
    shown = for_display(encode_png((hu + HU_OFFSET).astype(np.uint16)), meta(window))
    expected = np.clip((hu - low) / (high - low) * 255.0, 0, 255)
    assert np.max(np.abs(np.asarray(shown, dtype=np.float64) - expected)) <= 0.51


def test_what_is_no_image_of_its_kind_is_refused() -> None:
    grey, hu = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint16)
    with pytest.raises(BadInput, match="8-bit"):
        open_image(encode_png(hu))
    with pytest.raises(BadInput, match="16-bit"):
        for_display(encode_png(grey), meta())
    with pytest.raises(BadInput, match="not a PNG"):
        open_image(b"GIF89a")
    jpeg = io.BytesIO()
    Image.new("L", (8, 8)).save(jpeg, "JPEG")
    with pytest.raises(BadInput, match="not a PNG"):
        open_image(jpeg.getvalue())
    with pytest.raises(BadInput, match="not a PNG"):
        open_image(encode_png(grey)[:40])


def test_sixteen_bits_survive_and_other_shapes_do_not() -> None:
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    assert np.array_equal(decoded(encode_png(values)), values)
    with pytest.raises((ValueError, cv2.error)):
        encode_png(np.zeros((2, 8, 8, 8), np.uint8))
