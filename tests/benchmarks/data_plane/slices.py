"""Any number of slices of DeepLesion's size and layout, each with pixels of its own.

Drawing a phantom takes half a second. So some dozens are drawn, and each slice is one of them with
noise, as hard to compress as a scan: new where its lesions are, so that no two slices and no two
crops are equal, and the drawing's own in the rows above and below, which are compressed once.
"""

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.deeplesion_rows import TABLE
from services.preprocessing.domain.phantom.writer import write_phantoms
from tests.benchmarks.data_plane.stripes import Stripe, png, stripe

SIDE_PX = 512
_LESIONS_PER_CATEGORY = 4
#: HU; makes a slice about as large as DeepLesion's (9 GB of PNG for 32,120 slices).
_NOISE_HU = 12.0
#: Beyond a lesion, above and below: half of the field that a crop shows, and some more.
_AROUND_PX = 64


#: Of the table, by column.
_Rows = list[dict[str, str]]


@dataclass(frozen=True)
class _Drawn:
    """A slice's stripes around its lesions (uint16 [H, W]), and its rows of the table."""

    above: Stripe
    lesions: NDArray[np.uint16]
    below: Stripe
    rows: _Rows


class Slices:
    """Slices number 0, 1, 2 …; the same number is always the same slice.

    Of a smaller ``side_px`` than 512 they are what lies around their lesions, for runs that are
    about numbers of slices and not of bytes.
    """

    def __init__(self, side_px: int = SIDE_PX) -> None:
        self._drawn = [_cut(values, rows, side_px) for values, rows in _draw()]

    def png(self, number: int) -> bytes:
        """The slice's file."""
        drawn = self._drawn[number % len(self._drawn)]
        lesions = stripe(_noisy(drawn.lesions, number))
        return png(drawn.lesions.shape[1], (drawn.above, lesions, drawn.below))

    def rows(self, number: int) -> _Rows:
        """The slice's lesions, as rows of ``DL_info.csv``; ten slices share a patient."""
        patient = str(1 + number // 10)
        names = {"File_name": f"{number:06d}_01_01_010.png", "Patient_index": patient}
        split = {"Train_Val_Test": str((1, 1, 1, 2, 3)[number // 10 % 5])}
        return [{**row, **names, **split} for row in self._drawn[number % len(self._drawn)].rows]

    def table(self, rows: _Rows) -> tuple[str, str]:
        """The name and the content of the table."""
        return TABLE, _table(rows)

    def write_zip(self, path: Path, count: int) -> int:
        """``count`` slices as one archive, stored as they are; returns its lesions."""
        rows = [row for number in range(count) for row in self.rows(number)]
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(*self.table(rows))
            for number in range(count):
                archive.writestr(f"Images_png/{number:06d}_01_01/010.png", self.png(number))
        return len(rows)


def _draw() -> Iterator[tuple[NDArray[np.uint16], _Rows]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phantoms.zip"
        write_phantoms(path, lesions_per_category=_LESIONS_PER_CATEGORY)
        with zipfile.ZipFile(path) as archive:
            table = csv.DictReader(io.StringIO(archive.read(TABLE).decode()))
            rows_of: dict[str, _Rows] = {}
            for row in table:
                series, _, number = row["File_name"].rpartition("_")
                rows_of.setdefault(f"Images_png/{series}/{number}", []).append(row)
            for name, rows in rows_of.items():
                data = np.frombuffer(archive.read(name), np.uint8)
                values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
                yield np.asarray(values, np.uint16), rows


def _cut(values: NDArray[np.uint16], rows: _Rows, side_px: int) -> _Drawn:
    boxes = [_numbers(row["Bounding_boxes"]) for row in rows]
    if side_px < len(values):
        x, y = ((boxes[0][place] + boxes[0][place + 2] - side_px) / 2 for place in (0, 1))
        left, up = (int(min(max(each, 0), len(values) - side_px)) for each in (x, y))
        cut = values[up : up + side_px, left : left + side_px]
        return _cut(cut, [_moved(row, left, up, side_px) for row in rows], side_px)
    top = max(int(min(box[1] for box in boxes)) - _AROUND_PX, 0)
    bottom = int(max(box[3] for box in boxes)) + _AROUND_PX
    above, below = (stripe(_noisy(part, 0)) for part in (values[:top], values[bottom:]))
    return _Drawn(above, values[top:bottom], below, rows)


def _moved(row: dict[str, str], left: int, up: int, side_px: int) -> dict[str, str]:
    """A lesion as the slice's new corner sees it."""
    moved = {"Image_size": f"{side_px}, {side_px}"}
    for column in ("Bounding_boxes", "Measurement_coordinates"):
        pairs = [n - (left, up)[place % 2] for place, n in enumerate(_numbers(row[column]))]
        moved[column] = ", ".join(map(str, pairs))
    return row | moved


def _numbers(cell: str) -> list[float]:
    return [float(each) for each in cell.split(",")]


def _noisy(values: NDArray[np.uint16], seed: int) -> NDArray[np.uint16]:
    random = np.random.Generator(np.random.SFC64(seed))
    noise = random.standard_normal(values.shape, dtype=np.float32) * _NOISE_HU
    return np.asarray(np.clip(values + np.rint(noise), 0, 65535), dtype=np.uint16)


def _table(rows: _Rows) -> str:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue()
