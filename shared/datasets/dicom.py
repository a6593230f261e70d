"""Images of a data set as DICOM files: CT images where HU and spacing are known, else captures.

Nothing in a file depends on the clock or on chance: the same data set is the same bytes. Every
identifier is derived from the data set's; patients are pseudonyms, or of an invention.

Source: DICOM PS3.3 2025, A.3 (CT Image), A.8.1 (Secondary Capture Image), C.11.1 (rescale); PS3.5
B.2 (UIDs from numbers).
"""

import hashlib
import io
from dataclasses import dataclass
from typing import Final

from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from lesiongan.contracts.categories import UNLABELLED
from shared.datasets.records import ImageRecord
from shared.version import VERSION

#: The high byte of HU + 32768, little-endian, becomes that of a signed HU.
_SIGNED: Final = bytes(value ^ 0x80 for value in range(256))
_MAKER: Final = "LesionGAN"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is said of all images of a data set. ``made`` is one sentence for people."""

    dataset_id: str
    kind: str
    #: Made by a GAN or drawn by the phantom, or derived from such images alone.
    synthetic: bool
    made: str


def dicom_file(origin: Origin, record: ImageRecord, png: bytes) -> bytes:
    """The image as a DICOM file, Explicit VR Little Endian, uncompressed."""
    is_ct = record.unit == "hu16" and record.spacing_mm is not None
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage if is_ct else SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = _uid(origin, "image", record.index)
    _add_patient(dataset, origin, record)
    _add_study(dataset, origin, record, is_ct=is_ct)
    _add_image(dataset, origin, record)
    _add_pixels(dataset, record, png)
    if record.unit == "hu16":
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "HU"
    if is_ct:
        _add_ct(dataset, origin, record)
    else:
        dataset.ConversionType = "SYN" if origin.synthetic else "WSD"
    return _written(dataset)


def _add_patient(dataset: Dataset, origin: Origin, record: ImageRecord) -> None:
    category = (record.category or UNLABELLED).upper()
    if origin.synthetic:
        dataset.PatientName = f"SYNTHETIC^{category}"
        dataset.PatientID = f"SYNTHETIC-{origin.dataset_id}"
    else:
        dataset.PatientName = f"ANONYMOUS^{record.patient[:12]}" if record.patient else ""
        dataset.PatientID = record.patient or ""
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Header dropped; patient is an HMAC-SHA256 pseudonym"


def _add_study(dataset: Dataset, origin: Origin, record: ImageRecord, *, is_ct: bool) -> None:
    owner = record.patient or (0 if origin.synthetic else record.index)
    dataset.StudyInstanceUID = _uid(origin, "study", owner)
    # A slice of a scan whose other slices are unknown is a series of its own.
    dataset.SeriesInstanceUID = _uid(origin, "series", record.index if is_ct else owner)
    dataset.StudyDate = dataset.StudyTime = dataset.ReferringPhysicianName = ""
    dataset.StudyID = dataset.AccessionNumber = ""
    dataset.Modality = "CT"
    dataset.SeriesNumber = record.index + 1 if is_ct else 1
    dataset.SeriesDescription = f"{origin.kind} {record.category or UNLABELLED}"
    dataset.InstanceNumber = record.index + 1
    dataset.Manufacturer = _MAKER
    dataset.ManufacturerModelName = _MAKER
    dataset.SoftwareVersions = VERSION


def _add_image(dataset: Dataset, origin: Origin, record: ImageRecord) -> None:
    dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    dataset.PatientOrientation = dataset.Laterality = ""
    dataset.SyntheticData = "YES" if origin.synthetic else "NO"
    dataset.BurnedInAnnotation = "NO"
    category, split = record.category or UNLABELLED, record.split or "no"
    dataset.ImageComments = f"category {category}, {split} split"
    dataset.DerivationDescription = _derivation(origin, record)
    if record.window_hu is not None and record.unit == "hu16":
        lowest, highest = record.window_hu
        dataset.WindowCenter = _decimal((lowest + highest) / 2)
        dataset.WindowWidth = _decimal(highest - lowest)


def _derivation(origin: Origin, record: ImageRecord) -> str:
    """At most 1,024 characters."""
    of_parent = "" if record.parent_index is None else f"; of image {record.parent_index}"
    drawn = "" if record.seed is None else f"; seed {record.seed}, draw {record.draw or 0}"
    return f"{origin.made}; image {record.index}{of_parent}{drawn}"[:1024]


def _add_ct(dataset: Dataset, origin: Origin, record: ImageRecord) -> None:
    """Where the slice lies in its scan is not known: each has a frame of reference of its own."""
    dataset.FrameOfReferenceUID = _uid(origin, "frame", record.index)
    dataset.PositionReferenceIndicator = dataset.PatientPosition = ""
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SliceThickness = dataset.KVP = dataset.AcquisitionNumber = None


def _add_pixels(dataset: Dataset, record: ImageRecord, png: bytes) -> None:
    with Image.open(io.BytesIO(png)) as image:
        data = bytearray(image.tobytes())
        bits = 8 if image.mode in ("L", "RGB") else 16
        dataset.SamplesPerPixel = len(image.getbands())
    if bits == 16:
        data[1::2] = data[1::2].translate(_SIGNED)
    dataset.PhotometricInterpretation = "MONOCHROME2" if dataset.SamplesPerPixel == 1 else "RGB"
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = record.height, record.width
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = 1 if bits == 16 else 0
    if record.spacing_mm is not None:
        dataset.PixelSpacing = [_decimal(record.spacing_mm)] * 2
    data += b"\0" * (len(data) % 2)
    dataset.add_new("PixelData", "OW" if bits == 16 else "OB", bytes(data))


def _written(dataset: Dataset) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    sink = io.BytesIO()
    dcmwrite(sink, dataset, enforce_file_format=True)
    return sink.getvalue()


def _uid(origin: Origin, what: str, number: int | str) -> UID:
    """2.25 and a number of 128 bits, as for a UUID."""
    digest = hashlib.sha256(f"{origin.dataset_id}/{what}/{number}".encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16])}")


def _decimal(value: float) -> str:
    """A decimal string of at most 16 characters."""
    return f"{value:.10g}"
