"""Contact sheets: each image in its cell."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from shared.datasets.contact_sheet import CELL_PX, GAP_PX, contact_sheet, encode_png


def decoded(png: bytes) -> npt.NDArray[Any]:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image)


@pytest.mark.parametrize("size", [32, CELL_PX, 200])
@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_fills_its_cell(size: int, channels: int) -> None:
    levels = [40, 90, 140, 190, 240]
    images = [np.full((channels, size, size), level, np.uint8) for level in levels]
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
    sheet = decoded(contact_sheet([red]))
    assert sheet[GAP_PX + 5, GAP_PX + 5].tolist() == [0, 0, 255], "OpenCV reads BGR"


@pytest.mark.parametrize(("count", "columns"), [(0, 1), (1, 1), (5, 3), (64, 8)])
def test_a_sheet_is_about_square(count: int, columns: int) -> None:
    images = [np.zeros((1, 8, 8), np.uint8)] * count
    sheet = decoded(contact_sheet(images, cell_px=16))
    assert sheet.shape[1] == columns * (16 + GAP_PX) + GAP_PX


def test_sixteen_bits_survive_and_other_shapes_do_not() -> None:
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    assert np.array_equal(decoded(encode_png(values)), values)
    with pytest.raises((ValueError, cv2.error)):
        encode_png(np.zeros((2, 8, 8, 8), np.uint8))
