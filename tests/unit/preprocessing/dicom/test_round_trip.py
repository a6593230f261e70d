"""What is sent out as DICOM comes in again: the same HU, the same grey levels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from services.preprocessing.decoding import encode_image
from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.png import decode_grey, encode_grey
from services.preprocessing.domain.raw_images import RawImage
from shared.datasets.dicom import Origin, dicom_file
from shared.datasets.records import ImageRecord
from tests.unit.preprocessing.builders import grey_noise
from tests.unit.preprocessing.dicom.builders import hounsfield, hu, image, read, reason

REAL = Origin(dataset_id="ds_real", kind="raw", synthetic=False, made="LesionGAN: taken in")
RAW: Mapping[str, Any] = {"unit": "hu16", "window_hu": (-160.0, 240.5)}


def record(index: int = 3, **members: Any) -> ImageRecord:
    known: dict[str, Any] = {
        "category": "liver",
        "split": "train",
        "patient": "ab" * 16,
        "source": "file 1",
        "unit": "uint8",
        "width": 16,
        "height": 12,
        "index": index,
        "sha256": "",
        "shard": 0,
        "offset": 0,
        "size": 0,
    }
    return ImageRecord(**known | members)


@pytest.mark.parametrize("spacing_mm", [0.703125, None])
def test_raw_slices_come_back_with_their_hu(spacing_mm: float | None) -> None:
    values = hounsfield(4)
    values[0, :2] = -32_768, 32_767
    about = record(**RAW, spacing_mm=spacing_mm)
    found = image([dicom_file(REAL, about, encode_grey(encode_hu(values)))])
    assert np.array_equal(hu(found), values)
    assert (found.spacing_mm, found.window_hu) == (spacing_mm, (-160, 240.5))
    assert found.patient == "ab" * 16


def test_grey_levels_come_back() -> None:
    grey = grey_noise(2, size=15)
    about = record(width=15, height=15, spacing_mm=1.0)
    found = image([dicom_file(REAL, about, encode_grey(grey))])
    assert (found.unit, found.spacing_mm, found.window_hu) == ("uint8", 1.0, None)
    assert np.array_equal(decode_grey(found.png).values, grey)


def test_a_whole_set_comes_back_in_its_order() -> None:
    slices = [hounsfield(n) for n in range(5)]
    pngs = [encode_grey(encode_hu(each)) for each in slices]
    found = read([dicom_file(REAL, record(n, **RAW), png) for n, png in enumerate(pngs)])
    assert [each.png for each in found if isinstance(each, RawImage)] == pngs


def test_colours_stay_out() -> None:
    colours = np.stack([grey_noise(n, size=8) for n in range(3)])
    data = dicom_file(REAL, record(width=8, height=8, channels=3), encode_image(colours))
    assert reason(data) == "it is a colour picture; CT images are grey"
