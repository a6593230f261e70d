"""Images as DICOM files: read back exactly, complete by the standard, the same every time."""

import importlib.metadata
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

from services.preprocessing.decoding import encode_image
from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.png import encode_grey
from shared.datasets.dicom import Origin, dicom_file
from shared.datasets.records import ImageRecord
from shared.version import VERSION

REAL = Origin(dataset_id="ds_real", kind="raw", synthetic=False, made="LesionGAN: taken in")
SYNTHETIC = Origin(
    dataset_id="ds_made",
    kind="synthetic",
    synthetic=True,
    made="LesionGAN: sampled from gan_1, weights SHA-256 abc",
)
#: Type 1: must have a value. PS3.3, tables of the modules that A.3 and A.8.1 make mandatory.
VALUES = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"),
    *("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
)
VALUES_OF_CT = (
    *("FrameOfReferenceUID", "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing"),
    *("ImageType", "RescaleIntercept", "RescaleSlope"),
)
#: Type 2: must be there, and may be empty.
PRESENT = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ReferringPhysicianName"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "SeriesNumber", "Manufacturer"),
    "InstanceNumber",
)
PRESENT_IN_CT = ("PositionReferenceIndicator", "SliceThickness", "KVP", "AcquisitionNumber")
#: The validator that Debian has does not know the tag, which is younger.
UNKNOWN_TAG = "(0008,001c)"

RANDOM = np.random.default_rng(0)
HU = RANDOM.integers(-1024, 3000, (31, 33)).astype(np.int16)
GREY = RANDOM.integers(0, 256, (31, 33)).astype(np.uint8)
COLOUR = RANDOM.integers(0, 256, (3, 31, 33)).astype(np.uint8)


def record(**members: Any) -> ImageRecord:
    known: dict[str, Any] = {
        "category": "soft_tissue",
        "split": "train",
        "patient": "ab" * 16,
        "source": "file 1, row 2",
        "unit": "uint8",
        "width": 33,
        "height": 31,
        "index": 7,
        "sha256": "",
        "shard": 0,
        "offset": 0,
        "size": 0,
    }
    return ImageRecord(**known | members)


def ct(**members: Any) -> bytes:
    about = record(unit="hu16", spacing_mm=0.703125, window_hu=(-160.0, 240.0), **members)
    return dicom_file(REAL, about, encode_grey(encode_hu(HU)))


def capture(origin: Origin = REAL, pixels: npt.NDArray[np.uint8] = GREY, **members: Any) -> bytes:
    return dicom_file(origin, record(**members), encode_image(pixels))


def sampled(**members: Any) -> bytes:
    return capture(SYNTHETIC, patient=None, seed=5, **members)


FILES: dict[str, Callable[[], bytes]] = {
    "ct": ct,
    "capture": capture,
    "hu without spacing": lambda: dicom_file(REAL, record(unit="hu16"), encode_grey(encode_hu(HU))),
    "colour": lambda: capture(pixels=COLOUR, channels=3),
    "synthetic": sampled,
}


def read(data: bytes) -> Dataset:
    return dcmread(io.BytesIO(data))


def test_hu_come_back_exactly() -> None:
    found = read(ct())
    assert found.SOPClassUID == CTImageStorage
    hu = found.pixel_array * found.RescaleSlope + found.RescaleIntercept
    assert np.array_equal(hu, HU)
    assert [float(side) for side in found.PixelSpacing] == [0.703125, 0.703125]
    assert (found.WindowCenter, found.WindowWidth) == (40, 400)


def test_the_version_is_known_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> NoReturn:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", missing)
    assert read(capture()).SoftwareVersions == VERSION


def test_grey_levels_and_colours_come_back_exactly() -> None:
    assert np.array_equal(read(capture()).pixel_array, GREY)
    found = read(FILES["colour"]())
    assert np.array_equal(found.pixel_array, COLOUR.transpose(1, 2, 0))


def test_hu_of_unknown_scale_are_a_capture() -> None:
    found = read(FILES["hu without spacing"]())
    assert found.SOPClassUID == SecondaryCaptureImageStorage
    assert np.array_equal(found.pixel_array, HU)


@pytest.mark.parametrize("name", FILES)
def test_every_mandatory_attribute_is_there(name: str) -> None:
    found = read(FILES[name]())
    is_ct = found.SOPClassUID == CTImageStorage
    for attribute in VALUES + (VALUES_OF_CT if is_ct else ("ConversionType",)):
        assert found.get(attribute) not in (None, ""), attribute
    for attribute in PRESENT + (PRESENT_IN_CT if is_ct else ()):
        assert attribute in found, attribute


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy: Debian's dicom3tools")
@pytest.mark.parametrize("name", FILES)
def test_a_validator_finds_no_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(FILES[name]())
    done = subprocess.run(
        ["dciodvfy", "-new", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).splitlines()
    errors = [line for line in said if line.startswith("Error") and UNKNOWN_TAG not in line]
    assert not errors


def test_what_is_synthetic_says_so() -> None:
    found = read(sampled(draw=2))
    assert found.SyntheticData == "YES"
    assert found.ConversionType == "SYN"
    assert str(found.PatientName) == "SYNTHETIC^SOFT_TISSUE"
    assert found.PatientID == "SYNTHETIC-ds_made"
    for part in ("gan_1", "SHA-256 abc", "image 7", "seed 5", "draw 2"):
        assert part in found.DerivationDescription


def test_what_is_real_names_its_patient_by_pseudonym_alone() -> None:
    found = read(capture())
    assert found.SyntheticData == "NO"
    assert found.PatientID == "ab" * 16
    assert found.PatientIdentityRemoved == "YES"
    assert read(capture(patient=None)).PatientID == ""


def test_the_same_image_is_the_same_file() -> None:
    assert ct() == ct()
    assert sampled() == sampled()


def test_images_share_what_they_share_and_nothing_else() -> None:
    first, second, other = read(capture()), read(capture(index=8)), read(capture(patient="cd" * 16))
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert first.StudyInstanceUID != other.StudyInstanceUID
    assert read(ct()).SeriesInstanceUID != read(ct(index=8)).SeriesInstanceUID


def test_images_of_unknown_patients_are_not_one_patients() -> None:
    first, second = read(capture(patient=None)), read(capture(patient=None, index=8))
    assert first.StudyInstanceUID != second.StudyInstanceUID
