"""A DICOM file at the door: its picture passes, and nothing that says whose it is."""

import io
import random
import tracemalloc
import zlib

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless

from shared.datasets.dicom_stripping import KEPT, is_dicom, stripped
from shared.errors import BadInput, TooLarge
from tests.unit.preprocessing.dicom.builders import compressed, ct, enhanced, hounsfield, written
from tests.unit.preprocessing.dicom.test_privacy import MARK, UID_MARK, marked

MAX_BYTES = 1 << 20
LIMITS = {"max_pixels": 1 << 16, "max_bytes": MAX_BYTES}


def test_only_the_picture_passes() -> None:
    sound = written(marked(1))
    made = stripped(sound, **LIMITS)
    found = dcmread(io.BytesIO(made))

    assert MARK.encode() in sound
    assert MARK.encode() not in made
    assert UID_MARK.encode() not in made
    assert {element.keyword for element in found} <= {*KEPT, "SOPInstanceUID"}
    assert found.PixelData == dcmread(io.BytesIO(sound)).PixelData
    assert (found.RescaleSlope, found.RescaleIntercept) == (1, -1024)
    assert list(found.PixelSpacing) == [0.7, 0.7]


def test_items_of_sequences_are_gone_through() -> None:
    frame = {"values": hounsfield() + 1024, "spacing": 0.7, "rescale": (1, -1024)}
    dataset = enhanced([frame], {})
    (group,) = dataset.PerFrameFunctionalGroupsSequence
    group.PatientName = f"{MARK}^NESTED"
    group.PixelMeasuresSequence[0].InstitutionName = MARK
    made = stripped(written(dataset), **LIMITS)

    assert MARK.encode() not in made
    (group,) = dcmread(io.BytesIO(made)).PerFrameFunctionalGroupsSequence
    assert list(group.PixelMeasuresSequence[0].PixelSpacing) == [0.7, 0.7]


def test_compressed_pixels_stay_as_they_are() -> None:
    sound = compressed(ct(), RLELossless, b"\1" * 64)
    made = dcmread(io.BytesIO(stripped(sound, **LIMITS)))

    assert made.file_meta.TransferSyntaxUID == RLELossless
    assert made.PixelData == dcmread(io.BytesIO(sound)).PixelData


def test_a_deflated_file_becomes_the_plain_one() -> None:
    plain, deflated = (
        stripped(written(marked(1), syntax), **LIMITS)
        for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
    )

    assert MARK.encode() not in deflated
    assert dcmread(io.BytesIO(deflated)).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert deflated == plain


def test_a_deflated_file_is_inflated_to_its_limit_and_no_further() -> None:
    data = written(ct(), DeflatedExplicitVRLittleEndian)
    start = 144 + int.from_bytes(data[140:144], "little")
    plain = zlib.decompress(data[start:], -15)
    stripped(data, max_pixels=1 << 16, max_bytes=len(plain))
    with pytest.raises(TooLarge, match=f"more than {len(plain) - 1} bytes"):
        stripped(data, max_pixels=1 << 16, max_bytes=len(plain) - 1)

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(200)), packer.flush()])
    tracemalloc.start()
    with pytest.raises(TooLarge, match="expands to more"):
        stripped(data[:start] + bomb, **LIMITS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MAX_BYTES


def test_damaged_deflated_data_are_refused() -> None:
    data = written(ct(), DeflatedExplicitVRLittleEndian)
    start = 144 + int.from_bytes(data[140:144], "little")
    for damaged in (data[:-10], data[:start] + b"\xff" * 50, data[:start]):
        with pytest.raises(BadInput, match="damaged"):
            stripped(damaged, **LIMITS)


def test_the_same_file_is_the_same_bytes() -> None:
    first, second = (stripped(written(ct(number=2)), **LIMITS) for _ in range(2))

    assert first == second
    assert is_dicom(first)


def test_what_has_no_picture_or_too_large_a_one_is_refused() -> None:
    with pytest.raises(BadInput, match="no picture"):
        stripped(written(ct(PixelData=None)), **LIMITS)
    with pytest.raises(TooLarge, match="16x12 px"):
        stripped(written(ct()), max_pixels=16 * 12 - 1, max_bytes=MAX_BYTES)


def test_a_header_without_end_is_refused() -> None:
    elements = b"".join(
        group + number.to_bytes(2, "little") + b"LO\x00\x00"
        for group in (b"\x09\x00", b"\x0b\x00")
        for number in range(1, 60_000)
    )
    sound = written(ct())
    at = sound.index(b"\x10\x00\x20\x00LO")  # the patient's id
    with pytest.raises(BadInput, match="damaged"):
        stripped(sound[:at] + elements + sound[at:], **LIMITS)


def test_damage_leads_nowhere_else() -> None:
    sound = bytearray(written(marked(1)))
    chance = random.Random(0)
    reasons = []
    for _ in range(300):
        damaged = bytearray(sound)
        for _ in range(4):
            damaged[chance.randrange(132, 2_000)] = chance.randrange(256)
        try:
            stripped(bytes(damaged), **LIMITS)
        except (BadInput, TooLarge) as error:
            reasons.append(str(error))
    assert 0 < len(reasons) < 300
    assert MARK not in "".join(reasons)


def test_what_is_none_is_known_by_its_prefix() -> None:
    assert is_dicom(written(ct()))
    assert not is_dicom(b"\x89PNG\r\n\x1a\n" + b"\0" * 200)
    assert not is_dicom(b"")
    assert np.array_equal(dcmread(io.BytesIO(written(ct()))).pixel_array, hounsfield(1) + 1024)
