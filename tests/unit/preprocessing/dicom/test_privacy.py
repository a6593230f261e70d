"""Nothing that identifies a patient leaves the reader but the patient, to be pseudonymised."""

import dataclasses
import logging
import struct
import warnings

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless

from services.preprocessing.domain.dicom.images import DicomImages
from services.preprocessing.domain.dicom.tags import Tag
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped
from shared.datasets.pseudonyms import pseudonym
from shared.errors import BadInput
from tests.unit.preprocessing.builders import Files
from tests.unit.preprocessing.dicom.builders import UID_ROOT, compressed, ct, written

MARK = "MARKER"
#: UIDs hold digits only.
UID_MARK = f"{UID_ROOT}.31337.31337"
TEXTS = {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}


def marked(number: int) -> Dataset:
    """A slice with a mark in every text, date and UID that the standard has, and in private tags.

    The elements that say what the image is are left as they are.
    """
    with warnings.catch_warnings(action="ignore"):
        return _marked(number)


def _marked(number: int) -> Dataset:
    dataset = ct(number=number)
    needed = {tag for tag in Tag if tag not in (Tag.PATIENT, Tag.STUDY, Tag.SERIES)}
    for tag, (vr, *_) in DicomDictionary.items():
        if tag in needed or tag >> 16 in (0x0000, 0x0002) or tag & 0xFFFF == 0:
            continue
        if vr in TEXTS:
            dataset.add_new(tag, vr, f"{MARK}{tag:08X}"[:16])
        elif vr == "UI":
            dataset.add_new(tag, vr, f"{UID_MARK}.{number}")
        elif vr == "DA":
            dataset.add_new(tag, vr, "31337")  # no date: pydicom warns, and quotes it
    dataset.SOPInstanceUID = f"{UID_MARK}.{number}"
    dataset.PatientID = f"{MARK}-PATIENT"
    block = dataset.private_block(0x0099, f"{MARK} LAB", create=True)
    block.add_new(0x01, "LO", f"{MARK} private")
    nested = Dataset()
    nested.PatientName = f"{MARK}^NESTED"
    dataset.RequestAttributesSequence = [nested]
    return dataset


def broken(number: int) -> list[bytes]:
    """Slices that fail in every way that quotes a value in pydicom's words."""
    sound = written(marked(number))
    values = {
        b"\x28\x00\x10\x00US\x02\x00": b"\x28\x00\x10\x00LO\x02\x00",  # Rows is a text
        b"\x28\x00\x52\x10DS": b"\x28\x00\x52\x10PN",
        b"\x28\x00\x53\x10DS\x04\x001.0 ": b"\x28\x00\x53\x10DS\x04\x00MARK",
        b"\x20\x00\x0d\x00UI": b"\x20\x00\x0d\x00??",
        b"\x10\x00\x20\x00LO": b"\x10\x00\x20\x00DS",
    }
    damaged = [sound.replace(old, new) for old, new in values.items()]
    assert sound not in damaged
    stream = b"\xff\x4f\xff\x51" + f"{MARK} in a stream".encode() * 20
    charset = marked(number)
    charset.SpecificCharacterSet = "ISO_IR 100"
    return [
        *damaged,
        sound[:-40],
        compressed(marked(number), JPEG2000Lossless, stream),
        sound.replace(b"1.2.840.10008.1.2.1\0", b"1.2.31337.31337.33\0\0"),
        written(charset).replace(b"ISO_IR 100", b"MARKER 100"),
        sound[:200] + struct.pack("<HH2sHI", 8, 9, b"SQ", 0, 0xFFFFFFFF) + sound[200:],
    ]


def test_identifiers_reach_neither_records_nor_reasons_nor_logs(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    files = {f"{MARK}/{MARK}_{n}.dcm": written(marked(n)) for n in (1, 2)}
    files |= {f"{MARK}/broken {n}": data for n, data in enumerate(broken(3))}
    files[f"{MARK}.txt"] = f"{MARK}".encode()
    caplog.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        items = list(DicomImages(Files(files)).items())
    images = [each for each in items if isinstance(each, RawImage)]
    skipped = [each for each in items if isinstance(each, Skipped)]
    assert len(images) >= 2
    assert len(skipped) >= 8
    for each in images:
        assert each.patient is not None
        kept = dataclasses.replace(each, patient=pseudonym(each.patient, "secret"))
        assert_unmarked(repr(kept).encode() + each.png + each.source.encode())
    assert_unmarked(repr(skipped).encode())
    assert_unmarked("".join(f"{each.message}" for each in caught).encode())
    assert_unmarked(caplog.text.encode())
    said = capfd.readouterr()
    assert_unmarked((said.out + said.err).encode())


def test_what_is_refused_names_nobody() -> None:
    files = {MARK: written(marked(1))[:-40], f"{MARK}2": b"no DICOM"}
    with pytest.raises(BadInput) as caught:
        list(DicomImages(Files(files)).items())
    error: BaseException | None = caught.value
    while error is not None:
        assert_unmarked(repr(error).encode())
        error = error.__cause__


def test_a_table_is_not_quoted() -> None:
    rows = f"sop_instance_uid,category,patient,split,file\n{UID_MARK}.1,liver,{MARK},train,\n"
    rows += f"{UID_MARK}.99,liver,{MARK}3,train,\n{UID_MARK}.2,liver,{MARK}2,train,{MARK}\n"
    files = {"lesions.csv": rows.encode()}
    files |= {f"{MARK}{n}": written(marked(n)) for n in (1, 2)}
    items = list(DicomImages(Files(files)).items())
    skipped = [each for each in items if isinstance(each, Skipped)]
    assert len(skipped) == 2
    assert_unmarked(repr(skipped).encode())
    assert not any(isinstance(each, Known) for each in items)


def assert_unmarked(said: bytes) -> None:
    assert MARK.encode() not in said.upper()
    assert b"31337" not in said
