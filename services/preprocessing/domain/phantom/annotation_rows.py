"""Rows of ``DL_info.csv``, in the columns and number formats of the original.

Yan et al., "DeepLesion: automated mining of large-scale lesion annotations and universal lesion
detection with deep learning", J. Med. Imaging 5(3), 2018.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from lesiongan.contracts.categories import CODES, SPLITS, Split
from services.preprocessing.domain.deeplesion_rows import COLUMNS
from services.preprocessing.domain.phantom.canvas import SIZE_PX
from services.preprocessing.domain.phantom.slices import LesionMark, SlicePlan

_SERIES = 1
_RANGE_MM = 30.0


def series_name(plan: SlicePlan) -> str:
    """``000016_02_01``: patient, study, series."""
    return f"{plan.patient.index:06d}_{plan.study.number:02d}_{_SERIES:02d}"


def image_path(plan: SlicePlan) -> str:
    """Where the slice lies in the archive: ``Images_png/000016_02_01/253.png``."""
    return f"Images_png/{series_name(plan)}/{plan.key_slice:03d}.png"


def row_of(plan: SlicePlan, mark: LesionMark, split: Split) -> list[str]:
    """The 18 values of one lesion, as text."""
    study, measurement = plan.study, mark.measurement
    reach = round(_RANGE_MM / study.thickness_mm)
    return [
        f"{series_name(plan)}_{plan.key_slice:03d}.png",
        str(plan.patient.index),
        str(study.number),
        str(_SERIES),
        str(plan.key_slice),
        _joined(measurement.coordinates),
        _joined(measurement.box),
        _joined(measurement.diameters),
        _joined((*mark.normalised_xy, plan.normalised_z)),
        str(CODES[plan.category]),
        "0",
        f"{plan.key_slice - reach}, {plan.key_slice + reach}",
        _joined((study.spacing_mm, study.spacing_mm, study.thickness_mm)),
        f"{SIZE_PX}, {SIZE_PX}",
        _joined(plan.window_hu),
        plan.patient.gender,
        f"{study.age:.1f}",
        str(SPLITS.index(split) + 1),
    ]


def _joined(values: Iterable[float]) -> str:
    """Six significant digits, as the original has them: ``"0.82, 0.82, 1"``."""
    return ", ".join(f"{value:.6g}" for value in values)


def table(rows: Sequence[Sequence[str]]) -> bytes:
    """``DL_info.csv``: the header and ``rows``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()
