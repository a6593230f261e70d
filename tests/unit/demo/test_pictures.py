"""The demo's pictures."""

from pathlib import Path

import cv2
import numpy as np

from deploy.local.demo.curves import draw_curves
from deploy.local.demo.sheet import (
    AISLE_PX,
    CELL_PX,
    GAP_PX,
    HEAD_PX,
    LABEL_PX,
    SheetRow,
    draw_sheet,
)
from lesiongan.contracts.gans import MetricPoint


def png(value: int, size: int = 32) -> bytes:
    return cv2.imencode(".png", np.full((size, size), value, np.uint8))[1].tobytes()


def test_every_image_lies_in_its_place(tmp_path: Path) -> None:
    rows = [
        SheetRow("liver", [png(60), png(80)], [png(200), png(220)]),
        SheetRow("soft_tissue", [png(100, 128)], [png(240)]),
    ]
    path = draw_sheet(rows, tmp_path / "sheet.png", phantom=True)
    sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    step = CELL_PX + GAP_PX
    right = LABEL_PX + 2 * step - GAP_PX + AISLE_PX
    middle = CELL_PX // 2

    def at(row: int, left: int, column: int) -> int:
        return int(sheet[HEAD_PX + row * step + middle, left + column * step + middle])

    found = [at(0, LABEL_PX, 0), at(0, LABEL_PX, 1), at(0, right, 0), at(0, right, 1)]
    assert np.allclose(found, [60, 80, 200, 220], atol=2)
    assert np.allclose([at(1, LABEL_PX, 0), at(1, right, 0)], [100, 240], atol=2)
    labels = sheet[HEAD_PX : HEAD_PX + CELL_PX, :LABEL_PX]
    assert labels.max() > 150, "the category's name is written"


def test_curves_are_drawn_of_what_is_known(tmp_path: Path) -> None:
    points = [
        MetricPoint(step=step, values={"wasserstein": step / 7, "generator_loss": -step / 9})
        for step in range(20, 400, 20)
    ]
    path = draw_curves(points, tmp_path / "curves.png")
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape[1] > 1000
    blue = (picture[..., 0] > picture[..., 2].astype(int) + 80).sum()
    assert blue > 200, "the line of the Wasserstein estimate"
