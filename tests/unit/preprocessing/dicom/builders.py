"""DICOM files as scanners write them, and as they should not be."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from services.preprocessing.domain.dicom.images import DicomImages
from services.preprocessing.domain.hounsfield import decode_hu
from services.preprocessing.domain.png import decode_grey
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped
from tests.unit.preprocessing.builders import Files

#: Made up: the root is the one of UUIDs.
UID_ROOT = "2.25.7"


def hounsfield(seed: int = 0, *, rows: int = 12, columns: int = 16) -> NDArray[np.int16]:
    """Noise around soft tissue."""
    noise = np.random.default_rng(seed).normal(40, 300, (rows, columns))
    return np.clip(noise, -1000, 2000).astype(np.int16)


def ct(values: NDArray[Any] | None = None, number: int = 1, **elements: Any) -> Dataset:
    """A CT slice whose stored values are HU + 1024; ``elements`` replaces, None removes."""
    stored = hounsfield(number) + 1024 if values is None else values
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPInstanceUID = f"{UID_ROOT}.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{UID_ROOT}.1000", f"{UID_ROOT}.2000"
    dataset.Modality, dataset.PatientID = "CT", "patient 1"
    dataset.PixelSpacing = [0.7, 0.7]
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.WindowCenter, dataset.WindowWidth = [40, 300], [400, 1500]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = 8 * stored.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    pixels = stored.tobytes()
    dataset.add_new("PixelData", "OW", pixels + b"\0" * (len(pixels) % 2))
    return changed(dataset, elements)


def capture(values: NDArray[Any], number: int = 1, **elements: Any) -> Dataset:
    """A secondary capture, without any unit."""
    bare = {"RescaleSlope": None, "RescaleIntercept": None, "PixelSpacing": None}
    kind = {"SOPClassUID": SecondaryCaptureImageStorage, "ImageType": ["DERIVED", "SECONDARY"]}
    return ct(values, number, **{**kind, **bare, **elements})


def enhanced(
    frames: Sequence[Mapping[str, Any]], shared: Mapping[str, Any], **elements: Any
) -> Dataset:
    """An Enhanced CT image; a frame or all have ``values``, spacing, rescale, window."""
    values = np.stack([frame["values"] for frame in frames])
    bare = dict.fromkeys(
        ("PixelSpacing", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth")
    )
    groups = {
        "SharedFunctionalGroupsSequence": [_groups(shared)],
        "PerFrameFunctionalGroupsSequence": [_groups(frame) for frame in frames],
    }
    kind = {"SOPClassUID": EnhancedCTImageStorage, "NumberOfFrames": len(frames)}
    return ct(values, **{**kind, **bare, **groups, **elements})


def _groups(about: Mapping[str, Any]) -> Dataset:
    found = Dataset()
    if "spacing" in about:
        found.PixelMeasuresSequence = [of(PixelSpacing=[about["spacing"]] * 2)]
    if "rescale" in about:
        slope, intercept = about["rescale"]
        rescale = of(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="HU")
        found.PixelValueTransformationSequence = [rescale]
    if "window" in about:
        centre, width = about["window"]
        found.FrameVOILUTSequence = [of(WindowCenter=centre, WindowWidth=width)]
    return found


def of(**elements: Any) -> Dataset:
    return changed(Dataset(), elements)


def changed(dataset: Dataset, elements: Mapping[str, Any]) -> Dataset:
    for name, value in elements.items():
        if value is None:
            dataset.pop(name, None)
        else:
            setattr(dataset, name, value)
    return dataset


def written(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """A file with preamble."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", f"{UID_ROOT}.9")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", f"{UID_ROOT}.9")
    sink = io.BytesIO()
    dcmwrite(sink, dataset, enforce_file_format=True)
    return sink.getvalue()


def compressed(dataset: Dataset, syntax: UID, *frames: bytes) -> bytes:
    """The same header, and compressed frames for pixels."""
    dataset.PixelData = encapsulate(list(frames))
    dataset["PixelData"].VR = "OB"
    return written(dataset, syntax)


def read(files: Mapping[str, bytes] | Sequence[bytes]) -> list[RawImage | Skipped]:
    """What a reading yields."""
    named = files if isinstance(files, Mapping) else {f"{n}": each for n, each in enumerate(files)}
    items = DicomImages(Files(named)).items()
    return [item for item in items if not isinstance(item, Known)]


def image(files: Mapping[str, bytes] | Sequence[bytes]) -> RawImage:
    """The only image."""
    (item,) = read(files)
    assert isinstance(item, RawImage), item
    return item


def hu(item: RawImage | Skipped) -> NDArray[np.int16]:
    """Of an image of unit ``hu16``."""
    assert isinstance(item, RawImage), item
    assert (item.unit, item.bit_depth) == ("hu16", 16)
    return decode_hu(cast("NDArray[np.uint16]", decode_grey(item.png).values))


def reason(data: bytes) -> str:
    """Why a file is left out of a source that holds a sound one too."""
    (sound, skipped) = read([written(ct(number=99)), data])
    assert isinstance(sound, RawImage)
    assert isinstance(skipped, Skipped)
    assert (skipped.file, skipped.row) == (2, None)
    return skipped.reason
